//! What ends or bends a request: `return`, `if`, `rewrite`, `allow` and `deny`.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::{Pattern, after_anchor};
use gatewright_model::{Condition, PathEdit, Phase, Piece, Reply, Step, Subject, Template, Test};

use super::condition::condition;
use super::table::{self, Loss};
use super::variables::template;
use super::{Place, Product, Reader, Scope, SnippetLocation};
use crate::nginx_conf::Directive;

/// The type of a body where none is set (`default_type` of the controller's template).
const DEFAULT_TYPE: &str = "text/html";

const REWRITTEN: &str = "it looks at a path that was rewritten before";

impl Reader<'_, '_> {
    /// Whether the directive is one of these; it is dealt with then.
    pub(super) fn control(
        &mut self,
        directive: &Directive,
        scope: Scope,
        product: &mut Product,
    ) -> bool {
        match (directive.name.as_str(), &directive.block) {
            ("return" | "rewrite" | "break" | "if", _) if product.ended => {}
            ("return", None) => {
                match self.reply(directive, product, product.default_type.as_deref()) {
                    Ok(reply) => {
                        self.step(directive, None, reply, scope.rewrites(), product);
                        product.ended = true;
                    }
                    Err(why) => self.protection(directive, Some(&why), product),
                }
            }
            ("break", None) => product.ended = true,
            ("rewrite", None) => self.rewrite(directive, scope, product),
            ("if", Some(block)) => self.conditional(directive, block, scope, product),
            ("set", None) => self.variable(directive, false, product),
            ("allow" | "deny", None) => {
                let allow = directive.name == "allow";
                let who = directive.texts().join(" ");
                product.access.push((allow, who, directive.range.clone()));
            }
            ("limit_except", Some(block)) if matches!(scope, Scope::Location | Scope::Own) => {
                self.limit_except(directive, block, product);
            }
            ("internal", None) if scope == Scope::Own => {
                let reply = Reply::Status {
                    code: 404,
                    body: None,
                };
                self.step(directive, None, reply, Phase::Access, product);
            }
            _ => return false,
        }
        true
    }

    fn step(
        &mut self,
        directive: &Directive,
        when: Option<Condition>,
        reply: Reply,
        phase: Phase,
        product: &mut Product,
    ) {
        if matches!(reply, Reply::Status { code: 444, .. }) {
            let diagnostic = Diagnostic::new(
                Code::ConnectionClosed,
                "the connection is not closed without an answer",
            )
            .label(self.place(&directive.range), "answers with status 444")
            .note("nginx closes the connection on 444; Envoy answers with that status, and the request gets no further either");
            self.differs(diagnostic);
        }
        product.policies.steps.push(Step {
            when,
            reply,
            phase,
            origin: self.origin(),
            place: self.place(&directive.range),
        });
    }

    /// `return CODE [text|URL]` and `return URL`.
    fn reply(
        &mut self,
        directive: &Directive,
        product: &Product,
        content_type: Option<&str>,
    ) -> Result<Reply, String> {
        let template = |text: &str| template(text, &product.variables, self.input.ingress);
        let words = directive.texts();
        let (code, text) = match words[..] {
            [first] if first.bytes().all(|b| b.is_ascii_digit()) => (first, None),
            [url] => ("302", Some(url)),
            [code, text] => (code, Some(text)),
            _ => return Err("nginx takes one or two arguments here".to_owned()),
        };
        let code: u16 = code.parse().map_err(|_| format!("`{code}` is no status"))?;
        if !(200..=599).contains(&code) {
            return Err(format!("Envoy does not answer with status {code}"));
        }
        let known = |variable: String| format!("`{variable}` is not known to a gateway");
        if matches!(code, 301 | 302 | 303 | 307 | 308) {
            let Some(text) = text else {
                return Err("a redirect without a URL".to_owned());
            };
            let location = self.absolute(template(text).map_err(known)?);
            return Ok(Reply::Redirect {
                code,
                location,
                keep_query: false,
            });
        }
        let body = match text.filter(|text| !text.is_empty()) {
            Some(text) => {
                let body = template(text).map_err(known)?;
                if body.captures() || text.len() > 4096 {
                    return Err("Envoy cannot answer with this text".to_owned());
                }
                Some((body, content_type.unwrap_or(DEFAULT_TYPE).to_owned()))
            }
            None => None,
        };
        Ok(Reply::Status { code, body })
    }

    fn conditional(
        &mut self,
        directive: &Directive,
        block: &[Directive],
        scope: Scope,
        product: &mut Product,
    ) {
        let when = match condition(directive) {
            Ok(when) => when,
            Err(why) => {
                // What is decorated only under a condition is left out with it.
                let harmless = |inner: &Directive| {
                    matches!(
                        inner.name.as_str(),
                        "add_header" | "more_set_headers" | "more_clear_headers" | "break" | "set"
                    ) || matches!(
                        table::loss(&inner.name, &inner.texts(), false),
                        Loss::Harmless | Loss::Nothing(_)
                    )
                };
                if block.iter().all(harmless) {
                    self.harmless(directive, Some(&why));
                } else {
                    self.protection(directive, Some(&why), product);
                }
                return;
            }
        };
        let pattern = match &when.test {
            Test::Pattern { text, fold: false } => text.as_str(),
            _ => "",
        };
        if when.subject == (Subject::Path { query: false }) && is_rewritten(product, pattern) {
            self.protection(directive, Some(REWRITTEN), product);
            return;
        }
        let mut content_type = product.default_type.clone();
        for inner in block {
            match inner.name.as_str() {
                "return" => {
                    match self.reply(inner, product, content_type.as_deref()) {
                        Ok(reply) => self.step(inner, Some(when), reply, scope.rewrites(), product),
                        Err(why) => self.protection(inner, Some(&why), product),
                    }
                    return;
                }
                "default_type" => content_type = inner.texts().first().map(|&t| t.to_owned()),
                "set" => self.variable(inner, true, product),
                "add_header" | "more_set_headers" | "more_clear_headers" => {
                    self.harmless(
                        inner,
                        Some("headers cannot depend on a condition of the request"),
                    );
                }
                name => match table::loss(name, &inner.texts(), false) {
                    Loss::Nothing(_) => {}
                    Loss::Harmless => self.harmless(inner, None),
                    _ => {
                        self.protection(inner, Some("it depends on a condition"), product);
                        return;
                    }
                },
            }
        }
    }

    /// nginx completes a path with scheme and host, unless redirects are relative.
    fn absolute(&self, mut location: Template) -> Template {
        let relative = self.input.settings.redirect.relative(self.input.config);
        let is_path =
            matches!(location.0.first(), Some(Piece::Text(text)) if text.starts_with('/'));
        if is_path && !relative {
            let origin = [Piece::Scheme, Piece::Text("://".to_owned()), Piece::Host];
            location.0.splice(0..0, origin);
        }
        location
    }

    /// A variable alone does nothing; where it is used and its value is not known, that is
    /// refused. The controller's own ones choose the backend.
    fn variable(&mut self, directive: &Directive, conditional: bool, product: &mut Product) {
        let words = directive.texts();
        let name = words
            .first()
            .map_or("", |name| name.trim_start_matches('$'));
        let own = [
            "proxy_",
            "pass_",
            "balancer_",
            "service_",
            "global_rate_",
            "force_",
            "auth_",
        ]
        .iter()
        .any(|own| name.starts_with(own))
            || matches!(
                name,
                "namespace" | "ingress_name" | "location_path" | "best_http_host"
            );
        if own {
            self.protection(
                directive,
                Some("the controller uses this variable itself"),
                product,
            );
            return;
        }
        let value = match words[..] {
            [_, value] if !conditional => {
                let value = template(value, &product.variables, self.input.ingress);
                value.ok().filter(|value| !value.captures())
            }
            _ => None,
        };
        product.variables.insert(name.to_owned(), value);
    }

    fn rewrite(&mut self, directive: &Directive, scope: Scope, product: &mut Product) {
        let words = directive.texts();
        let (pattern, target, flag) = match words[..] {
            [pattern, target] => (pattern, target, ""),
            [pattern, target, flag] => (pattern, target, flag),
            _ => {
                self.protection(
                    directive,
                    Some("nginx takes two or three arguments here"),
                    product,
                );
                return;
            }
        };
        let external = ["http://", "https://", "$scheme"]
            .iter()
            .any(|p| target.starts_with(p));
        let code = match flag {
            "permanent" => 301,
            "redirect" => 302,
            _ if external => 302,
            _ => {
                self.internal_rewrite(directive, scope, (pattern, target, flag), product);
                return;
            }
        };
        if is_rewritten(product, pattern) {
            self.protection(directive, Some(REWRITTEN), product);
            return;
        }
        let keep_query = !target.ends_with('?');
        let location = match template(
            target.trim_end_matches('?'),
            &product.variables,
            self.input.ingress,
        ) {
            Ok(location) => self.absolute(location),
            Err(variable) => {
                let why = format!("`{variable}` is not known to a gateway");
                self.protection(directive, Some(&why), product);
                return;
            }
        };
        let when = Condition {
            subject: Subject::Path { query: false },
            test: Test::Pattern {
                text: pattern.to_owned(),
                fold: false,
            },
            negated: false,
        };
        let reply = Reply::Redirect {
            code,
            location,
            keep_query,
        };
        self.step(directive, Some(when), reply, scope.rewrites(), product);
    }

    fn internal_rewrite(
        &mut self,
        directive: &Directive,
        scope: Scope,
        (pattern, target, flag): (&str, &str, &str),
        product: &mut Product,
    ) {
        if scope == Scope::Server {
            self.reroute(directive, pattern, product);
            return;
        }
        if scope != Scope::Location {
            let why = "nginx looks for another location with the new path";
            self.protection(directive, Some(why), product);
            return;
        }
        if product.policies.path_edit.is_some() || self.input.settings.rewrite.target.is_some() {
            self.protection(directive, Some("a gateway rewrites a path once"), product);
            return;
        }
        product.policies.path_edit = Some(PathEdit {
            pattern: pattern.to_owned(),
            target: target.to_owned(),
            again: flag != "break",
            origin: self.origin(),
            place: self.place(&directive.range),
        });
    }

    /// A rewrite before the location is chosen: the paths that it takes are not served.
    fn reroute(&mut self, directive: &Directive, pattern: &str, product: &mut Product) {
        let mut inner = Product::default();
        let why = "nginx looks for a location with the new path; the paths that the pattern matches answer 503";
        self.protection(directive, Some(why), &mut inner);
        product.locations.push(SnippetLocation {
            place: Place::Pattern {
                text: pattern.to_owned(),
                fold: false,
            },
            policies: inner.policies,
            addresses: None,
            refusal: inner.refusal,
            origin: self.origin(),
            span: self.place(&directive.range),
        });
    }

    /// `limit_except GET POST { deny all; }`: `GET` includes `HEAD`.
    fn limit_except(&mut self, directive: &Directive, block: &[Directive], product: &mut Product) {
        let [only] = block else {
            self.protection(directive, None, product);
            return;
        };
        if only.name != "deny" || only.texts() != ["all"] {
            self.protection(directive, None, product);
            return;
        }
        let mut methods = directive.texts();
        if methods.contains(&"GET") && !methods.contains(&"HEAD") {
            methods.push("HEAD");
        }
        let when = Condition {
            subject: Subject::Method,
            test: Test::Pattern {
                text: format!("^({})$", methods.join("|")),
                fold: false,
            },
            negated: true,
        };
        let reply = Reply::Status {
            code: 403,
            body: None,
        };
        self.step(directive, Some(when), reply, Phase::Access, product);
    }
}

/// Whether a pattern may be asked about a path that was rewritten before.
fn is_rewritten(product: &Product, pattern: &str) -> bool {
    let Some(edit) = &product.policies.path_edit else {
        return false;
    };
    let prefix = |text: &str| {
        after_anchor(text)
            .and_then(|rest| Pattern::parse_case_sensitive(rest).ok())
            .map_or_else(String::new, |pattern| pattern.required_literal_prefix())
    };
    let asked = prefix(pattern);
    let target = edit.target.split('$').next().unwrap_or_default();
    let apart = |other: &str| !asked.starts_with(other) && !other.starts_with(&asked);
    !(apart(target) && apart(&prefix(&edit.pattern)))
}

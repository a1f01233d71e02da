//! Headers of both directions.
//!
//! `add_header`, `proxy_set_header` and `proxy_hide_header` of nginx, `more_*_headers` of the
//! headers-more module.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{HeaderChange, HeaderEdit, Piece, Template};

use super::variables::template;
use super::{Product, Reader, Scope};
use crate::annotations::backend::Protocol;
use crate::nginx_conf::Directive;

impl Reader<'_, '_> {
    /// Whether the directive is about headers; it is dealt with then.
    pub(super) fn header(
        &mut self,
        directive: &Directive,
        scope: Scope,
        product: &mut Product,
    ) -> bool {
        let words = directive.texts();
        match (directive.name.as_str(), words.as_slice()) {
            ("more_set_headers" | "more_clear_headers", words) => {
                if words.iter().any(|word| word.starts_with('-')) {
                    self.harmless(directive, Some("its options have no counterpart"));
                    return true;
                }
                let clear = directive.name == "more_clear_headers";
                for &word in words {
                    self.more_response(directive, word, clear, product);
                }
            }
            ("add_header", [name, value, rest @ ..]) => {
                if value.is_empty() {
                    return true;
                }
                let errors = rest == ["always"];
                match self.value(name, value, product) {
                    Ok(value) => {
                        if !errors && scope != Scope::Own {
                            self.not_on_errors(directive, name);
                        }
                        self.response(
                            directive,
                            name,
                            HeaderChange::Add { value, errors },
                            product,
                        );
                    }
                    Err(why) => self.harmless(directive, Some(&why)),
                }
            }
            ("proxy_hide_header", [name]) if is_name(name) => {
                self.response(directive, name, HeaderChange::Hide, product);
            }
            ("proxy_set_header" | "grpc_set_header", [name, value]) => match scope {
                // Every location sets headers of its own, so none are inherited.
                Scope::Server | Scope::Http => {}
                // Without a `proxy_pass` nothing is sent, and that is told by itself.
                Scope::Own => {}
                // A location asks by `proxy_pass` or by `grpc_pass`, and each has its own.
                Scope::Location if (directive.name == "grpc_set_header") != self.asks_grpc() => {}
                Scope::Location => self.proxy_set_header(directive, name, value, product),
            },
            ("more_set_input_headers", words) if !words.is_empty() => {
                for &word in words {
                    let Some((name, value)) =
                        word.split_once(':').filter(|_| !word.starts_with('-'))
                    else {
                        self.protection(
                            directive,
                            Some("its options have no counterpart"),
                            product,
                        );
                        return true;
                    };
                    let (name, value) = (name.trim(), value.trim());
                    let lower = name.to_ascii_lowercase();
                    if lower == "host" {
                        self.host(directive);
                    } else if OWN.contains(&&*lower) {
                        self.overridden(directive, name);
                    } else {
                        self.request(directive, name, value, product);
                    }
                }
            }
            ("more_clear_input_headers", words) if !words.is_empty() => {
                for &word in words {
                    let name = word.trim_end_matches(':').trim();
                    if !is_name(name) || word.starts_with('-') {
                        self.protection(
                            directive,
                            Some("headers are removed by their whole name"),
                            product,
                        );
                        return true;
                    }
                    let lower = name.to_ascii_lowercase();
                    if OWN.contains(&&*lower) || lower == "host" {
                        self.overridden(directive, name);
                    } else {
                        self.edit_request(directive, name, HeaderChange::Remove, product);
                    }
                }
            }
            _ => return false,
        }
        true
    }

    /// `"Name: value"`, and without a value a removal.
    fn more_response(
        &mut self,
        directive: &Directive,
        word: &str,
        clear: bool,
        product: &mut Product,
    ) {
        let (name, value) = word
            .split_once(':')
            .unwrap_or((word.trim_end_matches(';'), ""));
        let (name, value) = (name.trim(), value.trim());
        if !is_name(name) || name.starts_with('-') || name.contains('*') {
            self.harmless(
                directive,
                Some("its options and wildcards have no counterpart"),
            );
        } else if clear || value.is_empty() {
            self.response(directive, name, HeaderChange::Remove, product);
        } else {
            match self.value(name, value, product) {
                Ok(value) => self.response(directive, name, HeaderChange::Set(value), product),
                Err(why) => self.harmless(directive, Some(&why)),
            }
        }
    }

    fn not_on_errors(&mut self, directive: &Directive, name: &str) {
        let diagnostic = Diagnostic::new(
            Code::HeaderOnErrors,
            format!("the header `{name}` stands on error answers, too"),
        )
        .label(self.place(&directive.range), "without `always`")
        .note("nginx adds it to answers of status 200, 201, 204, 206, 301–304, 307 and 308 only; Envoy sets headers whatever the status")
        .help("write `always` if that is what you want anyway");
        self.differs(diagnostic);
    }

    /// A value that an Envoy header can hold.
    fn value(&self, name: &str, value: &str, product: &Product) -> Result<Template, String> {
        if !is_name(name) {
            return Err(format!("`{name}` is no header name"));
        }
        let template = template(value, &product.variables, self.input.ingress)
            .map_err(|variable| format!("`{variable}` is not known to a gateway"))?;
        if template.captures() {
            return Err("captures are not known to headers".to_owned());
        }
        if !value
            .bytes()
            .all(|b| b == b' ' || b == b'\t' || b.is_ascii_graphic())
            || value.contains("  ")
            || value.trim() != value
        {
            return Err("the value holds characters that a gateway does not take".to_owned());
        }
        Ok(template)
    }

    fn response(
        &mut self,
        directive: &Directive,
        name: &str,
        change: HeaderChange,
        product: &mut Product,
    ) {
        product.policies.response_edits.push(HeaderEdit {
            name: name.to_owned(),
            change,
            origin: self.origin(),
            place: self.place(&directive.range),
        });
    }

    fn edit_request(
        &mut self,
        directive: &Directive,
        name: &str,
        change: HeaderChange,
        product: &mut Product,
    ) {
        product.policies.request_edits.push(HeaderEdit {
            name: name.to_owned(),
            change,
            origin: self.origin(),
            place: self.place(&directive.range),
        });
    }

    /// Sets a request header. One that cannot be set is removed: a client must not be able to
    /// send what the backend trusts.
    fn request(&mut self, directive: &Directive, name: &str, value: &str, product: &mut Product) {
        if !is_name(name) {
            self.protection(directive, Some("this is no header name"), product);
            return;
        }
        if value.is_empty() {
            self.edit_request(directive, name, HeaderChange::Remove, product);
            return;
        }
        match self.value(name, value, product) {
            Ok(template) => {
                if template.0.contains(&Piece::Path) {
                    let diagnostic = Diagnostic::new(
                        Code::HeaderPath,
                        format!("the path in the header `{name}` is as the client encoded it"),
                    )
                    .label(self.place(&directive.range), "`$uri` is decoded")
                    .note("`/a%20b` stands as it is where nginx writes `/a b`");
                    self.differs(diagnostic);
                }
                self.edit_request(directive, name, HeaderChange::Set(template), product);
            }
            Err(why) => {
                let diagnostic = Diagnostic::new(
                    Code::SnippetRequestHeader,
                    format!("the request header `{name}` cannot be set, so it is removed"),
                )
                .label(self.place(&directive.range), why)
                .note("left alone, a client could send it and the backend would believe it")
                .help("let the backend do without the header, or set it in the output by hand");
                self.refused(diagnostic);
                self.edit_request(directive, name, HeaderChange::Remove, product);
            }
        }
    }

    fn host(&mut self, directive: &Directive) {
        let diagnostic = Diagnostic::new(
            Code::SnippetDirective,
            "the header `Host` is not set by a snippet",
        )
        .label(self.place(&directive.range), "left out")
        .note("ingress-nginx sends its own `Host` first when a snippet sets another one")
        .help("write the annotation `upstream-vhost` in its place");
        self.refused(diagnostic);
    }

    /// What comes from the client under these names does not reach a backend anyway.
    fn overridden(&mut self, directive: &Directive, name: &str) {
        let diagnostic = Diagnostic::new(
            Code::SnippetDirective,
            format!("the request header `{name}` is not changed by a snippet"),
        )
        .label(self.place(&directive.range), "left out")
        .note("ingress-nginx sets this header for the backend itself, whatever the request holds")
        .help("remove it, or use `proxy_set_header`");
        self.refused(diagnostic);
    }

    fn asks_grpc(&self) -> bool {
        let protocol = self.input.settings.backend.protocol();
        matches!(protocol, Protocol::Grpc { .. } | Protocol::Grpcs { .. })
    }

    /// The template of the controller sets some headers itself; a second `proxy_set_header`
    /// makes nginx send both.
    fn proxy_set_header(
        &mut self,
        directive: &Directive,
        name: &str,
        value: &str,
        product: &mut Product,
    ) {
        let lower = name.to_ascii_lowercase();
        let same: &[&str] = match lower.as_str() {
            // Envoy handles upgrades and connections by itself.
            "upgrade" | "connection" => return,
            "host" => &["$host", "$http_host", "$best_http_host"],
            "x-real-ip" => &["$remote_addr"],
            "x-forwarded-for" => &["$remote_addr", "$proxy_add_x_forwarded_for"],
            "x-forwarded-host" => &["$host", "$http_host", "$best_http_host"],
            "x-forwarded-proto" | "x-forwarded-scheme" | "x-scheme" => {
                &["$scheme", "$pass_access_scheme"]
            }
            "x-forwarded-port" => &["$server_port", "$pass_port", "$pass_server_port"],
            "x-request-id" => &["$request_id", "$req_id"],
            "x-original-forwarded-for" => &["$http_x_forwarded_for"],
            _ => {
                self.request(directive, name, value, product);
                return;
            }
        };
        if same.contains(&value) {
            return;
        }
        let place = self.place(&directive.range);
        if lower == "host" {
            self.host(directive);
            return;
        }
        let diagnostic = Diagnostic::new(
            Code::HeaderTwice,
            format!("the request header `{name}` is sent once"),
        )
        .label(place, "the value that is sent")
        .note("ingress-nginx sends this header itself, so that a backend sees both values");
        self.differs(diagnostic);
        self.request(directive, name, value, product);
    }
}

/// Headers that the controller's template sets in every request to a backend.
const OWN: [&str; 8] = [
    "x-real-ip",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-scheme",
    "x-original-forwarded-for",
];

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 256
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

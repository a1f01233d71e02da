//! Differences that a finding of the conversion has announced.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Action, Model, Owner, PlainHttp, Route};

use crate::behaviour::Answer;
use crate::compare::{Aspect, Class};
use crate::decide::Found;

/// The findings of the conversion.
pub(crate) struct Declared<'a> {
    model: &'a Model,
    findings: &'a [Diagnostic],
}

impl<'a> Declared<'a> {
    pub(crate) fn new(model: &'a Model, findings: &'a [Diagnostic]) -> Self {
        Self { model, findings }
    }

    /// The finding that announces a difference. What is more open is never announced but by a
    /// finding about just that.
    pub(crate) fn code(&self, found: &Found<'_>) -> Option<Code> {
        if !found.as_converted {
            return None;
        }
        let owner = found.route.map(|route| self.model.owner(route.owner));
        let about = |finding: &&Diagnostic| self.about(finding, owner, found.route);
        self.findings
            .iter()
            .filter(about)
            .find(|finding| announces(finding, found))
            .map(|finding| finding.code)
    }

    /// Whether a finding is about the owner of a route, about a route of the same host (what is
    /// closed may close its neighbours), or about everything.
    fn about(&self, finding: &Diagnostic, owner: Option<&Owner>, route: Option<&Route>) -> bool {
        let Some(object) = &finding.object else {
            return true;
        };
        // The controller's settings hold for all.
        if &*object.kind == "ConfigMap" {
            return true;
        }
        if is_simplification(finding.code) {
            return route.is_some_and(|route| gives_up(finding, route));
        }
        let is = |owner: &Owner| owner.namespace == object.namespace && owner.name == object.name;
        let canary = route.and_then(|route| match &route.action {
            Action::Forward(forward) => forward.split.canary.as_ref(),
            _ => None,
        });
        let canary = canary.map(|canary| self.model.owner(canary.origin.owner));
        if owner.is_some_and(is) || canary.is_some_and(is) {
            return true;
        }
        let spreads = matches!(
            finding.code,
            Code::PathTooLong
                | Code::PatternInvalid
                | Code::PatternInexpressible
                | Code::LocationTwice
        );
        let mut labels = finding.labels.iter();
        let labelled =
            route.is_some_and(|route| labels.any(|label| label.span == route.origin.span));
        let neighbours = || {
            let mut hosts = self.model.hosts.iter();
            let same = |host: &&gatewright_model::Host| {
                host.routes
                    .iter()
                    .any(|other| route.is_some_and(|route| std::ptr::eq(route, other)))
            };
            let host = hosts.find(same);
            host.is_some_and(|host| {
                let mut routes = host.routes.iter();
                routes.any(|other| is(self.model.owner(other.owner)))
            })
        };
        labelled || spreads && neighbours()
    }
}

/// Whether a code is about something that was given up for a simpler text.
const fn is_simplification(code: Code) -> bool {
    matches!(code, Code::PathSimplified | Code::RedirectSimplified)
}

/// Whether a finding is about what a route takes, or about how it redirects.
fn gives_up(finding: &Diagnostic, route: &Route) -> bool {
    let redirect = match &route.action {
        Action::Redirect(redirect) => Some(&redirect.origin),
        _ => None,
    };
    let plain_http = match &route.plain_http {
        PlainHttp::Redirect { origin, .. } => Some(origin),
        PlainHttp::Serve => None,
    };
    let of_path = finding.code != Code::RedirectSimplified;
    let origins = std::iter::once(&route.origin)
        .filter(|_| of_path)
        .chain(redirect)
        .chain(plain_http.filter(|_| !of_path));
    let mut spans = origins.map(|origin| origin.span);
    spans.any(|span| finding.labels.iter().any(|label| label.span == span))
}

/// Whether a finding announces a difference of this kind.
fn announces(finding: &Diagnostic, found: &Found<'_>) -> bool {
    let all = |aspects: &[Aspect]| found.aspects.iter().all(|aspect| aspects.contains(aspect));
    let closed = found.class != Class::MoreOpen && found.envoy.answer == Answer::Status(503);
    match finding.code {
        Code::NoCertificate | Code::CertificateMissing | Code::GatewayCertificate => {
            all(&[Aspect::Listener])
        }
        Code::UpstreamVhost => all(&[Aspect::Authority]),
        Code::SatisfyAll => {
            found.class == Class::Stricter
                && all(&[Aspect::Passwords, Aspect::Authorizer, Aspect::Addresses])
        }
        Code::LimitExemption | Code::LimitShape | Code::LimitConnections => {
            found.class == Class::Stricter && all(&[Aspect::Limits])
        }
        Code::MirrorRequest | Code::MirrorLeftOut => all(&[Aspect::Copies]),
        Code::ServiceBalancing | Code::UpstreamTls => {
            found.class == Class::Differs && all(&[Aspect::Wire])
        }
        Code::PathSimplified => {
            found.class != Class::MoreOpen && !found.aspects.contains(&Aspect::Listener)
        }
        Code::RedirectSimplified => found.class == Class::Differs && all(&[Aspect::Redirect]),
        Code::ConditionQuery => {
            found.class != Class::MoreOpen
                && all(&[Aspect::Answer, Aspect::Status, Aspect::Redirect])
        }
        Code::ConditionScheme => {
            found.class != Class::MoreOpen && found.witness.header("x-forwarded-proto").is_none()
        }
        Code::CookieTwice => {
            let cookies = found.witness.header("cookie").unwrap_or_default();
            found.class != Class::MoreOpen
                && cookies.contains(';')
                && all(&[Aspect::Backend, Aspect::Weight])
        }
        code if closed => {
            // What is refused, and what cannot be a path or a pattern.
            matches!(code.info().number, 204 | 306 | 315 | 400..=499 | 600..=899)
        }
        _ => false,
    }
}

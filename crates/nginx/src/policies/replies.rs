//! Cookies and redirects of the backend.

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::ReplyRewrites;
use gatewright_source::Span;

use super::{PolicyInput, PolicyOutput};

/// The keys that are carried over.
pub(crate) const KEYS: &[&str] = &[
    "proxy-cookie-domain",
    "proxy-cookie-path",
    "proxy-redirect-from",
    "proxy-redirect-to",
];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let (replies, config) = (&input.settings.replies, input.config);
    let mut plain = |key: &'static str, span: Option<Span>, pair: Option<(&str, &str)>| {
        let (from, to) = pair?;
        if is_plain(from) && is_plain(to) {
            return Some((from.to_owned(), to.to_owned()));
        }
        let mut diagnostic = Diagnostic::new(
            Code::ReplyPattern,
            format!("`{key}` is left out: `{from}` → `{to}` is more than a plain text"),
        )
        .note("answers of the backend reach the client unchanged")
        .help("write plain texts, or let the application send the right values");
        if let Some(span) = span {
            diagnostic = diagnostic.at(span);
        }
        out.refused(input, key, diagnostic);
        if key == "proxy-redirect-from" {
            let outcome = Outcome::Refused(Code::ReplyPattern);
            out.outcomes.push(("proxy-redirect-to", outcome));
        }
        None
    };
    let span_of = |text: &Option<gatewright_source::Spanned<String>>| text.as_ref().map(|t| t.span);
    let rewrites = ReplyRewrites {
        cookie_domain: plain(
            "proxy-cookie-domain",
            span_of(&replies.cookie_domain),
            replies.cookie_domain(config),
        ),
        cookie_path: plain(
            "proxy-cookie-path",
            span_of(&replies.cookie_path),
            replies.cookie_path(config),
        ),
        location: plain(
            "proxy-redirect-from",
            span_of(&replies.redirect_from),
            replies.redirect(config),
        ),
    };
    out.policies_mut().reply_rewrites = rewrites;
}

/// No variable, and no regular expression.
fn is_plain(text: &str) -> bool {
    !text.contains('$') && !text.starts_with('~')
}

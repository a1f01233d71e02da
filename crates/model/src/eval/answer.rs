//! What a route does with a request, phase by phase.

use super::{Guards, Request, decode, split};
use crate::pattern::{Captures, Pattern, substitution};
use crate::{
    Action, Backend, Condition, Cors, CorsOrigins, Forward, Host, Model, Phase, Piece, PlainHttp,
    Redirect, RedirectTarget, Refusal, Reply, Route, Step, Subject, Target, Template, Test,
};

/// An answer, and what has to be passed before it is given.
#[derive(Clone, Debug)]
pub struct Served<'m> {
    /// What is answered.
    pub answer: Answer<'m>,
    /// What has to be passed before.
    pub guards: Guards<'m>,
}

impl Served<'_> {
    /// Without any guard.
    pub(super) fn plain(answer: Answer<'_>) -> Served<'_> {
        Served {
            answer,
            guards: Guards::default(),
        }
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Answer<'m> {
    /// 404.
    NotFound,
    /// 400, for a path that is none.
    Malformed,
    /// This status.
    Status(u16),
    /// 413.
    TooLarge {
        /// Whether somebody wrote the limit; else it is the one that holds for everything.
        written: bool,
    },
    /// Nobody knows but the source proxy itself, for this reason.
    Unknown(&'static str),
    /// A redirect.
    Redirect {
        /// The code.
        code: u16,
        /// The `Location`.
        location: String,
    },
    /// 503, in the source proxy as well.
    Unavailable,
    /// Answers 503 because what the source proxy does cannot be carried over.
    Refused(&'m Refusal),
    /// 403 for everybody.
    Forbidden(&'m Refusal),
    /// TLS goes to this backend as it is.
    Passthrough(&'m Backend),
    /// A backend answers.
    Forward {
        /// Which ones, with their shares.
        backends: Vec<(&'m Backend, u32)>,
        /// The path that it sees, decoded unless it is that of the request; `None` when nobody
        /// knows.
        path: Option<String>,
        /// What the route says of the request.
        forward: &'m Forward,
    },
}

/// What a route does with a request that came to it.
pub fn serve<'m>(
    model: &'m Model,
    host: &'m Host,
    route: &'m Route,
    request: &Request,
) -> Served<'m> {
    let mut guards = Guards {
        clients: host.clients.as_deref().filter(|_| request.secure),
        ..Guards::default()
    };
    let subject = host
        .clients
        .as_ref()
        .and_then(|clients| clients.subject.as_ref());
    if subject.is_some() && !request.secure {
        let answer = Answer::Status(403);
        return Served { answer, guards };
    }
    if let Some(answer) = before(model, route, request) {
        return Served { answer, guards };
    }
    let policies = &route.policies;
    let answer = match &route.action {
        Action::Redirect(redirect) => redirected(redirect, request),
        Action::Refuse(refusal) if refusal.faithful => Answer::Unavailable,
        Action::Refuse(refusal) => Answer::Refused(refusal),
        Action::Forbid(refusal) => Answer::Forbidden(refusal),
        Action::NotFound => {
            guards.addresses = policies.addresses.as_ref().filter(|_| !route.implicit);
            guards.passwords = policies.passwords.as_ref();
            guards.authorizer = policies.authorizer.as_deref();
            Answer::NotFound
        }
        Action::Forward(forward) => {
            guards.limits = policies.limits.as_ref();
            guards.addresses = policies.addresses.as_ref();
            guards.passwords = policies.passwords.as_ref();
            guards.authorizer = policies.authorizer.as_deref();
            forwarded(route, forward, request)
        }
    };
    Served { answer, guards }
}

/// The answers that are given before what the route itself does, in their order.
fn before<'m>(model: &Model, route: &Route, request: &Request) -> Option<Answer<'m>> {
    let policies = &route.policies;
    let step = |phase| {
        let mut steps = policies
            .steps
            .iter()
            .filter(move |step| step.phase == phase);
        steps.find_map(|step| replied(step, model, route, request))
    };
    if let Some(answer) = step(Phase::Server) {
        return Some(answer);
    }
    // A location that only returns a status does nothing else.
    let shut = matches!(&route.action, Action::Refuse(refusal) if refusal.faithful);
    let written = policies
        .transport
        .body_limit
        .as_ref()
        .map(|limit| limit.bytes);
    let limit = written.or(model.globals.unwritten_body_limit);
    if let (Some(limit), Some(length)) = (limit, length(request))
        && route.action != Action::NotFound
        && length > u128::from(limit)
    {
        return Some(Answer::TooLarge {
            written: written.is_some(),
        });
    }
    if let Some(cors) = &policies.cors
        && !shut
        && request.method == "OPTIONS"
        && lets_in(cors, request)
    {
        return Some(Answer::Status(204));
    }
    if let Some(answer) = step(Phase::Rewrite) {
        return Some(answer);
    }
    if let PlainHttp::Redirect {
        code,
        keep_slash,
        name_port,
        ..
    } = route.plain_http
        && scheme(model, request) == "http"
    {
        let port = if name_port { ":443" } else { "" };
        let target = request.target();
        let target = if keep_slash {
            &*target
        } else {
            without_slash(&target)
        };
        let location = format!("https://{}{port}{target}", request.host);
        return Some(Answer::Redirect { code, location });
    }
    // A redirect is sent before it is asked who may come in.
    if matches!(route.action, Action::Redirect(_)) {
        return None;
    }
    step(Phase::Access)
}

fn length(request: &Request) -> Option<u128> {
    request.header("content-length")?.parse().ok()
}

/// What the request came over, as far as a trusted header does not say something else.
fn scheme<'r>(model: &Model, request: &'r Request) -> &'r str {
    let told = request.header("x-forwarded-proto");
    match told.filter(|told| model.globals.forwarded.trust && !told.is_empty()) {
        Some(told) => told,
        None => request.scheme(),
    }
}

/// Without one final slash.
fn without_slash(target: &str) -> &str {
    target.strip_suffix('/').unwrap_or(target)
}

/// Whether an origin gets the answer to OPTIONS.
fn lets_in(cors: &Cors, request: &Request) -> bool {
    let origin = request.header("origin").unwrap_or_default();
    match &cors.origins {
        CorsOrigins::Any | CorsOrigins::Echo => true,
        CorsOrigins::EndWith(list) => list.iter().any(|end| ends(origin, end)),
    }
}

/// Whether an origin ends with a text, in any case, in which `*` is one label.
fn ends(origin: &str, end: &str) -> bool {
    let (origin, end) = (origin.to_ascii_lowercase(), end.to_ascii_lowercase());
    let Some((before, after)) = end.split_once('*') else {
        return origin.ends_with(&end);
    };
    let Some(head) = origin.strip_suffix(after) else {
        return false;
    };
    let label = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    let long = head.bytes().rev().take_while(label).count();
    (1..=long).any(|label| head[..head.len() - label].ends_with(before))
}

fn replied<'m>(step: &Step, model: &Model, route: &Route, request: &Request) -> Option<Answer<'m>> {
    if let Some(when) = &step.when
        && !holds(when, model, request)
    {
        return None;
    }
    Some(match &step.reply {
        Reply::Status { code, .. } => Answer::Status(*code),
        Reply::Redirect {
            code,
            location,
            keep_query,
        } => {
            let mut location = render(location, step.when.as_ref(), model, route, request);
            if let Some(query) = request.query.as_ref().filter(|_| *keep_query) {
                location = format!("{location}?{query}");
            }
            Answer::Redirect {
                code: *code,
                location,
            }
        }
    })
}

/// Whether a condition holds for a request.
pub fn holds(when: &Condition, model: &Model, request: &Request) -> bool {
    let text = subject(&when.subject, model, request);
    let holds = match &when.test {
        Test::Equals(wanted) => text == *wanted,
        Test::Set => !text.is_empty() && text != "0",
        Test::Pattern {
            text: pattern,
            fold,
        } => {
            let pattern = parse(pattern, *fold);
            pattern.and_then(|pattern| pattern.is_found(&text)) == Some(true)
        }
    };
    holds != when.negated
}

fn parse(text: &str, fold: bool) -> Option<Pattern> {
    if fold {
        Pattern::parse(text).ok()
    } else {
        Pattern::parse_case_sensitive(text).ok()
    }
}

fn subject(subject: &Subject, model: &Model, request: &Request) -> String {
    match subject {
        Subject::Method => request.method.clone(),
        Subject::Host => request.host.clone(),
        Subject::Header(name) => request.header(name).unwrap_or_default().to_owned(),
        Subject::Scheme => scheme(model, request).to_owned(),
        Subject::Path { query: true } => request.target(),
        Subject::Path { query: false } => decode(&request.path).unwrap_or_default(),
    }
}

fn render(
    template: &Template,
    when: Option<&Condition>,
    model: &Model,
    route: &Route,
    request: &Request,
) -> String {
    let looked_at = when.map(|when| subject(&when.subject, model, request));
    let pattern = when.and_then(|when| match &when.test {
        Test::Pattern { text, fold } => parse(text, *fold),
        Test::Equals(_) | Test::Set => None,
    });
    let captures = pattern
        .as_ref()
        .zip(looked_at.as_deref())
        .and_then(|(pattern, text)| pattern.captures_found(text));
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        // The interpreter knows no addresses and makes no ids.
        Piece::ClientAddress => "<client address>".to_owned(),
        Piece::RequestId => "<request id>".to_owned(),
        Piece::Host => request.host.clone(),
        Piece::Scheme => scheme(model, request).to_owned(),
        Piece::Method => request.method.clone(),
        Piece::Target => request.target(),
        Piece::Path => decode(&request.path).unwrap_or_default(),
        Piece::Header(name) => request.header(name).unwrap_or_default().to_owned(),
        Piece::BackendName | Piece::BackendPort => backend(piece, route),
        Piece::Capture(group) => captured(captures.as_ref(), usize::from(*group)),
    };
    template.0.iter().map(piece).collect()
}

fn captured(captures: Option<&Captures<'_>>, group: usize) -> String {
    let bytes = captures.and_then(|captures| captures.get(group));
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn backend(piece: &Piece, route: &Route) -> String {
    let Action::Forward(forward) = &route.action else {
        return String::new();
    };
    match (&forward.split.primary.target, piece) {
        (Target::Service { name, .. }, Piece::BackendName) => name.to_string(),
        (Target::External { service, .. }, Piece::BackendName) => service.to_string(),
        (Target::Service { port, .. } | Target::External { port, .. }, _) => port.to_string(),
        (Target::Unavailable { .. }, _) => String::new(),
    }
}

fn redirected<'m>(redirect: &Redirect, request: &Request) -> Answer<'m> {
    let query = match &request.query {
        Some(query) => format!("?{query}"),
        None => String::new(),
    };
    let location = match &redirect.target {
        RedirectTarget::Location(url) => url.clone(),
        RedirectTarget::Path {
            path,
            keep_query,
            relative,
            ..
        } => {
            let base = if *relative {
                String::new()
            } else {
                format!("{}://{}", request.scheme(), request.host)
            };
            format!("{base}{path}{}", if *keep_query { &*query } else { "" })
        }
        RedirectTarget::Host(name) => {
            let target = request.target();
            format!("{}://{name}{}", request.scheme(), without_slash(&target))
        }
        RedirectTarget::Pattern { pattern, url } => {
            let (scheme, url) = match url.strip_prefix("$scheme") {
                Some(rest) => (request.scheme(), rest),
                None => ("", url.as_str()),
            };
            let path = decode(&request.path).unwrap_or_default();
            let Some(rest) = replaced(pattern, url, &path) else {
                return Answer::Unknown("the target of a redirect holds variables");
            };
            format!("{scheme}{rest}{query}")
        }
    };
    Answer::Redirect {
        code: redirect.code,
        location,
    }
}

/// What a path becomes where a pattern is found in it; `None` when nobody knows.
fn replaced(pattern: &str, target: &str, path: &str) -> Option<String> {
    let pattern = Pattern::parse(pattern).ok()?;
    let names = pattern.to_re2().ok()?;
    let substitution = names
        .substitution(target)
        .or_else(|_| substitution(target, pattern.group_count()))
        .ok()?;
    Some(substitution.expand(&pattern.captures_prefix(path)?))
}

fn forwarded<'m>(route: &'m Route, forward: &'m Forward, request: &Request) -> Answer<'m> {
    if matches!(forward.split.primary.target, Target::Unavailable { .. }) {
        return Answer::Unavailable;
    }
    let path = decode(&request.path).unwrap_or_default();
    let path = match &forward.rewrite {
        Some(rewrite) => replaced(&rewrite.pattern, &rewrite.target, &path),
        None => Some(path),
    };
    let path = match (&route.policies.path_edit, path) {
        (Some(edit), Some(own)) => edited(edit, own),
        (_, path) => path,
    };
    Answer::Forward {
        backends: split(&forward.split, request),
        path,
        forward,
    }
}

/// The path of a snippet's rewrite, where its pattern is found.
fn edited(edit: &crate::PathEdit, path: String) -> Option<String> {
    let pattern = Pattern::parse_case_sensitive(&edit.pattern).ok()?;
    if !pattern.is_found(&path)? {
        return Some(path);
    }
    let substitution = pattern.to_re2().ok()?.substitution(&edit.target).ok()?;
    Some(substitution.expand(&pattern.captures_found(&path)?))
}

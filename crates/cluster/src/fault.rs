//! What went wrong, and what somebody can do about it.
//!
//! The words of the client library are used with care: some of its errors quote what a login
//! program printed, which is a token when things go well.

use std::error::Error as _;
use std::time::Duration;

use gatewright_diagnostics::{Code, Diagnostic};
use kube::Error;
use kube::client::AuthError;
use kube::core::Status;

use crate::connect::Place;
use crate::resource::Resource;

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) verb: &'static str,
    pub(crate) resource: &'a Resource,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
}

impl Question<'_> {
    fn scope(&self) -> String {
        match (self.namespace, self.resource.namespaced) {
            (Some(namespace), true) => format!(" in namespace `{namespace}`"),
            (None, true) => " in all namespaces".to_owned(),
            (_, false) => String::new(),
        }
    }

    /// The command that asks whether the user may.
    fn can_i(&self) -> String {
        let scope = match (self.namespace, self.resource.namespaced) {
            (Some(namespace), true) => format!(" -n {namespace}"),
            (None, true) => " -A".to_owned(),
            (_, false) => String::new(),
        };
        format!(
            "kubectl auth can-i {} {}{scope}",
            self.verb,
            self.resource.full()
        )
    }
}

/// The cluster cannot be chosen: kubeconfig, context, or what these lead to.
pub(crate) fn config(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ClusterConfig, message)
}

/// No login.
fn login(place: &Place, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ClusterLogin, message).help(format!(
        "see whether `{} auth whoami` works",
        place.kubectl()
    ))
}

fn unreachable(place: &Place, why: &str) -> Diagnostic {
    let found = Diagnostic::new(
        Code::ClusterUnreachable,
        format!("the API server {} cannot be reached", place.server),
    )
    .note(why);
    if why.contains("certificate") {
        return found.help(
            "set `certificate-authority` of the cluster in the kubeconfig to the authority that signed the server's certificate",
        );
    }
    found.help(format!("see whether `{} version` works", place.kubectl()))
}

pub(crate) fn timeout(place: &Place, limit: Duration) -> Diagnostic {
    let why = format!("no answer within {} s", limit.as_secs());
    unreachable(place, &why).help("give it more time with `--request-timeout SECONDS`")
}

/// What an answer other than an object means. None for an object that does not exist.
pub(crate) fn answer(place: &Place, question: &Question<'_>, error: Error) -> Option<Diagnostic> {
    let status = match error {
        Error::Api(status) => status,
        other => return Some(connection(place, other)),
    };
    match status.code {
        404 => None,
        401 => Some(
            login(place, format!("the API server does not know who asks ({})", place.name()))
                .note("its answer is 401: the token or certificate of the kubeconfig is missing, wrong or expired"),
        ),
        403 => Some(forbidden(question, &status)),
        code => Some(
            Diagnostic::new(
                Code::ClusterAnswer,
                format!(
                    "the API server answers {code} to {} {}{}",
                    question.verb,
                    question.resource.full(),
                    question.scope()
                ),
            )
            .note(short(&status.message))
            .help("try again; if it stays, look at the API server"),
        ),
    }
}

fn forbidden(question: &Question<'_>, status: &Status) -> Diagnostic {
    let resource = question.resource.full();
    let what = match question.name {
        Some(name) => format!("{resource} `{name}`"),
        None => resource,
    };
    Diagnostic::new(
        Code::ClusterForbidden,
        format!(
            "not permitted: {} {what}{}",
            question.verb,
            question.scope()
        ),
    )
    .note(format!("the API server says: {}", short(&status.message)))
    .help(format!(
        "have the ClusterRole of docs/cluster-role.yaml bound to you; `{}` tells whether it is",
        question.can_i()
    ))
}

/// An answer that is none.
pub(crate) fn garbled(question: &Question<'_>) -> Diagnostic {
    Diagnostic::new(
        Code::ClusterAnswer,
        format!(
            "the answer to {} {}{} is not what an API server says",
            question.verb,
            question.resource.full(),
            question.scope()
        ),
    )
    .help("see whether the kubeconfig leads to an API server, and not to a proxy that asks for a login")
}

/// What keeps questions from being asked.
pub(crate) fn connection(place: &Place, error: Error) -> Diagnostic {
    match error {
        Error::Auth(error) => auth(place, &error),
        Error::InferKubeconfig(error) => config(format!("{}: {error}", place.name())),
        Error::ProxyProtocolUnsupported { proxy_url } => config(format!(
            "the proxy {} speaks a protocol that is not known",
            bare(&proxy_url)
        ))
        .help("name one of `http`, `https` or `socks5`"),
        Error::RustlsTls(error) => config(format!(
            "the certificates of the kubeconfig cannot be used ({})",
            place.name()
        ))
        .note(chain(&error))
        .help("look at `certificate-authority`, `client-certificate` and `client-key`"),
        other => match other.source() {
            Some(_) => unreachable(place, &chain(&other)),
            None => unreachable(place, "the connection failed"),
        },
    }
}

fn auth(place: &Place, error: &AuthError) -> Diagnostic {
    let program = place.login.as_deref().unwrap_or("of the kubeconfig");
    let name = place.name();
    match error {
        AuthError::AuthExecStart(error) => {
            let found = login(
                place,
                format!("the login program `{program}` cannot be started ({name})"),
            )
            .note(plain(error));
            match &place.hint {
                Some(hint) => found.note(format!("the kubeconfig says: {}", short(hint))),
                None => found,
            }
        }
        AuthError::AuthExecRun { status, out, .. } => {
            let found = login(
                place,
                format!("the login program `{program}` failed with {status} ({name})"),
            );
            // It is on the terminal already where the program may ask for something.
            let said = String::from_utf8_lossy(&out.stderr);
            match said.trim() {
                "" => found,
                said => found.note(format!("it says: {}", short(said))),
            }
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => login(
            place,
            format!("the login program `{program}` printed no credentials ({name})"),
        ),
        AuthError::ReadTokenFile(error, path) => login(
            place,
            format!(
                "the token file `{}` cannot be read ({name})",
                path.display()
            ),
        )
        .note(plain(error)),
        AuthError::MissingCommand => login(
            place,
            format!("`exec` names no `command` in the kubeconfig ({name})"),
        ),
        AuthError::AuthExec(_) => login(
            place,
            format!(
                "the kubeconfig logs in by an `auth-provider`, which kubectl no longer does either ({name})"
            ),
        ),
        _ => login(
            place,
            format!("the login of the kubeconfig cannot be used ({name})"),
        ),
    }
}

/// The URL of a proxy without a password.
fn bare(url: &http::Uri) -> String {
    format!(
        "{}://{}",
        url.scheme_str().unwrap_or_default(),
        url.host().unwrap_or_default()
    )
}

/// An error with its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // An error may say what its cause says.
        for known in &mut texts {
            if let Some(rest) = known.strip_suffix(text.as_str()) {
                *known = rest.trim_end_matches([' ', ':']).to_owned();
            }
        }
        texts.push(text);
        next = error.source();
    }
    // Layers of the client library.
    let layer = |text: &str| {
        matches!(text, "" | "ServiceError" | "HyperError") || text.starts_with("client error (")
    };
    texts.retain(|text| !layer(text));
    numberless(&texts.join(": "))
}

/// The words of the operating system, without its number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    numberless(&error.to_string())
}

fn numberless(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    let first = chars.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(chars).collect()
}

/// The beginning of what somebody else says.
fn short(text: &str) -> String {
    const MOST: usize = 300;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

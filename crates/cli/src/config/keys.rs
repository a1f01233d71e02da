//! The keys of `gatewright.toml`: one table that reading, the schema and the reference are
//! made from.

use std::str::FromStr as _;

use clap::ValueEnum;
use gatewright_diagnostics::Code;
use gatewright_diagnostics::render::Format;
use globset::GlobBuilder;

use crate::args::{self, EmitArg, FailOn, LayoutArg, NginxVersionArg, NoClassArg, ProfileArg};
use crate::suggest::nearest;

/// A key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What holds when it is not set.
    pub(crate) default: Default,
    /// The flag that overrides it.
    pub(crate) flag: Option<&'static str>,
    /// What it does, in a sentence or two. Markdown.
    pub(crate) doc: &'static str,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    Text(Check),
    List(Check),
    /// A date.
    Day,
}

/// What a text has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Any,
    Path,
    Glob,
    Name,
    Namespaced,
    MaybeNamespaced,
    Code,
    Output,
    NoClass,
    NginxVersion,
    Emit,
    Profile,
    Layout,
    Allowed,
    Listener,
    Format,
    FailOn,
}

/// The value of a key that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    /// It has to be set.
    Required,
    /// Nothing, and what that means.
    Unset(&'static str),
    Flag(bool),
    Text(&'static str),
    List(&'static [&'static str]),
}

/// A value that passed its check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Unset,
    Flag(bool),
    Text(String),
    List(Vec<String>),
}

const fn key(
    name: &'static str,
    kind: Kind,
    default: Default,
    flag: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        flag: if flag.is_empty() { None } else { Some(flag) },
        doc,
    }
}

/// The keys at the top.
pub(crate) static TOP: &[Key] = &[
    key(
        "paths",
        Kind::List(Check::Path),
        Default::Unset("paths have to be given"),
        "PATH",
        "Files, directories and globs to read when none are given, seen from the directory of the file.",
    ),
    key(
        "exclude",
        Kind::List(Check::Glob),
        Default::List(&[]),
        "--exclude",
        "Files and directories to leave out. Without a slash a pattern matches at any depth, with one it is seen from the directory of the file.",
    ),
    key(
        "namespace",
        Kind::Text(Check::Name),
        Default::Unset("all namespaces"),
        "--namespace",
        "Only Ingresses of this namespace; objects that name none belong to it.",
    ),
    key(
        "ingresses",
        Kind::List(Check::MaybeNamespaced),
        Default::Unset("all Ingresses"),
        "--ingress",
        "Only these Ingresses, as `NAME` or `NAMESPACE/NAME`.",
    ),
    key(
        "ingress-classes",
        Kind::List(Check::Name),
        Default::Unset("what the input says of the controller, else `nginx`"),
        "--ingress-class",
        "Classes that the controller serves.",
    ),
    key(
        "no-class",
        Kind::Text(Check::NoClass),
        Default::Text("skip"),
        "--no-class",
        "What to do with Ingresses that name no class.",
    ),
    key(
        "controller-config",
        Kind::Text(Check::Namespaced),
        Default::Unset("`ingress-nginx/ingress-nginx-controller`, if it is in the input"),
        "--controller-config",
        "ConfigMap of the controller, as its own flag `--configmap` names it.",
    ),
    key(
        "default-ssl-certificate",
        Kind::Text(Check::Namespaced),
        Default::Unset("none"),
        "--default-ssl-certificate",
        "Certificate for hosts without one, as the controller's own flag names it.",
    ),
    key(
        "enable-ssl-passthrough",
        Kind::Flag,
        Default::Flag(false),
        "--enable-ssl-passthrough",
        "The controller runs with its flag of the same name.",
    ),
    key(
        "annotations-prefix",
        Kind::Text(Check::Name),
        Default::Unset("`nginx.ingress.kubernetes.io`"),
        "--annotations-prefix",
        "Prefix of the annotations.",
    ),
    key(
        "nginx-version",
        Kind::Text(Check::NginxVersion),
        Default::Text("1.15"),
        "--nginx-version",
        "Version of the controller; from 1.12 on it validates annotation values.",
    ),
    key(
        "gateway",
        Kind::Text(Check::Namespaced),
        Default::Unset("a Gateway `gateway-infra/shared` is written"),
        "--gateway",
        "Attach the routes to this existing Gateway.",
    ),
    key(
        "http-listener",
        Kind::Text(Check::Listener),
        Default::Unset("whichever is on port 80"),
        "--http-listener",
        "The listener of the existing Gateway that routes for HTTP are attached to. Needs `gateway`.",
    ),
    key(
        "https-listener",
        Kind::Text(Check::Listener),
        Default::Unset("whichever is on port 443"),
        "--https-listener",
        "The listener of the existing Gateway that routes for HTTPS are attached to. Needs `gateway`.",
    ),
    key(
        "listener-sets",
        Kind::Flag,
        Default::Flag(false),
        "--listener-sets",
        "Whether every host with a certificate gets a listener of its own, in ListenerSets in the namespaces of the certificates, however few these are. With `gateway` they are attached to that one.",
    ),
    key(
        "allowed-routes",
        Kind::Text(Check::Allowed),
        Default::Text("all"),
        "--allowed-routes",
        "The namespaces whose routes the listeners take: `all`, or those with a label, such as `gateway-access=true`.",
    ),
    key(
        "gateway-class",
        Kind::Text(Check::Name),
        Default::Unset("a GatewayClass is written"),
        "--gateway-class",
        "Name of the GatewayClass.",
    ),
    key(
        "emit",
        Kind::Text(Check::Emit),
        Default::Text("all"),
        "--emit",
        "Which objects to write: those of the platform team, those of the application teams, or both.",
    ),
    key(
        "profile",
        Kind::Text(Check::Profile),
        Default::Text("faithful"),
        "--profile",
        "What the output is made to be: true to nginx in whatever Envoy Gateway can say, or as simple as one would write it by hand, with each behaviour that is given up named.",
    ),
    key(
        "layout",
        Kind::Text(Check::Layout),
        Default::Text("stream"),
        "--layout",
        "How `convert` divides the objects among files: one stream, a file for each object, for each Ingress or for each input file, or `infra.yaml` and `routes.yaml`. All but the first need `--output DIR`.",
    ),
    key(
        "kustomization",
        Kind::Flag,
        Default::Flag(false),
        "--kustomization",
        "Whether `convert` also writes a kustomization.yaml into the directory.",
    ),
    key(
        "comments",
        Kind::Flag,
        Default::Flag(true),
        "--no-comments",
        "Whether the YAML says where a rule comes from.",
    ),
    key(
        "format",
        Kind::Text(Check::Format),
        Default::Text("full"),
        "--format",
        "Format of the findings on stderr.",
    ),
    key(
        "fail-on",
        Kind::Text(Check::FailOn),
        Default::Text("error"),
        "--fail-on",
        "Least severity of a finding that makes the exit code 1.",
    ),
];

const CODE: Key = key(
    "code",
    Kind::Text(Check::Code),
    Default::Required,
    "",
    "The code of the findings, by number or by name.",
);
const REASON: Key = key(
    "reason",
    Kind::Text(Check::Any),
    Default::Required,
    "",
    "Why; the next reader will ask.",
);
const EXPIRES: Key = key(
    "expires",
    Kind::Day,
    Default::Unset("never"),
    "",
    "The last day on which the entry holds, in UTC. After it the finding is back, and the entry is reported.",
);

/// The keys of an entry of `[[suppress]]`.
pub(crate) static SUPPRESS: &[Key] = &[
    CODE,
    key(
        "object",
        Kind::Text(Check::Glob),
        Default::Unset("every object"),
        "",
        "Glob on `NAMESPACE/NAME` of the object that the finding is about.",
    ),
    key(
        "path",
        Kind::Text(Check::Glob),
        Default::Unset("every file"),
        "",
        "Glob on the file that the finding is in, as in `exclude`.",
    ),
    REASON,
    EXPIRES,
];

/// The keys of an entry of `[[accept]]`.
pub(crate) static ACCEPT: &[Key] = &[
    CODE,
    key(
        "object",
        Kind::Text(Check::Namespaced),
        Default::Required,
        "",
        "The object that the finding is about, as `NAMESPACE/NAME`.",
    ),
    REASON,
    EXPIRES,
];

/// The keys of an entry of `[[sync]]`.
pub(crate) static SYNC: &[Key] = &[
    key(
        "from",
        Kind::List(Check::Path),
        Default::Required,
        "",
        "Files, directories and globs, seen from the directory of the file. All of them are converted together.",
    ),
    key(
        "to",
        Kind::Text(Check::Output),
        Default::Required,
        "",
        "The file to write, below the directory of gatewright.toml. With `{dir}` (the name of the directory that an Ingress's file is in), `{path}` (its whole path) or `{file}` (the name of the file without extension) each Ingress's objects go to the file of that name.",
    ),
    key(
        "emit",
        Kind::Text(Check::Emit),
        Default::Unset("`emit` at the top; `routes` where `to` has a place to fill"),
        "",
        "Which objects to write.",
    ),
];

/// A table or list of tables.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What it is for. Markdown.
    pub(crate) doc: &'static str,
}

/// What a section holds.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Entries with these keys, each under `[[name]]`.
    Entries(&'static [Key]),
    /// A code and a severity a line.
    Severities,
    /// A key that was invented and the one that was meant a line.
    Aliases,
}

/// The sections, in the order of the reference.
pub(crate) static SECTIONS: &[Section] = &[
    Section {
        name: "severity",
        shape: Shape::Severities,
        doc: "The severity of the findings of a code: `error`, `warning` or `info`. Refused access control is lowered to `warning` at most, unreadable input stays an error, and a finding that is graver than its code usually is keeps its severity.",
    },
    Section {
        name: "suppress",
        shape: Shape::Entries(SUPPRESS),
        doc: "Findings that are not shown and fail nothing. Refused access control and unreadable input cannot be suppressed. An entry that matches nothing is reported.",
    },
    Section {
        name: "accept",
        shape: Shape::Entries(ACCEPT),
        doc: "Findings about one object that are accepted, as with `--accept`: they become infos. What was refused stays refused.",
    },
    Section {
        name: "aliases",
        shape: Shape::Aliases,
        doc: "Annotation keys that ingress-nginx does not know, and the one that was meant, both without prefix. The key is read as the other one, at its own place, and an info says so. A key that ingress-nginx does know cannot be given another meaning.",
    },
    Section {
        name: "sync",
        shape: Shape::Entries(SYNC),
        doc: "What `gatewright sync` writes.",
    },
];

impl Check {
    /// The words to choose from, if these are all there are.
    pub(crate) fn choices(self) -> Option<Vec<String>> {
        fn of<T: ValueEnum>() -> Vec<String> {
            T::value_variants()
                .iter()
                .filter_map(ValueEnum::to_possible_value)
                .map(|value| value.get_name().to_owned())
                .collect()
        }
        match self {
            Self::NoClass => Some(of::<NoClassArg>()),
            Self::NginxVersion => Some(of::<NginxVersionArg>()),
            Self::Emit => Some(of::<EmitArg>()),
            Self::Profile => Some(of::<ProfileArg>()),
            Self::Layout => Some(of::<LayoutArg>()),
            Self::FailOn => Some(of::<FailOn>()),
            Self::Format => Some(
                Format::ALL
                    .iter()
                    .map(|format| format.name().to_owned())
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The pattern of good values, as far as one says it.
    pub(crate) fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Namespaced => Some("^[^/]+/[^/]+$"),
            Self::Allowed => Some("^(all|[^=]+=.*)$"),
            Self::Path | Self::Glob | Self::Name | Self::Listener | Self::Output | Self::Any => {
                Some(".")
            }
            _ => None,
        }
    }

    /// The value as it is used, or what is wrong with it and what would be right.
    pub(crate) fn check(self, text: &str) -> Result<String, (String, String)> {
        let plain = |result: Result<String, String>, help: &str| {
            result.map_err(|what| (what, help.to_owned()))
        };
        if let Some(choices) = self.choices() {
            return if choices.iter().any(|choice| choice == text) {
                Ok(text.to_owned())
            } else {
                let help = match nearest(text, choices.iter().map(String::as_str)) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!("write one of {}", quoted(&choices)),
                };
                Err((format!("`{text}` is none of its values"), help))
            };
        }
        match self {
            Self::Any if text.trim().is_empty() => {
                Err(("the text is empty".into(), "write a sentence".into()))
            }
            Self::Path if text == "-" => Err((
                "standard input cannot be named here".into(),
                "name files, directories or globs".into(),
            )),
            Self::Path | Self::Glob if text.is_empty() => Err((
                "the pattern is empty".into(),
                "name a file, a directory or a glob".into(),
            )),
            Self::Glob => match GlobBuilder::new(text).build() {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err((
                    format!("it is not a glob: {}", error.kind()),
                    "`*` stands for a part of a name, `**` for directories".into(),
                )),
            },
            Self::Name => plain(args::name(text), "write the name of an object"),
            Self::Namespaced => {
                let result = args::namespaced(text);
                plain(
                    result.map(|(namespace, name)| format!("{namespace}/{name}")),
                    "write `NAMESPACE/NAME`",
                )
            }
            Self::Allowed => plain(
                args::allowed_routes(text),
                "write `all` or `KEY=VALUE`, such as `gateway-access=true`",
            ),
            Self::Listener => plain(args::dns_name(text), "write the name of a listener"),
            Self::MaybeNamespaced => plain(
                args::maybe_namespaced(text),
                "write `NAME` or `NAMESPACE/NAME`",
            ),
            Self::Code => match Code::find(text) {
                Some(code) => Ok(code.to_string()),
                None => Err(unknown_code(text)),
            },
            Self::Output => crate::sync::Target::parse(text).map(|_| text.to_owned()),
            _ => Ok(text.to_owned()),
        }
    }
}

/// What to say of a code that does not exist.
pub(crate) fn unknown_code(text: &str) -> (String, String) {
    let names = gatewright_diagnostics::CODES
        .iter()
        .map(|(_, info)| info.name);
    let help = match nearest(text, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`gatewright explain --all` lists the codes".to_owned(),
    };
    (format!("there is no code `{text}`"), help)
}

/// Words in backticks, with commas.
pub(crate) fn quoted<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    words.join(", ")
}

impl Default {
    pub(crate) fn value(self) -> Value {
        match self {
            Self::Required | Self::Unset(_) => Value::Unset,
            Self::Flag(flag) => Value::Flag(flag),
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::List(list) => Value::List(list.iter().map(|&text| text.to_owned()).collect()),
        }
    }
}

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[String] {
        match self {
            Self::List(list) => list,
            _ => &[],
        }
    }

    pub(crate) fn flag(&self) -> bool {
        matches!(self, Self::Flag(true))
    }
}

/// Reads a word that [`Check::choices`] let pass.
pub(crate) fn choice<T: ValueEnum>(value: &Value) -> Option<T> {
    T::from_str(value.text()?, false).ok()
}

/// Reads the name of a format.
pub(crate) fn format(value: &Value) -> Option<Format> {
    Format::from_str(value.text()?).ok()
}

/// Reads `NAMESPACE/NAME`.
pub(crate) fn pair(value: &Value) -> Option<(String, String)> {
    let (namespace, name) = value.text()?.split_once('/')?;
    Some((namespace.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn defaults_pass_their_own_check() {
        for key in TOP {
            match (key.kind, key.default) {
                (_, Default::Unset(_)) | (Kind::Flag, Default::Flag(_)) => {}
                (Kind::Text(check), Default::Text(text)) => {
                    assert_eq!(check.check(text).as_deref(), Ok(text), "{}", key.name);
                }
                (Kind::List(check), Default::List(list)) => {
                    for text in list {
                        assert!(check.check(text).is_ok(), "{}", key.name);
                    }
                }
                other => panic!("{}: {other:?}", key.name),
            }
        }
    }

    #[test]
    fn flags_exist() {
        let cli = crate::args::Cli::command();
        let convert = cli.find_subcommand("convert").unwrap();
        let flags: Vec<_> = convert
            .get_arguments()
            .filter_map(clap::Arg::get_long)
            .collect();
        for key in TOP {
            let flag = key.flag.unwrap();
            let known = flag == "PATH" || flags.contains(&flag.trim_start_matches("--"));
            assert!(known, "{flag}");
        }
    }
}

//! The arguments as they are typed. Values are checked while they are parsed, so that
//! the rest of the program sees only good ones.

#![expect(
    clippy::doc_markdown,
    reason = "the comments are the help texts, and a terminal shows backticks as they are"
)]

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use gatewright_diagnostics::render::Format;
use gatewright_diagnostics::{Code, Severity};
use gatewright_transpile::{Emit, NginxVersion, NoClass, Profile};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  findings at or above --fail-on, outputs that are not up to date, or a difference that
     nothing announced
  2  usage, configuration or unreadable input
  3  some documents could not be read, the rest was done";

const DIFF_HELP: &str = "\
Objects are matched by group, kind, namespace and name, whatever the files and their order.
Lines with `-` stand there, lines with `+` are what convert writes. Left out are status, all
metadata but name and namespace, and the defaults that an API server fills in. Objects of kinds
that Gatewright writes count as removed when this conversion does not write them; all others are
ignored and counted. What Secrets hold is hidden.

  kubectl get gateways,httproutes,securitypolicies -A -o yaml | gatewright diff apps --against -
  gatewright diff apps --cluster

Exit codes:
  0  nothing would change
  1  something would
  2  usage, configuration or unreadable input
  3  some documents could not be read, the rest was compared";

const ROUTE_HELP: &str = "\
The last argument is the request: a method and a URL, or a URL alone for a GET. Lines with `→`
are the locations and rules that took it; those above were looked at before.

  gatewright route apps 'GET https://shop.example.com/cart?id=1' -H 'X-Canary: always'

Exit codes:
  0  both do the same with the request
  1  they do not
  2  usage, configuration or unreadable input
  3  some documents could not be read, the rest was followed";

/// Converts Ingresses with NGINX annotations to Gateway API and Envoy Gateway YAML
#[derive(Debug, Parser)]
#[command(name = "gatewright", version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    /// When to use colour; `auto` also honours NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Read this configuration instead of the gatewright.toml of this directory or one above
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, global = true)]
    pub(crate) no_config: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write Gateway API and Envoy Gateway YAML to stdout, findings to stderr
    #[command(after_help = EXIT_CODES)]
    Convert(ConvertArgs),
    /// Report findings and write no YAML
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Prove, host by host, that the output serves every request as ingress-nginx does, or show a
    /// request that it does not
    #[command(after_help = EXIT_CODES)]
    Verify(VerifyArgs),
    /// Write the outputs that gatewright.toml names, or check that they are up to date
    #[command(after_help = EXIT_CODES)]
    Sync(SyncArgs),
    /// Convert as a function of kustomize or kpt: a ResourceList in on stdin and out on stdout
    #[command(after_help = EXIT_CODES)]
    Krm(KrmArgs),
    /// Report what is in the input, how ready it is to move, and what else the move touches
    #[command(after_help = EXIT_CODES)]
    Audit(AuditArgs),
    /// Write the staged cut-over for these Ingresses, with commands to copy, as Markdown
    #[command(after_help = EXIT_CODES)]
    Plan(PlanArgs),
    /// Show what convert would change in objects that exist, in files or in a cluster
    #[command(after_help = DIFF_HELP)]
    Diff(DiffArgs),
    /// Follow one request through ingress-nginx and through Envoy
    #[command(after_help = ROUTE_HELP, override_usage = "gatewright route [OPTIONS] [PATH]... 'METHOD URL'")]
    Route(RouteArgs),
    /// Show which settings are in force and where each comes from
    Config(ConfigArgs),
    /// Explain a diagnostic code or an annotation
    Explain(ExplainArgs),
    /// Write a completion script for a shell to stdout
    Completions(CompletionsArgs),
    /// Write a man page to stdout
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) writing: WriteArgs,
    /// Write the YAML to this file, all of it or nothing, instead of stdout; Secrets go to
    /// `NAME.secrets.EXTENSION` beside it. With another layout than `stream`, to files below
    /// this directory
    #[arg(short, long, value_name = "FILE|DIR", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Also replace files in the directory that `gatewright convert` has not written
    #[arg(long, requires = "output", help_heading = "Output")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Compare with the objects of these files instead of with the output of `convert`: files,
    /// directories, globs, or `-` for stdin (repeatable)
    /// [default: with --cluster, those of the cluster]
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) against: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Format of the report
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: AuditFormat,
    /// Write the report to this file, all of it or nothing, instead of stdout
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Write the plan to this file, all of it or nothing, instead of stdout
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct KrmArgs {
    /// Write no findings to stderr; they are results of the function anyway
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Write nothing; print what would change as a diff to stdout, and exit with 1 if anything
    #[arg(long)]
    pub(crate) check: bool,
    /// Exit with 1 when a file was written or removed, as a hook before a commit needs it
    #[arg(long, conflicts_with = "check")]
    pub(crate) exit_non_zero_on_change: bool,
    /// Number of threads [default: one a processor]
    #[arg(short = 'j', long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// What the output is made to be: true to nginx, or simple [default: faithful]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<ProfileArg>,
    #[command(flatten)]
    pub(crate) findings: FindingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Files, a directory or a glob with the objects that exist, or `-` for stdin (repeatable)
    /// [default: with --cluster, those of the cluster]
    #[arg(
        long,
        value_name = "PATH",
        required_unless_present = "cluster",
        help_heading = "Input"
    )]
    pub(crate) against: Vec<PathBuf>,
    /// Say it in words, a line for every difference
    #[arg(long, help_heading = "Output")]
    pub(crate) semantic: bool,
    /// Format of the difference; `json` has values and words
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: TextOrJson,
    /// No summary
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// A header of the request (repeatable); `Host` overrides the host of the URL
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Follow it through the objects of these files instead of the output of `convert`: files,
    /// directories, globs, or `-` for stdin (repeatable)
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) against: Vec<PathBuf>,
    /// Format of both ways
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) writing: WriteArgs,
    /// Print the JSON schema of gatewright.toml instead
    #[arg(long)]
    pub(crate) schema: bool,
    /// Print the reference of all keys in Markdown instead
    #[arg(long, conflicts_with = "schema", hide = true)]
    pub(crate) reference: bool,
}

#[derive(Debug, Default, Args)]
pub(crate) struct WriteArgs {
    /// Leave out the comments that say where a rule comes from
    #[arg(long, help_heading = "Output")]
    pub(crate) no_comments: bool,
    /// Write them although the configuration says otherwise
    #[arg(long, overrides_with = "no_comments", hide = true)]
    pub(crate) comments: bool,
    /// How the objects are divided among files [default: stream]
    #[arg(long, value_name = "LAYOUT", help_heading = "Output")]
    pub(crate) layout: Option<LayoutArg>,
    /// Also write a kustomization.yaml that names all files
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(crate) kustomization: Option<bool>,
}

/// What to read.
#[derive(Debug, Default, Args)]
pub(crate) struct InputArgs {
    /// Files, directories (recursive, as .gitignore allows), globs, or `-` for stdin
    /// [default: `paths` of gatewright.toml]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Another way to give a PATH, the one of kubectl (repeatable)
    #[arg(short, long, value_name = "PATH")]
    pub(crate) filename: Vec<PathBuf>,
    /// Number of threads [default: one a processor]
    #[arg(short = 'j', long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// Leave out files and directories that match (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = "Input")]
    pub(crate) exclude: Vec<String>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) controller: ControllerArgs,
}

/// What `convert` and `check` have in common.
#[derive(Debug, Default, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) findings: FindingArgs,
}

/// Where a live cluster is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct LiveArgs {
    /// Read objects from the cluster that the kubeconfig leads to, or that this runs in, instead of
    /// from files; nothing is ever written to it
    #[arg(long)]
    pub(crate) cluster: bool,
    /// Context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub(crate) context: Option<String>,
    /// How long to wait for one answer of the API server [default: 30]
    #[arg(long, value_name = "SECONDS", requires = "cluster", value_parser = positive)]
    pub(crate) request_timeout: Option<u32>,
    /// Objects a page of a list [default: 500]
    #[arg(long, value_name = "N", requires = "cluster", value_parser = positive)]
    pub(crate) chunk_size: Option<u32>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct SelectionArgs {
    /// Only Ingresses of this namespace; objects that name none belong to it
    /// [default: all, and `default` for those that name none; with --cluster, that of the context]
    #[arg(short, long, value_name = "NS", value_parser = dns_label)]
    pub(crate) namespace: Option<String>,
    /// Ingresses of all namespaces, which is the default for files
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    /// Only this Ingress (repeatable)
    #[arg(long, value_name = "[NS/]NAME", value_parser = maybe_namespaced)]
    pub(crate) ingress: Vec<String>,
    /// Class that the controller serves (repeatable)
    /// [default: what the input says of the controller, else nginx]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) ingress_class: Vec<String>,
    /// What to do with Ingresses that name no class [default: skip]
    #[arg(long, value_name = "WHAT")]
    pub(crate) no_class: Option<NoClassArg>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Controller")]
pub(crate) struct ControllerArgs {
    /// ConfigMap of the controller, as its own flag `--configmap` names it
    #[arg(long, value_name = "NS/NAME", value_parser = namespaced)]
    pub(crate) controller_config: Option<(String, String)>,
    /// Certificate for hosts without one, as the controller's own flag names it
    #[arg(long, value_name = "NS/NAME", value_parser = namespaced)]
    pub(crate) default_ssl_certificate: Option<(String, String)>,
    /// The controller runs with its flag of the same name, so that `ssl-passthrough` acts
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) enable_ssl_passthrough: Option<bool>,
    /// Prefix of the annotations [default: nginx.ingress.kubernetes.io]
    #[arg(long, value_name = "PREFIX", value_parser = name)]
    pub(crate) annotations_prefix: Option<String>,
    /// Version of the controller; from 1.12 on it validates annotation values [default: 1.15]
    #[arg(long, value_name = "VERSION")]
    pub(crate) nginx_version: Option<NginxVersionArg>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct TargetArgs {
    /// Attach the routes to this existing Gateway
    #[arg(long, value_name = "NS/NAME", value_parser = namespaced)]
    pub(crate) gateway: Option<(String, String)>,
    /// The listener of that Gateway for HTTP [default: whichever is on port 80]
    #[arg(long, value_name = "NAME", value_parser = dns_name)]
    pub(crate) http_listener: Option<String>,
    /// The listener of that Gateway for HTTPS [default: whichever is on port 443]
    #[arg(long, value_name = "NAME", value_parser = dns_name)]
    pub(crate) https_listener: Option<String>,
    /// Write a listener for each host, in ListenerSets in the namespaces of the certificates
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) listener_sets: Option<bool>,
    /// Namespaces whose routes the listeners take: `all`, or those with a label, such as
    /// `gateway-access=true` [default: all]
    #[arg(long, value_name = "all|KEY=VALUE", value_parser = allowed_routes)]
    pub(crate) allowed_routes: Option<String>,
    /// Name of the GatewayClass
    #[arg(long, value_name = "NAME", value_parser = dns_name)]
    pub(crate) gateway_class: Option<String>,
    /// Which objects to write: those of the platform team, those of the application teams, or both
    /// [default: all]
    #[arg(long, value_name = "WHAT")]
    pub(crate) emit: Option<EmitArg>,
    /// What the output is made to be: true to nginx, or simple [default: faithful]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<ProfileArg>,
    /// Accept that something is not carried over (repeatable)
    #[arg(long, value_name = "CODE=NS/NAME", value_parser = accept)]
    pub(crate) accept: Vec<String>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Findings")]
pub(crate) struct FindingArgs {
    /// Format of the findings on stderr, of `verify` on stdout [default: full]
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    pub(crate) format: Option<Format>,
    /// Also write the findings to a file (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report)]
    pub(crate) report: Vec<ReportArg>,
    /// Least severity of a finding that makes the exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,
    /// Neither summary nor progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code such as GW0102, its name, or an annotation with or without prefix
    #[arg(value_name = "CODE|ANNOTATION", required_unless_present = "all")]
    pub(crate) subject: Option<String>,
    /// Explain everything
    #[arg(long, conflicts_with = "subject")]
    pub(crate) all: bool,
    /// Format of the explanation
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ExplainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that will read the script
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command that the page is about [default: gatewright itself]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NoClassArg {
    /// Convert them, as with the controller's --watch-ingress-without-class
    Include,
    /// Leave them out and say so
    Skip,
}

impl From<NoClassArg> for NoClass {
    fn from(arg: NoClassArg) -> Self {
        match arg {
            NoClassArg::Include => Self::Include,
            NoClassArg::Skip => Self::Skip,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmitArg {
    /// GatewayClass, Gateway and the policies on it
    Infra,
    /// Routes and the policies on them
    Routes,
    /// Both
    All,
}

impl From<EmitArg> for Emit {
    fn from(arg: EmitArg) -> Self {
        match arg {
            EmitArg::Infra => Self::Infra,
            EmitArg::Routes => Self::Routes,
            EmitArg::All => Self::All,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// For a terminal
    Text,
    /// For a wiki or an issue
    Markdown,
    /// For programs
    Json,
    /// One page with search, a picture, and Ingresses beside what is written for them
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutArg {
    /// All in one stream
    Stream,
    /// A file for each object
    Object,
    /// A file for each Ingress
    Ingress,
    /// A file for each input file, in the same directories
    Tree,
    /// infra.yaml and routes.yaml
    Parts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NginxVersionArg {
    /// 1.12 to 1.15: values are validated
    #[value(name = "1.15")]
    V1_15,
    /// Older: values are not validated
    #[value(name = "pre-1.12")]
    Pre1_12,
}

impl From<NginxVersionArg> for NginxVersion {
    fn from(arg: NginxVersionArg) -> Self {
        match arg {
            NginxVersionArg::V1_15 => Self::V1_15,
            NginxVersionArg::Pre1_12 => Self::Pre1_12,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileArg {
    /// Everything that nginx does and Envoy Gateway can say
    Faithful,
    /// What one would write by hand; each behaviour that is given up is named
    Idiomatic,
}

impl From<ProfileArg> for Profile {
    fn from(arg: ProfileArg) -> Self {
        match arg {
            ProfileArg::Faithful => Self::Faithful,
            ProfileArg::Idiomatic => Self::Idiomatic,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    pub(crate) fn reached_by(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Info => severity >= Severity::Info,
            Self::Never => false,
        }
    }
}

/// One `--report`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportArg {
    pub(crate) format: Format,
    /// `None` stands for stdout.
    pub(crate) file: Option<PathBuf>,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .try_map(|word| Format::from_str(&word))
}

fn report(text: &str) -> Result<ReportArg, String> {
    let (format, file) = text
        .split_once('=')
        .ok_or("expected `FORMAT=FILE`, such as `json=findings.json`")?;
    if file.is_empty() {
        return Err("the file name is empty".into());
    }
    Ok(ReportArg {
        format: format.parse()?,
        file: (file != "-").then(|| file.into()),
    })
}

/// What the controller compares as text: a class or a prefix. Such a text need not be a name
/// that Kubernetes would take; this catches what can never be one.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    if text.is_empty() {
        Err("the name is empty".into())
    } else if let Some(c) = text.chars().find(|&c| !allowed(c)) {
        Err(format!("{c:?} cannot be part of a name"))
    } else {
        Ok(text.to_owned())
    }
}

/// The name of an object (RFC 1123 subdomain).
pub(crate) fn dns_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(inner)
    };
    let name = name(text)?;
    if name.len() <= 253 && name.split('.').all(label) {
        Ok(name)
    } else {
        Err(format!(
            "`{name}` is not a name that Kubernetes takes: lower case letters, digits, `-` and `.`"
        ))
    }
}

/// The name of a namespace (RFC 1123 label).
fn dns_label(text: &str) -> Result<String, String> {
    let name = dns_name(text)?;
    if name.len() <= 63 && !name.contains('.') {
        Ok(name)
    } else {
        Err(format!(
            "`{name}` is not a namespace: at most 63 lower case letters, digits and `-`"
        ))
    }
}

pub(crate) fn namespaced(text: &str) -> Result<(String, String), String> {
    let (namespace, object) = text
        .split_once('/')
        .ok_or("expected namespace and name, such as `shop/web`")?;
    Ok((dns_label(namespace)?, dns_name(object)?))
}

/// `all`, or a label as Kubernetes takes it.
pub(crate) fn allowed_routes(text: &str) -> Result<String, String> {
    if text == "all" {
        return Ok(text.to_owned());
    }
    let (key, value) = text
        .split_once('=')
        .ok_or("expected `all` or a label, such as `gateway-access=true`")?;
    let part = |text: &str| {
        let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        text.len() <= 63
            && end(text.chars().next())
            && end(text.chars().next_back())
            && text.chars().all(inner)
    };
    let name = match key.split_once('/') {
        Some((prefix, name)) => {
            dns_name(prefix)?;
            name
        }
        None => key,
    };
    if part(name) && (value.is_empty() || part(value)) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not a label that Kubernetes takes"))
    }
}

pub(crate) fn maybe_namespaced(text: &str) -> Result<String, String> {
    if text.contains('/') {
        let (namespace, object) = namespaced(text)?;
        Ok(format!("{namespace}/{object}"))
    } else {
        dns_name(text)
    }
}

/// Keeps the text form, with the code as diagnostics print it.
fn accept(text: &str) -> Result<String, String> {
    let (code, object) = text
        .split_once('=')
        .ok_or("expected a code and an object, such as `GW0412=shop/web`")?;
    let code = Code::find(code).ok_or_else(|| format!("there is no code `{code}`"))?;
    let (namespace, object) = namespaced(object)?;
    Ok(format!("{code}={namespace}/{object}"))
}

fn positive(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number from 1 on".into()),
        Ok(number) => Ok(number),
    }
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number from 1 on".into()),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(namespaced("shop/web"), Ok(("shop".into(), "web".into())));
        for bad in [
            "web",
            "shop/",
            "/web",
            "shop/web/x",
            "shop/we b",
            "Shop/web",
            "shop/b_r",
            "shop/-web",
            "a.b/web",
        ] {
            assert!(namespaced(bad).is_err(), "{bad}");
        }
        assert_eq!(maybe_namespaced("web"), Ok("web".into()));
        assert!(maybe_namespaced("").is_err());
    }

    #[test]
    fn labels_are_checked() {
        for good in ["all", "gateway-access=true", "example.com/a_b=", "a=b.c"] {
            assert!(allowed_routes(good).is_ok(), "{good}");
        }
        for bad in [
            "", "some", "=x", "a=-b", "a b=c", "A.b/c=-", "x/y/z=1", "Ex/a=b",
        ] {
            assert!(allowed_routes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn accepted_codes_are_written_as_diagnostics_write_them() {
        assert_eq!(accept("102=shop/web"), Ok("GW0102=shop/web".into()));
        assert!(accept("GW9999=shop/web").is_err());
        assert!(accept("GW0102").is_err());
        assert!(accept("GW0102=web").is_err());
    }

    #[test]
    fn reports_name_format_and_file() {
        let json = |file: Option<&str>| ReportArg {
            format: Format::Json,
            file: file.map(Into::into),
        };
        assert_eq!(report("json=a=b.json"), Ok(json(Some("a=b.json"))));
        assert_eq!(report("json=-"), Ok(json(None)));
        assert!(report("json").is_err());
        assert!(report("json=").is_err());
        assert!(report("yaml=x").is_err());
    }

    #[test]
    fn fail_on_is_a_threshold() {
        assert!(FailOn::Warning.reached_by(Severity::Error));
        assert!(!FailOn::Error.reached_by(Severity::Warning));
        assert!(!FailOn::Never.reached_by(Severity::Error));
    }
}

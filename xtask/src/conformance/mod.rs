//! The conformance suite: what ingress-nginx answered, a real Envoy Gateway and a real Envoy answer.
//!
//! Every case is converted, applied as it is to a real API server, judged by the conditions that
//! Envoy Gateway writes, and its recorded requests are sent through a real Envoy. `--jobs` stacks
//! run side by side, each in namespaces of its own (see [`namespace`]), so that real ports and real
//! addresses are used and nothing outlives the run.

mod admission;
mod bystander;
pub(crate) mod cases;
mod client;
mod compare;
mod conditions;
mod convert;
mod dns;
mod docs;
mod echo;
mod envoy;
mod ingresses;
mod inputs;
mod kube;
mod live;
mod namespace;
mod netlink;
mod pki;
mod pool;
mod rehearsal;
mod relay;
mod report;
mod scale;
mod setup;
mod stack;
mod verdict;
mod witnesses;
mod worker;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use self::setup::{Pins, Tools};
use self::verdict::Declaration;
use self::worker::Asking;

/// By this header of an answer the client knows which hit on the echo it came from.
const ECHO_ID_HEADER: &str = "x-echo-id";

/// `cargo xtask conformance`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains one of these
    filters: Vec<String>,
    /// Install the tools and stop
    #[arg(long)]
    setup: bool,
    /// Where the cases are
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Write everything that was seen as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave the stacks and the last case of each running, until Enter is pressed
    #[arg(long)]
    keep: bool,
    /// How many stacks run side by side
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Use this program instead of building gatewright
    #[arg(long, value_name = "PATH")]
    converter: Option<PathBuf>,
    /// The channel of the Gateway API CRDs
    #[arg(long, value_enum, default_value_t = Channel::Standard)]
    channel: Channel,
    /// Write docs/conformance.md from this run
    #[arg(long)]
    write_docs: bool,
    /// Send only what `verify` predicts the answers of, not what was recorded
    #[arg(long, conflicts_with = "write_docs")]
    witnesses: bool,
    /// Only read a live cluster with `--cluster`, which the whole suite does too
    #[arg(long, conflicts_with_all = ["write_docs", "cases", "witnesses"])]
    live: bool,
    /// Play the plan of `gatewright plan` for the article's Ingress through, instead of the cases
    #[arg(long)]
    plan: bool,
    /// Print entries for differences.toml that would accept what differs
    #[arg(long)]
    record_differences: bool,
}

/// Which CRDs of Gateway API are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Channel {
    Standard,
    Experimental,
}

impl Channel {
    fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Experimental => "experimental",
        }
    }
}

/// `cargo xtask conformance-worker`, inside namespaces of its own.
#[derive(Debug, Args)]
pub(crate) struct WorkerArguments {
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    converter: PathBuf,
    #[arg(long)]
    channel: String,
    #[arg(long)]
    keep: bool,
    /// Read the cluster with `--cluster`, and take no cases
    #[arg(long)]
    live: bool,
}

/// Runs the suite; whether it passes.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let root = crate::repository_root();
    let pins = Pins::load(&root)?;
    let tools = setup::install(&root, &pins)?;
    if arguments.setup {
        eprintln!(
            "conformance: everything is installed in {}",
            tools.directory().display()
        );
        return Ok(true);
    }
    if arguments.live {
        let converter = converter(arguments, &root)?;
        return live_cluster(&tools, &converter, arguments.channel).map(|()| true);
    }
    if arguments.plan {
        return rehearsal::run(&tools, &converter(arguments, &root)?);
    }
    let scale = scale::directory(tools.directory());
    let mut directories = match &arguments.cases {
        Some(directory) => {
            vec![
                directory
                    .canonicalize()
                    .with_context(|| directory.display().to_string())?,
            ]
        }
        // Those of testdata/cases have no recorded answers: their outputs are applied and judged.
        None => vec![root.join("testdata/behaviour"), root.join("testdata/cases")],
    };
    // The document is about what ingress-nginx was seen to answer.
    if arguments.cases.is_none() && !arguments.write_docs {
        scale::write(&scale, &arguments.filters)?;
        directories.push(scale.clone());
    }
    let mut found = Vec::new();
    for directory in directories.iter().filter(|directory| directory.is_dir()) {
        found.extend(cases::discover(directory, &arguments.filters)?);
    }
    if found.is_empty() {
        bail!("no case matches {:?}", arguments.filters);
    }
    let converter = converter(arguments, &root)?;
    let begun = Instant::now();
    let options = pool::Options {
        tools: &tools,
        converter: &converter,
        channel: arguments.channel.name(),
        jobs: arguments.jobs.clamp(1, found.len()),
        keep: arguments.keep,
    };
    // Lists of accepted differences are kept for the suite's own cases only.
    let declaration = |case: &cases::Case| {
        if case.directory.starts_with(root.join("testdata")) || case.directory.starts_with(&scale) {
            Declaration::Listed
        } else {
            Declaration::ByHost
        }
    };
    // Other people's cases are about recorded answers, unless somebody wants it otherwise.
    let asking = |case: &cases::Case| match arguments.witnesses {
        true => Asking::Witnesses,
        false if case.directory.starts_with(root.join("testdata")) => Asking::All,
        false => Asking::Recorded,
    };
    let (results, handles) = pool::run(&options, found.clone(), declaration, asking)?;
    if arguments.witnesses {
        for case in &mut found {
            case.exchanges.clear();
            case.differences.clear();
        }
    }
    let report = report::Report::new(&found, results, begun.elapsed());
    report.print();
    if arguments.record_differences {
        report.print_suggestions();
    }
    if let Some(path) = &arguments.json {
        fs::write(path, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if arguments.write_docs {
        if arguments.cases.is_some() || !arguments.filters.is_empty() {
            bail!("--write-docs describes the whole suite: leave out --cases and filters");
        }
        let path = root.join("docs/conformance.md");
        fs::create_dir_all(root.join("docs"))?;
        fs::write(&path, docs::render(&report, &found, &pins.summary()))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    pool::finish(handles, arguments.keep)?;
    let whole = arguments.cases.is_none() && arguments.filters.is_empty() && !arguments.witnesses;
    if whole {
        live_cluster(&tools, &converter, arguments.channel)?;
    }
    Ok(report.passes())
}

fn converter(arguments: &Arguments, root: &std::path::Path) -> Result<PathBuf> {
    match &arguments.converter {
        Some(path) => path
            .canonicalize()
            .with_context(|| path.display().to_string()),
        None => build_converter(root),
    }
}

/// Runs [`live`] in a worker of its own.
fn live_cluster(tools: &Tools, converter: &std::path::Path, channel: Channel) -> Result<()> {
    let begun = Instant::now();
    pool::live(tools, converter, channel.name())?;
    eprintln!(
        "conformance: --cluster is as it should be ({:.0?})",
        begun.elapsed()
    );
    Ok(())
}

/// Converts and applies every `input.yaml` below a directory; whether every object was taken and
/// every condition is as it should be.
pub(crate) fn apply_all(
    cases: &std::path::Path,
    jobs: usize,
    converter: Option<PathBuf>,
) -> Result<bool> {
    run(&Arguments {
        filters: Vec::new(),
        setup: false,
        cases: Some(cases.to_owned()),
        json: None,
        keep: false,
        jobs,
        converter,
        channel: Channel::Standard,
        write_docs: false,
        witnesses: false,
        live: false,
        plan: false,
        record_differences: false,
    })
}

/// Installs kubectl, Helm and kustomize alone; returns their directory.
pub(crate) fn clients(root: &std::path::Path) -> Result<PathBuf> {
    let pins = Pins::load(root)?;
    let tools = setup::install_part(root, &pins, "clients")?;
    Ok(tools.directory().join("bin"))
}

fn build_converter(root: &std::path::Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--package",
            "gatewright-cli",
            "--bin",
            "gatewright",
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("gatewright does not build");
    }
    // The target directory is the user's to choose; cargo says where the program is.
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "gatewright")
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .context("cargo built no program named gatewright")
}

/// The inside of a worker; see [`worker`].
pub(crate) fn run_worker(arguments: &WorkerArguments) -> Result<()> {
    let root = crate::repository_root();
    namespace::enter(&arguments.directory)?;
    // Both are in the tree of dependencies; rustls wants to be told which one is meant.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if arguments.live {
        let tools = Tools::new(&root);
        let stack = stack::Stack::start(&tools, &arguments.channel, &arguments.directory)?;
        return live::check(&stack, &arguments.converter, &arguments.directory, &root);
    }
    let mut worker = worker::Worker::start(
        Tools::new(&root),
        &arguments.channel,
        arguments.converter.clone(),
        arguments.directory.clone(),
        arguments.keep,
    )?;
    worker.serve()
}

pub(crate) use rehearsal::{RehearsalArguments, run_inside as run_rehearsal};

/// The far end of a worker's relay; see [`relay`].
pub(crate) fn run_relay() -> Result<()> {
    relay::serve()
}

/// All values of a header, joined as proxies join them. Names are in lower case.
fn header_value(headers: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> = headers
        .iter()
        .filter(|(other, _)| other == name)
        .map(|(_, value)| value.as_str())
        .collect();
    (!values.is_empty()).then(|| values.join(if name == "cookie" { "; " } else { ", " }))
}

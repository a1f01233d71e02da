//! Maintainer's tasks, run as `cargo xtask <task>`.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool whose output is its purpose"
)]

mod bench;
mod blocks;
mod conformance;
mod corpus;
mod defaults;
mod dist;
mod docs;
mod links;
mod mutants;
mod profile;
mod sbom;
mod shell;
mod surprises;
mod tidy;
mod walkthrough;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Maintainer's tasks of this repository.
#[derive(Parser)]
#[command(name = "xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compare what a real Envoy answers with what ingress-nginx answered.
    Conformance(conformance::Arguments),
    /// One isolated stack of the conformance suite; started by the suite itself.
    #[command(hide = true)]
    ConformanceWorker(conformance::WorkerArguments),
    /// The network of a worker's control plane; started by the worker.
    #[command(hide = true)]
    ConformanceRelay,
    /// The rehearsal of a plan; started by the suite itself.
    #[command(hide = true)]
    ConformanceRehearsal(conformance::RehearsalArguments),
    /// Convert manifests from elsewhere, and apply the output to a real API server.
    Corpus(corpus::Arguments),
    /// Measure the release build on generated Ingresses.
    Bench(bench::Arguments),
    /// One measured run; started by `bench`.
    #[command(hide = true)]
    BenchOnce(bench::OnceArguments),
    /// Make the files of a release for one platform.
    Dist(dist::Arguments),
    /// Count what conversions run, for release builds on this platform.
    Profile,
    /// Write the reference pages below docs/ anew.
    Docs,
    /// Put faults into emitted objects and count how many `verify` finds.
    Mutants(mutants::Arguments),
    /// Write the table of the CRDs' default values, which `diff` reads, anew.
    Defaults,
    /// Do what the documentation says, on a clean clone.
    Walkthrough(walkthrough::Arguments),
    /// Check the repository's own rules, such as which crate may depend on which.
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::ConformanceWorker(arguments) => conformance::run_worker(&arguments).map(|()| true),
        Task::ConformanceRelay => conformance::run_relay().map(|()| true),
        Task::ConformanceRehearsal(arguments) => {
            conformance::run_rehearsal(&arguments).map(|()| true)
        }
        Task::Corpus(arguments) => corpus::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::BenchOnce(arguments) => bench::run_once(&arguments).map(|()| true),
        Task::Dist(arguments) => dist::run(&arguments),
        Task::Profile => profile::run(),
        Task::Docs => docs::write(),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Defaults => defaults::write(),
        Task::Walkthrough(arguments) => walkthrough::run(&arguments),
        Task::Tidy => tidy::run(),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The root of the checkout this program was built from.
fn repository_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

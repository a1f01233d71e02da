//! The command line of Gatewright: arguments, files, terminal and exit codes.
//!
//! What is converted, and how, is decided in `gatewright-transpile`; nothing here knows
//! an annotation.

mod args;
mod audit;
mod config;
mod convert;
mod diff;
mod discover;
mod exit;
mod explain;
mod krm;
mod layout;
mod live;
mod manual;
mod output;
mod owned;
mod plan;
mod progress;
mod read;
mod route;
mod suggest;
mod summary;
mod sync;
mod verify;
mod write;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use args::{Cli, Command};
use config::Failure;
use gatewright_diagnostics::render::{Format, render};
use output::Terminal;

/// A conversion makes millions of small allocations, and hands them from thread to thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The program: reads its arguments, does what they say, and tells how it ended.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let Cli {
        color,
        config,
        no_config,
        command,
    } = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let terminal = Terminal::new(color);
    terminal.explain_panics();
    let load = || config::load(config.as_deref(), no_config);
    let result = match command {
        Command::Convert(args) => {
            load().and_then(|config| convert::convert(&terminal, args, config))
        }
        Command::Check(args) => load().and_then(|config| convert::check(&terminal, args, config)),
        Command::Verify(args) => load().and_then(|config| verify::run(&terminal, args, config)),
        Command::Sync(args) => load().and_then(|config| Ok(sync::run(&terminal, args, config)?)),
        Command::Krm(args) => {
            // What a function does is said by its own configuration; the directory that it runs
            // in is that of the program that runs it.
            let none = config.is_none();
            config::load(config.as_deref(), none).and_then(|file| krm::run(&terminal, &args, file))
        }
        Command::Audit(args) => load().and_then(|config| audit::run(&terminal, args, config)),
        Command::Plan(args) => {
            load().and_then(|config| plan::run(&terminal, args, config, &matches))
        }
        Command::Route(args) => load().and_then(|config| route::run(&terminal, args, config)),
        Command::Diff(args) => load().and_then(|config| diff::run(&terminal, args, config)),
        Command::Config(args) if args.schema || args.reference => {
            config::run(&args, None).map_err(Failure::from)
        }
        Command::Config(args) => load().and_then(|config| Ok(config::run(&args, config)?)),
        Command::Explain(args) => explain::run(&args).map_err(Failure::from),
        Command::Completions(args) => manual::completions(&args).map_err(Failure::from),
        Command::Man(args) => manual::man(&args).map_err(Failure::from),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            match failure {
                Failure::Fault(fault) => terminal.fault(&fault),
                Failure::Findings(sources, found) => {
                    terminal.message(&render(Format::Full, &sources, &found, terminal.color()));
                }
            }
            exit::Exit::Usage.into()
        }
    }
}

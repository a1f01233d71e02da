//! The command line of Gatewright: arguments, files, terminal and exit codes.
//!
//! What is converted, and how, is decided in `gatewright-transpile`; nothing here knows
//! an annotation.

mod args;
mod convert;
mod discover;
mod exit;
mod explain;
mod manual;
mod output;
mod progress;
mod read;
mod suggest;
mod summary;
mod write;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use output::Terminal;

fn main() -> ExitCode {
    let Cli { color, command } = Cli::parse();
    let terminal = Terminal::new(color);
    terminal.explain_panics();
    let result = match command {
        Command::Convert(args) => convert::convert(&terminal, args),
        Command::Check(args) => convert::check(&terminal, args),
        Command::Explain(args) => explain::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(fault) => {
            terminal.fault(&fault);
            exit::Exit::Usage.into()
        }
    }
}

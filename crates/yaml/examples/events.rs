//! `events FILE` splits a file into documents, reads them into events and does nothing with
//! them: what no program that reads the file can go below.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::process::ExitCode;

use granit_parser::Parser;

fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("usage: events FILE");
        return ExitCode::from(2);
    };
    match std::fs::read_to_string(&file) {
        Ok(text) => {
            let documents = text.split("\n---\n");
            let events: usize = documents.map(|one| Parser::new_from_str(one).count()).sum();
            println!("{events} events");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

//! `cargo run -p gatewright-transpile --example generate -- 5000 cluster.yaml` writes the
//! Ingresses that the benchmark converts.
#![expect(clippy::print_stderr, reason = "a program for the terminal")]

#[path = "../benches/generated.rs"]
mod generated;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, file] = arguments.as_slice() else {
        eprintln!("usage: generate COUNT FILE");
        return ExitCode::from(2);
    };
    let Ok(count) = count.parse() else {
        eprintln!("`{count}` is not a number");
        return ExitCode::from(2);
    };
    if let Err(error) = std::fs::write(file, generated::ingresses(count)) {
        eprintln!("{file}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

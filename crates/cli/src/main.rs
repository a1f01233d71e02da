//! The program `gatewright`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatewright_cli::main()
}

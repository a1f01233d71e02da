//! One run of a program, measured by a process of its own: what the kernel says of finished
//! children is about all of them together.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

/// The program and its arguments.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

/// What one run took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) wall: Duration,
    /// Until the first byte came out.
    pub(super) first: Duration,
    /// On all processors together.
    pub(super) cpu: Duration,
    /// The most memory that was resident, in KiB.
    pub(super) peak: u64,
    /// Bytes of output.
    pub(super) output: u64,
}

/// Runs the program of the arguments and prints what it took.
///
/// # Errors
///
/// When it cannot be run.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (program, rest) = arguments.command.split_first().context("no program")?;
    let start = Instant::now();
    // The output goes through a pipe, as it does to kubectl.
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| program.display().to_string())?;
    let mut pipe = child.stdout.take().context("no pipe")?;
    let (mut first, mut output) = (None, 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = pipe.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        first.get_or_insert_with(|| start.elapsed());
        output += count as u64;
    }
    child.wait()?;
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let run = Run {
        wall,
        first: first.unwrap_or(wall),
        cpu: duration(usage.user_time()) + duration(usage.system_time()),
        peak: u64::try_from(usage.max_rss()).unwrap_or_default(),
        output,
    };
    println!("{}", serde_json::to_string(&run)?);
    Ok(())
}

fn duration(value: TimeVal) -> Duration {
    Duration::new(
        u64::try_from(value.tv_sec()).unwrap_or_default(),
        u32::try_from(value.tv_usec()).unwrap_or_default() * 1000,
    )
}

/// Has one run measured.
pub(super) fn measured(program: &Path, arguments: &[&str]) -> anyhow::Result<Run> {
    let output = Command::new(std::env::current_exe()?)
        .arg("bench-once")
        .arg(program)
        .args(arguments)
        .output()?;
    if !output.status.success() {
        bail!(
            "{}: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

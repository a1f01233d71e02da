//! Time and memory of the whole program on generated Ingresses.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context as _, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

#[path = "../../crates/transpile/benches/generated.rs"]
mod generated;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Numbers of Ingresses, ascending: peaks of memory are those of the largest run so far.
    #[arg(default_values_t = [100, 5000, 50_000])]
    counts: Vec<u32>,
    /// Runs of each, of which the median and the fastest are shown
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The program [default: that of `cargo build --release`]
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Prints a line for each number of Ingresses.
///
/// # Errors
///
/// When the program is not built, or fails.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let binary = arguments.binary.clone().unwrap_or_else(|| {
        let target = env::var_os("CARGO_TARGET_DIR");
        let target = target.map_or_else(|| crate::repository_root().join("target"), PathBuf::from);
        target.join("release/gatewright")
    });
    if !binary.is_file() {
        bail!(
            "{} is missing: run `cargo build --release`",
            binary.display()
        );
    }
    if !arguments.counts.is_sorted() {
        bail!("the numbers of Ingresses must ascend");
    }
    let directory = env::temp_dir().join(format!("gatewright-bench-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| directory.display().to_string())?;
    let result = measure_all(arguments, &binary, &directory.join("cluster.yaml"));
    fs::remove_dir_all(&directory)?;
    result.map(|()| true)
}

fn measure_all(arguments: &Arguments, binary: &PathBuf, input: &PathBuf) -> anyhow::Result<()> {
    println!(
        "{:>9}  {:>8}  {:>9}  {:>9}  {:>9}  {:>9}",
        "Ingresses", "MB in", "median", "fastest", "CPU", "peak MiB"
    );
    for &count in &arguments.counts {
        let text = generated::ingresses(count);
        fs::write(input, &text)?;
        let mut walls = Vec::new();
        let mut cpus = Vec::new();
        for _ in 0..arguments.runs {
            let before = cpu()?;
            let start = Instant::now();
            // The output goes through a pipe, as it does to kubectl.
            let output = Command::new(binary)
                .args(["convert", "--quiet", "--format", "concise"])
                .arg(input)
                .stderr(Stdio::null())
                .output()
                .with_context(|| binary.display().to_string())?;
            walls.push(start.elapsed());
            cpus.push(cpu()?.saturating_sub(before));
            if output.stdout.is_empty() {
                bail!(
                    "nothing was written for {count} Ingresses ({})",
                    output.status
                );
            }
        }
        walls.sort();
        cpus.sort();
        let peak = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss() / 1024;
        println!(
            "{count:>9}  {:>8.2}  {:>9}  {:>9}  {:>9}  {peak:>9}",
            f64::from(u32::try_from(text.len())?) / 1e6,
            milliseconds(walls[walls.len() / 2]),
            milliseconds(walls[0]),
            milliseconds(cpus[cpus.len() / 2]),
        );
    }
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// Processor time of all finished children.
fn cpu() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |value: TimeVal| {
        Duration::new(
            u64::try_from(value.tv_sec()).unwrap_or_default(),
            u32::try_from(value.tv_usec()).unwrap_or_default() * 1000,
        )
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

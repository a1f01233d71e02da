//! docs/performance.md and its plot.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::limits::{self, Ratio};
use super::plot::{Line, Panel, svg};
use super::{Arguments, Figures, Measured, Size, megabytes, milliseconds};
use crate::tidy;

const PAGE: &str = "docs/performance.md";
const PLOT: &str = "docs/performance.svg";

/// Aims of 5,000 Ingresses, whatever the machine.
const WALL: Duration = Duration::from_millis(150);
const PEAK: f64 = 60.0;
/// The row of the time that a build takes.
const BUILD: &str = "| release build in an empty directory | ";
const TO_FLOOR: f64 = 3.0;
const TENFOLD: f64 = 12.0;
const START: Duration = Duration::from_millis(10);
const CHECK: Duration = Duration::from_millis(50);

/// Writes both.
pub(super) fn write(measured: &Measured, arguments: &Arguments) -> anyhow::Result<()> {
    let root = crate::repository_root();
    let build = if arguments.cold_build {
        format!("{:.0} s", cold_build()?.as_secs_f64())
    } else {
        // It takes minutes, and stays what it was.
        let before = fs::read_to_string(root.join(PAGE)).unwrap_or_default();
        let row = before.lines().find_map(|line| line.strip_prefix(BUILD));
        let figure = row.and_then(|row| row.split(" |").next());
        figure.unwrap_or("not measured").to_owned()
    };
    let page = page(measured, arguments, &build)?;
    fs::write(root.join(PAGE), page).context(PAGE)?;
    fs::write(root.join(PLOT), plot(measured)).context(PLOT)?;
    println!("written: {PAGE}, {PLOT}");
    Ok(())
}

fn page(measured: &Measured, arguments: &Arguments, build: &str) -> anyhow::Result<String> {
    let mut page = String::from(
        "# Performance\n\nWritten by `cargo xtask bench --write-docs`; the figures are those of one machine on one day.\n\n",
    );
    page.push_str("![Time and memory by the number of Ingresses](performance.svg)\n\n");
    machine(&mut page, arguments)?;
    sizes(&mut page, &measured.sizes);
    aims(&mut page, measured)?;
    growth(&mut page, measured);
    weight(&mut page, build)?;
    page.push_str(REPEAT);
    Ok(page)
}

fn machine(page: &mut String, arguments: &Arguments) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism()?;
    let built = if arguments.dist {
        "the program of `cargo xtask dist`, with the floor built in the same way"
    } else if arguments.binary.is_some() {
        "a build that was named on the command line, which may lack the link-time optimisation of a release"
    } else {
        "the release build"
    };
    write!(
        page,
        "Measured: {built}, {} runs of each, on a virtual machine with {processors} processors ({}) that other work shares. \
         Times are those of the fastest run, memory is the most that was resident. The output goes through a pipe. Of memory up to about 16 MiB the measuring process itself has its part.\n\n",
        arguments.runs,
        std::env::consts::ARCH,
    )?;
    Ok(())
}

fn sizes(page: &mut String, sizes: &[Size]) {
    page.push_str(
        "## By number of Ingresses\n\nGenerated Ingresses as a large cluster has them: up to 200 namespaces, hosts that several Ingresses share, canaries, Services and Secrets, annotations as often as public manifests have them. \
         The floor is the same file split into documents and read into events of YAML, by the same parser, on one thread: no program that reads the file can go below it.\n\n\
         | Ingresses | MB in | | time | processor time | memory |\n|---:|---:|---|---:|---:|---:|\n",
    );
    for size in sizes {
        let mut row = |what: &str, figures: &Figures| {
            // Writing to a string cannot fail.
            let _ = writeln!(
                page,
                "| {} | {:.2} | {what} | {} | {} | {:.1} MiB |",
                size.count,
                megabytes(size.bytes),
                milliseconds(figures.fastest_wall),
                milliseconds(figures.fastest_cpu),
                figures.peak
            );
        };
        row("floor", &size.floor);
        row("one thread", &size.one);
        row("two threads", &size.two);
    }
    page.push('\n');
}

/// What the project wants, and whether it is so.
fn aims(page: &mut String, measured: &Measured) -> anyhow::Result<()> {
    page.push_str("## Aims\n\n| aim | measured | met |\n|---|---:|---|\n");
    let mut row = |aim: String, value: String, met: bool| {
        let met = if met { "yes" } else { "**no**" };
        writeln!(page, "| {aim} | {value} | {met} |")
    };
    let of = |count: u32| measured.sizes.iter().find(|size| size.count == count);
    if let Some(size) = of(5000) {
        let Size {
            floor, one, two, ..
        } = size;
        let best = one.fastest_wall.min(two.fastest_wall);
        row(
            format!("5,000 Ingresses in {}", milliseconds(WALL)),
            milliseconds(best),
            best <= WALL,
        )?;
        let peak = one.peak.max(two.peak);
        row(
            format!("5,000 Ingresses in {PEAK} MiB"),
            format!("{peak:.1} MiB"),
            peak <= PEAK,
        )?;
        let ratio = one.fastest_cpu.as_secs_f64() / floor.fastest_cpu.as_secs_f64();
        row(
            format!("one thread at most {TO_FLOOR} times the floor"),
            format!("{ratio:.1}"),
            ratio <= TO_FLOOR,
        )?;
        let ratio = two.fastest_wall.as_secs_f64() / one.fastest_wall.as_secs_f64();
        row(
            "two threads faster than one".to_owned(),
            format!("{ratio:.2} of its time"),
            ratio < 1.0,
        )?;
    }
    if let (Some(few), Some(many)) = (of(5000), of(50_000)) {
        let ratio = many.one.fastest_cpu.as_secs_f64() / few.one.fastest_cpu.as_secs_f64();
        row(
            format!("50,000 Ingresses at most {TENFOLD} times 5,000"),
            format!("{ratio:.1}"),
            ratio <= TENFOLD,
        )?;
    }
    row(
        format!("first byte of one Ingress within {}", milliseconds(START)),
        milliseconds(measured.start),
        measured.start <= START,
    )?;
    row(
        format!("`check` of 200 files within {}", milliseconds(CHECK)),
        milliseconds(measured.check),
        measured.check <= CHECK,
    )?;
    page.push('\n');
    Ok(())
}

fn growth(page: &mut String, measured: &Measured) {
    page.push_str(
        "## By what an input has more of\n\nProcessor time on one thread, start-up included. The exponent is the slope of the line through the logarithms: 1 is linear, 2 quadratic.\n\n| | how many: time | exponent |\n|---|---|---:|\n",
    );
    for curve in &measured.growth {
        let points: Vec<String> = curve
            .points
            .iter()
            .map(|(count, time)| format!("{count}: {}", milliseconds(*time)))
            .collect();
        let _ = writeln!(
            page,
            "| {} | {} | {:.2} |",
            curve.growth.unit(),
            points.join(", "),
            curve.exponent
        );
    }
    page.push('\n');
    page.push_str("`cargo xtask bench --check` fails when one of these ratios is above its limit. Times are not judged, as they depend on the machine, and the limits leave room for one that is busy; two threads are compared with one only where the machine has nothing else to do.\n\n| ratio | measured | limit |\n|---|---:|---:|\n");
    for Ratio { what, value, limit } in limits::ratios(measured) {
        let _ = writeln!(page, "| {what} | {value:.2} | {limit} |");
    }
    page.push('\n');
}

fn weight(page: &mut String, build: &str) -> anyhow::Result<()> {
    let [files, all] = tidy::foreign_crates()?;
    let [most_files, most] = tidy::MAX_CRATES;
    write!(
        page,
        "## What a build costs\n\n| | | |\n|---|---:|---|\n| crates of others that it is built from | {all} | at most {most}; `cargo xtask tidy` counts them |\n| of these without the feature `cluster` | {files} | at most {most_files} |\n{BUILD}{build} | `cargo build --release`, sources already fetched; of an earlier day unless `--cold-build` was given |\n\n",
    )?;
    Ok(())
}

const REPEAT: &str = "\
## How to repeat it

```console
$ cargo xtask dist
$ cargo xtask bench --dist                  # the figures
$ cargo xtask bench --dist --check          # fails when a ratio is above its limit
$ cargo xtask bench --dist --write-docs     # this page
```

Releases are built by a profile of conversions, which `cargo xtask profile` makes. Without `--dist`, what `cargo build --release` made is measured.

`cargo run -p gatewright-transpile --example generate -- 5000 cluster.yaml` writes the input of 5,000 Ingresses, which is the same everywhere.
";

/// Seconds that a release build takes when nothing is built yet.
fn cold_build() -> anyhow::Result<Duration> {
    let directory = std::env::temp_dir().join(format!("gatewright-cold-{}", std::process::id()));
    let start = Instant::now();
    let status = Command::new(tidy::cargo())
        .current_dir(crate::repository_root())
        .args([
            "build",
            "--quiet",
            "--release",
            "--offline",
            "-p",
            "gatewright-cli",
        ])
        .env("CARGO_TARGET_DIR", &directory)
        .status()?;
    let time = start.elapsed();
    fs::remove_dir_all(&directory).ok();
    if !status.success() {
        bail!("the release build failed");
    }
    Ok(time)
}

fn plot(measured: &Measured) -> String {
    let line = |name, of: fn(&Size) -> f64| Line {
        name,
        points: measured
            .sizes
            .iter()
            .map(|size| (f64::from(size.count), of(size)))
            .collect(),
    };
    let time = Panel {
        title: "time, by number of Ingresses",
        lines: vec![
            line("floor", |size| ms(size.floor.fastest_wall)),
            line("one thread", |size| ms(size.one.fastest_wall)),
            line("two threads", |size| ms(size.two.fastest_wall)),
        ],
        x: decades(measured.sizes.iter().map(|size| f64::from(size.count))),
        y: decades(
            measured
                .sizes
                .iter()
                .flat_map(|size| [&size.floor, &size.one, &size.two].map(|f| ms(f.fastest_wall))),
        ),
        label: |decade| match decade {
            ..=2 => format!("{} ms", 10_f64.powi(decade)),
            _ => format!("{} s", 10_f64.powi(decade - 3)),
        },
    };
    let memory = Panel {
        title: "memory, by number of Ingresses",
        lines: vec![
            line("floor", |size| size.floor.peak),
            line("one thread", |size| size.one.peak),
            line("two threads", |size| size.two.peak),
        ],
        x: time.x,
        y: decades(
            measured
                .sizes
                .iter()
                .flat_map(|size| [&size.floor, &size.one, &size.two].map(|f| f.peak)),
        ),
        label: |decade| format!("{} MiB", 10_f64.powi(decade)),
    };
    svg(
        "Time and memory by the number of Ingresses",
        &[time, memory],
    )
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The powers of ten that hold all values.
#[expect(clippy::cast_possible_truncation, reason = "logarithms are small")]
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        let decade = value.max(1e-9).log10();
        low = low.min(decade);
        high = high.max(decade);
    }
    let low = low.floor() as i32;
    (low, (high.ceil() as i32).max(low + 1))
}

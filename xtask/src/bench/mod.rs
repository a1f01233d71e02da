//! Time and memory of the whole program on generated Ingresses, beside the floor: the same bytes
//! read into events of YAML and no further.

mod inputs;
mod limits;
mod once;
mod page;
mod plot;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, bail};

use crate::dist;
use inputs::Growth;
pub(crate) use inputs::ingresses;
use once::Run;
pub(crate) use once::{Arguments as OnceArguments, run as run_once};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Numbers of Ingresses
    #[arg(default_values_t = [100, 5000, 50_000])]
    counts: Vec<u32>,
    /// Runs of each, of which the median is shown and the fastest is compared
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The program [default: that of `cargo build --release`]
    #[arg(long)]
    binary: Option<PathBuf>,
    /// The program of the floor [default: that of `cargo build --release -p gatewright-yaml
    /// --example events`]
    #[arg(long)]
    floor: Option<PathBuf>,
    /// The program of `cargo xtask dist`, and the floor built in the same way
    #[arg(long, conflicts_with_all = ["binary", "floor"])]
    dist: bool,
    /// Fail when a ratio is above its limit; times themselves are not judged
    #[arg(long)]
    check: bool,
    /// Write docs/performance.md and its plot
    #[arg(long)]
    write_docs: bool,
    /// Measure a release build in an empty directory too, for the page
    #[arg(long, requires = "write_docs")]
    cold_build: bool,
}

/// Everything that was measured.
struct Measured {
    sizes: Vec<Size>,
    growth: Vec<Curve>,
    /// Until the first byte of a conversion of one Ingress.
    start: Duration,
    /// Of `check` of 200 files.
    check: Duration,
}

/// So many Ingresses.
struct Size {
    count: u32,
    bytes: u64,
    floor: Figures,
    one: Figures,
    two: Figures,
}

/// What several runs took.
#[derive(Clone, Copy)]
struct Figures {
    wall: Duration,
    cpu: Duration,
    fastest_wall: Duration,
    fastest_cpu: Duration,
    /// In MiB.
    peak: f64,
}

/// Processor time by how many there are of something.
struct Curve {
    growth: Growth,
    points: Vec<(u32, Duration)>,
    /// Of the power of the count that the time grows with.
    exponent: f64,
}

struct Bench<'a> {
    binary: &'a Path,
    floor: &'a Path,
    directory: &'a Path,
    runs: u32,
}

/// Measures, and prints what it finds.
///
/// # Errors
///
/// When a program is not built, or fails.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let (binary, floor) = if arguments.dist {
        (dist::program()?, dist::floor()?)
    } else {
        let floor = built(
            arguments.floor.as_ref(),
            "examples/events",
            " -p gatewright-yaml --example events",
        )?;
        (built(arguments.binary.as_ref(), "gatewright", "")?, floor)
    };
    let directory = env::temp_dir().join(format!("gatewright-bench-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| directory.display().to_string())?;
    let bench = Bench {
        binary: &binary,
        floor: &floor,
        directory: &directory,
        runs: arguments.runs,
    };
    let measured = bench.all(&arguments.counts);
    fs::remove_dir_all(&directory)?;
    let measured = measured?;
    if arguments.write_docs {
        page::write(&measured, arguments)?;
    }
    Ok(!arguments.check || limits::hold(&measured))
}

fn built(given: Option<&PathBuf>, name: &str, how: &str) -> anyhow::Result<PathBuf> {
    let path = given.cloned().unwrap_or_else(|| {
        let target = dist::target_directory(&crate::repository_root());
        target.join("release").join(name)
    });
    if !path.is_file() {
        bail!(
            "{} is missing: run `cargo build --release{how}`",
            path.display()
        );
    }
    Ok(path)
}

impl Bench<'_> {
    fn all(&self, counts: &[u32]) -> anyhow::Result<Measured> {
        println!(
            "{:>9}  {:>7}  {:>9}  {:>9}  {:>9}  {:>9}",
            "Ingresses", "MB in", "", "wall", "CPU", "peak MiB"
        );
        let sizes = counts.iter().map(|&count| self.size(count));
        let sizes = sizes.collect::<anyhow::Result<_>>()?;
        let growth = Growth::ALL.map(|growth| self.curve(growth));
        let growth = growth.into_iter().collect::<anyhow::Result<_>>()?;
        let start = self.start()?;
        println!("first byte of one Ingress: {}", milliseconds(start));
        let check = self.check()?;
        println!("`check` of 200 files: {}", milliseconds(check));
        Ok(Measured {
            sizes,
            growth,
            start,
            check,
        })
    }

    fn size(&self, count: u32) -> anyhow::Result<Size> {
        let text = ingresses(count);
        let file = self.file("cluster.yaml", &text)?;
        let (mut floor, mut one, mut two) = (Vec::new(), Vec::new(), Vec::new());
        // In turns, so that whatever else the machine does is in all of them.
        for _ in 0..self.runs {
            floor.push(once::measured(self.floor, &[&file])?);
            one.push(once::measured(self.binary, &convert(&file, "1"))?);
            two.push(once::measured(self.binary, &convert(&file, "2"))?);
        }
        let size = Size {
            count,
            bytes: text.len() as u64,
            floor: figures(&floor)?,
            one: figures(&one)?,
            two: figures(&two)?,
        };
        let bytes = megabytes(size.bytes);
        for (what, figures) in [
            ("floor", &size.floor),
            ("1 thread", &size.one),
            ("2 threads", &size.two),
        ] {
            println!(
                "{count:>9}  {bytes:>7.2}  {what:>9}  {:>9}  {:>9}  {:>9.1}",
                milliseconds(figures.wall),
                milliseconds(figures.cpu),
                figures.peak
            );
        }
        Ok(size)
    }

    fn curve(&self, growth: Growth) -> anyhow::Result<Curve> {
        let mut points = Vec::new();
        for count in growth.counts() {
            let file = self.file("growth.yaml", &growth.input(count))?;
            let runs = self.runs(self.binary, &convert(&file, "1"))?;
            points.push((count, figures(&runs)?.fastest_cpu));
        }
        let exponent = exponent(&points);
        print!("{}:", growth.unit());
        for (count, time) in &points {
            print!("  {count} {}", milliseconds(*time));
        }
        println!("  exponent {exponent:.2}");
        Ok(Curve {
            growth,
            points,
            exponent,
        })
    }

    fn start(&self) -> anyhow::Result<Duration> {
        let file = self.file("one.yaml", &ingresses(1))?;
        let runs = self.runs(self.binary, &["convert", "--quiet", &file])?;
        Ok(median(runs.iter().map(|run| run.first).collect()))
    }

    fn check(&self) -> anyhow::Result<Duration> {
        let directory = self.directory.join("files");
        fs::create_dir(&directory)?;
        let text = ingresses(200);
        let documents = text.split_inclusive("---\n");
        let ingresses = documents.filter(|document| document.contains("kind: Ingress"));
        for (at, document) in ingresses.enumerate() {
            fs::write(directory.join(format!("{at:03}.yaml")), document)?;
        }
        let directory = directory.display().to_string();
        let runs = self.runs(self.binary, &["check", &directory])?;
        Ok(median(runs.iter().map(|run| run.wall).collect()))
    }

    fn runs(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<Vec<Run>> {
        (0..self.runs)
            .map(|_| once::measured(program, arguments))
            .collect()
    }

    fn file(&self, name: &str, text: &str) -> anyhow::Result<String> {
        let path = self.directory.join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }
}

/// The arguments of a conversion.
fn convert<'a>(file: &'a str, threads: &'a str) -> [&'a str; 7] {
    [
        "convert",
        "--quiet",
        "--format",
        "concise",
        "--threads",
        threads,
        file,
    ]
}

fn figures(runs: &[Run]) -> anyhow::Result<Figures> {
    if runs.iter().any(|run| run.output == 0) {
        bail!("a run has written nothing");
    }
    let all = |of: fn(&Run) -> Duration| runs.iter().map(of).collect::<Vec<_>>();
    let (walls, cpus) = (all(|run| run.wall), all(|run| run.cpu));
    let peak = runs.iter().map(|run| run.peak).max().unwrap_or_default();
    Ok(Figures {
        fastest_wall: walls.iter().copied().min().unwrap_or_default(),
        fastest_cpu: cpus.iter().copied().min().unwrap_or_default(),
        wall: median(walls),
        cpu: median(cpus),
        peak: f64::from(u32::try_from(peak)?) / 1024.0,
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The slope of the line that fits the logarithms best.
fn exponent(points: &[(u32, Duration)]) -> f64 {
    let logarithms = points
        .iter()
        .map(|(count, time)| (f64::from(*count).ln(), time.as_secs_f64().max(1e-6).ln()));
    let (mut x, mut y, mut xx, mut xy, mut n) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (at, time) in logarithms {
        x += at;
        y += time;
        xx += at * at;
        xy += at * time;
        n += 1.0;
    }
    (n * xy - x * y) / (n * xx - x * x)
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_powers() {
        let points = |power: i32| -> Vec<_> {
            [1_u32, 2, 4, 8]
                .map(|count| (count, Duration::from_secs_f64(f64::from(count).powi(power))))
                .to_vec()
        };
        assert!((exponent(&points(1)) - 1.0).abs() < 1e-9);
        assert!((exponent(&points(2)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn inputs_grow_in_one_way() {
        let of = |growth: Growth, what: &str| growth.input(20).matches(what).count();
        assert_eq!(of(Growth::Hosts, "- host:"), 20);
        assert_eq!(of(Growth::Paths, "- path:"), 20);
        assert_eq!(of(Growth::Paths, "- host:"), 2);
        assert_eq!(of(Growth::Annotations, "example.com/key-"), 20);
        assert_eq!(of(Growth::Annotations, "kind: Ingress"), 1);
    }
}

//! Hands cases to workers, each a process of its own, and collects their results.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context as _, Result, anyhow, bail};

use super::cases::Case;
use super::namespace::isolated;
use super::setup::Tools;
use super::verdict::Declaration;
use super::worker::{Asking, CaseResult, Order};

/// How a run is made.
pub(crate) struct Options<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) converter: &'a Path,
    pub(crate) channel: &'a str,
    pub(crate) jobs: usize,
    pub(crate) keep: bool,
}

/// Runs `cases`, in any order; the results come sorted by name, with the workers still running.
pub(crate) fn run(
    options: &Options<'_>,
    cases: Vec<Case>,
    declaration: impl Fn(&Case) -> Declaration + Sync,
    asking: impl Fn(&Case) -> Asking + Sync,
) -> Result<(Vec<CaseResult>, Vec<Handle>)> {
    let total = cases.len();
    let queue = Mutex::new(VecDeque::from(cases));
    let results = Mutex::new(Vec::new());
    let handles = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.jobs)
            .map(|index| {
                let (queue, results) = (&queue, &results);
                let (declaration, asking) = (&declaration, &asking);
                scope.spawn(move || -> Result<Handle> {
                    let mut handle = Handle::start(options, index)?;
                    let mut lost_in_a_row = 0;
                    loop {
                        let Some(case) = lock(queue)?.pop_front() else {
                            break;
                        };
                        let order = Order {
                            declaration: declaration(&case),
                            asking: asking(&case),
                            case,
                        };
                        let result = handle.order(&order).unwrap_or_else(|error| {
                            let mut result = CaseResult::new(&order.case.name);
                            result.fail(&error);
                            result.has_lost_stack = true;
                            result
                        });
                        let is_lost = result.has_lost_stack;
                        {
                            let mut results = lock(results)?;
                            results.push(result);
                            progress(&results, total);
                        }
                        // One bad case must not take the others with it.
                        lost_in_a_row = if is_lost { lost_in_a_row + 1 } else { 0 };
                        if lost_in_a_row == 3 {
                            bail!(
                                "three stacks in a row were lost; logs are in {}",
                                options.tools.directory().join("run").display()
                            );
                        }
                        if is_lost && !lock(queue)?.is_empty() {
                            handle.set_aside()?;
                            handle = Handle::start(options, index)?;
                        }
                    }
                    Ok(handle)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(handle) => handle,
                Err(_) => Err(anyhow!("a thread of the suite panicked")),
            })
            .collect::<Result<Vec<_>>>()
    })?;
    let mut results = results
        .into_inner()
        .map_err(|_| anyhow!("a thread of the suite panicked"))?;
    results.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((results, handles))
}

/// Ends the workers; with `keep` only when Enter is pressed.
pub(crate) fn finish(handles: Vec<Handle>, keep: bool) -> Result<()> {
    if keep {
        for handle in &handles {
            handle.introduce();
        }
        eprintln!("conformance: press Enter to end");
        std::io::stdin().read_line(&mut String::new())?;
    }
    handles.into_iter().try_for_each(Handle::finish)
}

/// Has a worker of its own read its cluster, see [`super::live`].
pub(crate) fn live(tools: &Tools, converter: &Path, channel: &str) -> Result<()> {
    let (directory, _lock) = claim_directory(tools)?;
    let status = isolated(&std::env::current_exe()?)
        .arg("conformance-worker")
        .arg("--directory")
        .arg(&directory)
        .arg("--converter")
        .arg(converter)
        .args(["--channel", channel, "--live"])
        .stdin(Stdio::null())
        .status()
        .context("cannot run unshare; install util-linux")?;
    if !status.success() {
        bail!(
            "--cluster is not as it should be (logs are in {})",
            directory.display()
        );
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> Result<std::sync::MutexGuard<'_, T>> {
    mutex
        .lock()
        .map_err(|_| anyhow!("a thread of the suite panicked"))
}

/// A line now and then, so that a log shows that something happens.
fn progress(results: &[CaseResult], total: usize) {
    if results.len().is_multiple_of(20) || results.len() == total {
        eprintln!("conformance: {} of {total} cases", results.len());
    }
}

/// The first directory for a worker's files that no other run uses, emptied.
pub(crate) fn claim_directory(tools: &Tools) -> Result<(PathBuf, File)> {
    let run = tools.directory().join("run");
    fs::create_dir_all(&run)?;
    for index in 0..1000 {
        let lock = File::create(run.join(format!("worker-{index}.lock")))?;
        if lock.try_lock().is_err() {
            continue;
        }
        let directory = run.join(format!("worker-{index}"));
        if directory.exists() {
            fs::remove_dir_all(&directory)
                .with_context(|| format!("cannot empty {}", directory.display()))?;
        }
        fs::create_dir_all(&directory)?;
        return Ok((directory, lock));
    }
    bail!("a thousand runs at once")
}

/// A running worker.
pub(crate) struct Handle {
    index: usize,
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
    log: PathBuf,
    /// Held while the directory is in use.
    _lock: File,
}

impl Handle {
    fn start(options: &Options<'_>, index: usize) -> Result<Self> {
        let (directory, lock) = claim_directory(options.tools)?;
        let log = directory.join("worker.log");
        let mut command: Command = isolated(&std::env::current_exe()?);
        command
            .arg("conformance-worker")
            .arg("--directory")
            .arg(&directory);
        command
            .arg("--converter")
            .arg(options.converter)
            .args(["--channel", options.channel]);
        if options.keep {
            command.arg("--keep");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot run unshare; install util-linux")?;
        let answers = child.stdout.take().ok_or_else(|| anyhow!("no pipe"))?;
        Ok(Self {
            index,
            child,
            answers: BufReader::new(answers),
            log,
            _lock: lock,
        })
    }

    /// Ends a worker whose stack is lost, and keeps its files from being emptied by the next.
    fn set_aside(mut self) -> Result<()> {
        let _ = self.child.kill();
        self.child.wait()?;
        let directory = self.log.parent().unwrap_or(&self.log);
        let aside = directory.with_extension("lost");
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        fs::rename(directory, &aside)?;
        eprintln!(
            "conformance: worker {} lost its stack; its files are in {}",
            self.index,
            aside.display()
        );
        Ok(())
    }

    fn order(&mut self, order: &Order) -> Result<CaseResult> {
        let mut line = serde_json::to_string(order)?;
        line.push('\n');
        let stdin = self
            .child
            .stdin
            .as_mut()
            .ok_or_else(|| anyhow!("no pipe"))?;
        // A worker that has ended shows in what it did not answer.
        let _ = stdin.write_all(line.as_bytes());
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            let complaint = fs::read_to_string(&self.log).unwrap_or_default();
            bail!(
                "worker {} ended at case {}: {} (logs are in {})",
                self.index,
                order.case.name,
                complaint.trim(),
                self.log.parent().unwrap_or(&self.log).display()
            );
        }
        serde_json::from_str(&answer).context("a worker's answer")
    }

    /// Says how to look into it.
    fn introduce(&self) {
        eprintln!(
            "conformance: worker {} is kept; look into it with\n  nsenter --target $(pgrep --parent {}) --all --root --wd\nfiles, logs and kubeconfig are in {}",
            self.index,
            self.child.id(),
            self.log.parent().unwrap_or(&self.log).display(),
        );
    }

    fn finish(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Takes the whole pid namespace with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A shell that lives as long as somebody's session would: what one command sets, the next uses.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Ends what a block prints.
const END: &str = "--end-of-block--";

/// A running bash.
pub(crate) struct Shell {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    scripts: PathBuf,
    count: usize,
}

/// What came of a block.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    /// Both streams, as a terminal shows them.
    pub(crate) output: String,
    /// The first exit code that was not 0, unless the block looked at it itself.
    pub(crate) code: i32,
}

impl Shell {
    /// Starts in a directory; `prepare` sets what is to be known to all commands.
    pub(crate) fn start(
        directory: &Path,
        scripts: &Path,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Self> {
        fs::create_dir_all(scripts)?;
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc"])
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        prepare(&mut command);
        let mut child = command.spawn().context("cannot run bash")?;
        let mut input = child.stdin.take().context("bash has no input")?;
        let output = child.stdout.take().context("bash has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(output);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        writeln!(
            input,
            "exec 2>&1; set -o pipefail -o errtrace; trap 'code=$?; [ \"$first\" = 0 ] && first=$code' ERR"
        )?;
        Ok(Self {
            child,
            input,
            lines,
            scripts: scripts.to_owned(),
            count: 0,
        })
    }

    /// Runs a block, and `meanwhile` now and then.
    pub(crate) fn run(
        &mut self,
        block: &str,
        limit: Duration,
        mut meanwhile: impl FnMut() -> Result<()>,
    ) -> Result<Ran> {
        self.count += 1;
        let script = self.scripts.join(format!("{}.sh", self.count));
        fs::write(&script, block)?;
        writeln!(
            self.input,
            "first=0; . '{}' </dev/null; echo; echo {END}$first",
            script.display()
        )?;
        self.input.flush()?;
        let deadline = Instant::now() + limit;
        let mut output = String::new();
        loop {
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => match line.trim_end().strip_prefix(END) {
                    Some(code) => {
                        // The line break before the end is not the block's own.
                        output.truncate(output.len().saturating_sub(1));
                        let code = code.parse().context("the shell gave no exit code")?;
                        return Ok(Ran { output, code });
                    }
                    None => output.push_str(&line),
                },
                Err(RecvTimeoutError::Timeout) => meanwhile()?,
                Err(RecvTimeoutError::Disconnected) => bail!("the shell has ended:\n{output}"),
            }
            if Instant::now() > deadline {
                bail!("not done after {limit:?}:\n{block}\n{output}");
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_keeps_what_was_set_and_says_what_failed() {
        let directory = std::env::temp_dir().join(format!("xtask-shell-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let mut shell = Shell::start(&directory, &directory, |_| {}).unwrap();
        let mut run = |block: &str| {
            let ran = shell
                .run(block, Duration::from_secs(20), || Ok(()))
                .unwrap();
            (ran.code, ran.output)
        };
        assert_eq!(run("A=1\nf() {\n  echo $A\n}"), (0, String::new()));
        assert_eq!(run("f; false\necho on"), (1, "1\non\n".to_owned()));
        assert_eq!(run("false || printf no"), (0, "no".to_owned()));
        assert_eq!(run("(exit 3) | cat"), (3, String::new()));
        fs::remove_dir_all(&directory).unwrap();
    }
}

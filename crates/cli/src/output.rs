//! The two streams: what was asked for on stdout, everything else on stderr.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::args::Color;
use crate::exit::Fault;

/// Bytes that go to stdout at once.
const WRITTEN_AT_ONCE: usize = 1 << 16;

/// Where the program writes.
pub(crate) struct Terminal {
    choice: ColorChoice,
    data: ColorChoice,
}

impl Terminal {
    /// Decides once about colour; `auto` asks the terminal, `NO_COLOR`, `CLICOLOR`,
    /// `CLICOLOR_FORCE` and `TERM`.
    pub(crate) fn new(color: Color) -> Self {
        let (choice, data) = match color {
            Color::Auto => (
                AutoStream::choice(&io::stderr()),
                AutoStream::choice(&io::stdout()),
            ),
            Color::Always => (ColorChoice::Always, ColorChoice::Always),
            Color::Never => (ColorChoice::Never, ColorChoice::Never),
        };
        Self { choice, data }
    }

    /// Writes a unified diff to stdout, with colour where that is wanted.
    pub(crate) fn diff(&self, text: &str) -> Result<(), Fault> {
        if self.data == ColorChoice::Never {
            Self::data(text)
        } else {
            Self::data(&painted(text))
        }
    }

    /// Whether stderr gets colour.
    pub(crate) fn color(&self) -> bool {
        self.choice != ColorChoice::Never
    }

    /// Whether a person looks at stderr, on a terminal that can redraw a line.
    pub(crate) fn interactive() -> bool {
        io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Writes what was asked for to stdout. A reader that has seen enough is no fault.
    pub(crate) fn data(text: &str) -> Result<(), Fault> {
        Self::pieces([text])
    }

    /// Writes the pieces of one text to stdout.
    pub(crate) fn pieces<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), Fault> {
        // Not through anstream, which would strip escapes: data is passed on as it is. The lines
        // of stdout itself would be written one by one.
        let mut stdout = BufWriter::with_capacity(WRITTEN_AT_ONCE, io::stdout().lock());
        let mut texts = texts.into_iter();
        match texts
            .try_for_each(|text| stdout.write_all(text.as_bytes()))
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Fault::new(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes to stderr. When that fails there is nobody left to tell.
    pub(crate) fn message(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        // Taking colours and control characters away from a text that has none takes long.
        let plain = |byte: u8| byte.is_ascii_whitespace() || (byte >= b' ' && byte != 0x7f);
        if text.bytes().all(plain) {
            let _ = stderr.write_all(text.as_bytes());
            return;
        }
        let mut stderr = AutoStream::new(stderr, self.choice);
        let _ = stderr.write_all(text.as_bytes());
        let _ = stderr.flush();
    }

    /// Has a panic say whose fault it is and where to take it, and end the run: nobody would
    /// catch it.
    pub(crate) fn explain_panics(&self) {
        let terminal = Self {
            choice: self.choice,
            data: self.data,
        };
        std::panic::set_hook(Box::new(move |panic| {
            terminal.fault(
                &Fault::new(format!("internal error: {panic}")).help(concat!(
                    "this is a bug in Gatewright, please report it with its input: ",
                    env!("CARGO_PKG_REPOSITORY"),
                    "/issues"
                )),
            );
            std::process::exit(PANICKED);
        }));
    }

    /// Says why a run ended before its time, in the form clap uses.
    pub(crate) fn fault(&self, fault: &Fault) {
        let Fault { message, help } = fault;
        let error = AnsiColor::BrightRed.on_default().bold();
        let mut text = format!("{error}error:{error:#} {message}\n");
        if let Some(help) = help {
            let tip = AnsiColor::BrightCyan.on_default().bold();
            let _ = writeln!(text, "\n  {tip}help:{tip:#} {help}");
        }
        self.message(&text);
    }
}

/// The exit code of Rust programs that panic.
const PANICKED: i32 = 101;

/// A unified diff in the colours that `git diff` has.
fn painted(text: &str) -> String {
    let mut painted = String::new();
    for line in text.lines() {
        let style = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => Style::new().bold(),
            [b'@', ..] => AnsiColor::Cyan.on_default(),
            [b'-', ..] => AnsiColor::Red.on_default(),
            [b'+', ..] => AnsiColor::Green.on_default(),
            _ => Style::new(),
        };
        let _ = writeln!(painted, "{style}{line}{style:#}");
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_has_the_colours_of_git() {
        assert_eq!(
            painted("--- a\n@@ -1 +1 @@\n x\n-y\n+z\n"),
            "\u{1b}[1m--- a\u{1b}[0m\n\u{1b}[36m@@ -1 +1 @@\u{1b}[0m\n x\n\u{1b}[31m-y\u{1b}[0m\n\u{1b}[32m+z\u{1b}[0m\n"
        );
    }
}

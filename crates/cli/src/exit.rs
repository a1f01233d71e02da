//! Exit codes, and faults that end a run.

use std::process::ExitCode;

/// How a run ended; the numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done,
    /// There are findings at or above `--fail-on`.
    Findings,
    /// Usage, configuration or unreadable input.
    Usage,
    /// Some documents could not be read, the rest was done.
    Partial,
}

impl Exit {
    /// The exit of a run in which several things happened. A file that cannot be opened
    /// outweighs a document that cannot be read, which outweighs findings.
    pub(crate) fn of(unreadable_files: bool, unreadable_documents: bool, findings: bool) -> Self {
        if unreadable_files {
            Self::Usage
        } else if unreadable_documents {
            Self::Partial
        } else if findings {
            Self::Findings
        } else {
            Self::Done
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
        })
    }
}

/// What ends a run before its time, with what a person can do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_wins() {
        assert_eq!(Exit::of(true, true, true), Exit::Usage);
        assert_eq!(Exit::of(false, true, true), Exit::Partial);
        assert_eq!(Exit::of(false, false, true), Exit::Findings);
        assert_eq!(Exit::of(false, false, false), Exit::Done);
    }
}

//! Severities, suppressed and accepted findings.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_source::SourceMap;
use globset::GlobMatcher;

use super::{File, read};
use crate::discover::Patterns;

/// What an entry does with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Suppress,
    Accept,
}

impl Action {
    /// The section of its entries.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Suppress => "suppress",
            Self::Accept => "accept",
        }
    }
}

/// An entry of `[[suppress]]` or `[[accept]]`.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) action: Action,
    pub(crate) code: Code,
    pub(crate) object: Option<GlobMatcher>,
    pub(crate) path: Option<Patterns>,
    pub(crate) reason: String,
    /// The last day, and how it was written.
    pub(crate) expires: Option<(Day, String)>,
    pub(crate) at: Range<usize>,
}

/// A day of the calendar, counted from 1970-01-01 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i64);

const SECONDS: u64 = 86_400;

impl Day {
    /// Reads `YYYY-MM-DD`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let part = parts.next()?;
            let digits = part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<i64>().ok()).flatten()
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if parts.next().is_some() || !(1..=days).contains(&day) {
            return None;
        }
        // Years begin in March here, so that the leap day is the last of its year.
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let before_month = (153 * month + 2) / 5;
        Some(Self(365 * year + leaps + before_month + day - 1 - 719_468))
    }

    /// Today. `SOURCE_DATE_EPOCH` stands for the clock, so that a run can be repeated.
    pub(crate) fn today() -> Self {
        let fixed = std::env::var("SOURCE_DATE_EPOCH")
            .ok()
            .and_then(|seconds| seconds.parse().ok());
        let now = fixed.unwrap_or_else(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
        });
        Self(i64::try_from(now / SECONDS).unwrap_or(i64::MAX))
    }
}

impl Exception {
    fn expired(&self, today: Day) -> bool {
        self.expires.as_ref().is_some_and(|(last, _)| *last < today)
    }

    fn matches(&self, diagnostic: &Diagnostic, sources: &SourceMap) -> bool {
        // A finding that is graver than its code says is so for a reason of its own.
        let raised = diagnostic.severity > self.code.info().severity;
        let object = || {
            self.object.as_ref().is_none_or(|glob| {
                diagnostic.object.as_ref().is_some_and(|object| {
                    glob.is_match(format!("{}/{}", object.namespace, object.name))
                })
            })
        };
        let path = || {
            self.path.as_ref().is_none_or(|patterns| {
                diagnostic.span().is_some_and(|span| {
                    patterns.match_path(sources.file(span.file).name().as_ref())
                })
            })
        };
        diagnostic.code == self.code
            && !(raised && self.action == Action::Suppress)
            && object()
            && path()
    }
}

/// Applies what the configuration says about findings. What it has to say about itself is
/// added.
pub(crate) fn apply(
    config: &File,
    sources: &mut SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
    today: Day,
) {
    let mut said = Vec::new();
    // What is suppressed is judged by what the conversion says, what is accepted stays so.
    except(
        config,
        Action::Suppress,
        today,
        sources,
        diagnostics,
        &mut said,
    );
    for diagnostic in diagnostics.iter_mut() {
        let Some(set) = config.entries.severity.get(&diagnostic.code) else {
            continue;
        };
        let usual = diagnostic.code.info().severity;
        diagnostic.severity = if diagnostic.severity > usual {
            diagnostic.severity.max(set.value)
        } else {
            set.value
        };
    }
    except(
        config,
        Action::Accept,
        today,
        sources,
        diagnostics,
        &mut said,
    );
    if said.is_empty() {
        return;
    }
    let file = sources.add(&config.name, config.text());
    for (exception, diagnostic) in said {
        // The codes are those of the configuration, so their severity is set there too.
        let severity = config.entries.severity.get(&diagnostic.code);
        let diagnostic = match severity {
            Some(set) => diagnostic.severity(set.value),
            None => diagnostic,
        };
        diagnostics.push(diagnostic.at(read::span(file, &exception.at)));
    }
}

/// Applies the entries of one section.
fn except<'a>(
    config: &'a File,
    action: Action,
    today: Day,
    sources: &SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
    said: &mut Vec<(&'a Exception, Diagnostic)>,
) {
    let section = action.section();
    let entries = config.entries.exceptions.iter();
    for exception in entries.filter(|exception| exception.action == action) {
        if exception.expired(today) {
            let day = exception.expires.as_ref().map_or("", |(_, day)| day);
            let found = Diagnostic::new(
                Code::ExceptionExpired,
                format!("this entry of `[[{section}]]` held until {day}"),
            )
            .note(format!("its reason was: {}", exception.reason))
            .help("look at what it hid, then remove the entry or set a new day");
            said.push((exception, found));
            continue;
        }
        let mut used = false;
        if action == Action::Suppress {
            diagnostics.retain(|diagnostic| {
                let matches = exception.matches(diagnostic, sources);
                used |= matches;
                !matches
            });
        } else {
            for diagnostic in diagnostics.iter_mut() {
                if exception.matches(diagnostic, sources) {
                    used = true;
                    diagnostic.severity = Severity::Info;
                    let note = format!("accepted in {}: {}", config.name, exception.reason);
                    diagnostic.notes.push(note);
                }
            }
        }
        if !used {
            let found = Diagnostic::new(
                Code::ExceptionUnused,
                format!("this entry of `[[{section}]]` matches nothing"),
            )
            .help("remove it if it matches nothing in a run over all files");
            said.push((exception, found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        for (text, number) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2024-03-01", 19_783),
            ("2026-11-22", 20_779),
        ] {
            assert_eq!(Day::parse(text), Some(Day(number)), "{text}");
        }
        for bad in [
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "26-01-01",
            "2026-01-01T00:00:00",
            "",
        ] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }
}

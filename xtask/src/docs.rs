//! The reference pages, made from the tables that the program itself reads.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use gatewright_diagnostics::{CODES, Code};
use gatewright_nginx::annotations::Family;
use gatewright_nginx::registry::{Entry, Grammar};

/// A page below the root of the repository, and what makes its text.
type Page = (&'static str, fn() -> String);

const PAGES: [Page; 2] = [
    ("docs/annotations.md", annotations),
    ("docs/diagnostics.md", diagnostics),
];

/// What the hundreds of a code's number stand for.
const RANGES: [(u16, &str); 9] = [
    (1, "Reading files"),
    (2, "Kubernetes objects"),
    (3, "How ingress-nginx combines them"),
    (4, "Annotation keys and values"),
    (5, "Translated with a difference"),
    (6, "Refused"),
    (7, "Limits of the target"),
    (8, "Patterns"),
    (9, "Environment, configuration and verification"),
];

/// The part of docs/configuration.md behind this line is made from the table of keys.
const GENERATED: &str = "<!-- made by `cargo xtask docs` -->\n\n";

/// Writes the pages.
pub(crate) fn write() -> Result<bool> {
    configuration()?;
    for (path, page) in PAGES {
        let file = crate::repository_root().join(path);
        fs::write(&file, page()).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(true)
}

/// What the program itself says of its configuration. A test of the command line holds that
/// both files are current.
fn configuration() -> Result<()> {
    let root = crate::repository_root();
    let schema = root.join("schema/gatewright.schema.json");
    fs::write(&schema, printed("--schema")?).context("cannot write the schema")?;
    let page = root.join("docs/configuration.md");
    let text = fs::read_to_string(&page).context("cannot read docs/configuration.md")?;
    let (prose, _) = text
        .split_once(GENERATED)
        .with_context(|| format!("docs/configuration.md has no line {GENERATED}"))?;
    let text = format!("{prose}{GENERATED}{}", printed("--reference")?);
    fs::write(&page, text).context("cannot write docs/configuration.md")
}

/// What `gatewright config` prints.
fn printed(what: &str) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(crate::repository_root())
        .args(["run", "--quiet", "--package", "gatewright-cli", "--"])
        .args(["config", what])
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("gatewright: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The pages that are not what they would be if they were written now.
pub(crate) fn stale(root: &Path) -> Vec<&'static str> {
    PAGES
        .iter()
        .filter(|(path, page)| fs::read_to_string(root.join(path)).ok() != Some(page()))
        .map(|(path, _)| *path)
        .collect()
}

fn annotations() -> String {
    let mut text = "# Annotations\n\n\
        Every key that ingress-nginx v1.15.1 reads, and what becomes of it. \
        `gatewright explain KEY` says more: the values it takes, its default, how far it reaches.\n\n\
        | outcome | what it means |\n|---|---|\n\
        | translated | the same behaviour; where the last but one column names an exception, a finding is printed when it occurs |\n\
        | translated with a difference | carried over, and a finding says what is different |\n\
        | left out | not carried over, and a finding says so; requests are served |\n\
        | no effect | nothing could be observed behind Envoy |\n\
        | refused | the paths answer 503, and a finding says so |\n\n\
        An invalid value is treated as ingress-nginx treats it, which the last column says; \
        what would open paths is closed instead.\n\n\
        Made by `cargo xtask docs`.\n"
        .to_owned();
    for &family in Family::ALL {
        let _ = write!(
            text,
            "\n## {}\n\n| key | outcome | becomes | different | invalid value |\n|---|---|---|---|---|\n",
            family.title().trim_end_matches('.')
        );
        for entry in family.entries() {
            text.push_str(&row(entry));
        }
    }
    text
}

fn row(entry: &Entry) -> String {
    let mut key = format!("`{}`", entry.key);
    for alias in entry.aliases {
        let _ = write!(key, " (also `{alias}`)");
    }
    let codes: Vec<String> = entry.codes.iter().map(|code| link(*code)).collect();
    let different = [linked(entry.difference), codes.join(", ")];
    let different: Vec<&str> = different
        .iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let invalid = match entry.grammar {
        Grammar::Anything => "every value is taken",
        _ => entry.invalid.consequence(),
    };
    let cells = [
        key,
        entry.carried.describe().to_owned(),
        entry.target.to_owned(),
        different.join("; "),
        invalid.to_owned(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A text with a link at every code that it names.
fn linked(text: &str) -> String {
    let named = |code: &Code| text.contains(&code.to_string());
    let codes = CODES.iter().map(|(code, _)| *code).filter(named);
    codes.fold(text.to_owned(), |text, code| {
        text.replace(&code.to_string(), &link(code))
    })
}

fn link(code: Code) -> String {
    format!("[{code}](diagnostics.md#{})", anchor(code))
}

/// The anchor that Markdown renderers make of the heading of a code.
fn anchor(code: Code) -> String {
    format!("{}-{}", code.to_string().to_lowercase(), code.info().name)
}

fn diagnostics() -> String {
    let mut text = "# Diagnostics\n\n\
        Every finding has a code; numbers never change their meaning. \
        `gatewright explain CODE` prints the same text.\n\n\
        Made by `cargo xtask docs`.\n"
        .to_owned();
    for (hundreds, title) in RANGES {
        let _ = write!(text, "\n## {title}\n");
        for (code, info) in CODES {
            if info.number / 100 == hundreds {
                let _ = write!(
                    text,
                    "\n### {code} {}\n\n**{}**: {}.\n\n{}\n",
                    info.name, info.severity, info.title, info.explanation
                );
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_code_is_in_the_reference() {
        let (annotations, diagnostics) = (annotations(), diagnostics());
        for entry in gatewright_nginx::registry::entries() {
            assert!(
                annotations.contains(&format!("\n| `{}` ", entry.key)),
                "{}",
                entry.key
            );
            for alias in entry.aliases {
                assert!(annotations.contains(&format!("`{alias}`")), "{alias}");
            }
        }
        for (code, _) in CODES {
            assert!(diagnostics.contains(&format!("\n### {code} ")), "{code}");
        }
    }

    #[test]
    fn a_cell_stays_one_cell() {
        for line in annotations().lines().filter(|line| line.starts_with("| `")) {
            let bars = line.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 6, "{line}");
        }
    }

    #[test]
    fn a_page_that_is_not_there_is_stale() {
        assert_eq!(stale(Path::new("/nowhere")).len(), PAGES.len());
    }
}

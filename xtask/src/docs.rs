//! The reference pages, made from the tables that the program itself reads.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use gatewright_diagnostics::{CODES, Code};
use gatewright_nginx::annotations::Family;
use gatewright_nginx::registry::metadata::{Carry, Goes, METADATA, Place};
use gatewright_nginx::registry::{self, Carried, Entry};
use gatewright_transpile::{Example, example};

/// A file below the root of the repository, and its text.
struct Page {
    path: String,
    text: String,
}

/// The directory with a page for each annotation; nothing else stands in it.
const ANNOTATIONS: &str = "docs/annotations";

fn pages() -> Vec<Page> {
    let page = |path: &str, text| Page {
        path: path.to_owned(),
        text,
    };
    let mut pages = vec![
        page("docs/annotations.md", annotations()),
        page("docs/diagnostics.md", diagnostics()),
        page("docs/labels-and-annotations.md", metadata()),
    ];
    pages.extend(registry::entries().map(|entry| Page {
        path: format!("{ANNOTATIONS}/{}.md", entry.key),
        text: annotation(entry),
    }));
    pages
}

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
    let root = crate::repository_root();
    fs::create_dir_all(root.join(ANNOTATIONS)).context("cannot make docs/annotations")?;
    let pages = pages();
    for Page { path, text } in &pages {
        fs::write(root.join(path), text).with_context(|| format!("cannot write {path}"))?;
    }
    for path in left_behind(&root, &pages) {
        fs::remove_file(root.join(&path)).with_context(|| format!("cannot remove {path}"))?;
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
pub(crate) fn stale(root: &Path) -> Vec<String> {
    let pages = pages();
    let mut stale = left_behind(root, &pages);
    stale.extend(
        pages
            .into_iter()
            .filter(|page| {
                fs::read_to_string(root.join(&page.path)).ok().as_ref() != Some(&page.text)
            })
            .map(|page| page.path),
    );
    stale
}

/// Pages of annotations that are no more.
fn left_behind(root: &Path, pages: &[Page]) -> Vec<String> {
    let files = fs::read_dir(root.join(ANNOTATIONS)).into_iter().flatten();
    let mut paths: Vec<String> = files
        .flatten()
        .map(|file| format!("{ANNOTATIONS}/{}", file.file_name().to_string_lossy()))
        .filter(|path| !pages.iter().any(|page| page.path == *path))
        .collect();
    paths.sort();
    paths
}

/// The outcomes in the order of the matrix, and what each means.
const OUTCOMES: [(Carried, &str); 5] = [
    (
        Carried::Whole,
        "the same behaviour; where its page names an exception, a finding is printed when it occurs",
    ),
    (
        Carried::Differently,
        "carried over, and a finding says what is different",
    ),
    (
        Carried::LeftOut,
        "not carried over, and a finding says so; requests are served",
    ),
    (Carried::Needless, "nothing could be observed behind Envoy"),
    (
        Carried::Refused,
        "the paths answer 503, and a finding says so",
    ),
];

fn annotations() -> String {
    let mut text = "# Annotations\n\n\
        Every key that ingress-nginx v1.15.1 reads, and what usually becomes of it. \
        Each has a page with its values, its default, what an invalid value does and an example before and after; \
        `gatewright explain KEY` prints the same.\n\n\
        | outcome | keys | what it means |\n|---|--:|---|\n"
        .to_owned();
    for (carried, meaning) in OUTCOMES {
        let keys = count(registry::entries(), carried);
        let _ = writeln!(text, "| {} | {keys} | {meaning} |", carried.describe());
    }
    let (keys, names) = (registry::entries().count(), registry::names().count());
    let _ = writeln!(
        text,
        "| all | {keys} | {names} names, as some keys have two |"
    );
    text.push_str(
        "\nAn invalid value is treated as ingress-nginx treats it, which its page says; \
        what would open paths is closed instead.\n\n\
        Made by `cargo xtask docs`.\n\n## By family\n\n| family |",
    );
    for (carried, _) in OUTCOMES {
        let _ = write!(text, " {} |", carried.describe());
    }
    text.push_str(" all |\n|---|--:|--:|--:|--:|--:|--:|\n");
    for &family in Family::ALL {
        let title = family.title().trim_end_matches('.');
        let _ = write!(text, "| [{title}](#{}) |", heading_anchor(title));
        for (carried, _) in OUTCOMES {
            match count(family.entries().iter(), carried) {
                0 => text.push_str(" |"),
                keys => {
                    let _ = write!(text, " {keys} |");
                }
            }
        }
        let _ = writeln!(text, " {} |", family.entries().len());
    }
    for &family in Family::ALL {
        let _ = write!(
            text,
            "\n## {}\n\n| key | outcome | becomes |\n|---|---|---|\n",
            family.title().trim_end_matches('.')
        );
        for entry in family.entries() {
            text.push_str(&row(entry));
        }
    }
    text
}

fn count(entries: impl Iterator<Item = &'static Entry>, carried: Carried) -> usize {
    entries.filter(|entry| entry.carried == carried).count()
}

fn row(entry: &Entry) -> String {
    let mut key = format!("[`{0}`](annotations/{0}.md)", entry.key);
    for alias in entry.aliases {
        let _ = write!(key, " (also `{alias}`)");
    }
    let cells = [
        key,
        entry.carried.describe().to_owned(),
        linked(entry.target, "diagnostics.md"),
    ];
    table_row(&cells)
}

fn table_row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The page of one annotation.
fn annotation(entry: &Entry) -> String {
    const DIAGNOSTICS: &str = "../diagnostics.md";
    let mut text = format!(
        "# {}\n\n{}.\n\n| | |\n|---|---|\n",
        entry.key,
        registry::meaning(entry)
    );
    for (label, fact) in registry::facts(entry) {
        text.push_str(&table_row(&[label.to_owned(), linked(&fact, DIAGNOSTICS)]));
    }
    for (at, code) in entry.codes.iter().enumerate() {
        let label = if at == 0 { "findings" } else { "" };
        let title = format!("{}: {}", link(*code, DIAGNOSTICS), code.info().title);
        text.push_str(&table_row(&[label.to_owned(), title]));
    }
    if let Some(example) = example(entry.key) {
        text.push_str(&shown(&example));
    }
    text.push_str("\nMade by `cargo xtask docs`. [All annotations](../annotations.md)\n");
    text
}

fn shown(example: &Example) -> String {
    let mut text = format!("\n## Example\n\n```yaml\n{}```\n", example.before);
    if !example.changes.is_empty() {
        text.push_str("\nWhat the annotation changes in the output:\n");
    }
    for change in &example.changes {
        let _ = match &change.diff {
            Some(diff) => write!(text, "\n{}\n\n```diff\n{diff}```\n", change.object),
            None => writeln!(text, "\n{} is not written.", change.object),
        };
    }
    if let Some(reason) = &example.unchanged {
        let _ = writeln!(text, "\nThe annotation changes nothing: {reason}.");
    }
    if !example.findings.is_empty() {
        let _ = write!(
            text,
            "\nWhat it says:\n\n```text\n{}\n```\n",
            example.findings.trim_end()
        );
    }
    text
}

/// A text with a link into `page` at every code that it names.
fn linked(text: &str, page: &str) -> String {
    let named = |code: &Code| text.contains(&code.to_string());
    let codes = CODES.iter().map(|(code, _)| *code).filter(named);
    codes.fold(text.to_owned(), |text, code| {
        text.replace(&code.to_string(), &link(code, page))
    })
}

fn link(code: Code, page: &str) -> String {
    let heading = format!("{code} {}", code.info().name);
    format!("[{code}]({page}#{})", heading_anchor(&heading))
}

/// The anchor that Markdown renderers make of a heading.
fn heading_anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    let text: String = heading.chars().filter(kept).collect();
    text.to_lowercase().replace(' ', "-")
}

/// What becomes of what other programs read.
fn metadata() -> String {
    let mut text = "# Labels and annotations of other programs\n\n\
        Labels of an Ingress, and annotations that ingress-nginx does not read, go along with \
        what is written for it. The first row that matches a key counts; the account of a run \
        (`--report json=FILE`) says what became of each.\n\n\
        | goes to | what it means |\n|---|---|\n\
        | every object | route, policies, filters, Certificates, Secrets and Backends of the Ingress |\n\
        | routes | HTTPRoutes and TLSRoutes of the Ingress |\n\
        | Gateway | the Gateway, where it is written and all Ingresses say the same; else \
        [GW0580](diagnostics.md#gw0580-shared-annotation) |\n\
        | Certificate | a Certificate for each entry of `spec.tls`, as cert-manager would make it \
        for the Ingress ([why](adr/0009-certificates.md)); what cert-manager refuses is \
        [GW0578](diagnostics.md#gw0578-certificate-not-asked) |\n\
        | solver | nowhere: [GW0579](diagnostics.md#gw0579-challenge-by-ingress) |\n\
        | nowhere | it stays on the Ingress, for the reason given |\n\n\
        An object that several Ingresses need has what all of them say. The Gateway, its policies \
        and ListenerSets belong to no Ingress and have none of it. Annotations of other Ingress \
        controllers go nowhere, and a finding says so.\n\n\
        Made by `cargo xtask docs`.\n\n\
        | key | of | read by | goes to | why |\n|---|---|---|---|---|\n"
        .to_owned();
    for Carry {
        key,
        place,
        tool,
        goes,
        why,
    } in METADATA
    {
        let place = match place {
            None => "both",
            Some(Place::Label) => "labels",
            Some(Place::Annotation) => "annotations",
        };
        let goes = match goes {
            Goes::Objects => "every object".to_owned(),
            Goes::Routes => "routes".to_owned(),
            Goes::RoutesAs(other) => format!("routes, as `{other}`"),
            Goes::Gateway => "Gateway".to_owned(),
            Goes::Certificate => "Certificate".to_owned(),
            Goes::Solver => "solver".to_owned(),
            Goes::Nowhere => "nowhere".to_owned(),
        };
        let _ = writeln!(text, "| `{key}` | {place} | {tool} | {goes} | {why} |");
    }
    text
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
                annotations.contains(&format!("\n| [`{}`]", entry.key)),
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
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        for line in annotations()
            .lines()
            .filter(|line| line.contains("](annotations/"))
        {
            assert_eq!(bars(line), 4, "{line}");
        }
        for entry in registry::entries() {
            let page = annotation(entry);
            let facts = page.split("## Example").next().unwrap_or_default();
            for line in facts.lines().filter(|line| line.starts_with('|')) {
                assert_eq!(bars(line), 3, "{line}");
            }
        }
    }

    #[test]
    fn the_matrix_counts_every_key_once() {
        let counts = OUTCOMES.map(|(carried, _)| count(registry::entries(), carried));
        assert_eq!(counts.iter().sum::<usize>(), registry::entries().count());
    }

    #[test]
    fn a_page_that_is_not_there_is_stale() {
        assert_eq!(stale(Path::new("/nowhere")).len(), pages().len());
    }
}

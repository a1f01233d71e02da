//! Links of the documentation that lead nowhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};

/// What is wrong with relative links and anchors of all Markdown files of the repository.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    for path in files(root)? {
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("cannot read {}", path.display()))?;
        pages.insert(path, text);
    }
    let anchors: BTreeMap<&PathBuf, Vec<String>> = pages
        .iter()
        .map(|(path, text)| (path, anchors(text)))
        .collect();
    let mut faults = Vec::new();
    for (path, text) in &pages {
        for (line, target) in links(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let to = if file.is_empty() {
                path.clone()
            } else {
                plain(&path.parent().unwrap_or(Path::new("")).join(file))
            };
            let is_missing = !root.join(&to).exists();
            let is_lost = || {
                let known = anchors.get(&to);
                !anchor.is_empty() && !known.is_some_and(|all| all.iter().any(|a| a == anchor))
            };
            if is_missing || is_lost() {
                faults.push(format!(
                    "{}:{line}: `{target}` leads nowhere",
                    path.display()
                ));
            }
        }
    }
    Ok(faults)
}

/// The Markdown files that people read, as seen from the root.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root)? {
        let name = PathBuf::from(entry?.file_name());
        if is_markdown(&name) {
            found.push(name);
        }
    }
    let mut directories = vec![PathBuf::from("docs")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            let path = directory.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                directories.push(path);
            } else if is_markdown(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Lines outside of fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            return None;
        }
        (!inside).then_some((at + 1, line))
    })
}

/// Targets of inline links.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // What stands in code is no link.
        let line: String = line
            .split('`')
            .enumerate()
            .map(|(at, part)| if at % 2 == 0 { part } else { "" })
            .collect();
        let mut rest = line.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, then)) = after.split_once(')') else {
                break;
            };
            found.push((number, target.to_owned()));
            rest = then;
        }
    }
    found
}

/// The anchors that GitHub gives the headings.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in prose(text) {
        let Some(title) = line
            .strip_prefix('#')
            .map(|rest| rest.trim_start_matches('#'))
            .and_then(|rest| rest.strip_prefix(' '))
        else {
            continue;
        };
        let anchor: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let same = |known: &String| *known == anchor;
        let count = anchors.iter().filter(|known| same(known)).count();
        anchors.push(anchor.clone());
        if count > 0 {
            anchors.push(format!("{anchor}-{count}"));
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_github() {
        let text = "# A `b-c`: d\n\n```sh\n# no heading\n```\n## GW0905 stale_output\n## A\n## A\n";
        assert_eq!(
            anchors(text),
            ["a-b-c-d", "gw0905-stale_output", "a", "a", "a-1"]
        );
    }

    #[test]
    fn links_stand_outside_of_code() {
        let text = "[a](b.md#c) `[x](y)` [d](../e)\n```\n[f](g)\n```\n";
        assert_eq!(
            links(text),
            [(1, "b.md#c".to_owned()), (1, "../e".to_owned())]
        );
        assert_eq!(
            plain(Path::new("docs/guides/../plan.md")),
            Path::new("docs/plan.md")
        );
    }

    #[test]
    fn the_documentation_has_no_loose_ends() {
        let faults =
            faults(&crate::repository_root()).unwrap_or_else(|error| vec![error.to_string()]);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

//! Which files may be replaced and removed: those that begin with the line that `sync` or
//! `convert` writes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::discover::{absolute, below, manifest, tidy};

const BEGIN: &str = "# written by `gatewright sync` from ";
/// What both lines begin with.
const WRITTEN: &str = "# written by `gatewright ";
const END: &str = "; changes are lost";
/// The first line of a file that `convert` writes into a directory.
pub(crate) const CONVERTED: &str = "# written by `gatewright convert`; changes are lost\n";
/// Paths are not longer than this.
const LONGEST: u64 = 8192;

/// The first line of an output. It leads to the configuration, so that each configuration
/// knows its own files.
pub(crate) fn header(output: &Path, config: &Path) -> String {
    let up = output.components().count().saturating_sub(1);
    let path = "../".repeat(up) + &config.to_string_lossy();
    format!("{BEGIN}{path}{END}\n")
}

/// Whether a text was written by `sync`, for whichever configuration, or by `convert`.
pub(crate) fn is_written(text: &str) -> bool {
    text.starts_with(CONVERTED) || configuration(text).is_some()
}

/// The path in the first line.
fn configuration(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix(BEGIN)?.strip_suffix(END)
}

/// What stands where an output belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Nothing,
    Ours(String),
    Foreign,
}

/// Looks at the place of an output of `sync`. `config` is the absolute path of the
/// configuration.
pub(crate) fn look(path: &Path, config: &Path) -> io::Result<Standing> {
    look_for(path, |text| is_ours(text, path, config))
}

/// Looks at the place of an output of `convert`.
pub(crate) fn look_converted(path: &Path) -> io::Result<Standing> {
    look_for(path, |text| text.starts_with(CONVERTED))
}

fn look_for(path: &Path, ours: impl Fn(&str) -> bool) -> io::Result<Standing> {
    match fs::read(path) {
        Ok(bytes) => Ok(match String::from_utf8(bytes) {
            Ok(text) if ours(&text) => Standing::Ours(text),
            _ => Standing::Foreign,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Standing::Nothing),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(Standing::Foreign),
        Err(error) => Err(error),
    }
}

fn is_ours(text: &str, path: &Path, config: &Path) -> bool {
    let directory = path.parent().unwrap_or(Path::new(""));
    configuration(text).is_some_and(|to| absolute(&directory.join(to)) == config)
}

/// All files below `root` that were written for `config`, as seen from `root`.
pub(crate) fn written(root: &Path, config: &Path) -> Vec<PathBuf> {
    with_line(root, |line, path| is_ours(line, path, config))
}

/// All files below `root` that `convert` has written, as seen from `root`.
pub(crate) fn converted(root: &Path) -> Vec<PathBuf> {
    with_line(root, |line, _| line == CONVERTED.trim_end())
}

fn with_line(root: &Path, ours: impl Fn(&str, &Path) -> bool) -> Vec<PathBuf> {
    let base = absolute(root);
    let start = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let walk = WalkBuilder::new(start)
        .git_global(false)
        .git_exclude(false)
        .sort_by_file_path(Path::cmp)
        .build();
    walk.flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter(|entry| manifest(entry.path()))
        .filter(|entry| {
            let path = tidy(entry.path());
            first_line(&path).is_ok_and(|line| ours(&line, &path))
        })
        .filter_map(|entry| below(&base, entry.path()))
        .collect()
}

fn first_line(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?;
    // Most files are told from ours by their first bytes.
    file.by_ref()
        .take(WRITTEN.len() as u64)
        .read_to_end(&mut bytes)?;
    if bytes != WRITTEN.as_bytes() {
        return Ok(String::new());
    }
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::tests::Tree;

    #[test]
    fn a_file_belongs_to_the_configuration_that_it_names() {
        let mine = header(Path::new("apps/a/out.yaml"), Path::new("gatewright.toml"));
        assert_eq!(
            mine,
            "# written by `gatewright sync` from ../../gatewright.toml; changes are lost\n"
        );
        let tree = Tree::new(&[
            ("apps/a/out.yaml", &mine),
            (
                "apps/a/of-another.yaml",
                &header(Path::new("x"), Path::new("gatewright.toml")),
            ),
            ("apps/a/hand.yaml", "a: 1\n"),
        ]);
        let config = tree.path("gatewright.toml");
        assert_eq!(
            written(&tree.path(""), &config),
            [Path::new("apps/a/out.yaml")]
        );
        let look = |name| look(&tree.path(name), &config).unwrap();
        assert_eq!(look("apps/a/out.yaml"), Standing::Ours(mine.clone()));
        assert_eq!(look("apps/a/of-another.yaml"), Standing::Foreign);
        assert_eq!(look("apps/a/hand.yaml"), Standing::Foreign);
        assert_eq!(look("apps/a/none.yaml"), Standing::Nothing);
        assert_eq!(look("apps"), Standing::Foreign);
    }

    #[test]
    fn what_convert_writes_is_not_what_sync_writes() {
        let text = format!("{CONVERTED}a: 1\n");
        let mine = header(Path::new("b.yaml"), Path::new("gatewright.toml"));
        let tree = Tree::new(&[("a.yaml", &text), ("b.yaml", &mine), ("c.yaml", "c: 1\n")]);
        assert_eq!(converted(&tree.path("")), [Path::new("a.yaml")]);
        let config = tree.path("gatewright.toml");
        assert_eq!(written(&tree.path(""), &config), [Path::new("b.yaml")]);
        let look = |name| look_converted(&tree.path(name)).unwrap();
        assert_eq!(look("a.yaml"), Standing::Ours(text.clone()));
        assert_eq!(look("b.yaml"), Standing::Foreign);
        assert!(is_written(&text) && is_written(&mine) && !is_written("c: 1\n"));
    }
}

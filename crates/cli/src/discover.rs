//! From paths to files.
//!
//! The result depends on which files are there, not on the order of the arguments, the
//! file system's order or the user's own git settings: the same tree gives the same
//! output everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::WalkBuilder;

use crate::exit::Fault;
use crate::read::{ReadFault, STDIN, Source, plain};

/// What was found.
#[derive(Debug)]
pub(crate) struct Discovery {
    /// Files, sorted by name, each once.
    pub(crate) sources: Vec<Source>,
    /// Directories and files that could not be looked into.
    pub(crate) faults: Vec<ReadFault>,
}

/// Finds the files of `paths`. `outputs` are the files that the run writes; found in a
/// directory they are passed over, since a second run must not read what the first wrote.
pub(crate) fn discover(
    paths: &[PathBuf],
    exclude: &Patterns,
    outputs: &[&Path],
) -> Result<Discovery, Fault> {
    let mut search = Search {
        exclude: exclude.clone(),
        outputs: outputs
            .iter()
            .filter_map(|path| path.canonicalize().ok())
            .collect(),
        found: BTreeMap::new(),
        stdin: false,
        faults: Vec::new(),
    };
    let mut missing = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            search.stdin = true;
            continue;
        }
        match fs::metadata(path) {
            Ok(_) => search.path(path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !search.glob(path)? {
                    missing.push(format!("`{}`", path.display()));
                }
            }
            Err(error) => search
                .faults
                .push(ReadFault::io(shown(path), plain(&error))),
        }
    }
    // Before anything is converted: half an output in a pipe is worse than none.
    if !missing.is_empty() {
        return Err(
            Fault::new(format!("no such file or directory: {}", missing.join(", ")))
                .help("give files, directories, globs, or `-` for stdin"),
        );
    }
    Ok(search.finish())
}

struct Search {
    exclude: Patterns,
    outputs: Vec<PathBuf>,
    found: BTreeMap<String, PathBuf>,
    stdin: bool,
    faults: Vec<ReadFault>,
}

impl Search {
    /// A path that was named, by the user or by a glob.
    fn path(&mut self, path: &Path) -> Result<(), Fault> {
        if self.exclude.match_path(path) {
            Ok(())
        } else if path.is_dir() {
            self.directory(path);
            Ok(())
        } else if self.is_output(path) {
            Err(
                Fault::new(format!("`{}` is both input and output", path.display()))
                    .help("name another file with `--output` or `--report`"),
            )
        } else {
            self.found.insert(shown(path), path.to_owned());
            Ok(())
        }
    }

    fn directory(&mut self, root: &Path) {
        let exclude = self.exclude.clone();
        let walk = WalkBuilder::new(root)
            .git_global(false)
            .git_exclude(false)
            .follow_links(true)
            .filter_entry(move |entry| entry.depth() == 0 || !exclude.match_path(entry.path()))
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    let file = entry.file_type().is_some_and(|kind| kind.is_file());
                    if file && manifest(path) && !self.is_output(path) {
                        self.found.insert(shown(path), path.to_owned());
                    }
                }
                Err(error) => self.walk_error(root, &error),
            }
        }
    }

    fn walk_error(&mut self, root: &Path, error: &ignore::Error) {
        let (path, is_loop) = anatomy(error);
        // What a link back leads to has been visited already.
        if is_loop {
            return;
        }
        let path = path.unwrap_or(root);
        let dangling = path.is_symlink() && !path.exists();
        if dangling && !manifest(path) {
            return;
        }
        let text = match error.io_error() {
            Some(_) if dangling => "the link leads nowhere".to_owned(),
            Some(error) => plain(error),
            None => error.to_string(),
        };
        self.faults.push(ReadFault::io(shown(path), text));
    }

    /// Expands a glob that the shell has not. False when it matches nothing.
    fn glob(&mut self, pattern: &Path) -> Result<bool, Fault> {
        let Some(text) = pattern.to_str() else {
            return Ok(false);
        };
        if !text.contains(['*', '?', '[', '{']) {
            return Ok(false);
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        let matcher = GlobBuilder::new(text)
            .literal_separator(true)
            .build()
            .map_err(|error| Fault::new(format!("bad glob: {error}")))?
            .compile_matcher();
        let base: PathBuf = Path::new(text)
            .components()
            .take_while(|part| {
                !part
                    .as_os_str()
                    .to_string_lossy()
                    .contains(['*', '?', '[', '{'])
            })
            .collect();
        let start = if base.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &base
        };
        // As in a shell: hidden files are not matched, ignored ones are.
        let walk = WalkBuilder::new(start)
            .standard_filters(false)
            .hidden(true)
            .follow_links(true)
            .build();
        let mut matched = Vec::new();
        for entry in walk.flatten() {
            let path = tidy(entry.path());
            if matcher.is_match(&path) {
                matched.push(path);
            }
        }
        let any = !matched.is_empty();
        for path in matched {
            self.path(&path)?;
        }
        Ok(any)
    }

    fn is_output(&self, path: &Path) -> bool {
        // Asking the system where a path leads costs more than all else here.
        !self.outputs.is_empty()
            && path
                .canonicalize()
                .is_ok_and(|path| self.outputs.contains(&path))
    }

    fn finish(self) -> Discovery {
        let mut seen = BTreeSet::new();
        let mut sources: Vec<Source> = self
            .found
            .into_iter()
            // A pipe such as `/dev/fd/63` has no canonical path; it is itself.
            .filter(|(_, path)| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())))
            .map(|(name, path)| Source {
                name,
                path: Some(path),
            })
            .collect();
        if self.stdin {
            let (name, path) = (STDIN.to_owned(), None);
            let at = sources.partition_point(|source| source.name < name);
            sources.insert(at, Source { name, path });
        }
        Discovery {
            sources,
            faults: self.faults,
        }
    }
}

/// The path an error is about, and whether it is about a link that leads back.
fn anatomy(error: &ignore::Error) -> (Option<&Path>, bool) {
    match error {
        ignore::Error::WithPath { path, err } => (Some(path), anatomy(err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            anatomy(err)
        }
        ignore::Error::Loop { child, .. } => (Some(child), true),
        _ => (None, false),
    }
}

/// Patterns that are meant as in .gitignore: without a slash they match at any depth, and
/// what lies in a directory that matches is matched too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    /// The directory that they are written for, absolute; paths as they are given otherwise.
    base: Option<PathBuf>,
    set: GlobSet,
}

impl Patterns {
    /// `what` names the flag or key in complaints.
    pub(crate) fn new<'a>(
        base: Option<PathBuf>,
        patterns: impl IntoIterator<Item = &'a str>,
        what: &str,
    ) -> Result<Self, Fault> {
        let bad = |error| Fault::new(format!("bad `{what}`: {error}"));
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            // Complaints shall show the pattern as it was typed.
            globset::Glob::new(pattern).map_err(bad)?;
            let pattern = pattern.trim_end_matches('/');
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
            let anywhere = if pattern.contains('/') { "" } else { "**/" };
            for below in ["", "/**"] {
                let glob = GlobBuilder::new(&format!("{anywhere}{pattern}{below}"))
                    .literal_separator(true)
                    .build();
                set.add(glob.map_err(bad)?);
            }
        }
        let set = set.build().map_err(bad)?;
        Ok(Self { base, set })
    }

    pub(crate) fn match_path(&self, path: &Path) -> bool {
        if self.set.is_empty() {
            return false;
        }
        let seen = match self.base.as_deref() {
            None => tidy(path),
            // Outside of it only what matches at any depth does.
            Some(base) => below(base, path).unwrap_or_else(|| absolute(path)),
        };
        self.set.is_match(seen)
    }
}

/// The path as seen from an absolute directory that it lies in.
pub(crate) fn below(base: &Path, path: &Path) -> Option<PathBuf> {
    absolute(path).strip_prefix(base).map(Path::to_owned).ok()
}

/// The absolute path without `.` and `..`. Links are not followed: patterns are about names.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    // The directory of a file that was named without one.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for part in path.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole
}

pub(crate) fn manifest(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|e| {
            ["yaml", "yml", "json"]
                .iter()
                .any(|known| e.eq_ignore_ascii_case(known))
        })
}

/// The path without `.` components.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}

/// How diagnostics call a path: with forward slashes on every system.
pub(crate) fn shown(path: &Path) -> String {
    let text = tidy(path).to_string_lossy().into_owned();
    if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text
    }
}

#[cfg(test)]
pub(crate) mod tests;

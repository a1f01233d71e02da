//! Where the test data stands, and how it is read.

use std::path::{Path, PathBuf};

use gatewright_transpile::{Input, Options};

/// `testdata/` of the repository.
pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// What the command line does unless told otherwise.
pub(crate) fn options() -> Options {
    Options {
        threads: Some(1),
        ..Options::default()
    }
}

/// The files of a directory and of those below it, in the order of their paths.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = std::fs::read_dir(&directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        for entry in entries {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether a file is read as Kubernetes objects.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}

/// A file under the name that diagnostics show.
pub(crate) fn input(path: &Path) -> Input {
    let name = path.file_name().expect("a file name").to_string_lossy();
    Input {
        name: name.into_owned(),
        text: std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    }
}

/// The manifests of `testdata/corpus`.
pub(crate) fn corpus() -> Vec<PathBuf> {
    files(&testdata().join("corpus"))
        .into_iter()
        .filter(|path| is_manifest(path))
        .collect()
}

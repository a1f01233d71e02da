//! Every input that fuzzing has found worth keeping, through the same assertions.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gatewright_fuzz::TARGETS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn names(directory: &str) -> BTreeSet<String> {
    let paths = entries(&root().join(directory));
    paths
        .iter()
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(names("testdata/fuzz"), targets);
    assert_eq!(names("fuzz/fuzz_targets"), targets);
}

#[test]
fn inputs_that_were_found_hold() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let paths = entries(&root().join("testdata/fuzz").join(target.name));
        assert!(!paths.is_empty(), "{} has no corpus", target.name);
        for path in paths {
            let data = fs::read(&path).unwrap();
            let run = catch_unwind(AssertUnwindSafe(|| (target.run)(&data)));
            if run.is_err() {
                broken.push(path.display().to_string());
            }
        }
    }
    assert!(broken.is_empty(), "broken by:\n{}", broken.join("\n"));
}

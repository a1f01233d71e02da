//! Manifests from elsewhere: what becomes of every annotation, and whether a cluster takes the
//! output.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::conformance;

/// Whose manifests, and how they are tried.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files below it are converted one by one
    directory: PathBuf,
    /// How many stacks run side by side
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Use this program instead of building gatewright
    #[arg(long, value_name = "PATH")]
    converter: Option<PathBuf>,
}

/// Prints the outcomes, then applies every output to the API server of the conformance suite
/// and reads the conditions; whether nothing was amiss.
///
/// # Errors
///
/// When the directory cannot be read or the suite cannot run.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let table = Command::new(cargo)
        .current_dir(crate::repository_root())
        .args(["run", "--quiet", "--package", "gatewright-transpile"])
        .args(["--example", "corpus", "--"])
        .arg(arguments.directory.canonicalize()?)
        .status()?;
    let scratch = env::temp_dir().join(format!("gatewright-corpus-{}", std::process::id()));
    let outcome = cases(&arguments.directory, &scratch).and_then(|count| {
        if count == 0 {
            bail!("{} holds no YAML file", arguments.directory.display());
        }
        conformance::apply_all(&scratch, arguments.jobs, arguments.converter.clone())
    });
    fs::remove_dir_all(&scratch)?;
    Ok(outcome? && table.success())
}

/// Makes a case without requests of every YAML file.
fn cases(directory: &Path, scratch: &Path) -> Result<usize> {
    fs::create_dir_all(scratch)?;
    let mut count = 0;
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            let yaml = path
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml");
            if path.is_dir() {
                open.push(path);
            } else if let (true, Some(stem)) = (yaml, path.file_stem()) {
                let case = scratch.join(stem);
                fs::create_dir_all(&case)?;
                fs::copy(&path, case.join("input.yaml"))?;
                count += 1;
            }
        }
    }
    Ok(count)
}

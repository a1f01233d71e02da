//! How often a release runs which code, so that its build can put together what runs together.
//!
//! The profile is committed: it is never the same twice, and two builds of the same sources have
//! to be. It holds for one compiler and one platform; others build without one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::bench::ingresses;
use crate::dist;

/// So many that what runs once counts for nothing.
const INGRESSES: u32 = 2000;

/// Builds a program that counts what it runs, has it convert what there is to convert, and writes
/// what it counted.
///
/// # Errors
///
/// When the component `llvm-tools` of the toolchain is missing, or a build or a conversion fails.
pub(crate) fn run() -> Result<bool> {
    let root = crate::repository_root();
    let target = dist::host()?;
    let tool = tool(&target)?;
    let into = dist::target_directory(&root).join("profile");
    let counts = into.join("counts");
    fs::create_dir_all(&counts)?;
    let option = format!("-Cprofile-generate={}", counts.display());
    let program = dist::build_in(&root, &target, &into, &[option])?;
    // What the build itself ran.
    fs::remove_dir_all(&counts)?;
    train(&root, &program, &into)?;
    let profile = place(&root, &target)?;
    fs::create_dir_all(profile.parent().unwrap_or(&root))?;
    let status = Command::new(tool)
        .args(["merge", "--sparse", "--output"])
        .arg(&profile)
        .arg(&counts)
        .status()?;
    ensure!(status.success(), "llvm-profdata failed");
    println!("profile: {}", profile.display());
    Ok(true)
}

/// Converts generated Ingresses, and those of the tests by themselves.
fn train(root: &Path, program: &Path, directory: &Path) -> Result<()> {
    let generated = directory.join("generated.yaml");
    fs::write(&generated, ingresses(INGRESSES))?;
    let generated = generated.to_string_lossy();
    for threads in ["1", "2"] {
        convert(program, &["convert", &generated, "-j", threads])?;
    }
    let mut cases: Vec<PathBuf> = fs::read_dir(root.join("testdata/cases"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    cases.sort();
    for case in cases {
        convert(program, &["check", &case.to_string_lossy()])?;
    }
    Ok(())
}

fn convert(program: &Path, words: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    // Findings are none of a failure.
    ensure!(
        matches!(status.code(), Some(0..=3)),
        "{words:?} ends with {status}"
    );
    Ok(())
}

/// The profile for a release of this platform by this compiler.
fn place(root: &Path, target: &str) -> Result<PathBuf> {
    let name = format!("{target}-rustc-{}.profdata", dist::rustc("release")?);
    Ok(root.join("xtask/profile").join(name))
}

/// The options of rustc that have it use the profile, if there is one.
///
/// # Errors
///
/// When the compiler cannot be asked for its version, or the profile cannot be copied.
pub(crate) fn options(root: &Path, target: &str) -> Result<Vec<String>> {
    let profile = place(root, target)?;
    if !profile.is_file() {
        println!(
            "dist: built without a profile, as there is no {}",
            profile.display()
        );
        return Ok(Vec::new());
    }
    // Named by its contents, as a build may depend on the names of its files.
    let bytes = fs::read(&profile)?;
    let name = format!("gatewright-{}.profdata", &dist::sha256(&bytes)[..16]);
    let copy = std::env::temp_dir().join(name);
    if fs::read(&copy).ok().as_ref() != Some(&bytes) {
        // Another build may be about to read it.
        let beside = copy.with_extension(std::process::id().to_string());
        fs::write(&beside, bytes).with_context(|| beside.display().to_string())?;
        fs::rename(&beside, &copy)?;
    }
    Ok(vec![format!("-Cprofile-use={}", copy.display())])
}

/// `llvm-profdata` of the toolchain.
fn tool(target: &str) -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let root = String::from_utf8(output.stdout)?;
    let tool = Path::new(root.trim())
        .join("lib/rustlib")
        .join(target)
        .join("bin/llvm-profdata");
    ensure!(
        tool.is_file(),
        "{} is missing: `rustup component add llvm-tools` brings it",
        tool.display()
    );
    Ok(tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile of another compiler would be left out in silence.
    #[test]
    fn the_profile_is_that_of_the_toolchain() {
        let root = crate::repository_root();
        let toolchain = fs::read_to_string(root.join("rust-toolchain.toml")).unwrap();
        let toolchain: toml::Value = toml::from_str(&toolchain).unwrap();
        let version = toolchain["toolchain"]["channel"].as_str().unwrap();
        let profile = format!("xtask/profile/x86_64-unknown-linux-gnu-rustc-{version}.profdata");
        assert!(
            root.join(&profile).is_file(),
            "{profile}: `cargo xtask profile` writes it"
        );
    }
}

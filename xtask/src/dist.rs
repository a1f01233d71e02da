//! What a release is made of: an archive with the program, its manual, completions and bill of
//! materials; its checksum; a manifest for krew. The same program gives the same bytes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use flate2::{Compression, GzBuilder};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{profile, sbom};

const NAME: &str = "gatewright";
/// kubectl finds plugins by their names; this one is the program by another name.
const PLUGIN: &str = "#!/bin/sh\nexec \"$(dirname \"$0\")/gatewright\" \"$@\"\n";
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "gatewright.bash"),
    ("elvish", "gatewright.elv"),
    ("fish", "gatewright.fish"),
    ("powershell", "_gatewright.ps1"),
    ("zsh", "_gatewright"),
];
/// Files of the repository that go along.
const TEXTS: [&str; 3] = ["CHANGELOG.md", "LICENSE", "README.md"];

/// `cargo xtask dist`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the files go
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
    /// The platform to build for [default: this one]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Pack this program instead of building one
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Build a second time, from the last commit in another directory, and compare
    #[arg(long, conflicts_with = "program")]
    twice: bool,
}

/// Builds and packs.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let root = crate::repository_root();
    let target = match &arguments.target {
        Some(target) => target.clone(),
        None => host()?,
    };
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => build(&root, &target)?,
    };
    if arguments.twice {
        build_again(&root, &target, &program)?;
    }
    let out = root.join(&arguments.out);
    for file in pack(&root, &program, &target, &out)? {
        println!("dist: {}", file.display());
    }
    Ok(true)
}

/// Writes archive, checksum and manifest; returns their paths.
pub(crate) fn pack(root: &Path, program: &Path, target: &str, out: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(out)?;
    let version = version(root)?;
    let name = format!("{NAME}-{version}-{target}");
    let mut files = contents(root, program, target)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let archive = out.join(format!("{name}.tar.gz"));
    write_archive(&archive, &name, &files, time(root)?)?;
    let sum = sha256(&fs::read(&archive)?);
    let checksum = out.join(format!("{name}.tar.gz.sha256"));
    fs::write(&checksum, format!("{sum}  {name}.tar.gz\n"))?;
    let bill = out.join(format!("{name}.cdx.json"));
    fs::write(&bill, sbom::json(root, target)?)?;
    let manifest = out.join(format!("{NAME}.krew.yaml"));
    fs::write(&manifest, krew(root, &version, target, &name, &sum)?)?;
    Ok(vec![archive, checksum, bill, manifest])
}

/// A file of the archive.
struct Packed {
    path: String,
    bytes: Vec<u8>,
    is_program: bool,
}

fn contents(root: &Path, program: &Path, target: &str) -> Result<Vec<Packed>> {
    let plain = |path: String, bytes: Vec<u8>| Packed {
        path,
        bytes,
        is_program: false,
    };
    let mut files = vec![
        Packed {
            path: NAME.to_owned(),
            bytes: fs::read(program).with_context(|| program.display().to_string())?,
            is_program: true,
        },
        Packed {
            path: format!("kubectl-{NAME}"),
            bytes: PLUGIN.as_bytes().to_vec(),
            is_program: true,
        },
        plain(
            format!("{NAME}.cdx.json"),
            sbom::json(root, target)?.into_bytes(),
        ),
    ];
    for text in TEXTS {
        files.push(plain(text.to_owned(), fs::read(root.join(text))?));
    }
    for (shell, file) in COMPLETIONS {
        let script = output(program, &["completions", shell])?;
        files.push(plain(format!("completions/{file}"), script));
    }
    files.push(plain(format!("man/{NAME}.1"), output(program, &["man"])?));
    for command in commands(program)? {
        let page = output(program, &["man", &command])?;
        files.push(plain(format!("man/{NAME}-{command}.1"), page));
    }
    Ok(files)
}

/// The commands of the program, as its help lists them.
fn commands(program: &Path) -> Result<Vec<String>> {
    let help = String::from_utf8(output(program, &["--help"])?)?;
    let list = help
        .split("\nCommands:\n")
        .nth(1)
        .context("the help lists no commands")?;
    let commands: Vec<String> = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty() && *word != "help")
        .map(str::to_owned)
        .collect();
    ensure!(!commands.is_empty(), "the help lists no commands");
    Ok(commands)
}

fn output(program: &Path, words: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(program)
        .args(words)
        .env("COLUMNS", "100")
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "{} {words:?}: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output.stdout)
}

/// Nothing of the machine goes in: no owner, no times but that of the commit.
fn write_archive(path: &Path, top: &str, files: &[Packed], time: u64) -> Result<()> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let gzip = GzBuilder::new().mtime(0).write(file, Compression::best());
    let mut archive = tar::Builder::new(gzip);
    for packed in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(packed.bytes.len() as u64);
        header.set_mode(if packed.is_program { 0o755 } else { 0o644 });
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(
            &mut header,
            format!("{top}/{}", packed.path),
            packed.bytes.as_slice(),
        )?;
    }
    archive.into_inner()?.finish()?.flush()?;
    Ok(())
}

/// A manifest for krew, for this platform; a release joins those of all platforms.
fn krew(root: &Path, version: &str, target: &str, name: &str, sum: &str) -> Result<String> {
    let (arch, os) = match target.split('-').collect::<Vec<_>>().as_slice() {
        [arch, .., "darwin"] => (*arch, "darwin"),
        [arch, _, "linux", ..] => (*arch, "linux"),
        _ => bail!("krew has no name for {target}"),
    };
    let arch = match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let repository = field(root, "repository")?;
    Ok(format!(
        "apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: {NAME}
spec:
  version: v{version}
  homepage: {repository}
  shortDescription: Move from ingress-nginx to Gateway API
  description: |
    Converts Ingresses with NGINX annotations to Gateway API and Envoy Gateway objects, proves
    that they serve every request the same, and plans the move.
  platforms:
  - selector:
      matchLabels: {{os: {os}, arch: {arch}}}
    uri: {repository}/releases/download/v{version}/{name}.tar.gz
    sha256: {sum}
    files:
    - {{from: {name}/{NAME}, to: .}}
    - {{from: {name}/LICENSE, to: .}}
    bin: {NAME}
"
    ))
}

fn version(root: &Path) -> Result<String> {
    field(root, "version")
}

/// A field of `workspace.package`.
fn field(root: &Path, name: &str) -> Result<String> {
    let manifest: toml::Value = toml::from_str(&fs::read_to_string(root.join("Cargo.toml"))?)?;
    let value = &manifest["workspace"]["package"][name];
    Ok(value
        .as_str()
        .with_context(|| format!("Cargo.toml has no {name}"))?
        .to_owned())
}

/// `SOURCE_DATE_EPOCH`, or the time of the last commit.
fn time(root: &Path) -> Result<u64> {
    if let Ok(time) = std::env::var("SOURCE_DATE_EPOCH") {
        return time.parse().context("SOURCE_DATE_EPOCH is no number");
    }
    let output = Command::new("git")
        .current_dir(root)
        .args(["log", "-1", "--format=%ct"])
        .output()
        .context("cannot run git")?;
    String::from_utf8(output.stdout)?
        .trim()
        .parse()
        .context("git gave no time of the last commit; set SOURCE_DATE_EPOCH")
}

/// The platform that this program was built for.
pub(crate) fn host() -> Result<String> {
    rustc("host")
}

/// What the compiler says of itself under a name.
pub(crate) fn rustc(name: &str) -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    String::from_utf8(output.stdout)?
        .lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .strip_prefix(": ")
                .map(str::to_owned)
        })
        .with_context(|| format!("rustc names no {name}"))
}

/// The checksum of a file, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into)
}

/// Where a release is built.
fn directory(root: &Path) -> PathBuf {
    target_directory(root).join("dist")
}

/// The program of the last release for this platform.
///
/// # Errors
///
/// When there is none.
pub(crate) fn program() -> Result<PathBuf> {
    let root = crate::repository_root();
    let built = directory(&root).join(host()?).join("release").join(NAME);
    ensure!(
        built.is_file(),
        "{} is missing: run `cargo xtask dist`",
        built.display()
    );
    Ok(built)
}

/// The program that reads YAML into events and does no more, built as a release is.
///
/// # Errors
///
/// When it does not build.
pub(crate) fn floor() -> Result<PathBuf> {
    let root = crate::repository_root();
    let target = host()?;
    let options = profile::options(&root, &target)?;
    let what = ["--package", "gatewright-yaml", "--example", "events"];
    build_this(&root, &target, &directory(&root), &options, &what)
}

fn build(root: &Path, target: &str) -> Result<PathBuf> {
    let into = directory(root);
    // C code of an earlier build names the time of another commit.
    if into.exists() {
        fs::remove_dir_all(&into)?;
    }
    build_in(root, target, &into, &profile::options(root, target)?)
}

/// Builds the repository in `root`, with more options for rustc; what is built goes to `into`.
///
/// # Errors
///
/// When it does not build.
pub(crate) fn build_in(root: &Path, target: &str, into: &Path, more: &[String]) -> Result<PathBuf> {
    let what = ["--package", "gatewright-cli", "--bin", NAME];
    build_this(root, target, into, more, &what)
}

/// Builds one program of the repository in `root`.
fn build_this(
    root: &Path,
    target: &str,
    into: &Path,
    more: &[String],
    what: &[&str],
) -> Result<PathBuf> {
    let name = what.last().copied().unwrap_or_default();
    let mut options = vec![without_places()?];
    options.extend_from_slice(more);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .env("CARGO_TARGET_DIR", into)
        .env("CARGO_ENCODED_RUSTFLAGS", options.join("\u{1f}"))
        // C code may name the time of its compilation.
        .env("SOURCE_DATE_EPOCH", time(root)?.to_string())
        .args(["build", "--release", "--locked", "--target", target])
        .args(what)
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{name} does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .with_context(|| format!("cargo built no program named {name}"))
}

/// Options of rustc that leave the directory of cargo out of the program, which names source files
/// where something is impossible. Those of the repository have no directory, and an option that
/// names it would make each build another one.
fn without_places() -> Result<String> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir()
            .context("no home directory")?
            .join(".cargo"),
    };
    Ok(format!("--remap-path-prefix={}=/cargo", home.display()))
}

/// Builds the last commit in a directory of its own; the program has to have the same bytes.
fn build_again(root: &Path, target: &str, program: &Path) -> Result<()> {
    let state = Command::new("git")
        .current_dir(root)
        .args(["status", "--porcelain"])
        .output()?;
    ensure!(
        state.status.success() && state.stdout.is_empty(),
        "a second build is made of the last commit: commit what has changed"
    );
    let directory = std::env::temp_dir().join(format!("gatewright-twice-{}", std::process::id()));
    let cloned = Command::new("git")
        .args(["clone", "--quiet", "--depth", "1"])
        .arg(format!("file://{}", root.display()))
        .arg(&directory)
        .status()?;
    ensure!(cloned.success(), "the repository cannot be cloned");
    let into = directory.join("target");
    let options = profile::options(&directory, target)?;
    let again = build_in(&directory, target, &into, &options);
    let same = again.and_then(|again| Ok(fs::read(again)? == fs::read(program)?));
    fs::remove_dir_all(&directory)?;
    ensure!(same?, "two builds of the same sources differ");
    println!("dist: two builds in two directories gave the same program");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// cargo-binstall looks for the archive where the manifest says.
    #[test]
    fn binstall_finds_the_archive() {
        let root = crate::repository_root();
        let text = fs::read_to_string(root.join("crates/cli/Cargo.toml")).unwrap();
        let manifest: toml::Value = toml::from_str(&text).unwrap();
        let binstall = &manifest["package"]["metadata"]["binstall"];
        let filled = |key: &str| {
            let template = binstall[key].as_str().unwrap();
            template
                .replace("{ repo }", "https://example.com/x")
                .replace("{ version }", "1.2.3")
                .replace("{ target }", "x86_64-unknown-linux-gnu")
                .replace("{ bin }{ binary-ext }", NAME)
        };
        let name = "gatewright-1.2.3-x86_64-unknown-linux-gnu";
        assert_eq!(
            filled("pkg-url"),
            format!("https://example.com/x/releases/download/v1.2.3/{name}.tar.gz")
        );
        assert_eq!(filled("bin-dir"), format!("{name}/{NAME}"));
        assert_eq!(binstall["pkg-fmt"].as_str(), Some("tgz"));
    }

    #[test]
    fn an_archive_depends_on_its_contents_alone() {
        let directory = std::env::temp_dir().join(format!("xtask-dist-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let files = [Packed {
            path: "a/b".to_owned(),
            bytes: b"c".to_vec(),
            is_program: true,
        }];
        let write = |name: &str| {
            let path = directory.join(name);
            write_archive(&path, "top", &files, 7).unwrap();
            fs::read(path).unwrap()
        };
        let bytes = write("1");
        assert_eq!(bytes, write("2"));
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let entry = archive.entries().unwrap().next().unwrap().unwrap();
        let header = entry.header();
        assert_eq!(entry.path().unwrap(), Path::new("top/a/b"));
        assert_eq!(header.mode().unwrap(), 0o755);
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (7, 0));
        fs::remove_dir_all(&directory).unwrap();
    }
}

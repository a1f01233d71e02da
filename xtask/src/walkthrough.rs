//! Does what the documentation says, on a clean clone: the README's two commands, then every
//! command of the guides and of the reference pages.
//!
//! In a guide the blocks are one session, in an empty directory. A `yaml` or `toml` block whose
//! first line is a comment with a path is that file; a `text`, `yaml` or `diff` block after a
//! command shows some of what the command printed, with `…` for what is left out. A command fails
//! unless its block says `# exits with N`. In a reference page each command stands alone, and may
//! find something (exit code 1).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::blocks::{Block, blocks};
use crate::conformance;
use crate::dist;
use crate::links;
use crate::shell::Shell;

/// Before the path of what the stand-in for kubectl says in a guide.
const ANSWERS: &str = "<!-- walkthrough: kubectl answers with ";
/// Where it is put.
const LIVE: &str = ".cluster.yaml";
/// Where the documentation says that the repository is.
const REPOSITORY: &str = "https://github.com/gatewright/gatewright";
/// The release that the documentation names.
const RELEASE: &str = "v0.1.0";
/// The pages that are one session each.
const GUIDES: [&str; 4] = [
    "docs/getting-started.md",
    "docs/guides/platform-team.md",
    "docs/guides/developer.md",
    "docs/guides/gitops.md",
];
/// Commands that the gate runs as steps of its own, and what is about this repository's suite.
const ELSEWHERE: [&str; 5] = [
    "cargo test",
    "cargo xtask",
    "git clone",
    "cargo install",
    "cargo +nightly fuzz",
];
/// What asks for a live cluster: `cargo xtask conformance --live` has one.
const CLUSTER: &str = " --cluster";
const LIMIT: Duration = Duration::from_mins(20);

/// `cargo xtask walkthrough`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only pages whose path contains one of these
    pages: Vec<String>,
    /// Use this program instead of installing the one of the clone
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

/// Walks through everything; whether it went as written.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let root = crate::repository_root();
    let begun = Instant::now();
    let scratch = root.join("target/walkthrough");
    let sessions = scratch.join("sessions");
    for old in [&sessions, &scratch.join("root")] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    fs::create_dir_all(&sessions)?;
    let mut walk = Walk {
        programs: programs(&root, &scratch)?,
        clone: clone(&root, &sessions)?,
        scratch,
        sessions,
        commands: 0,
        outputs: 0,
        left_out: Vec::new(),
        faults: Vec::new(),
    };
    let wanted = |page: &str| {
        arguments.pages.is_empty() || arguments.pages.iter().any(|part| page.contains(part))
    };
    match &arguments.program {
        Some(program) => {
            let installed = walk.scratch.join("root/bin");
            fs::create_dir_all(&installed)?;
            fs::copy(program, installed.join("gatewright"))
                .with_context(|| program.display().to_string())?;
        }
        None => walk.try_it()?,
    }
    if wanted("README.md") {
        walk.before_and_after()?;
    }
    for page in GUIDES {
        if wanted(page) {
            walk.guide(page)?;
        }
    }
    for page in links::files(&root)? {
        let page = page.display().to_string();
        if wanted(&page) && !GUIDES.contains(&page.as_str()) {
            walk.reference(&page)?;
        }
    }
    for fault in &walk.faults {
        println!("walkthrough: {fault}\n");
    }
    for left in &walk.left_out {
        println!(
            "walkthrough: left out here, a step of the gate, which has a cluster too, or of a release: {left}"
        );
    }
    println!(
        "walkthrough: {} commands and {} outputs in {:.0?}, {}",
        walk.commands,
        walk.outputs,
        begun.elapsed(),
        match walk.faults.len() {
            0 => "all as written".to_owned(),
            number => format!("{number} not as written"),
        }
    );
    Ok(walk.faults.is_empty())
}

struct Walk {
    /// The repository as somebody gets it.
    clone: PathBuf,
    scratch: PathBuf,
    sessions: PathBuf,
    /// helm, kustomize and pre-commit, and a stand-in for kubectl.
    programs: Vec<PathBuf>,
    commands: usize,
    outputs: usize,
    left_out: Vec<String>,
    faults: Vec<String>,
}

impl Walk {
    /// The README's own first steps, from the clone to the first finding.
    fn try_it(&mut self) -> Result<()> {
        let text = self.text("README.md")?;
        let blocks: Vec<Block> = blocks(&text)
            .into_iter()
            .filter(|block| block.heading == "Try it")
            .collect();
        ensure!(!blocks.is_empty(), "README.md has no section `Try it`");
        self.session("README.md", &blocks, |_| false)?;
        self.release()
    }

    /// What a release would hold of the installed program, unpacked and run.
    fn release(&mut self) -> Result<()> {
        let program = self.scratch.join("root/bin/gatewright");
        let out = self.sessions.join("release");
        dist::pack(&self.clone, &program, &dist::host()?, &out)?;
        let mut shell = Shell::start(&out, &out.join("blocks"), |command| {
            self.environment(command);
        })?;
        let block = "sha256sum --check --quiet *.sha256\ntar -xzf *.tar.gz\ncd gatewright-*/\n./kubectl-gatewright --version\n";
        self.commands += commands(block).len();
        let ran = shell.run(block, LIMIT, || Ok(()))?;
        if ran.code != 0 || !ran.output.starts_with("gatewright ") {
            self.faults
                .push(format!("the archive of `cargo xtask dist`: {}", ran.output));
        }
        Ok(())
    }

    /// The README's first example: the one Ingress becomes the other object.
    fn before_and_after(&mut self) -> Result<()> {
        let text = self.text("README.md")?;
        let blocks: Vec<Block> = blocks(&text)
            .into_iter()
            .filter(|block| block.heading == "Before and after")
            .collect();
        let [before, after] = blocks.as_slice() else {
            bail!("README.md does not show an Ingress and what becomes of it");
        };
        let directory = self.directory("README.md");
        fs::create_dir_all(&directory)?;
        let kind = "apiVersion: networking.k8s.io/v1\nkind: Ingress\n";
        fs::write(
            directory.join("before.yaml"),
            format!("{kind}{}", before.text),
        )?;
        let command = "gatewright convert before.yaml --quiet 2>/dev/null";
        let scripts = directory.with_extension("blocks");
        let mut shell = Shell::start(&directory, &scripts, |command| self.environment(command))?;
        let ran = shell.run(command, LIMIT, || Ok(()))?;
        self.outputs += 1;
        if let Some(missing) = missing(&after.text, &ran.output) {
            self.faults.push(format!(
                "README.md:{}: the output does not hold\n{missing}\nbut\n{}",
                after.line, ran.output
            ));
        }
        Ok(())
    }

    fn guide(&mut self, page: &str) -> Result<()> {
        let text = self.text(page)?;
        let blocks = blocks(&text);
        if let Some((_, rest)) = text.split_once(ANSWERS) {
            let answers = rest.split(' ').next().unwrap_or_default();
            let directory = self.directory(page);
            fs::create_dir_all(&directory)?;
            fs::copy(self.clone.join(answers), directory.join(LIVE))
                .with_context(|| answers.to_owned())?;
        }
        ensure!(
            blocks.iter().any(|block| block.info == "sh"),
            "{page} has no commands"
        );
        self.session(page, &blocks, |_| true)
    }

    fn directory(&self, page: &str) -> PathBuf {
        self.sessions.join(page.replace(['/', '.'], "-"))
    }

    fn text(&self, page: &str) -> Result<String> {
        fs::read_to_string(self.clone.join(page)).with_context(|| format!("cannot read {page}"))
    }

    /// Plays blocks in one shell; `may_make` says which of them are files.
    fn session(
        &mut self,
        page: &str,
        blocks: &[Block],
        may_make: impl Fn(&Block) -> bool,
    ) -> Result<()> {
        let directory = self.directory(page);
        fs::create_dir_all(&directory)?;
        let scripts = directory.with_extension("blocks");
        let mut shell = Shell::start(&directory, &scripts, |command| self.environment(command))?;
        let mut last: Option<String> = None;
        for block in blocks {
            let place = format!("{page}:{}", block.line);
            if block.info == "sh" {
                last = None;
                if ELSEWHERE[..2].iter().any(|left| block.text.contains(left)) {
                    self.left_out
                        .push(format!("{place}: {}", block.text.trim()));
                    continue;
                }
                self.commands += commands(&block.text).len();
                let ran = shell.run(&block.text, LIMIT, || Ok(()))?;
                let wanted = exit_code(&block.text);
                if ran.code != wanted {
                    self.faults.push(format!(
                        "{place}: exit code {} in place of {wanted}:\n{}{}",
                        ran.code, block.text, ran.output
                    ));
                }
                last = Some(ran.output);
            } else if let Some(file) = file_of(block).filter(|_| may_make(block)) {
                let path = directory.join(file);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(path, &block.text)?;
            } else if let Some(output) = &last {
                self.outputs += 1;
                if let Some(missing) = missing(&block.text, output) {
                    self.faults.push(format!(
                        "{place}: the output does not hold\n{missing}\nbut\n{output}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Runs the commands of a page one by one, in a directory that has what they name.
    fn reference(&mut self, page: &str) -> Result<()> {
        let blocks = blocks(&self.text(page)?);
        let shown: Vec<&Block> = blocks
            .iter()
            .filter(|block| block.info == "sh" && block.heading != "Try it")
            .collect();
        if shown.is_empty() {
            return Ok(());
        }
        let directory = self.directory(page).join("examples");
        let scripts = self.directory(page).with_extension("blocks");
        self.examples(&directory)?;
        for block in shown {
            let mut shell =
                Shell::start(&directory, &scripts, |command| self.environment(command))?;
            for text in commands(&block.text) {
                let place = format!("{page}:{}", block.line);
                let elsewhere = ELSEWHERE.iter().any(|left| text.starts_with(left));
                if elsewhere || text.contains(CLUSTER) {
                    self.left_out.push(format!("{place}: {text}"));
                    continue;
                }
                self.commands += 1;
                let ran = shell.run(&text, LIMIT, || Ok(()))?;
                if ran.code > 1 {
                    self.faults.push(format!(
                        "{place}: exit code {}:\n{text}\n{}",
                        ran.code, ran.output
                    ));
                }
            }
        }
        Ok(())
    }

    /// What the reference pages take for granted: manifests, a chart, overlays, a cluster.
    fn examples(&self, directory: &Path) -> Result<()> {
        let article = self
            .clone
            .join("testdata/behaviour/69-seed-article/input.yaml");
        let article = fs::read_to_string(article)?;
        let objects = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\nspec:\n  ingressClassName: nginx\n  rules:\n  - host: shop.example.com\n    http:\n      paths:\n      - path: /cart\n        pathType: Prefix\n        backend: {service: {name: cart, port: {number: 80}}}\n";
        let readme = blocks(&self.text("README.md")?);
        let configuration = readme
            .iter()
            .find(|block| block.info == "toml")
            .context("README.md shows no gatewright.toml")?;
        for (path, text) in [
            ("manifests/ingress.yaml", article.as_str()),
            ("apps/shop/ingress.yaml", objects),
            ("chart/templates/ingress.yaml", objects),
            (
                "chart/Chart.yaml",
                "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
            ),
            ("overlays/production/ingress.yaml", objects),
            (
                "overlays/production/kustomization.yaml",
                "resources: [ingress.yaml]\n",
            ),
            ("gatewright.toml", &configuration.text),
        ] {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, text)?;
        }
        for words in [
            &["convert", "manifests", "--output", LIVE][..],
            &[
                "convert",
                "manifests",
                "--output",
                "gateway",
                "--layout",
                "parts",
            ],
            &["convert", "apps", "--output", "live", "--layout", "parts"],
        ] {
            let mut command = Command::new("gatewright");
            self.environment(&mut command);
            let output = command
                .args(words)
                .arg("--no-config")
                .current_dir(directory)
                .output()?;
            ensure!(
                output.status.success(),
                "gatewright {words:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    /// Nothing of the machine's own settings; what the documentation names leads to the clone.
    fn environment(&self, command: &mut Command) {
        let mut path = vec![self.scratch.join("root/bin")];
        path.extend(self.programs.iter().cloned());
        path.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        if let Ok(path) = std::env::join_paths(path) {
            command.env("PATH", path);
        }
        command
            .env("CARGO_INSTALL_ROOT", self.scratch.join("root"))
            .env("CARGO_TARGET_DIR", self.scratch.join("target"))
            // The same command, without the minutes that optimizing takes.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_COUNT", "3")
            .env(
                "GIT_CONFIG_KEY_0",
                format!("url.{}.insteadOf", self.clone.display()),
            )
            .env("GIT_CONFIG_VALUE_0", REPOSITORY)
            .env("GIT_CONFIG_KEY_1", "protocol.file.allow")
            .env("GIT_CONFIG_VALUE_1", "always")
            .env("GIT_CONFIG_KEY_2", "init.defaultBranch")
            .env("GIT_CONFIG_VALUE_2", "main")
            .env("GIT_AUTHOR_NAME", "walkthrough")
            .env("GIT_AUTHOR_EMAIL", "walkthrough@example.com")
            .env("GIT_COMMITTER_NAME", "walkthrough")
            .env("GIT_COMMITTER_EMAIL", "walkthrough@example.com")
            .env("PRE_COMMIT_HOME", self.scratch.join("pre-commit-home"))
            .env("COLUMNS", "100");
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
    }
}

/// A clone of the last commit, with the tag that the documentation names.
fn clone(root: &Path, sessions: &Path) -> Result<PathBuf> {
    let clone = sessions.join("origin");
    git(
        root,
        &["clone", "--quiet", ".", &clone.display().to_string()],
    )?;
    git(&clone, &["tag", "--force", RELEASE])?;
    let changed = Command::new("git")
        .current_dir(root)
        .args(["status", "--porcelain"])
        .output()?;
    if !changed.stdout.is_empty() {
        println!("walkthrough: what is not committed is not part of it");
    }
    Ok(clone)
}

fn git(directory: &Path, words: &[&str]) -> Result<()> {
    let output = Command::new("git")
        .current_dir(directory)
        .args(words)
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Directories with what the documentation has people type besides gatewright: Helm, kustomize
/// and pre-commit, and a kubectl that says what stands in a file.
fn programs(root: &Path, scratch: &Path) -> Result<Vec<PathBuf>> {
    let clients = conformance::clients(root)?;
    let stand_in = scratch.join("programs");
    fs::create_dir_all(&stand_in)?;
    let kubectl = stand_in.join("kubectl");
    fs::write(
        &kubectl,
        format!(
            "#!/bin/sh\n# Stands in for a cluster that holds what this file says.\nexec cat {LIVE}\n"
        ),
    )?;
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755))?;
    let pre_commit = root.join("target/pre-commit");
    if !pre_commit.join("bin/pre-commit").exists() {
        let venv = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&pre_commit)
            .status()
            .context("cannot run python3")?;
        ensure!(venv.success(), "python3 -m venv failed");
        let pip = Command::new(pre_commit.join("bin/pip"))
            .args(["install", "--quiet", "pre-commit==4.7.0"])
            .status()?;
        ensure!(pip.success(), "pre-commit could not be installed");
    }
    Ok(vec![stand_in, clients, pre_commit.join("bin")])
}

/// The path in the first line of a block that is a file.
fn file_of(block: &Block) -> Option<&str> {
    let is_data = matches!(block.info.as_str(), "yaml" | "toml");
    let name = block.text.lines().next()?.strip_prefix("# ")?;
    let is_path = name.contains('.') && !name.contains(' ');
    (is_data && is_path).then_some(name)
}

/// What a block says that its commands exit with.
fn exit_code(text: &str) -> i32 {
    text.lines()
        .find_map(|line| line.rsplit_once("# exits with ")?.1.trim().parse().ok())
        .unwrap_or(0)
}

/// Commands of a block: lines, joined where one goes on in the next.
fn commands(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let bare = line.split(" #").next().unwrap_or(line).trim_end();
        if open && let Some(command) = commands.last_mut() {
            command.push('\n');
            command.push_str(line);
        } else if !bare.is_empty() && !bare.starts_with('#') {
            commands.push(line.to_owned());
        }
        open = bare.ends_with('\\') || bare.ends_with('|');
    }
    commands
}

/// What of a shown output is not in the real one: parts between lines of `…` have to stand in it,
/// in order.
fn missing(shown: &str, output: &str) -> Option<String> {
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    let output = lines(output);
    let mut from = 0;
    for part in lines(shown).split(|line| line == "…") {
        let part = match part {
            [first, rest @ ..] if first.is_empty() => rest,
            part => part,
        };
        if part.is_empty() {
            continue;
        }
        let found = (from..output.len()).find(|&at| output[at..].starts_with(part));
        match found {
            Some(at) => from = at + part.len(),
            None => return Some(part.join("\n")),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_output_is_part_of_the_real_one() {
        let output = "a\nb\n\nc  \nd\n";
        assert_eq!(missing("b\n\nc\n", output), None);
        assert_eq!(missing("a\n…\nd\n", output), None);
        assert_eq!(missing("d\n…\na\n", output).as_deref(), Some("a"));
        assert_eq!(missing("a\nc\n", output).as_deref(), Some("a\nc"));
    }

    #[test]
    fn commands_go_on_in_the_next_line() {
        let text = "# why\nset -o pipefail\na |  # so\n  b\nc \\\n  d\n";
        assert_eq!(
            commands(text),
            ["set -o pipefail", "a |  # so\n  b", "c \\\n  d"]
        );
        assert_eq!(exit_code("a\nb  # exits with 3\n"), 3);
        assert_eq!(exit_code("a\n"), 0);
    }

    #[test]
    fn a_file_names_itself_in_its_first_line() {
        let block = |info: &str, text: &str| Block {
            line: 1,
            heading: String::new(),
            info: info.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(
            file_of(&block("yaml", "# a/b.yaml\nx: 1\n")),
            Some("a/b.yaml")
        );
        assert_eq!(file_of(&block("yaml", "# from Ingress shop/web\n")), None);
        assert_eq!(file_of(&block("text", "# a.yaml\n")), None);
    }
}

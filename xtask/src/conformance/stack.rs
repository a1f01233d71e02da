//! The control plane of a worker: etcd, kube-apiserver, the CRDs, Envoy Gateway.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::kube::{Kube, ObjectRef, documents};
use super::pki;
use super::relay::Network;
use super::setup::Tools;

pub(crate) const SYSTEM_NAMESPACE: &str = "envoy-gateway-system";
const TOKEN: &str = "conformance";
/// In the directory of the worker.
const KUBECONFIG: &str = "kubeconfig";
pub(crate) const API_SERVER: &str = "https://127.0.0.1:6443";

/// The running control plane. Its processes end with the worker's pid namespace at the latest.
pub(crate) struct Stack {
    pub(crate) kube: Kube,
    pub(crate) logs: PathBuf,
    children: Vec<(String, Child)>,
    network: Network,
}

impl Stack {
    /// Starts everything and waits until Envoy Gateway serves.
    pub(crate) fn start(tools: &Tools, channel: &str, directory: &Path) -> Result<Self> {
        let mut stack = Self::bare(tools, directory)?;
        stack.apply_crds(&tools.gateway_api_crds(channel))?;
        stack.apply_crds(&tools.envoy_gateway_crds())?;
        stack.kube.apply_own(&namespace(SYSTEM_NAMESPACE))?;
        stack.start_envoy_gateway(tools, directory, &configuration().to_string())?;
        Ok(stack)
    }

    /// Starts a cluster that has nothing but an API server.
    pub(crate) fn bare(tools: &Tools, directory: &Path) -> Result<Self> {
        let logs = directory.join("logs");
        fs::create_dir_all(&logs)?;
        write_credentials(directory)?;
        let mut stack = Self {
            kube: Kube::new(API_SERVER, TOKEN),
            logs,
            children: Vec::new(),
            network: Network::start()?,
        };

        // Its data lives in the private shared memory: nothing to clean up, and no disk to wait for.
        stack.spawn(
            "etcd",
            stack.network.command(&tools.binary("etcd")).args([
                "--name=conformance",
                "--data-dir=/dev/shm/etcd",
                "--unsafe-no-fsync",
                "--listen-client-urls=http://127.0.0.1:2379",
                "--advertise-client-urls=http://127.0.0.1:2379",
                "--listen-peer-urls=http://127.0.0.1:2380",
                "--initial-advertise-peer-urls=http://127.0.0.1:2380",
                "--initial-cluster=conformance=http://127.0.0.1:2380",
                "--log-level=warn",
            ]),
        )?;
        let mut api_server = stack.network.command(&tools.binary("kube-apiserver"));
        stack.spawn(
            "kube-apiserver",
            api_server.args(api_server_arguments(directory)),
        )?;
        stack.wait_for("kube-apiserver", Duration::from_secs(90), |kube| {
            Ok(kube
                .get_text("/readyz")
                .is_ok_and(|(status, _)| status == 200))
        })?;
        Ok(stack)
    }

    fn apply_crds(&mut self, directory: &Path) -> Result<()> {
        let mut paths = Vec::new();
        let entries = fs::read_dir(directory).with_context(|| {
            format!(
                "cannot read the CRDs in {}; run `cargo xtask conformance --setup`",
                directory.display()
            )
        })?;
        for entry in entries {
            paths.push(entry?.path());
        }
        paths.sort();
        let mut names = Vec::new();
        for path in paths {
            for (text, value) in documents(&fs::read_to_string(&path)?)? {
                // The policy that guards against downgrades has nothing to guard here.
                if value["kind"] != "CustomResourceDefinition" {
                    continue;
                }
                let Some(object) = ObjectRef::of(&value) else {
                    continue;
                };
                self.kube
                    .apply(&object, &text)?
                    .map_err(|refusal| anyhow!("{}: {refusal}", path.display()))?;
                names.push(object);
            }
        }
        self.wait_for("CRDs", Duration::from_mins(1), |kube| {
            for object in &names {
                let path = kube.path(object)?.map_err(|refusal| anyhow!(refusal))?;
                let crd = kube.get(&path)?.unwrap_or_default();
                let established =
                    crd["status"]["conditions"]
                        .as_array()
                        .is_some_and(|conditions| {
                            conditions
                                .iter()
                                .any(|c| c["type"] == "Established" && c["status"] == "True")
                        });
                if !established {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Makes the certificates of Envoy Gateway and runs it with a configuration.
    pub(crate) fn start_envoy_gateway(
        &mut self,
        tools: &Tools,
        directory: &Path,
        configuration: &str,
    ) -> Result<()> {
        let kubeconfig = &directory.join(KUBECONFIG);
        let program = tools.binary("envoy-gateway");
        // It ends with a complaint about a webhook configuration that only the Helm chart makes;
        // what counts is that the Secrets are there.
        let log = File::create(self.logs.join("certgen.log"))?;
        envoy_gateway(&self.network, &program, kubeconfig)
            .arg("certgen")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .context("cannot run envoy-gateway certgen")?;
        self.write_secret("envoy-gateway", Path::new("/certs"))?;
        self.write_secret("envoy", Path::new("/envoy-certs"))?;

        let config = directory.join("envoy-gateway.yaml");
        fs::write(&config, configuration)?;
        self.spawn(
            "envoy-gateway",
            envoy_gateway(&self.network, &program, kubeconfig)
                .arg("server")
                .arg("--config-path")
                .arg(&config),
        )?;
        self.wait_for("envoy-gateway", Duration::from_mins(1), |_| {
            // The relay takes every connection, and drops those that lead nowhere.
            let mut stream = TcpStream::connect("127.0.0.1:18000")?;
            stream.set_read_timeout(Some(Duration::from_millis(200)))?;
            let ended = stream.read(&mut [0]);
            Ok(ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
        })
    }

    fn write_secret(&self, name: &str, directory: &Path) -> Result<()> {
        let path = format!("/api/v1/namespaces/{SYSTEM_NAMESPACE}/secrets/{name}");
        let secret = self.kube.get(&path)?.ok_or_else(|| {
            anyhow!(
                "certgen wrote no Secret {name}; see {}",
                self.logs.display()
            )
        })?;
        for file in ["tls.crt", "tls.key", "ca.crt"] {
            let data = secret["data"][file].as_str().unwrap_or_default();
            fs::write(directory.join(file), BASE64.decode(data)?)?;
        }
        Ok(())
    }

    fn spawn(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let child = spawn_logged(command, &self.logs.join(format!("{name}.log")))?;
        self.children.push((name.to_owned(), child));
        Ok(())
    }

    fn wait_for(
        &mut self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut(&Kube) -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !ready(&self.kube)? {
            if Instant::now() > deadline {
                bail!(
                    "{what} is not ready after {limit:?}; see {}",
                    self.logs.display()
                );
            }
            self.check_alive()?;
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Fails when a part of the control plane has ended.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        for (name, child) in &mut self.children {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended with {status}; see {}", self.logs.display());
            }
        }
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        for (_, child) in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts `command` with its output in a file.
pub(crate) fn spawn_logged(command: &mut Command, log: &Path) -> Result<Child> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| {
            format!(
                "cannot start {}; run `cargo xtask conformance --setup`",
                command.get_program().display()
            )
        })
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

fn api_server_arguments(directory: &Path) -> Vec<String> {
    let file = |name: &str| directory.join(name).display().to_string();
    vec![
        "--etcd-servers=http://127.0.0.1:2379".to_owned(),
        "--secure-port=6443".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        // It would look for the default route, and there is none.
        "--advertise-address=10.65.0.2".to_owned(),
        format!("--cert-dir={}", file("apiserver")),
        format!("--service-account-key-file={}", file("sa.pub")),
        format!("--service-account-signing-key-file={}", file("sa.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        // One client, which must never be made to wait its turn.
        "--enable-priority-and-fairness=false".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
    ]
}

fn envoy_gateway(network: &Network, program: &Path, kubeconfig: &Path) -> Command {
    let mut command = network.command(program);
    command
        .env("ENVOY_GATEWAY_NAMESPACE", SYSTEM_NAMESPACE)
        .env("KUBERNETES_CLUSTER_DOMAIN", "cluster.local")
        .env("KUBECONFIG", kubeconfig);
    command
}

/// Every extension API is on: which of them an output needs is the converter's to say.
fn configuration() -> Value {
    json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": { "controllerName": "gateway.envoyproxy.io/gatewayclass-controller" },
        "logging": { "level": { "default": "info" } },
        "provider": {
            "type": "Kubernetes",
            "kubernetes": {
                "leaderElection": { "disable": true },
                "client": { "rateLimit": { "qps": 1000, "burst": 2000 } },
            },
        },
        "extensionApis": {
            "enableBackend": true,
            "enableEnvoyPatchPolicy": true,
            "enableLua": true,
        },
    })
}

fn write_credentials(directory: &Path) -> Result<()> {
    let (private, public) = pki::signing_key()?;
    fs::write(directory.join("sa.key"), private)?;
    fs::write(directory.join("sa.pub"), public)?;
    fs::write(
        directory.join("tokens.csv"),
        format!("{TOKEN},admin,admin,\"system:masters\"\n"),
    )?;
    let kubeconfig = directory.join(KUBECONFIG);
    let value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "conformance",
        "contexts": [{ "name": "conformance", "context": { "cluster": "conformance", "user": "admin" } }],
        "clusters": [{
            "name": "conformance",
            "cluster": { "server": API_SERVER, "insecure-skip-tls-verify": true },
        }],
        "users": [{ "name": "admin", "user": { "token": TOKEN } }],
    });
    fs::write(&kubeconfig, value.to_string())?;
    Ok(())
}

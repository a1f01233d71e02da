//! Plays the plan of `gatewright plan` through: its own commands, on a real API server, with the
//! Ingress of the article and both proxies side by side.
//!
//! kubectl and helm are the real ones. Envoy Gateway is installed from its own chart, with the
//! values of the plan. What is not real: ingress-nginx ([`super::bystander`]), the kubelet (the
//! suite runs what the Deployments ask for, `kubectl logs` prints their logs, and hooks of charts
//! are left out), and DNS (a private `/etc/hosts`).

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::bystander::Bystander;
use super::cases::{self, Case};
use super::client::PORT_SHIFT;
use super::dns::NameServer;
use super::echo::Echo;
use super::envoy::{self, Envoy};
use super::inputs::prepare;
use super::kube::{ObjectRef, documents};
use super::namespace::{self, isolated};
use super::netlink::GATEWAY;
use super::pki::Pair;
use super::pool::claim_directory;
use super::relay::join;
use super::setup::Tools;
use super::stack::{SYSTEM_NAMESPACE, Stack};
use crate::blocks::{Block, blocks};
use crate::shell::{Ran, Shell};

/// The Ingress of the article.
const CASE: &str = "69-seed-article";
const HOST: &str = "api.69-seed-article.test";
/// The address of the old load balancer.
const OLD: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 80);
/// A block takes no longer than this.
const LIMIT: Duration = Duration::from_mins(5);

/// `cargo xtask conformance-rehearsal`, inside namespaces of its own.
#[derive(Debug, Args)]
pub(crate) struct RehearsalArguments {
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    converter: PathBuf,
}

/// Starts the rehearsal in namespaces of its own; whether it goes as the plan says.
pub(crate) fn run(tools: &Tools, converter: &Path) -> Result<bool> {
    let (directory, _lock) = claim_directory(tools)?;
    let status = isolated(&std::env::current_exe()?)
        .arg("conformance-rehearsal")
        .arg("--directory")
        .arg(&directory)
        .arg("--converter")
        .arg(converter)
        .status()
        .context("cannot run unshare; install util-linux")?;
    Ok(status.success())
}

/// The inside.
pub(crate) fn run_inside(arguments: &RehearsalArguments) -> Result<()> {
    let root = crate::repository_root();
    namespace::enter(&arguments.directory)?;
    // Both are in the tree of dependencies; rustls wants to be told which one is meant.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let begun = Instant::now();
    let mut rehearsal = Rehearsal::prepare(Tools::new(&root), arguments)?;
    rehearsal.play()?;
    println!(
        "plan: played through in {:.0?}: both side by side, switch, way back, delete",
        begun.elapsed()
    );
    Ok(())
}

/// The kubelet, as far as there is one.
struct Kubelet {
    tools: Tools,
    directory: PathBuf,
    stack: Stack,
    controller_runs: bool,
    envoy: Option<Envoy>,
}

struct Rehearsal {
    kubelet: Kubelet,
    shell: Shell,
    plan: Vec<Block>,
    bystander: Option<Bystander>,
    log: PathBuf,
    names: NameServer,
    _echo: Echo,
    _runtime: Arc<Runtime>,
}

impl Kubelet {
    /// Runs what the Deployments ask for.
    fn reconcile(&mut self) -> Result<()> {
        self.stack.check_alive()?;
        if !self.controller_runs {
            let path =
                format!("/apis/apps/v1/namespaces/{SYSTEM_NAMESPACE}/deployments/envoy-gateway");
            let Some(deployment) = self.stack.kube.get(&path)? else {
                return Ok(());
            };
            let path =
                format!("/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps/envoy-gateway-config");
            let Some(map) = self.stack.kube.get(&path)? else {
                return Ok(());
            };
            let config = map["data"]["envoy-gateway.yaml"]
                .as_str()
                .context("the chart's ConfigMap holds no envoy-gateway.yaml")?;
            self.stack
                .start_envoy_gateway(&self.tools, &self.directory, config)?;
            self.controller_runs = true;
            let object = ObjectRef::of(&json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": deployment["metadata"],
            }))
            .ok_or_else(|| anyhow!("the Deployment has no name"))?;
            let now = "2024-01-01T00:00:00Z";
            self.stack.kube.patch_status(
                &object,
                &json!({
                    "observedGeneration": deployment["metadata"]["generation"],
                    "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
                    "conditions": [{ "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                        "message": "", "lastUpdateTime": now, "lastTransitionTime": now }],
                }),
            )?;
        }
        envoy::reconcile(
            &self.stack.kube,
            &self.tools,
            &self.stack.logs,
            &mut self.envoy,
        )?;
        Ok(())
    }
}

impl Rehearsal {
    /// A cluster in which the Ingress is served, and the plan for it.
    fn prepare(tools: Tools, arguments: &RehearsalArguments) -> Result<Self> {
        let directory = &arguments.directory;
        let work = directory.join("work");
        fs::create_dir_all(&work)?;
        let case = case()?;
        let text = fs::read_to_string(case.input())?;
        fs::write(work.join("ingress.yaml"), &text)?;

        let runtime = Arc::new(Runtime::new()?);
        let stack = Stack::bare(&tools, directory)?;
        let names = NameServer::start(&runtime)?;
        let mut echo = Echo::new(Arc::clone(&runtime))?;
        let found = documents(&text)?;
        let input: Vec<Value> = found.iter().map(|(_, value)| value.clone()).collect();
        let _world = prepare(&stack.kube, &mut echo, &names, &input, &[])?;
        for value in input.iter().filter(|value| value["kind"] == "Ingress") {
            stack.kube.apply_own(value)?;
            let object = ObjectRef::of(value).ok_or_else(|| anyhow!("an Ingress without name"))?;
            let status = json!({ "loadBalancer": { "ingress": [{ "ip": OLD.to_string() }] } });
            stack.kube.patch_status(&object, &status)?;
        }
        let certificate = certificate(&stack)?;
        let authority = directory.join("authority.pem");
        fs::write(&authority, &certificate.certificate)?;
        let bystander = Bystander::start(&runtime, OLD, &case, text, &certificate)?;
        names.point(HOST, OLD);

        balance(&runtime)?;

        let log = directory.join("ingress-nginx.log");
        fs::write(&log, "")?;
        let programs = programs(&tools, directory, &log)?;
        let converter = arguments
            .converter
            .parent()
            .context("the converter has no directory")?;
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{path}", programs.display(), converter.display());
        let shell = Shell::start(&work, &directory.join("blocks"), |command| {
            command
                .env("PATH", &path)
                .env("KUBECONFIG", directory.join("kubeconfig"))
                .env("HOME", directory)
                .env("CURL_CA_BUNDLE", &authority);
        })?;
        let output = Command::new(&arguments.converter)
            .args(["plan", "ingress.yaml", "--output", "PLAN.md"])
            .current_dir(&work)
            .output()?;
        ensure!(
            output.status.success(),
            "gatewright plan: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let plan = blocks(&fs::read_to_string(work.join("PLAN.md"))?);
        let mut rehearsal = Self {
            kubelet: Kubelet {
                tools,
                directory: directory.clone(),
                stack,
                controller_runs: false,
                envoy: None,
            },
            shell,
            plan,
            bystander: Some(bystander),
            log,
            names,
            _echo: echo,
            _runtime: runtime,
        };
        rehearsal.install_the_old()?;
        Ok(rehearsal)
    }

    /// A release by the name of the controller's, so that there is one to remove.
    fn install_the_old(&mut self) -> Result<()> {
        let chart = self.kubelet.directory.join("charts/ingress-nginx");
        fs::create_dir_all(chart.join("templates"))?;
        fs::write(
            chart.join("Chart.yaml"),
            "apiVersion: v2\nname: ingress-nginx\nversion: 0.0.0\n",
        )?;
        fs::write(
            chart.join("templates/class.yaml"),
            "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n",
        )?;
        let command = format!(
            "helm install ingress-nginx '{}' --namespace ingress-nginx --create-namespace\n",
            chart.display()
        );
        self.must(&command).map(drop)
    }

    fn play(&mut self) -> Result<()> {
        for step in ["1.", "2.", "3.", "4.", "5."] {
            self.step(step)?;
        }
        self.values_are_in_force()?;
        println!("plan: both run side by side");
        let compared = self.compare()?;
        println!("plan: {compared} requests are answered alike at both addresses");

        self.moved_to(OLD)?;
        self.switch(GATEWAY)?;
        self.step("8.")?;
        println!("plan: the name has moved, and nothing came to the old address");

        self.switch(OLD)?;
        self.step("9.")?;
        self.moved_to(OLD)?;
        let old = self.served()?;
        ensure!(
            !old.is_empty(),
            "after the way back nothing came to the old address"
        );
        println!("plan: the way back leads to the old address, without the routes");

        self.step("5.")?;
        self.compare()?;
        self.switch(GATEWAY)?;
        let removal: Vec<Block> = self.of("10.");
        let at = removal
            .iter()
            .position(|block| block.info == "sh back")
            .context("step 10 has no way back")?;
        self.all(&removal[..at])?;
        ensure!(!self.is_ingress_there()?, "the Ingress is still there");
        self.moved_to(GATEWAY)?;
        self.must(&removal[at].text)?;
        ensure!(
            self.is_ingress_there()?,
            "the saved Ingress could not be made again"
        );
        self.all(&removal[..at])?;
        self.all(&removal[at + 1..])?;
        self.bystander = None;
        ensure!(
            self.kubelet
                .stack
                .kube
                .get("/apis/networking.k8s.io/v1/ingressclasses/nginx")?
                .is_none(),
            "the class of the old controller is still there"
        );
        self.moved_to(GATEWAY)?;
        println!("plan: Ingress and controller are gone, and the host is served");
        Ok(())
    }

    /// The blocks of commands of a step.
    fn of(&self, step: &str) -> Vec<Block> {
        let mut within = String::new();
        let mut found = Vec::new();
        for block in &self.plan {
            // Hosts have headings of their own below that of step 6.
            if block.heading.starts_with(|c: char| c.is_ascii_digit()) {
                within.clone_from(&block.heading);
            }
            if within.starts_with(step) && block.info.starts_with("sh") {
                found.push(block.clone());
            }
        }
        found
    }

    fn step(&mut self, step: &str) -> Result<String> {
        let found = self.of(step);
        ensure!(
            !found.is_empty(),
            "the plan has no commands for step {step}"
        );
        self.all(&found)
    }

    fn all(&mut self, blocks: &[Block]) -> Result<String> {
        let mut output = String::new();
        for block in blocks {
            let ran = self
                .must(&block.text)
                .with_context(|| format!("line {} of the plan", block.line))?;
            output.push_str(&ran.output);
        }
        Ok(output)
    }

    fn any(&mut self, commands: &str) -> Result<Ran> {
        let kubelet = &mut self.kubelet;
        self.shell.run(commands, LIMIT, || kubelet.reconcile())
    }

    fn must(&mut self, commands: &str) -> Result<Ran> {
        let ran = self.any(commands)?;
        if ran.code != 0 {
            bail!(
                "a command failed with {}:\n{commands}\n{}",
                ran.code,
                ran.output
            );
        }
        Ok(ran)
    }

    /// Step 6: every line has to say that both do the same. Listeners and endpoints come a moment
    /// after the routes.
    fn compare(&mut self) -> Result<usize> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut output = String::new();
            for block in self.of("6.") {
                output.push_str(&self.any(&block.text)?.output);
            }
            let same = output.lines().filter(|line| line.starts_with("same: "));
            let same = same.count();
            let others = output
                .lines()
                .filter(|line| line.starts_with("DIFFERENT: "));
            let others: Vec<&str> = others.collect();
            if others.is_empty() && same > 0 {
                return Ok(same);
            }
            if Instant::now() > deadline {
                bail!(
                    "step 6 finds differences, or nothing at all:\n{}",
                    others.join("\n")
                );
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Moves the name, as a change of DNS would, and looks where it leads.
    fn switch(&mut self, to: Ipv4Addr) -> Result<()> {
        self.names.point(HOST, to);
        self.served()?;
        self.moved_to(to)?;
        let old = self.served()?;
        ensure!(
            (to == OLD) != old.is_empty(),
            "the name leads to {to}, and to the old address came {old:?}"
        );
        Ok(())
    }

    /// Step 7's commands say that the name leads to an address, and that it serves.
    fn moved_to(&mut self, address: Ipv4Addr) -> Result<()> {
        let output = self.step("7.")?;
        let url = format!("https://{HOST}");
        let lines = output.lines().filter(|line| line.contains(&url));
        let lines: Vec<&str> = lines.collect();
        let wanted = format!("{address} ");
        ensure!(
            !lines.is_empty() && lines.iter().all(|line| line.starts_with(&wanted)),
            "the name should lead to {address}: {output}"
        );
        Ok(())
    }

    /// Requests that came to the old address; they stand in its log from now on.
    fn served(&mut self) -> Result<Vec<String>> {
        let Some(bystander) = &self.bystander else {
            return Ok(Vec::new());
        };
        let served = bystander.take_served()?;
        let mut log = fs::read_to_string(&self.log)?;
        for line in &served {
            let _ = writeln!(log, "{line}");
        }
        fs::write(&self.log, log)?;
        Ok(served)
    }

    fn is_ingress_there(&self) -> Result<bool> {
        let path = "/apis/networking.k8s.io/v1/namespaces/production/ingresses/api-ingress";
        Ok(self.kubelet.stack.kube.get(path)?.is_some())
    }

    /// Envoy Gateway runs with the extension APIs of the plan and no others.
    fn values_are_in_force(&mut self) -> Result<()> {
        let path = format!("/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps/envoy-gateway-config");
        let map = self.kubelet.stack.kube.get(&path)?.unwrap_or_default();
        let text = map["data"]["envoy-gateway.yaml"]
            .as_str()
            .unwrap_or_default();
        let config: Value = serde_yaml::from_str(text)?;
        let wanted = self.plan.iter().find_map(|block| {
            let values = block.text.split_once("<<'YAML'\n")?.1;
            serde_yaml::from_str::<Value>(values.split_once("\nYAML")?.0).ok()
        });
        let wanted = wanted.unwrap_or_default()["config"]["envoyGateway"]["extensionApis"].take();
        let given = &config["extensionApis"];
        let is_empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
        ensure!(
            *given == wanted || is_empty(given) && is_empty(&wanted),
            "the plan asks for {wanted}, and Envoy Gateway has {given}"
        );
        Ok(())
    }
}

fn case() -> Result<Case> {
    let directory = crate::repository_root().join("testdata/behaviour");
    cases::discover(&directory, &[CASE.to_owned()])?
        .into_iter()
        .next()
        .with_context(|| format!("there is no case {CASE}"))
}

fn certificate(stack: &Stack) -> Result<Pair> {
    let path = "/api/v1/namespaces/production/secrets/api-tls-secret";
    let secret = stack
        .kube
        .get(path)?
        .context("the Secret of the Ingress is not there")?;
    let part = |key: &str| -> Result<String> {
        let data = secret["data"][key].as_str().unwrap_or_default();
        Ok(String::from_utf8(BASE64.decode(data)?)?)
    };
    Ok(Pair {
        certificate: part("tls.crt")?,
        key: part("tls.key")?,
    })
}

/// The load balancer of the Gateway: its Service leads from these ports to those of the pod.
fn balance(runtime: &Runtime) -> Result<()> {
    for port in [80, 443] {
        let listener = runtime
            .block_on(TcpListener::bind((GATEWAY, port)))
            .with_context(|| format!("cannot listen on {GATEWAY}:{port}"))?;
        runtime.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let far = TcpStream::connect((GATEWAY, port + PORT_SHIFT)).await?;
                    join(near, far).await
                });
            }
        });
    }
    Ok(())
}

/// kubectl, helm and dig, as far as this cluster needs other ones.
fn programs(tools: &Tools, directory: &Path, log: &Path) -> Result<PathBuf> {
    let programs = directory.join("programs");
    fs::create_dir_all(&programs)?;
    let real = tools.binary("kubectl");
    // Logs of pods are the suite's, and programs that are built from their modules do not know
    // the version that a release writes into them, which `kubectl version` complains of.
    let kubectl = format!(
        "#!/usr/bin/env bash\ncase \"$*\" in\n  logs*--container\\ envoy*) exec cat '{}' ;;\n  logs*) exec cat '{}' ;;\n  version*) '{real}' \"$@\"; exit 0 ;;\nesac\nexec '{real}' \"$@\"\n",
        directory.join("logs/envoy.log").display(),
        log.display(),
        real = real.display(),
    );
    let helm = format!(
        "#!/usr/bin/env bash\n# The charts of the release, from its Go module; hooks would wait for a kubelet.\nwords=()\nfor word; do\n  words+=(\"${{word/#oci:\\/\\/docker.io\\/envoyproxy/{}}}\")\ndone\n[ \"$1\" = upgrade ] && words+=(--no-hooks)\nexec '{}' \"${{words[@]}}\"\n",
        tools.charts().display().to_string().replace('/', "\\/"),
        tools.binary("helm").display(),
    );
    let dig = "#!/usr/bin/env bash\n# The private /etc/hosts is what there is of DNS.\nawk -v name=\"${@: -1}\" '$2 == name { print name \". 60 IN A \" $1 }' /etc/hosts\n";
    for (name, text) in [("kubectl", kubectl.as_str()), ("helm", &helm), ("dig", dig)] {
        let path = programs.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(programs)
}

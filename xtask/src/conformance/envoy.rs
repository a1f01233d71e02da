//! The data plane: an Envoy for the Deployment that Envoy Gateway makes for a Gateway.
//!
//! No kubelet runs here, so the suite does what one would do: it takes arguments, `ConfigMap` and
//! Secret of the Deployment, runs the container's program and reports the Deployment available.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};

use super::kube::{Kube, ObjectRef};
use super::netlink::GATEWAY;
use super::setup::Tools;
use super::stack::{SYSTEM_NAMESPACE, spawn_logged};

/// The name of Envoy Gateway in the bootstrap configuration, with or without the final dot.
const CONTROLLER: &str = "envoy-gateway.envoy-gateway-system.svc.cluster.local";

const ADMIN: &str = "127.0.0.1:19100";

/// The Envoy of one Gateway.
pub(crate) struct Envoy {
    deployment: String,
    /// What it was started with: a change means another pod.
    arguments: Vec<String>,
    child: Child,
}

impl Envoy {
    /// Whether the process still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays kubelet and load balancer: keeps `running` what the one Deployment asks for.
///
/// Returns whether anything had to be done. More than one Gateway would need the same ports twice.
pub(crate) fn reconcile(
    kube: &Kube,
    tools: &Tools,
    logs: &Path,
    running: &mut Option<Envoy>,
) -> Result<bool> {
    let deployments = infrastructure(kube, "apis/apps/v1", "deployments")?;
    let [deployment] = deployments.as_slice() else {
        let had = running.take().is_some();
        if deployments.len() > 1 {
            bail!(
                "{} Gateways at once; the suite serves one at a time",
                deployments.len()
            );
        }
        return Ok(had);
    };
    let mut has_acted = false;
    let object = reference("apps/v1", "Deployment", deployment)?;
    let arguments = container_arguments(deployment)?;
    let is_current = running.as_mut().is_some_and(|envoy| {
        envoy.deployment == object.name && envoy.arguments == arguments && envoy.is_alive()
    });
    if !is_current {
        has_acted = true;
        *running = None;
        copy_config_map(kube, &object.name)?;
        let log = logs.join("envoy.log");
        let child = spawn_logged(Command::new(tools.binary("envoy")).args(&arguments), &log)?;
        let envoy = running.insert(Envoy {
            deployment: object.name.clone(),
            arguments,
            child,
        });
        wait_until_live(&mut envoy.child, &log)?;
    }
    if deployment["status"]["availableReplicas"] != json!(1) {
        has_acted = true;
        let now = "2024-01-01T00:00:00Z";
        let status = json!({
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": [{ "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "message": "", "lastUpdateTime": now, "lastTransitionTime": now }],
        });
        kube.patch_status(&object, &status)?;
    }
    for service in infrastructure(kube, "api/v1", "services")? {
        if service["status"]["loadBalancer"]["ingress"].is_null() {
            has_acted = true;
            let status = json!({ "loadBalancer": { "ingress": [{ "ip": GATEWAY.to_string() }] } });
            kube.patch_status(&reference("v1", "Service", &service)?, &status)?;
        }
    }
    Ok(has_acted)
}

fn infrastructure(kube: &Kube, group: &str, plural: &str) -> Result<Vec<Value>> {
    // Labelled by Envoy Gateway; its own Deployment and Service do not exist here.
    kube.list(&format!(
        "/{group}/namespaces/{SYSTEM_NAMESPACE}/{plural}?labelSelector=app.kubernetes.io/managed-by%3Denvoy-gateway,app.kubernetes.io/component%3Dproxy"
    ))
}

fn reference(api_version: &str, kind: &str, value: &Value) -> Result<ObjectRef> {
    Ok(ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: SYSTEM_NAMESPACE.to_owned(),
        name: value["metadata"]["name"]
            .as_str()
            .ok_or_else(|| anyhow!("{kind} without name"))?
            .to_owned(),
    })
}

/// The arguments of container `envoy`, with the paths and ports of a pod put to ours.
fn container_arguments(deployment: &Value) -> Result<Vec<String>> {
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    let container = containers
        .as_array()
        .into_iter()
        .flatten()
        .find(|container| container["name"] == "envoy")
        .ok_or_else(|| anyhow!("the Deployment has no container named envoy"))?;
    let mut arguments = Vec::new();
    for argument in container["args"].as_array().into_iter().flatten() {
        let argument = argument.as_str().unwrap_or_default();
        if argument == "--cpuset-threads" {
            continue;
        }
        arguments.push(
            argument
                .replace("$(ENVOY_POD_NAME)", "envoy")
                .replace("$(ENVOY_SERVICE_ZONE)", "zone")
                .replace("/certs/", "/envoy-certs/")
                // Envoy Gateway itself has these two on the same loopback.
                .replace("port_value: 19000", "port_value: 19100")
                .replace("port_value: 19001", "port_value: 19101")
                // Endpoints of the Envoys of a zone, which nobody tells here: not worth its 15 seconds.
                .replace(
                    "eds_config:\n        ads: {}\n",
                    "eds_config:\n        ads: {}\n        initial_fetch_timeout: 1s\n",
                )
                // The only names in there are those of Envoy Gateway, which is next door.
                .replace("type: STRICT_DNS", "type: STATIC")
                .replace(&format!("{CONTROLLER}."), "127.0.0.1")
                .replace(CONTROLLER, "127.0.0.1"),
        );
    }
    arguments.extend(["--concurrency", "2", "--base-id", "0"].map(str::to_owned));
    Ok(arguments)
}

/// `/sds` of the pod: two files that point Envoy at its certificates.
fn copy_config_map(kube: &Kube, name: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps/{name}");
    let Some(map) = kube.get(&path)? else {
        bail!("no ConfigMap {name}")
    };
    for (file, text) in map["data"].as_object().into_iter().flatten() {
        let text = text
            .as_str()
            .unwrap_or_default()
            .replace("/certs/", "/envoy-certs/");
        fs::write(Path::new("/sds").join(file), text)?;
    }
    Ok(())
}

fn wait_until_live(child: &mut Child, log: &Path) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !admin("/ready").is_ok_and(|text| text.contains("LIVE")) {
        if child.try_wait()?.is_some() || Instant::now() > deadline {
            bail!("Envoy is not live; see {}", log.display());
        }
        sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// GET of Envoy's administration interface, headers included.
pub(crate) fn admin(path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(ADMIN).context("Envoy does not listen")?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// How often Envoy took and refused configuration, and what it has in work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Updates {
    lines: Vec<(String, u64)>,
}

impl Updates {
    pub(crate) fn read() -> Result<Self> {
        let filter = "(update_success|update_rejected|warming_clusters|total_listeners_warming|ssl_context_update_by_sds|init_fetch_timeout)$";
        let text = admin(&format!("/stats?usedonly&filter={filter}"))?;
        let mut lines = Vec::new();
        for line in text.lines() {
            if let Some((name, value)) = line.rsplit_once(": ")
                && let Ok(value) = value.trim().parse()
            {
                lines.push((name.to_owned(), value));
            }
        }
        Ok(Self { lines })
    }

    pub(crate) fn is_warming(&self) -> bool {
        self.lines
            .iter()
            .any(|(name, value)| name.contains("warming") && *value > 0)
    }

    /// Which kinds of configuration were refused since `before`.
    pub(crate) fn refused_since(&self, before: &Self) -> Vec<String> {
        self.lines
            .iter()
            .filter(|(name, value)| {
                let earlier = before
                    .lines
                    .iter()
                    .find(|(other, _)| other == name)
                    .map_or(0, |(_, v)| *v);
                name.ends_with("update_rejected") && *value > earlier
            })
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// Waits until Envoy has taken no configuration for a while and has none in work.
pub(crate) fn settle(quiet: Duration, limit: Duration) -> Result<Updates> {
    let deadline = Instant::now() + limit;
    let mut last = Updates::read()?;
    let mut since = Instant::now();
    loop {
        sleep(Duration::from_millis(50));
        let now = Updates::read()?;
        if now != last || now.is_warming() {
            last = now;
            since = Instant::now();
        } else if since.elapsed() >= quiet {
            return Ok(last);
        }
        if Instant::now() > deadline {
            return Ok(last);
        }
    }
}

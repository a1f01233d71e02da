//! `--cluster` against a real API server, with the `ClusterRole` of `docs/` in force.
//!
//! Objects of recorded cases are applied, and every command has to say of the cluster what it says
//! of a file with the same objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::kube::{Kube, ObjectRef, documents};
use super::stack::{API_SERVER, Stack, namespace};

/// Users, certificates of clients, TLS to backends, headers from `ConfigMap`s, global settings.
const CASES: [&str; 9] = [
    "101-basic-auth-hashes",
    "102-basic-auth-map",
    "104-basic-auth-secret-trouble",
    "106-basic-auth-with-tls",
    "118-satisfy-ip-basic",
    "123-ip-lists-global",
    "126-mtls-required",
    "157-proxy-ssl",
    "159-custom-headers",
];
/// What a conversion reads.
const KINDS: [(&str, &str); 7] = [
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("v1", "Service"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
];
const ROLE: &str = "docs/cluster-role.yaml";
const ACCOUNTS: &str = "gatewright-live";

/// What a run of the program gave.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: i32,
    out: String,
    err: String,
}

struct Live<'a> {
    kube: &'a Kube,
    converter: &'a Path,
    directory: PathBuf,
    authority: PathBuf,
}

/// Runs all of it; the errors say which step is not as it should be.
pub(crate) fn check(stack: &Stack, converter: &Path, directory: &Path, root: &Path) -> Result<()> {
    let live = Live {
        kube: &stack.kube,
        converter,
        directory: directory.join("live"),
        authority: directory.join("apiserver/apiserver.crt"),
    };
    fs::create_dir_all(&live.directory)?;
    live.fill(root)?;
    let before = live.versions()?;
    let role = fs::read_to_string(root.join(ROLE))?;
    let role: Value = documents(&role)?.remove(0).1;
    let reader = live.account("reader", &role)?;
    let files = live.dump("all.json", |_| true)?;
    live.same(&reader, &files).context("the same as of files")?;
    live.right(&reader, &files).context("what exists")?;
    live.namespaces(&reader).context("one namespace")?;
    live.withheld(&role, &files)
        .context("roles that hold less")?;
    live.logins(&reader).context("logins")?;
    live.several(&reader).context("several controllers")?;
    // What was applied since is the suite's.
    let after = live.versions()?;
    let changed: Vec<&String> = before
        .iter()
        .filter(|(name, version)| after.get(*name) != Some(*version))
        .map(|(name, _)| name)
        .collect();
    ensure!(changed.is_empty(), "something was written: {changed:?}");
    Ok(())
}

impl Live<'_> {
    /// The objects of the cases, and a controller with flags.
    fn fill(&self, root: &Path) -> Result<()> {
        let certificate = "--default-ssl-certificate=p106/cert";
        let mut objects = vec![controller("ingress-nginx", "edge", &[certificate])];
        for case in CASES {
            let path = root
                .join("testdata/behaviour")
                .join(case)
                .join("input.yaml");
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            objects.extend(documents(&text)?.into_iter().map(|(_, value)| value));
        }
        let namespaces: BTreeSet<&str> = objects
            .iter()
            .filter_map(|object| object["metadata"]["namespace"].as_str())
            .collect();
        for name in namespaces.into_iter().chain([ACCOUNTS]) {
            self.kube.apply_own(&namespace(name))?;
        }
        for object in &mut objects {
            if let Some(metadata) = object["metadata"].as_object_mut() {
                // The server's own.
                metadata.remove("creationTimestamp");
            }
            self.kube.apply_own(object)?;
        }
        Ok(())
    }

    /// The version of everything that is read.
    fn versions(&self) -> Result<BTreeMap<String, String>> {
        let mut versions = BTreeMap::new();
        for (version, kind) in KINDS {
            for object in self.kube.list_kind(version, kind)? {
                let metadata = &object["metadata"];
                let of = |key: &str| metadata[key].as_str().unwrap_or_default().to_owned();
                // Envoy Gateway keeps things of its own.
                if of("namespace") != super::stack::SYSTEM_NAMESPACE {
                    let name = format!("{kind}/{}/{}", of("namespace"), of("name"));
                    versions.insert(name, of("resourceVersion"));
                }
            }
        }
        Ok(versions)
    }

    /// All objects of some kinds in a file, as `kubectl get -A -o json` prints them.
    fn dump(&self, name: &str, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
        let mut items = Vec::new();
        for (version, kind) in KINDS.into_iter().filter(|(_, kind)| wanted(kind)) {
            for mut object in self.kube.list_kind(version, kind)? {
                if object["metadata"]["namespace"] == super::stack::SYSTEM_NAMESPACE {
                    continue;
                }
                object["apiVersion"] = json!(version);
                object["kind"] = json!(kind);
                items.push(object);
            }
        }
        ensure!(items.len() > 30, "only {} objects", items.len());
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        let path = self.directory.join(name);
        fs::write(&path, serde_json::to_string_pretty(&list)?)?;
        Ok(path)
    }

    /// A kubeconfig of a new service account with `role`.
    fn account(&self, name: &str, role: &Value) -> Result<PathBuf> {
        let mut role = role.clone();
        role["metadata"]["name"] = json!(name);
        self.kube.apply_own(&role)?;
        self.kube.apply_own(&json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": name, "namespace": ACCOUNTS },
        }))?;
        self.kube.apply_own(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": ACCOUNTS }],
        }))?;
        let answer = self.kube.create(
            &format!("/api/v1/namespaces/{ACCOUNTS}/serviceaccounts/{name}/token"),
            &json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} }),
        )?;
        let token = answer["status"]["token"].as_str();
        let token = token.ok_or_else(|| anyhow!("no token for {name}"))?;
        self.kubeconfig(name, token, true)
    }

    fn kubeconfig(&self, name: &str, token: &str, trusted: bool) -> Result<PathBuf> {
        let mut cluster = json!({ "server": API_SERVER });
        if trusted {
            cluster["certificate-authority"] = json!(self.authority);
        }
        let value = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "live",
            "contexts": [{ "name": "live", "context": { "cluster": "live", "user": "live", "namespace": "p106" } }],
            "clusters": [{ "name": "live", "cluster": cluster }],
            "users": [{ "name": "live", "user": { "token": token } }],
        });
        let path = self.directory.join(format!("{name}.kubeconfig"));
        fs::write(&path, value.to_string())?;
        Ok(path)
    }

    fn run(&self, kubeconfig: &Path, arguments: &[&str]) -> Result<Outcome> {
        let output = Command::new(self.converter)
            .args(arguments)
            .args(["--no-config", "--color", "never"])
            .current_dir(&self.directory)
            .env("KUBECONFIG", kubeconfig)
            .output()
            .with_context(|| self.converter.display().to_string())?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let outcome = Outcome {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        ensure!(
            !outcome.err.contains("internal error"),
            "{arguments:?}: {}",
            outcome.err
        );
        Ok(outcome)
    }

    /// Every command says of the cluster what it says of the file.
    fn same(&self, reader: &Path, files: &Path) -> Result<()> {
        let file = files.display().to_string();
        let convert = |source: &[&str]| {
            let arguments = ["convert", "--no-comments", "--quiet"];
            self.run(reader, &[&arguments, source].concat())
        };
        let of_files = convert(&[&file])?;
        ensure!(
            of_files.out.contains("kind: SecurityPolicy"),
            "{of_files:?}"
        );
        for more in [&[][..], &["--chunk-size", "2"]] {
            let live = convert(&[&["--cluster", "-A"], more].concat())?;
            ensure!(
                live.out == of_files.out,
                "convert {more:?} differs: {}",
                live.err
            );
            ensure!(
                live.code == of_files.code,
                "exit {}: {}",
                live.code,
                live.err
            );
            ensure!(!live.err.contains("GW095"), "{}", live.err);
        }
        fs::write(self.directory.join("converted.yaml"), &of_files.out)?;

        let check = |source: &[&str]| -> Result<(i32, BTreeMap<String, usize>)> {
            let arguments = ["check", "--format", "json"];
            let outcome = self.run(reader, &[&arguments, source].concat())?;
            let report: Value = serde_json::from_str(&outcome.err)
                .or_else(|_| serde_json::from_str(&outcome.out))
                .with_context(|| format!("{outcome:?}"))?;
            let mut counts = BTreeMap::new();
            for found in report["diagnostics"].as_array().into_iter().flatten() {
                let line = format!(
                    "{} {} {}",
                    found["code"], found["object"], found["annotation"]
                );
                *counts.entry(line).or_default() += 1;
            }
            Ok((outcome.code, counts))
        };
        let (of_files, live) = (check(&[&file])?, check(&["--cluster", "-A"])?);
        ensure!(of_files.1.len() > 5, "{of_files:?}");
        ensure!(live == of_files, "check: {live:?}, of files {of_files:?}");

        let audit = |source: &[&str]| -> Result<Value> {
            let arguments = ["audit", "--format", "json"];
            let outcome = self.run(reader, &[&arguments, source].concat())?;
            let report: Value = serde_json::from_str(&outcome.out).context("audit")?;
            Ok(report["ingresses"].clone())
        };
        let (of_files, live) = (audit(&[&file])?, audit(&["--cluster", "-A"])?);
        ensure!(
            placeless(&live) == placeless(&of_files),
            "audit: {live}, of files {of_files}"
        );
        ensure!(
            of_files.as_array().is_some_and(|list| list.len() > 10),
            "{of_files}"
        );

        let route = |source: &[&str]| {
            let request = "GET http://shop.basic-auth-with-tls.test/";
            self.run(reader, &[&["route"], source, &[request]].concat())
        };
        let (of_files, live) = (route(&[&file])?, route(&["--cluster", "-A"])?);
        ensure!(
            live.code == of_files.code,
            "route: {live:?}, of files {of_files:?}"
        );
        let outcomes = |outcome: &Outcome| -> Vec<String> {
            let lines = outcome.out.lines().map(str::trim);
            lines
                .filter(|line| line.starts_with("outcome"))
                .map(str::to_owned)
                .collect()
        };
        ensure!(
            outcomes(&live) == outcomes(&of_files) && outcomes(&live).len() == 2,
            "{live:?}"
        );
        Ok(())
    }

    /// `diff` and `verify` with what exists, before and after the output is applied.
    fn right(&self, reader: &Path, files: &Path) -> Result<()> {
        let file = files.display().to_string();
        let nothing = self.run(reader, &["verify", "--cluster", "-A"])?;
        ensure!(
            nothing.code == 2 && nothing.err.contains("holds no object"),
            "{nothing:?}"
        );
        let new = self.run(reader, &["diff", "--cluster", "-A", "--semantic"])?;
        ensure!(
            new.code == 1 && new.out.contains("SecurityPolicy"),
            "{new:?}"
        );

        let text = fs::read_to_string(self.directory.join("converted.yaml"))?;
        let mut applied = Vec::new();
        for (text, value) in documents(&text)? {
            let object = ObjectRef::of(&value).ok_or_else(|| anyhow!("{text}"))?;
            if object.namespace == "gateway-infra" {
                self.kube.apply_own(&namespace("gateway-infra"))?;
            }
            if let Err(refusal) = self.kube.apply(&object, &text)? {
                bail!("{object}: {refusal}");
            }
            applied.push((object, text));
        }
        for source in [&["--cluster", "-A"][..], &[&file, "--cluster", "-A"]] {
            let same = self.run(reader, &[&["diff", "--semantic"], source].concat())?;
            ensure!(
                same.code == 0 && same.out.is_empty(),
                "diff {source:?}: {same:?}"
            );
        }
        let verify = |source: &[&str]| -> Result<(i32, Value)> {
            let outcome = self.run(reader, &[&["verify", "--format", "json"], source].concat())?;
            let report: Value = serde_json::from_str(&outcome.out)
                .with_context(|| format!("verify {source:?}: {outcome:?}"))?;
            let verdicts: Vec<Value> = report["hosts"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|host| {
                    json!([
                        host["name"],
                        host["verdict"],
                        host["differences"].as_array().map(Vec::len)
                    ])
                })
                .collect();
            ensure!(verdicts.len() > 10, "{report}");
            Ok((outcome.code, Value::from(verdicts)))
        };
        let of_files = verify(&[&file])?;
        for source in [&["--cluster", "-A"][..], &[&file, "--cluster", "-A"]] {
            let live = verify(source)?;
            ensure!(
                live == of_files,
                "verify {source:?}: {live:?}, of files {of_files:?}"
            );
        }

        // Somebody takes a protection away.
        let (policy, text) = applied
            .iter()
            .find(|(object, text)| object.kind == "SecurityPolicy" && text.contains("basicAuth"))
            .ok_or_else(|| anyhow!("no policy with passwords"))?;
        self.kube.delete(policy)?;
        let name = format!("SecurityPolicy {}/{}", policy.namespace, policy.name);
        let changed = self.run(reader, &["diff", "--cluster", "-A", "--semantic"])?;
        ensure!(
            changed.code == 1 && changed.out.contains(&name),
            "{changed:?}"
        );
        let open = self.run(reader, &["verify", "--cluster", "-A"])?;
        ensure!(open.code == 1 && open.err.contains("GW0942"), "{open:?}");
        if let Err(refusal) = self.kube.apply(policy, text)? {
            bail!("{policy}: {refusal}");
        }
        Ok(())
    }

    /// The namespace of the context, another one, and one that holds nothing.
    fn namespaces(&self, reader: &Path) -> Result<()> {
        let convert = |more: &[&str]| {
            self.run(
                reader,
                &[&["convert", "--cluster", "--no-comments"], more].concat(),
            )
        };
        let own = convert(&[])?;
        ensure!(own.out.contains("shop.basic-auth-with-tls.test"), "{own:?}");
        ensure!(!own.out.contains("basic-auth-map"), "{own:?}");
        let named = convert(&["-n", "p106"])?;
        ensure!(named == own, "{named:?}, by context {own:?}");
        let other = convert(&["-n", "p102"])?;
        ensure!(
            other.out.contains("basic-auth-map") && !other.out.contains("with-tls"),
            "{other:?}"
        );
        let empty = convert(&["-n", "nobody"])?;
        ensure!(
            empty.out.is_empty() && empty.err.contains("holds no Ingress"),
            "{empty:?}"
        );
        Ok(())
    }

    /// Roles without one thing: an error names it, and nothing opens.
    fn withheld(&self, role: &Value, files: &Path) -> Result<()> {
        let without = |name: &str, resource: &str| {
            let mut role = role.clone();
            for rule in role["rules"].as_array_mut().into_iter().flatten() {
                if let Some(list) = rule["resources"].as_array_mut() {
                    list.retain(|known| known != resource);
                }
            }
            if let Some(rules) = role["rules"].as_array_mut() {
                rules.retain(|rule| rule["resources"] != json!([]));
            }
            self.account(name, &role)
        };
        let convert = ["convert", "--cluster", "-A", "--no-comments"];
        // Without these nothing is known of anything.
        for resource in ["ingresses", "configmaps", "deployments"] {
            let account = without(&format!("without-{resource}"), resource)?;
            let outcome = self.run(&account, &convert)?;
            let told = outcome.err.contains("GW0953") && outcome.err.contains(resource);
            ensure!(
                outcome.code == 2 && told && outcome.out.is_empty(),
                "{resource}: {outcome:?}"
            );
        }
        // Who names the ConfigMap need not be allowed to look for the controller.
        let account = without("without-deployments", "deployments")?;
        let named = [
            "--controller-config",
            "ingress-nginx/ingress-nginx-controller",
        ];
        let outcome = self.run(&account, &[&convert[..], &named].concat())?;
        ensure!(!outcome.out.is_empty() && outcome.code < 2, "{outcome:?}");
        ensure!(outcome.err.contains("warning[GW0953]"), "{outcome:?}");
        for resource in ["services", "ingressclasses"] {
            let account = without(&format!("without-{resource}"), resource)?;
            let outcome = self.run(&account, &convert)?;
            let told = outcome.err.contains("GW0953") && outcome.err.contains(resource);
            ensure!(
                outcome.code == 2 && told && !outcome.out.is_empty(),
                "{resource}: {outcome:?}"
            );
        }
        let account = without("without-routes", "httproutes")?;
        for command in ["diff", "verify"] {
            let outcome = self.run(&account, &[command, "--cluster", "-A"])?;
            let told = outcome.err.contains("GW0953") && outcome.err.contains("httproutes");
            ensure!(
                outcome.code == 2 && told && outcome.out.is_empty(),
                "{outcome:?}"
            );
        }

        let account = without("without-secrets", "secrets")?;
        let outcome = self.run(&account, &convert)?;
        ensure!(outcome.code == 2, "{outcome:?}");
        for namespace in ["p101", "p102", "p104", "p106", "p126", "p157"] {
            let message = format!("in namespace `{namespace}`");
            ensure!(
                outcome.err.contains(&message),
                "no word of {namespace}: {}",
                outcome.err
            );
        }
        ensure!(
            !outcome.out.contains(".htpasswd"),
            "users from nowhere: {}",
            outcome.out
        );
        // A Secret that may not be read is one that nobody has looked for.
        let unasked = self.dump("unasked.json", |kind| kind != "Secret")?;
        let unasked = unasked.display().to_string();
        let of_files = self.run(&account, &["convert", "--no-comments", &unasked])?;
        ensure!(
            outcome.out == of_files.out,
            "not what files without Secrets give"
        );
        let blind = self.directory.join("blind.yaml");
        fs::write(&blind, &outcome.out)?;
        let (file, blind) = (files.display().to_string(), blind.display().to_string());
        let judged = self.run(
            &account,
            &["verify", &file, "--against", &blind, "--format", "json"],
        )?;
        let report: Value = serde_json::from_str(&judged.out).context("verify")?;
        let differences = report["hosts"].as_array().into_iter().flatten();
        let differences =
            differences.flat_map(|host| host["differences"].as_array().into_iter().flatten());
        // What asks for a Secret that nobody has made lets nobody through.
        let asks = |found: &Value| {
            let does = found["envoy"]["does"].as_str().unwrap_or_default();
            does.contains("asks for a password") || does.contains("with certificate")
        };
        let open: Vec<&Value> = differences
            .filter(|found| found["class"] == "more open" && !asks(found))
            .collect();
        ensure!(open.is_empty(), "more open without Secrets: {open:?}");
        ensure!(
            report["hosts"]
                .as_array()
                .is_some_and(|hosts| hosts.len() > 10),
            "{report}"
        );
        // Nothing of what the Secrets hold is in what is said of the cluster.
        let reader = self.account("reader", role)?;
        let all = self.run(&reader, &["check", "--cluster", "-A", "--format", "json"])?;
        for secret in ["YWxpY2U6", "$apr1$pepper", "w3QkzGJswDXW5OKZHAJw0FELjfM"] {
            let said = format!("{}{}", all.out, all.err);
            ensure!(!said.contains(secret), "{secret} is told");
        }
        Ok(())
    }

    /// A second controller, and something else that a move touches.
    fn several(&self, reader: &Path) -> Result<()> {
        self.kube.apply_own(&namespace("internal"))?;
        self.kube.apply_own(&controller(
            "internal",
            "inside",
            &["--ingress-class=inside"],
        ))?;
        self.kube.apply_own(&json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": { "name": "from-edge", "namespace": "p106" },
            "spec": {
                "podSelector": {},
                "ingress": [{ "from": [{ "namespaceSelector": {
                    "matchLabels": { "kubernetes.io/metadata.name": "ingress-nginx" },
                } }] }],
            },
        }))?;
        let convert = ["convert", "--cluster", "-A", "--no-comments"];
        let both = self.run(reader, &convert)?;
        let told = both.err.contains("GW0956") && both.err.contains("Deployment/internal/inside");
        ensure!(both.code == 2 && told && both.out.is_empty(), "{both:?}");
        for choice in [
            ["--ingress-class", "nginx"],
            [
                "--controller-config",
                "ingress-nginx/ingress-nginx-controller",
            ],
        ] {
            let one = self.run(reader, &[&convert[..], &choice].concat())?;
            ensure!(
                one.code < 2 && one.out.contains("kind: HTTPRoute"),
                "{one:?}"
            );
        }
        let other = self.run(
            reader,
            &[&convert[..], &["--ingress-class", "inside"]].concat(),
        )?;
        ensure!(
            other.out.is_empty() && !other.err.contains("GW0956"),
            "{other:?}"
        );
        let audit = [
            "audit",
            "--cluster",
            "-n",
            "p106",
            "--ingress-class",
            "nginx",
        ];
        let audit = self.run(reader, &audit)?;
        ensure!(
            audit.out.contains("NetworkPolicy p106/from-edge"),
            "{audit:?}"
        );
        Ok(())
    }

    /// A token that is none, a server that nobody vouches for, an address where nobody is.
    fn logins(&self, reader: &Path) -> Result<()> {
        let check = ["check", "--cluster"];
        let stranger = self.kubeconfig("stranger", "nonsense", true)?;
        let outcome = self.run(&stranger, &check)?;
        ensure!(
            outcome.code == 2 && outcome.err.contains("GW0951"),
            "{outcome:?}"
        );
        let distrust = self.kubeconfig("distrust", "nonsense", false)?;
        let outcome = self.run(&distrust, &check)?;
        let told = outcome.err.contains("GW0952") && outcome.err.contains("certificate-authority");
        ensure!(outcome.code == 2 && told, "{outcome:?}");
        let outcome = self.run(reader, &[&check[..], &["--context", "lives"]].concat())?;
        let told = outcome.err.contains("GW0950") && outcome.err.contains("did you mean `live`?");
        ensure!(outcome.code == 2 && told, "{outcome:?}");
        Ok(())
    }
}

/// A workload that runs a controller.
fn controller(namespace: &str, name: &str, flags: &[&str]) -> Value {
    let own = [
        "/nginx-ingress-controller",
        "--configmap=$(POD_NAMESPACE)/ingress-nginx-controller",
    ];
    let arguments = [&own, flags].concat();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{
                    "name": "controller",
                    "image": "registry.k8s.io/ingress-nginx/controller:v1.15.1",
                    "args": arguments,
                }] },
            },
        },
    })
}

/// A report without the places of what it speaks of, which are those of files on one side.
fn placeless(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(placeless).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "place" | "file" | "line" | "column"))
            .map(|(key, field)| (key.clone(), placeless(field)))
            .collect(),
        other => other.clone(),
    }
}

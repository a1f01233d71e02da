//! What `gatewright sync` does to files that are there already.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scratch;

use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::Output;
use std::time::SystemTime;

use scratch::Scratch;

const CONFIG: &str = r#"
[[sync]]
from = ["apps"]
to = "{path}/gateway.yaml"
"#;

/// A directory with a configuration.
struct Project(Scratch);

impl Project {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let project = Self(Scratch::new(name));
        project.put("gatewright.toml", CONFIG);
        for (path, text) in files {
            project.put(path, text);
        }
        project
    }

    fn run(&self, directory: &str, args: &[&str]) -> Output {
        let mut command = self.command(directory, &["sync"]);
        command.args(args).output().unwrap()
    }

    /// Runs `sync`, which has to end well; what it said of files.
    fn sync(&self) -> Vec<String> {
        let output = self.run("", &["--format", "concise"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said.lines()
            .filter(|line| line.starts_with("wrote") || line.starts_with("removed"))
            .map(str::to_owned)
            .collect()
    }

    fn changed(&self, name: &str) -> SystemTime {
        fs::metadata(self.path(name)).unwrap().modified().unwrap()
    }
}

impl Deref for Project {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.0
    }
}

fn ingress(name: &str, path: &str, annotations: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  namespace: shop
  annotations: {{{annotations}}}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http:
      paths:
      - path: {path}
        pathType: Prefix
        backend: {{service: {{name: {name}, port: {{number: 80}}}}}}
"
    )
}

const PASSWORDS: &str = "
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: shop}
stringData: {auth: 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-type: basic
    nginx.ingress.kubernetes.io/auth-secret: users
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: web, port: {number: 80}}}
";

#[test]
fn secrets_have_a_file_of_their_own_that_no_diff_shows() {
    let project = Project::new("secrets", &[("apps/a/ingress.yaml", PASSWORDS)]);
    let check = project.run("", &["--check"]);
    let diff = String::from_utf8(check.stdout).unwrap();
    assert!(
        diff.contains("Secrets /dev/null and b/apps/a/gateway.secrets.yaml differ"),
        "{diff}"
    );
    assert!(!diff.contains(".htpasswd"), "{diff}");
    assert_eq!(
        project.sync(),
        [
            "wrote apps/a/gateway.secrets.yaml",
            "wrote apps/a/gateway.yaml"
        ]
    );
    assert!(!project.text("apps/a/gateway.yaml").contains("kind: Secret"));
    let secrets = project.text("apps/a/gateway.secrets.yaml");
    assert!(secrets.contains(".htpasswd"), "{secrets}");
    assert!(project.sync().is_empty());
    project.put(
        "apps/a/ingress.yaml",
        PASSWORDS.replace("auth-type", "auth-none"),
    );
    assert_eq!(
        project.sync(),
        [
            "removed apps/a/gateway.secrets.yaml",
            "wrote apps/a/gateway.yaml"
        ]
    );
}

#[test]
fn only_what_changes_is_written() {
    let project = Project::new(
        "changes",
        &[
            ("apps/a/ingress.yaml", &ingress("a", "/a", "")),
            ("apps/b/ingress.yaml", &ingress("b", "/b", "")),
        ],
    );
    let both = ["wrote apps/a/gateway.yaml", "wrote apps/b/gateway.yaml"];
    assert_eq!(project.sync(), both);
    let before = project.changed("apps/a/gateway.yaml");
    assert!(project.sync().is_empty());
    project.put("apps/b/ingress.yaml", ingress("b", "/new", ""));
    assert_eq!(project.sync(), ["wrote apps/b/gateway.yaml"]);
    assert_eq!(project.changed("apps/a/gateway.yaml"), before);
    assert!(project.text("apps/b/gateway.yaml").contains("/new"));
    assert!(!project.text("apps/b/gateway.yaml").contains("/a"));
}

#[test]
fn outputs_go_with_their_ingresses_and_nothing_else_does() {
    let project = Project::new(
        "removal",
        &[
            ("apps/a/ingress.yaml", &ingress("a", "/a", "")),
            ("apps/b/ingress.yaml", &ingress("b", "/b", "")),
        ],
    );
    project.sync();
    // Written by another configuration, which knows it by its own place.
    project.put("apps/b/other/gatewright.toml", CONFIG);
    let line = project.text("apps/b/gateway.yaml").replace("../../", "");
    project.put("apps/b/other/gateway.yaml", &line);
    project.put("apps/b/hand.yaml", "a: 1\n");
    fs::remove_file(project.path("apps/b/ingress.yaml")).unwrap();
    let check = project.run("", &["--check", "-q"]);
    assert_eq!(check.status.code(), Some(1));
    let diff = String::from_utf8(check.stdout).unwrap();
    assert!(
        diff.starts_with("--- a/apps/b/gateway.yaml\n+++ /dev/null\n"),
        "{diff}"
    );
    assert!(project.path("apps/b/gateway.yaml").exists());
    assert_eq!(project.sync(), ["removed apps/b/gateway.yaml"]);
    assert_eq!(project.text("apps/b/hand.yaml"), "a: 1\n");
    assert_eq!(project.text("apps/b/other/gateway.yaml"), line);
}

#[test]
fn nothing_is_lost_while_input_cannot_be_read() {
    let project = Project::new(
        "unread",
        &[
            ("apps/a/ingress.yaml", &ingress("a", "/a", "")),
            ("apps/b/ingress.yaml", &ingress("b", "/b", "")),
        ],
    );
    project.sync();
    let before = project.text("apps/b/gateway.yaml");
    project.put("apps/b/ingress.yaml", "a: [\n");
    project.put("apps/a/ingress.yaml", ingress("a", "/changed", ""));
    assert_eq!(project.run("", &[]).status.code(), Some(3));
    assert_eq!(project.text("apps/b/gateway.yaml"), before);
    assert!(!project.text("apps/a/gateway.yaml").contains("/changed"));
}

#[test]
fn the_working_directory_changes_nothing() {
    let project = Project::new(
        "directory",
        &[("apps/a/ingress.yaml", &ingress("a", "/a", ""))],
    );
    project.sync();
    let here = project.text("apps/a/gateway.yaml");
    assert!(project.run("apps/a", &["--check"]).status.success());
    fs::remove_file(project.path("apps/a/gateway.yaml")).unwrap();
    assert!(project.run("apps/a", &[]).status.success());
    assert_eq!(project.text("apps/a/gateway.yaml"), here);
}

/// The parts together are the whole: what one conversion of all files writes.
#[test]
fn every_object_is_in_one_output() {
    let project = Project::new(
        "whole",
        &[
            (
                "apps/a/ingress.yaml",
                &ingress("a", "/a", "nginx.ingress.kubernetes.io/limit-rps: '5'"),
            ),
            (
                "apps/b/ingress.yaml",
                &ingress("b", "/b", "nginx.ingress.kubernetes.io/app-root: /b/"),
            ),
            (
                "apps/services.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: shop}\n\
                 spec: {type: ExternalName, externalName: b.example.net, ports: [{port: 80}]}\n",
            ),
        ],
    );
    project.sync();
    let args = [
        "convert",
        "-q",
        "--emit",
        "routes",
        "--exclude",
        "gateway.yaml",
        "apps",
    ];
    let whole = project.0.run("", &args);
    let whole = String::from_utf8(whole.stdout).unwrap();
    let documents =
        |text: &str| -> Vec<String> { text.split("---\n").map(str::to_owned).collect() };
    let mut expected = documents(&whole);
    let mut written: Vec<String> = ["a", "b"]
        .iter()
        .flat_map(|app| {
            let text = project.text(&format!("apps/{app}/gateway.yaml"));
            let (line, rest) = text.split_once('\n').unwrap();
            assert!(line.starts_with("# written by"), "{line}");
            documents(rest)
        })
        .collect();
    expected.sort();
    written.sort();
    assert_eq!(written, expected);
    assert!(Path::new(&project.path("apps/b/gateway.yaml")).exists());
    assert!(
        project
            .text("apps/b/gateway.yaml")
            .contains("kind: Backend")
    );
    assert!(
        project
            .text("apps/a/gateway.yaml")
            .contains("kind: BackendTrafficPolicy")
    );
}

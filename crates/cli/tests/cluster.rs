//! `--cluster` against a server that answers what a test says, which a real one cannot be asked to.
//! The real one is in the conformance suite.

#![cfg(feature = "cluster")]
#![expect(clippy::unwrap_used, reason = "the helpers are parts of tests")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A question to the server.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    path: String,
    headers: String,
}

type Answer = (u16, Value);

/// A server on a port of its own, with a kubeconfig that leads to it.
struct Server {
    directory: PathBuf,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start(name: &str, user: &Value, answer: fn(&Asked) -> Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let Some(first) = lines.next() else { continue };
                let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let mut words = first.split(' ').map(str::to_owned);
                let asked = Asked {
                    method: words.next().unwrap(),
                    path: words.next().unwrap(),
                    headers: headers.join("\n").to_ascii_lowercase(),
                };
                let (status, body) = answer(&asked);
                log.lock().unwrap().push(asked);
                let body = body.to_string();
                let length = body.len();
                // A client that has gone has seen enough.
                let _ = write!(
                    &stream,
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{name}"));
        std::fs::create_dir_all(&directory).unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "contexts": [{ "name": "here", "context": { "cluster": "here", "user": "me", "namespace": "shop" } }],
            "clusters": [{ "name": "here", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "me", "user": user }],
        });
        std::fs::write(directory.join("kubeconfig"), kubeconfig.to_string()).unwrap();
        Self { directory, asked }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gatewright"))
            .args(arguments)
            .args(["--no-config", "--color", "never"])
            .current_dir(&self.directory)
            .env("KUBECONFIG", self.directory.join("kubeconfig"))
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .output()
            .unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn ingress(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "shop" },
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{ "hosts": [format!("{name}.example.com")], "secretName": "cert" }],
            "rules": [{
                "host": format!("{name}.example.com"),
                "http": { "paths": [{
                    "path": "/", "pathType": "Prefix",
                    "backend": { "service": { "name": "web", "port": { "number": 80 } } },
                }] },
            }],
        },
    })
}

fn list(items: &[Value], next: &str) -> Answer {
    let metadata = json!({ "continue": next });
    (
        200,
        json!({ "kind": "List", "metadata": metadata, "items": items }),
    )
}

fn nothing(path: &str) -> Answer {
    let single = path.contains("/secrets/") || path.contains("/configmaps/");
    let group = path.split('/').count() == 3;
    if single || group {
        return (
            404,
            json!({ "kind": "Status", "code": 404, "reason": "NotFound" }),
        );
    }
    list(&[], "")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses";

#[test]
fn a_list_whose_pages_are_gone_is_read_at_once() {
    let server = Server::start("pages", &json!({}), |asked| match asked.path.as_str() {
        path if path == format!("{INGRESSES}?limit=1") => list(&[ingress("a")], "t/1="),
        path if path == format!("{INGRESSES}?limit=1&continue=t%2F1%3D") => (
            410,
            json!({ "kind": "Status", "code": 410, "reason": "Expired" }),
        ),
        INGRESSES => list(&[ingress("a"), ingress("b")], ""),
        path => nothing(path),
    });
    let output = server.run(&["convert", "--cluster", "--chunk-size", "1", "--no-comments"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        out.contains("a.example.com") && out.contains("b.example.com"),
        "{out}"
    );
    // Nobody runs a controller here.
    assert!(err.contains("warning[GW0955]"), "{err}");
    // The Secret was looked for, and does not exist.
    assert!(err.contains("Secret shop/cert does not exist"), "{err}");
    assert!(err.contains("cluster:Ingress/shop/a:"), "{err}");
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.method == "GET"), "{asked:?}");
    let secret: Vec<&Asked> = asked
        .iter()
        .filter(|a| a.path.ends_with("/secrets/cert"))
        .collect();
    let [secret] = secret.as_slice() else {
        panic!("{asked:?}");
    };
    assert!(
        secret.headers.contains("as=partialobjectmetadata"),
        "{secret:?}"
    );
}

#[test]
fn a_program_logs_in_and_its_token_is_not_told() {
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": { "token": "hunter2" },
    });
    let exec = |script: String| {
        json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": "sh", "args": ["-c", script],
        } })
    };
    let user = exec(format!("printf '%s' '{credential}'"));
    let server = Server::start("login", &user, |asked| {
        if !asked.headers.contains("authorization: bearer hunter2") {
            return (401, json!({ "kind": "Status", "code": 401 }));
        }
        match asked.path.as_str() {
            path if path.starts_with(INGRESSES) => list(&[ingress("a")], ""),
            path => nothing(path),
        }
    });
    let output = server.run(&["check", "--cluster"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    for script in ["echo hunter2", "echo hunter2; exit 1", "echo '{hunter2'"] {
        let server = Server::start("no-login", &exec(script.to_owned()), |a| nothing(&a.path));
        let output = server.run(&["check", "--cluster"]);
        let said = text(&[output.stdout, output.stderr].concat());
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("GW0951") && !said.contains("hunter2"),
            "{said}"
        );
        assert_eq!(server.asked().len(), 0);
    }
}

#[test]
fn what_is_no_api_server_is_told() {
    let server = Server::start("page", &json!({}), |_| (200, json!("please log in")));
    let output = server.run(&["convert", "--cluster"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let err = text(&output.stderr);
    assert!(err.contains("error[GW0954]"), "{err}");
}

#[test]
fn a_controller_that_may_not_be_seen_stops_all() {
    let server = Server::start("refused", &json!({}), |asked| match asked.path.as_str() {
        path if path.starts_with(INGRESSES) => list(&[ingress("a")], ""),
        path if path.ends_with("/configmaps/ingress-nginx-controller") => (
            403,
            json!({ "kind": "Status", "code": 403, "message": "configmaps is forbidden: no" }),
        ),
        path => nothing(path),
    });
    let output = server.run(&["convert", "--cluster"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(output.stdout.is_empty());
    for part in [
        "error[GW0953]: not permitted: get configmaps `ingress-nginx-controller` in namespace `ingress-nginx`",
        "configmaps is forbidden: no",
        "docs/cluster-role.yaml",
        "kubectl auth can-i get configmaps -n ingress-nginx",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn the_controller_that_is_meant_has_to_be_named() {
    let server = Server::start("several", &json!({}), |asked| match asked.path.as_str() {
        path if path.starts_with(INGRESSES) => list(&[ingress("a")], ""),
        path if path.starts_with("/apis/apps/v1/deployments?") => {
            let one = |namespace: &str| {
                let containers = json!([{
                    "image": "registry.k8s.io/ingress-nginx/controller:v1.15.1",
                    "args": ["--configmap=$(POD_NAMESPACE)/settings"],
                }]);
                json!({
                    "metadata": { "name": "controller", "namespace": namespace },
                    "spec": { "template": { "spec": { "containers": containers } } },
                })
            };
            list(&[one("edge"), one("inside")], "")
        }
        path => nothing(path),
    });
    let output = server.run(&["convert", "--cluster"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(output.stdout.is_empty());
    assert!(
        err.contains("error[GW0956]") && err.contains("`--controller-config inside/settings`"),
        "{err}"
    );
}

#[test]
fn a_kind_that_is_not_installed_has_no_objects() {
    let server = Server::start("no-crds", &json!({}), |asked| nothing(&asked.path));
    let mut own = ingress("a");
    own["apiVersion"] = json!("networking.k8s.io/v1");
    own["kind"] = json!("Ingress");
    std::fs::write(server.directory.join("web.json"), own.to_string()).unwrap();
    let output = server.run(&["diff", "web.json", "--cluster", "--semantic"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(out.contains("HTTPRoute shop/a added"), "{out}");
    assert!(
        err.contains("info[GW0957]") && err.contains("`HTTPRoute`"),
        "{err}"
    );
}

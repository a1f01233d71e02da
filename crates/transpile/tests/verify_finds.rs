//! What `verify` says of objects that were changed: every change of behaviour is found, with the
//! class that it has.

use gatewright_transpile::{Input, Options, convert, verify};
use gatewright_verify::{Aspect, Class, Verdict};
use gatewright_yaml::from_node;
use serde_json::{Value, json};

const INPUT: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: shop}
data: {auth: YWxpY2U6e1NIQX1xVXFQNWN5eG02WWNUQWh6MDVIcGg1Z3Z1OU09}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
spec:
  ingressClassName: nginx
  rules:
  - host: shop.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
      - {path: /api/v1, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}
      - {path: /exact, pathType: Exact, backend: {service: {name: one, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: admin
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-type: basic
    nginx.ingress.kubernetes.io/auth-secret: users
    nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8
    nginx.ingress.kubernetes.io/limit-rps: "50"
spec:
  ingressClassName: nginx
  rules:
  - host: shop.test
    http:
      paths:
      - {path: /admin, pathType: Prefix, backend: {service: {name: admin, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: patterns
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/use-regex: "true"
    nginx.ingress.kubernetes.io/rewrite-target: /$2
spec:
  ingressClassName: nginx
  rules:
  - host: regex.test
    http:
      paths:
      - {path: "/svc(/|$)(.*)", pathType: ImplementationSpecific, backend: {service: {name: svc, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: main, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
  - host: canary.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: main, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: canary
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/canary: "true"
    nginx.ingress.kubernetes.io/canary-by-header: X-Canary
    nginx.ingress.kubernetes.io/canary-weight: "10"
spec:
  ingressClassName: nginx
  rules:
  - host: canary.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: next, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: moved
  namespace: shop
  annotations: {nginx.ingress.kubernetes.io/permanent-redirect: "https://new.test/"}
spec:
  ingressClassName: nginx
  rules:
  - host: moved.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
"#;

fn inputs() -> Vec<Input> {
    vec![Input {
        name: "input.yaml".to_owned(),
        text: INPUT.to_owned(),
    }]
}

fn options() -> Options {
    Options {
        default_ssl_certificate: Some(("infra".to_owned(), "cert".to_owned())),
        threads: Some(1),
        ..Options::default()
    }
}

/// The objects of the output.
fn objects() -> Vec<Value> {
    let conversion = convert(inputs(), &options());
    let mut sources = gatewright_source::SourceMap::default();
    let file = sources.add("output", conversion.output.to_string());
    gatewright_yaml::parse(file, &conversion.output.to_string())
        .documents
        .iter()
        .map(|document| from_node::<Value>(&document.root).value.expect("an object"))
        .collect()
}

/// All differences between the input and some objects.
fn against(objects: &[Value]) -> Vec<(String, Class, Vec<Aspect>, String)> {
    let text = json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
    let input = Input {
        name: "changed.json".to_owned(),
        text,
    };
    let verified = verify(inputs(), Some(vec![input]), &options());
    assert_eq!(verified.unreadable, 0, "{:?}", verified.diagnostics);
    let mut all = Vec::new();
    for host in &verified.verification.hosts {
        assert_eq!(
            host.differences.is_empty(),
            host.verdict == Verdict::Equivalent
        );
        for found in &host.differences {
            let path = found.witness.path.clone();
            all.push((host.name.clone(), found.class, found.aspects.clone(), path));
        }
    }
    all
}

/// The object of a kind and name.
fn object<'o>(objects: &'o mut [Value], kind: &str, name: &str) -> &'o mut Value {
    let found = objects
        .iter_mut()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// A rule of the route of a name.
fn rule<'o>(objects: &'o mut [Value], route: &str, name: &str) -> &'o mut Value {
    let rules = object(objects, "HTTPRoute", route)["spec"]["rules"]
        .as_array_mut()
        .expect("rules");
    rules
        .iter_mut()
        .find(|rule| rule["name"] == name)
        .unwrap_or_else(|| panic!("no rule {name}"))
}

/// A change must be found on this host, with this class and aspect, at this path.
fn check(
    change: impl FnOnce(&mut Vec<Value>),
    host: &str,
    class: Class,
    aspect: Aspect,
    path: &str,
) {
    let mut changed = objects();
    let before = json!(changed);
    change(&mut changed);
    assert_ne!(before, json!(changed), "nothing was changed");
    let found = against(&changed);
    assert!(
        found
            .iter()
            .any(|(name, own, aspects, witness)| name == host
                && *own == class
                && aspects.contains(&aspect)
                && witness == path),
        "{host} {class:?} {aspect:?} {path} is not among {found:#?}"
    );
}

#[test]
fn what_is_not_changed_is_equivalent() {
    assert!(against(&objects()).is_empty());
}

#[test]
fn the_order_of_objects_says_nothing() {
    let mut objects = objects();
    objects.reverse();
    assert!(against(&objects).is_empty());
}

#[test]
fn a_rule_that_is_dropped() {
    check(
        |objects| {
            let rules = &mut object(objects, "HTTPRoute", "web")["spec"]["rules"];
            rules
                .as_array_mut()
                .unwrap()
                .retain(|rule| rule["name"] != "api-v1");
        },
        "shop.test",
        Class::Differs,
        Aspect::Backend,
        "/api/v1",
    );
}

#[test]
fn a_protected_route_that_is_dropped_opens_its_paths() {
    check(
        |objects| objects.retain(|o| o["kind"] != "HTTPRoute" || o["metadata"]["name"] != "admin"),
        "shop.test",
        Class::MoreOpen,
        Aspect::Passwords,
        "/admin",
    );
}

#[test]
fn a_prefix_that_is_widened() {
    check(
        |objects| rule(objects, "web", "api-v1")["matches"][0]["path"]["value"] = json!("/api"),
        "shop.test",
        Class::Differs,
        Aspect::Backend,
        "/api",
    );
}

#[test]
fn an_exact_path_that_becomes_a_prefix() {
    check(
        |objects| {
            rule(objects, "web", "exact-exact")["matches"][0]["path"]["type"] = json!("PathPrefix");
        },
        "shop.test",
        Class::Differs,
        Aspect::Backend,
        "/exact/",
    );
}

#[test]
fn case_that_begins_to_matter() {
    check(
        |objects| {
            let route = object(objects, "HTTPRoute", "patterns");
            let path = &mut route["spec"]["rules"][0]["matches"][0]["path"]["value"];
            *path = json!(path.as_str().unwrap().trim_start_matches("(?i)"));
        },
        "regex.test",
        Class::Stricter,
        Aspect::Answer,
        "/svC",
    );
}

#[test]
fn a_weight_that_changes() {
    check(
        |objects| rule(objects, "main", "root")["backendRefs"][1]["weight"] = json!(11),
        "canary.test",
        Class::Differs,
        Aspect::Weight,
        "/",
    );
}

#[test]
fn a_canary_rule_for_another_value() {
    check(
        |objects| {
            rule(objects, "main", "root-canary-always")["matches"][0]["headers"][0]["value"] =
                json!("true");
        },
        "canary.test",
        Class::Differs,
        Aspect::Backend,
        "/",
    );
}

#[test]
fn a_rewrite_that_is_altered() {
    check(
        |objects| {
            let filter = objects
                .iter_mut()
                .find(|o| o["spec"]["urlRewrite"].is_object())
                .expect("a rewrite");
            filter["spec"]["urlRewrite"]["path"]["replaceRegexMatch"]["substitution"] =
                json!(r"/x\2");
        },
        "regex.test",
        Class::Differs,
        Aspect::Path,
        "/svc",
    );
}

#[test]
fn a_redirect_with_another_code() {
    check(
        |objects| {
            let filter = objects
                .iter_mut()
                .find(|o| o["spec"]["directResponse"]["statusCode"] == 301)
                .expect("a redirect");
            filter["spec"]["directResponse"]["statusCode"] = json!(302);
        },
        "moved.test",
        Class::Differs,
        Aspect::Redirect,
        "/",
    );
}

#[test]
fn a_policy_that_is_removed_or_aimed_elsewhere() {
    for kind in ["SecurityPolicy", "BackendTrafficPolicy"] {
        let aspect = if kind == "SecurityPolicy" {
            Aspect::Addresses
        } else {
            Aspect::Limits
        };
        check(
            |objects| objects.retain(|o| o["kind"] != kind || o["metadata"]["name"] != "admin"),
            "shop.test",
            Class::MoreOpen,
            aspect,
            "/admin",
        );
        check(
            |objects| {
                object(objects, kind, "admin")["spec"]["targetRefs"][0]["name"] = json!("web");
            },
            "shop.test",
            Class::MoreOpen,
            aspect,
            "/admin",
        );
    }
}

#[test]
fn a_network_that_is_let_in() {
    check(
        |objects| {
            object(objects, "SecurityPolicy", "admin")["spec"]["authorization"]["rules"][0]["principal"]
                ["clientCIDRs"] = json!(["10.0.0.0/7"]);
        },
        "shop.test",
        Class::MoreOpen,
        Aspect::Addresses,
        "/admin",
    );
}

#[test]
fn a_user_that_is_added() {
    check(
        |objects| {
            let secret = objects
                .iter_mut()
                .find(|o| o["kind"] == "Secret")
                .expect("a Secret");
            secret["stringData"] =
                json!({ ".htpasswd": "alice:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\nmallory:{SHA}x\n" });
        },
        "shop.test",
        Class::MoreOpen,
        Aspect::Passwords,
        "/admin",
    );
}

#[test]
fn a_limit_that_is_raised() {
    check(
        |objects| {
            let policy = object(objects, "BackendTrafficPolicy", "admin");
            for rule in policy["spec"]["rateLimit"]["local"]["rules"]
                .as_array_mut()
                .unwrap()
            {
                rule["limit"]["requests"] = json!(1000);
            }
        },
        "shop.test",
        Class::MoreOpen,
        Aspect::Limits,
        "/admin",
    );
}

/// Each of the two listeners lets through what nginx does, and so twice as much together.
#[test]
fn limits_that_are_too_much_together() {
    check(
        |objects| {
            let policy = object(objects, "BackendTrafficPolicy", "admin");
            let rules = policy["spec"]["rateLimit"]["local"]["rules"].as_array_mut();
            for rule in rules.unwrap() {
                rule["limit"] = json!({ "requests": 50, "unit": "Second" });
            }
        },
        "shop.test",
        Class::MoreOpen,
        Aspect::LimitSum,
        "/admin",
    );
}

#[test]
fn a_host_that_is_added() {
    check(
        |objects| {
            object(objects, "HTTPRoute", "main")["spec"]["hostnames"] =
                json!(["canary.test", "other.test"]);
        },
        "other.test",
        Class::MoreOpen,
        Aspect::Answer,
        "/",
    );
}

#[test]
fn a_listener_that_is_closed() {
    check(
        |objects| {
            let gateway = objects
                .iter_mut()
                .find(|o| o["kind"] == "Gateway")
                .expect("a Gateway");
            let listeners = gateway["spec"]["listeners"]
                .as_array_mut()
                .expect("listeners");
            listeners.retain(|listener| listener["protocol"] != "HTTPS");
        },
        "shop.test",
        Class::Stricter,
        Aspect::Listener,
        "/",
    );
}

#[test]
fn of_equal_rules_the_first_wins() {
    // The same match twice: only their order says which one answers.
    let twice = |first: &str, second: &str| {
        let (first, second) = (first.to_owned(), second.to_owned());
        move |objects: &mut Vec<Value>| {
            let rules = object(objects, "HTTPRoute", "web")["spec"]["rules"]
                .as_array_mut()
                .unwrap();
            let at = rules
                .iter()
                .position(|rule| rule["name"] == "api-v1")
                .unwrap();
            let mut other = rules[at].clone();
            rules[at]["backendRefs"][0]["name"] = json!(first);
            other["name"] = json!("other");
            other["backendRefs"][0]["name"] = json!(second);
            rules.insert(at + 1, other);
        }
    };
    let mut same = objects();
    twice("api", "web")(&mut same);
    assert!(against(&same).is_empty());
    check(
        twice("web", "api"),
        "shop.test",
        Class::Differs,
        Aspect::Backend,
        "/api/v1",
    );
}

const ASKED: &str = r#"
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: asked
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-url: http://gate.auth.svc.cluster.local/check
    nginx.ingress.kubernetes.io/auth-response-headers: X-User
spec:
  ingressClassName: nginx
  rules:
  - host: asked.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}
"#;

/// A backend believes what the auth service says of the user.
#[test]
fn a_header_that_clients_can_forge() {
    let inputs = || {
        vec![Input {
            name: "asked.yaml".to_owned(),
            text: ASKED.to_owned(),
        }]
    };
    let open = |output: &str| {
        let against = Input {
            name: "changed.yaml".to_owned(),
            text: output.to_owned(),
        };
        let verified = verify(inputs(), Some(vec![against]), &options());
        let hosts = verified.verification.hosts.into_iter();
        let found = hosts.flat_map(|host| host.differences);
        found
            .filter(|found| found.aspects == [Aspect::Forged])
            .any(|found| found.class == Class::MoreOpen && found.witness.header("x-user").is_some())
    };
    let output = convert(inputs(), &options()).output.to_string();
    assert!(!open(&output));
    let kept = output.replace("        - X-User\n", "        - X-Other\n");
    assert_ne!(kept, output);
    assert!(open(&kept));
}

use gatewright_source::SourceMap;
use gatewright_yaml::parse;

use super::*;

/// The messages for a manifest.
fn refused(text: &str, old: bool) -> Vec<String> {
    let mut sources = SourceMap::default();
    let file = sources.add("input.yaml".to_owned(), text.to_owned());
    let parsed = parse(file, text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    ingress(&parsed.documents[0].root, old)
        .into_iter()
        .map(|violation| violation.message)
        .collect()
}

/// The messages for an Ingress with this `metadata` and `spec`.
fn object(metadata: &str, spec: &str) -> Vec<String> {
    refused(&format!("metadata: {metadata}\nspec: {spec}\n"), false)
}

fn spec(spec: &str) -> Vec<String> {
    object("{name: a}", spec)
}

const BACKEND: &str = "backend: {service: {name: web, port: {number: 80}}}";

fn path(path: &str) -> Vec<String> {
    spec(&format!(
        "{{rules: [{{http: {{paths: [{{{path}, {BACKEND}}}]}}}}]}}"
    ))
}

fn backend(backend: &str) -> Vec<String> {
    spec(&format!("{{defaultBackend: {backend}}}"))
}

fn old_backend(backend: &str) -> Vec<String> {
    refused(
        &format!("metadata: {{name: a}}\nspec: {{backend: {backend}}}\n"),
        true,
    )
}

const SPEC: &str = "{defaultBackend: {service: {name: web, port: {number: 80}}}}";

#[track_caller]
fn clean(found: &[String]) {
    assert!(found.is_empty(), "{found:?}");
}

#[track_caller]
fn one(found: &[String], says: &str) {
    assert_eq!(found, [says]);
}

#[test]
fn names() {
    for name in ["a", "a.b-c", "0", &"a".repeat(253)] {
        clean(&object(&format!("{{name: \"{name}\"}}"), SPEC));
    }
    one(
        &object("{name: Upper_Case}", SPEC),
        "metadata.name: `Upper_Case` is not a DNS name in lower case",
    );
    for name in ["a.", ".a", "-a", "a-", "a..b", "ä", &"a".repeat(254)] {
        assert_eq!(
            object(&format!("{{name: \"{name}\"}}"), SPEC).len(),
            1,
            "{name}"
        );
    }
    one(
        &object("{name: a, namespace: team.a}", SPEC),
        "metadata.namespace: `team.a` is not a DNS label in lower case",
    );
}

#[test]
fn labels_and_annotations() {
    clean(&object(
        "{name: a, labels: {app: web, example.com/Tier: \"\"}, annotations: {Example.COM/Key_1: any text}}",
        SPEC,
    ));
    one(
        &object("{name: a, labels: {app: any text}}", SPEC),
        "metadata.labels.app: `any text` is not a label value",
    );
    one(
        &object("{name: a, labels: {Example.com/app: web}}", SPEC),
        "metadata.labels: `Example.com/app` is not a label key",
    );
    for key in ["a b", "/a", "a/", "a/b/c", "-a", ""] {
        let found = object(&format!("{{name: a, annotations: {{\"{key}\": x}}}}"), SPEC);
        assert_eq!(found.len(), 1, "{key}: {found:?}");
    }
    let long = |size: usize| {
        object(
            &format!("{{name: a, annotations: {{k: \"{}\"}}}}", "x".repeat(size)),
            SPEC,
        )
    };
    clean(&long(MAX_ANNOTATIONS - 1));
    one(
        &long(MAX_ANNOTATIONS),
        "metadata.annotations: they take 262145 bytes, and 262144 are allowed",
    );
}

#[test]
fn owners_and_finalizers() {
    clean(&object(
        "{name: a, finalizers: [example.com/x, orphan], ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: u}]}",
        SPEC,
    ));
    one(
        &object(
            "{name: a, ownerReferences: [{apiVersion: v1, kind: Pod, name: p}]}",
            SPEC,
        ),
        "metadata.ownerReferences[0].uid: it is missing",
    );
    one(
        &object("{name: a, finalizers: [no good]}", SPEC),
        "metadata.finalizers[0]: `no good` is not a finalizer",
    );
}

#[test]
fn classes() {
    let both = |annotation: &str, field: &str, uid: &str| {
        object(
            &format!(
                "{{name: a, uid: \"{uid}\", annotations: {{kubernetes.io/ingress.class: \"{annotation}\"}}}}"
            ),
            &format!(
                "{{ingressClassName: \"{field}\", defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}}}"
            ),
        )
    };
    clean(&both("nginx", "nginx", ""));
    one(
        &both("nginx", "other", ""),
        "metadata.annotations[kubernetes.io/ingress.class]: `nginx` differs from `spec.ingressClassName`, which is `other`",
    );
    clean(&both("nginx", "other", "of-a-stored-object"));
    assert_eq!(
        both("", "", ""),
        ["spec.ingressClassName: it is empty, not a DNS name in lower case",]
    );
}

#[test]
fn something_is_to_be_served() {
    one(
        &spec("{}"),
        "spec: neither `defaultBackend` nor `rules` is set",
    );
    one(
        &spec("{rules: [], tls: [{}]}"),
        "spec: neither `defaultBackend` nor `rules` is set",
    );
    clean(&spec("{rules: [{}]}"));
    clean(&spec("{rules: [{host: a.test, http: null}]}"));
    one(
        &spec("{rules: [{http: {}}]}"),
        "spec.rules[0].http.paths: it is missing",
    );
}

#[test]
fn hosts() {
    let host = |host: &str| spec(&format!("{{rules: [{{host: \"{host}\"}}]}}"));
    for name in [
        "",
        "a",
        "a.test",
        "*.a.test",
        &format!("{}.test", "a".repeat(70)),
    ] {
        clean(&host(name));
    }
    one(
        &host("A.test"),
        "spec.rules[0].host: `A.test` is not a DNS name in lower case",
    );
    one(
        &host("010.1.2.3"),
        "spec.rules[0].host: `010.1.2.3` is an IP address, not a DNS name",
    );
    one(
        &host("::1"),
        "spec.rules[0].host: `::1` is an IP address, not a DNS name",
    );
    one(&host("*"), "spec.rules[0].host: `*` is not a wildcard name");
    for name in [
        "a.*.test",
        "*a.test",
        "*.*.test",
        "a_b.test",
        "a.test.",
        "a.test:80",
    ] {
        assert_eq!(host(name).len(), 1, "{name}");
    }
}

#[test]
fn certificates() {
    let tls = |tls: &str| spec(&format!("{{rules: [{{}}], tls: [{tls}]}}"));
    clean(&tls("{hosts: [a.test, \"*.a.test\"], secretName: \"\"}"));
    // An address is a DNS name there.
    clean(&tls("{hosts: [10.0.0.1]}"));
    one(
        &tls("{hosts: [\"*\"]}"),
        "spec.tls[0].hosts[0]: `*` is not a wildcard name",
    );
    one(
        &tls("{hosts: [\"\"]}"),
        "spec.tls[0].hosts[0]: it is empty, not a DNS name in lower case",
    );
    one(
        &tls("{secretName: ns/cert}"),
        "spec.tls[0].secretName: `ns/cert` is not a DNS name in lower case",
    );
}

#[test]
fn paths() {
    for good in [
        "path: /a, pathType: Prefix",
        "path: /a/..., pathType: Exact",
        "path: \"/a(/|$)(.*)\", pathType: ImplementationSpecific",
        "path: /a//b/../%2f, pathType: ImplementationSpecific",
        "pathType: ImplementationSpecific",
    ] {
        clean(&path(good));
    }
    let at = |what: &str| format!("spec.rules[0].http.paths[0].{what}");
    one(&path("path: /a"), &at("pathType: it is missing"));
    one(
        &path("path: /a, pathType: exact"),
        &at("pathType: `exact` is not a path type"),
    );
    one(&path("pathType: Prefix"), &at("path: it is missing"));
    one(
        &path("path: a, pathType: ImplementationSpecific"),
        &at("path: `a` does not begin with `/`"),
    );
    assert_eq!(
        path("path: a//b/.., pathType: Exact"),
        [
            at("path: `a//b/..` does not begin with `/`"),
            at("path: `a//b/..` holds `//`"),
            at("path: `a//b/..` ends with `/..`"),
        ]
    );
    for part in ["/./a", "/../a", "%2fa", "%2Fa", "/.", "/.."] {
        let found = path(&format!("path: /x{part}, pathType: Prefix"));
        assert_eq!(found.len(), 1, "{part}: {found:?}");
    }
}

#[test]
fn backends() {
    clean(&backend("{service: {name: web, port: {name: http}}}"));
    clean(&backend("{service: {name: 0web, port: {number: 65535}}}"));
    clean(&backend("{resource: {kind: Bucket, name: b}}"));
    let at = |what: &str| format!("spec.defaultBackend{what}");
    one(
        &backend("{}"),
        &at(": it names neither a Service nor a resource"),
    );
    one(
        &backend("{service: {name: web, port: {number: 80}}, resource: {kind: B, name: b}}"),
        &at(": it names a Service and a resource"),
    );
    assert_eq!(
        backend("{service: {}}"),
        [at(".service.name: it is missing"), at(": it names no port"),]
    );
    one(
        &backend("{service: {name: a.b, port: {number: 80}}}"),
        &at(".service.name: `a.b` is not a DNS label in lower case"),
    );
    one(
        &backend("{service: {name: web, port: {number: 80, name: http}}}"),
        &at(".service.port: it has the name `http` and the number 80"),
    );
    for number in ["-1", "65536"] {
        one(
            &backend(&format!(
                "{{service: {{name: web, port: {{number: {number}}}}}}}"
            )),
            &at(&format!(".service.port.number: {number} is not a port")),
        );
    }
    for name in [
        "\"80\"",
        "HTTP",
        "a--b",
        "-a",
        "a-",
        "a.b",
        "abcdefghijklmnop",
    ] {
        let found = backend(&format!(
            "{{service: {{name: web, port: {{name: {name}}}}}}}"
        ));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
    }
    assert_eq!(
        backend("{resource: {apiGroup: \"\", kind: a/b}}"),
        [
            at(".resource.apiGroup: it is empty, not a DNS name in lower case"),
            at(".resource.kind: `a/b` is not a name"),
            at(".resource.name: it is missing"),
        ]
    );
}

#[test]
fn older_versions() {
    clean(&old_backend("{serviceName: web, servicePort: 80}"));
    clean(&old_backend("{serviceName: web, servicePort: http}"));
    one(
        &old_backend("{serviceName: web, servicePort: \"80\"}"),
        "spec.backend.servicePort: `80` is not a port name",
    );
    one(
        &old_backend("{servicePort: 80}"),
        "spec.backend.serviceName: it is missing",
    );
    one(
        &old_backend("{serviceName: web}"),
        "spec.backend: it names no port",
    );
    one(
        &old_backend("{}"),
        "spec.backend: it names neither a Service nor a resource",
    );
    // Without a type, behind a wildcard, and with a name that is none.
    clean(&refused(
        "metadata: {name: a}\nspec: {rules: [{http: {paths: [{path: /a//b, backend: {serviceName: w, servicePort: 1}}]}}, {host: \"*.a.test\", http: {}}], tls: [{secretName: A/B}]}\n",
        true,
    ));
}

use std::fmt::Write as _;

use super::*;
use crate::{Input, Options, convert};

fn report(text: &str) -> Audit {
    let input = Input {
        name: "in.yaml".to_owned(),
        text: text.to_owned(),
    };
    audit(&convert(vec![input], &Options::default()))
}

fn ingress(name: &str, annotations: &[(&str, &str)]) -> String {
    let mut text = format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n  namespace: shop\n  annotations:\n    example.com/x: z\n"
    );
    for (key, value) in annotations {
        let _ = writeln!(text, "    nginx.ingress.kubernetes.io/{key}: {value:?}");
    }
    text + &format!(
        "spec:\n  ingressClassName: nginx\n  rules:\n  - host: {name}.test\n    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: a, port: {{number: 80}}}}}}}}]}}\n---\n"
    )
}

#[test]
fn readiness_follows_the_gravest_finding() {
    let text = ingress("plain", &[])
        + &ingress("odd", &[("rate-limit", "10")])
        + &ingress("lua", &[("configuration-snippet", "access_by_lua 'x';")])
        + &ingress("other", &[]).replace("ingressClassName: nginx", "ingressClassName: kong");
    let audit = report(&text);
    let found: Vec<(&str, Readiness)> = audit
        .ingresses
        .iter()
        .map(|ingress| (ingress.name.as_str(), ingress.readiness))
        .collect();
    assert_eq!(
        found,
        [
            ("lua", Readiness::Blocked),
            ("odd", Readiness::Review),
            ("other", Readiness::LeftOut),
            ("plain", Readiness::Ready),
        ]
    );
    assert_eq!(audit.ingresses[3].hosts, ["plain.test"]);
    assert_eq!(audit.annotations[0].key, "example.com/x");
    assert_eq!(audit.annotations[0].count, 4);
    assert_eq!(audit.totals.blocked, 1);
    assert!(audit.blockers.iter().any(|group| group.code == "GW0406"));
}

#[test]
fn security_is_about_what_holds_now() {
    let allowed = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ingress-nginx-controller, namespace: ingress-nginx}\ndata: {allow-snippet-annotations: \"true\", annotations-risk-level: Critical}\n---\n";
    let snippet = ingress("snippet", &[("configuration-snippet", "gzip on;")]);
    assert!(
        report(&snippet).security.is_empty(),
        "the controller drops it"
    );
    let text = allowed.to_owned()
        + &ingress("typo", &[("whitelist-source-rang", "10.0.0.0/8")])
        + &snippet
        + &ingress("basic", &[("auth-type", "basic"), ("auth-secret", "users")]);
    let topics: Vec<(&str, String)> = report(&text)
        .security
        .into_iter()
        .map(|note| (note.topic, note.object))
        .collect();
    let expected = [
        ("configuration by annotation", "Ingress shop/snippet"),
        ("passwords in clear text", "Ingress shop/basic"),
        ("protection without effect", "Ingress shop/typo"),
    ];
    assert_eq!(
        topics,
        expected.map(|(topic, object)| (topic, object.to_owned()))
    );
}

#[test]
fn other_objects_are_found() {
    for (text, expected) in [
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: c, namespace: ingress-nginx}\nspec: {template: {spec: {containers: [{name: c, image: registry.k8s.io/ingress-nginx/controller:v1.15.1}]}}}\n",
            "ingress-nginx",
        ),
        (
            "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n",
            "ingress-nginx",
        ),
        (
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: ingress-nginx-admission}\nwebhooks: []\n",
            "ingress-nginx",
        ),
        (
            "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: le}\nspec: {acme: {solvers: [{http01: {ingress: {class: nginx}}}]}}\n",
            "cert-manager",
        ),
        (
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec: {ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]}\n",
            "network policy",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dns, namespace: dns}\nspec: {template: {spec: {containers: [{name: c, image: external-dns:1, args: [--source=ingress, --provider=aws]}]}}}\n",
            "ExternalDNS",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {externalIPs: [203.0.113.1], ports: [{port: 80}]}\n",
            "Kubernetes 1.36",
        ),
        (
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: sync, namespace: shop}\nspec: {jobTemplate: {spec: {template: {spec: {volumes: [{name: src, gitRepo: {repository: https://git.test/x}}]}}}}}\n",
            "Kubernetes 1.36",
        ),
        (
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: nginx, namespace: infra}\nspec: {chart: {spec: {chart: ingress-nginx}}}\n",
            "ingress-nginx",
        ),
    ] {
        let found = report(&format!(
            "apiVersion: v1\nkind: List\nitems:\n- {}",
            text.trim_end().replace('\n', "\n  ")
        ));
        let topics: Vec<&str> = found.elsewhere.iter().map(|note| note.topic).collect();
        assert_eq!(topics, [expected], "{text}");
    }
    for text in [
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {externalIPs: [], ports: [{port: 80}]}\n",
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: kong}\nspec: {controller: kong}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dns}\nspec: {template: {spec: {containers: [{name: c, image: external-dns:1, args: [--source=ingress, --source=gateway-httproute]}]}}}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {x: ingress-nginx}}\nspec: {template: {spec: {containers: [{name: c, image: nginx}], volumes: [{name: a, emptyDir: {}}]}}}\n",
    ] {
        assert!(report(text).elsewhere.is_empty(), "{text}");
    }
}

#[test]
fn the_page_holds_no_markup_of_others_and_no_secrets() {
    let text = ingress(
        "plain",
        &[("configuration-snippet", "</pre><script>alert(1)</script>")],
    ) + &ingress(
        "users",
        &[
            ("auth-type", "basic"),
            ("auth-secret", "users"),
            ("rewrite-target", "/"),
        ],
    ) + "apiVersion: v1\nkind: Secret\nmetadata: {name: users, namespace: shop}\nstringData: {auth: \"ada:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs=\"}\n";
    let input = Input {
        name: "<b>.yaml".to_owned(),
        text,
    };
    let conversion = convert(vec![input], &Options::default());
    let page = audit(&conversion).html(&conversion);
    assert!(!page.contains("alert(1)</script>"), "{page}");
    assert!(!page.contains("<b>.yaml"), "{page}");
    assert!(conversion.output.to_string().contains(".htpasswd: "));
    assert!(!page.contains(".htpasswd: "), "{page}");
    assert!(page.contains("sensitive, not shown"), "{page}");
    // Nothing is fetched from anywhere.
    assert!(
        !page.contains("src=") && !page.contains("@import"),
        "{page}"
    );
    for id in page.split("href=\"#").skip(1) {
        let id = id.split('"').next().expect("an end");
        assert!(
            page.contains(&format!("id=\"{id}\"")),
            "#{id} leads nowhere"
        );
    }
}

#[test]
fn rules_lead_to_the_annotations_that_they_are_from() {
    let text = ingress("web", &[("rewrite-target", "/$1")]).replace("path: /,", "path: /api/(.*),");
    let input = Input {
        name: "in.yaml".to_owned(),
        text,
    };
    let conversion = convert(vec![input], &Options::default());
    let page = audit(&conversion).html(&conversion);
    assert!(
        page.contains("<a href=\"#i0l8\"># rewrite-target"),
        "{page}"
    );
    assert!(
        page.contains("<span id=\"i0l8\"><span class=\"n\">8</span>    nginx.ingress.kubernetes.io/rewrite-target"),
        "{page}"
    );
}

#[test]
fn cells_of_markdown_stay_cells() {
    let text = ingress("plain", &[]).replace("plain.test", "\"*.plain.test\"");
    let markdown = report(&text).markdown();
    assert!(markdown.contains("\\*.plain.test"), "{markdown}");
    let json = report(&text).json();
    assert!(
        json.contains("\"version\": 1") && json.ends_with("}\n"),
        "{json}"
    );
}

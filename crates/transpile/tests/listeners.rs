//! Where listeners stand when there are more of them, or of certificates, than one object takes.

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatewright_transpile::{Conversion, Input, Options, convert};

/// An Ingress with a certificate of its own for each of the hosts.
fn ingresses(hosts: impl IntoIterator<Item = usize>) -> Vec<String> {
    let ingress = |at: usize| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: h{at:04}, namespace: team}}\nspec:\n  ingressClassName: nginx\n  tls: [{{hosts: [h{at:04}.test], secretName: h{at:04}}}]\n  rules:\n  - host: h{at:04}.test\n    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}\n"
        )
    };
    hosts.into_iter().map(ingress).collect()
}

fn converted(documents: &[String], options: &Options) -> Conversion {
    let input = Input {
        name: "input.yaml".to_owned(),
        text: documents.join("---\n"),
    };
    convert(vec![input], options)
}

/// The documents of a kind, by the first lines that name them.
fn of_kind<'a>(conversion: &'a Conversion, kind: &str) -> BTreeMap<&'a str, &'a str> {
    let documents = conversion.written.iter();
    let documents = documents.map(|written| conversion.output.document(written));
    let kind = format!("\nkind: {kind}\n");
    documents
        .filter(|document| document.contains(&kind))
        .filter_map(|document| Some((document.split_once("\nspec:")?.0, document)))
        .collect()
}

fn codes(conversion: &Conversion) -> Vec<String> {
    let codes = conversion.diagnostics.iter();
    codes
        .map(|diagnostic| diagnostic.code.to_string())
        .collect()
}

#[test]
fn sets_begin_behind_sixty_four_certificates() {
    let options = support::options();
    for (hosts, sets) in [(64, false), (65, true)] {
        let conversion = converted(&ingresses(0..hosts), &options);
        let has_sets = !of_kind(&conversion, "ListenerSet").is_empty();
        assert_eq!(has_sets, sets, "{hosts} hosts");
        let says_so = codes(&conversion).iter().any(|code| code == "GW0566");
        assert_eq!(says_so, sets, "{hosts} hosts");
    }
}

#[test]
fn sets_begin_behind_sixty_four_listeners() {
    // One certificate for all, but every host asks for certificates of clients.
    let locked = |count: usize| {
        let mut text = String::from(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  namespace: team\n  annotations: {nginx.ingress.kubernetes.io/auth-tls-secret: team/clients}\nspec:\n  ingressClassName: nginx\n",
        );
        let hosts: Vec<String> = (0..count).map(|at| format!("h{at:04}.test")).collect();
        let _ = writeln!(
            text,
            "  tls: [{{hosts: [{}], secretName: web}}]\n  rules:",
            hosts.join(", ")
        );
        for host in hosts {
            let _ = writeln!(
                text,
                "  - host: {host}\n    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}"
            );
        }
        converted(&[text], &support::options())
    };
    // Two are taken: `http` and `https`.
    for (hosts, sets) in [(62, 0), (63, 63)] {
        let conversion = locked(hosts);
        let found = of_kind(&conversion, "ListenerSet");
        let listeners: usize = found
            .values()
            .map(|set| set.matches("protocol: HTTPS").count())
            .sum();
        assert_eq!(listeners, sets, "{hosts} hosts");
        let asked = of_kind(&conversion, "ClientTrafficPolicy");
        let asked = asked.values().filter(|p| p.contains("RequireAndVerify"));
        assert_eq!(asked.count(), hosts, "every host asks for certificates");
        let routes = of_kind(&conversion, "HTTPRoute");
        let open = routes
            .values()
            .filter(|route| route.contains("sectionName: https\n"));
        assert_eq!(
            open.count(),
            0,
            "no host is on the listener that asks nobody"
        );
    }
}

#[test]
fn a_new_host_changes_its_neighbours_alone() {
    let options = support::options();
    let all: Vec<usize> = (0..700).map(|at| at * 2).collect();
    let before = converted(&ingresses(all.clone()), &options);
    let before = of_kind(&before, "ListenerSet");
    assert!(before.len() >= 700 / 64);
    for set in before.values() {
        assert!(set.matches("protocol: HTTPS").count() <= 64);
    }
    for new in [1, 333, 667, 1001, 1399] {
        let mut hosts = all.clone();
        hosts.push(new);
        let after = converted(&ingresses(hosts), &options);
        let after = of_kind(&after, "ListenerSet");
        let changed = after
            .iter()
            .filter(|(name, set)| before.get(*name) != Some(set))
            .count();
        assert!(
            (1..=3).contains(&changed),
            "host {new} changes {changed} sets"
        );
    }
}

#[test]
fn order_does_not_show() {
    let options = support::options();
    let forwards = ingresses(0..150);
    let mut backwards = forwards.clone();
    backwards.reverse();
    let expected = converted(&forwards, &options);
    assert!(expected.output.to_string().contains("kind: ListenerSet"));
    assert!(converted(&backwards, &options).output == expected.output);
}

#[test]
fn listeners_of_an_existing_gateway_are_not_written() {
    let options = Options {
        gateway: Some(("edge".to_owned(), "public".to_owned())),
        ..support::options()
    };
    let few = converted(&ingresses(0..64), &options);
    assert!(!codes(&few).contains(&"GW0702".to_owned()));
    let many = converted(&ingresses(0..65), &options);
    assert!(codes(&many).contains(&"GW0702".to_owned()));
    assert!(!many.output.to_string().contains("ListenerSet"));
    assert!(!codes(&many).contains(&"GW0566".to_owned()));
}

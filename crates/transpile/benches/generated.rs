//! Any number of Ingresses as a large cluster has them, always the same.

use std::fmt::Write as _;

/// Annotations with how many of a thousand Ingresses have them, after what public manifests
/// hold. Those of one line come together.
const ANNOTATIONS: &[(u32, &str)] = &[
    (220, "ssl-redirect: \"true\""),
    (60, "force-ssl-redirect: \"true\""),
    (120, "proxy-body-size: 50m"),
    (
        110,
        "proxy-read-timeout: \"300\"\nproxy-send-timeout: \"300\"",
    ),
    (30, "proxy-connect-timeout: \"15\""),
    (40, "backend-protocol: HTTPS"),
    (25, "backend-protocol: GRPC"),
    (
        50,
        "auth-url: https://auth.example.com/verify\nauth-signin: https://auth.example.com/start\nauth-response-headers: X-User,X-Email",
    ),
    (
        45,
        "auth-type: basic\nauth-secret: users\nauth-realm: internal",
    ),
    (65, "whitelist-source-range: 10.0.0.0/8,192.0.2.0/24"),
    (
        60,
        "enable-cors: \"true\"\ncors-allow-origin: https://app.example.com\ncors-allow-headers: Authorization,X-Request-Id",
    ),
    (
        30,
        "affinity: cookie\nsession-cookie-name: route\nsession-cookie-max-age: \"86400\"",
    ),
    (30, "limit-rps: \"20\"\nlimit-burst-multiplier: \"3\""),
    (
        20,
        "proxy-request-buffering: \"off\"\nproxy-buffering: \"off\"",
    ),
    (15, "custom-http-errors: 502,503\ndefault-backend: errors"),
    (15, "app-root: /ui"),
    (15, "from-to-www-redirect: \"true\""),
    (15, "upstream-hash-by: $remote_addr"),
    (
        10,
        "configuration-snippet: |\n  more_set_headers \"X-Served-By: edge\";",
    ),
    (10, "permanent-redirect: https://www.example.com"),
    (10, "service-upstream: \"true\""),
    (5, "rate-limit: \"100\""),
];

/// Random numbers that are the same on every machine (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(limit)).unwrap_or_default()
    }

    fn chance(&mut self, of_a_thousand: u32) -> bool {
        self.below(1000) < of_a_thousand
    }
}

/// So many Ingresses of up to 200 namespaces, with Services and Secrets that they name, as one
/// YAML text.
pub(crate) fn ingresses(count: u32) -> String {
    let mut dice = Dice(2026);
    let mut text = String::new();
    for at in 0..count {
        let namespace = format!("team-{:03}", at % 200.min(count));
        let service = format!("app-{at:05}");
        let canary = at % 97 == 13;
        if at < 200 {
            // The users of the team's basic authentication.
            let _ = write!(
                text,
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: users\n  namespace: {namespace}\nstringData:\n  auth: alice:{{SHA}}w3QkzGJswDXW5OKZHAJw0FELjfM=\n---\n"
            );
        }
        // Some teams keep their Services beside their Ingresses.
        if at % 200 < 20 {
            let _ = write!(
                text,
                "apiVersion: v1\nkind: Service\nmetadata:\n  name: {service}\n  namespace: {namespace}\nspec:\n  selector:\n    app: {service}\n  ports:\n  - name: http\n    port: 8080\n    targetPort: 8080\n---\n"
            );
        }
        let _ = write!(
            text,
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {service}\n  namespace: {namespace}\n  labels:\n    app: {service}\n  annotations:\n    cert-manager.io/cluster-issuer: letsencrypt\n"
        );
        // Every tenth shares the host of the one before it, and a canary has its path too.
        let shares = at % 10 == 3 && at > 0;
        let host_of = if shares || canary { at - 1 } else { at };
        let host = match host_of % 50 {
            7 => format!("*.zone-{host_of:05}.example.com"),
            _ => format!("app-{host_of:05}.example.com"),
        };
        if canary {
            text.push_str("    nginx.ingress.kubernetes.io/canary: \"true\"\n    nginx.ingress.kubernetes.io/canary-weight: \"10\"\n");
        }
        // A third of public Ingresses has no annotation of nginx.
        let plain = canary || dice.chance(330);
        for (chance, lines) in ANNOTATIONS {
            if !plain && dice.chance(*chance) {
                annotations(&mut text, lines);
            }
        }
        let rewrite = !plain && dice.chance(180);
        let captures = dice.chance(600);
        if rewrite {
            annotations(
                &mut text,
                if captures {
                    "use-regex: \"true\"\nrewrite-target: /$2"
                } else {
                    "rewrite-target: /"
                },
            );
        }
        text.push_str("spec:\n  ingressClassName: nginx\n");
        if dice.chance(380) {
            let _ = write!(
                text,
                "  tls:\n  - hosts:\n    - \"{host}\"\n    secretName: {service}-tls\n"
            );
        }
        let _ = write!(
            text,
            "  rules:\n  - host: \"{host}\"\n    http:\n      paths:\n"
        );
        let prefix = if shares {
            format!("/part-{at}")
        } else {
            String::new()
        };
        let paths = 1 + if dice.chance(130) {
            1 + dice.below(5)
        } else {
            0
        };
        for path in 0..paths {
            let path = match (path, rewrite && captures) {
                (0, false) if prefix.is_empty() => "/".to_owned(),
                (0, false) => prefix.clone(),
                (path, false) => format!("{prefix}/api/v{path}"),
                (path, true) => format!("{prefix}/s{path}(/|$)(.*)"),
            };
            let kind = if path.contains('(') {
                "ImplementationSpecific"
            } else {
                "Prefix"
            };
            let _ = write!(
                text,
                "      - path: {path}\n        pathType: {kind}\n        backend:\n          service:\n            name: {service}\n            port:\n              number: 8080\n"
            );
        }
        text.push_str("---\n");
    }
    text
}

fn annotations(text: &mut String, lines: &str) {
    for line in lines.lines() {
        if line.starts_with(' ') {
            let _ = writeln!(text, "    {line}");
        } else {
            let _ = writeln!(text, "    nginx.ingress.kubernetes.io/{line}");
        }
    }
}

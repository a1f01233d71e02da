//! Cases with many hosts, made by code: what is asked of them follows from a rule, and a hundred
//! Ingresses are nothing to read.
//!
//! ingress-nginx presents a host's own certificate, that of the wildcard right above it, or the
//! default one, in this order, and routes by `Host`; so are the answers stated. They are not
//! recorded, so the cases have no part in `docs/conformance.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::inputs::DEFAULT_CERTIFICATE;

/// The cases, and how many of their hosts have a certificate of their own.
const CASES: [(&str, usize); 2] = [("scale-100-hosts", 100), ("scale-1000-hosts", 1000)];

/// Larger ones take minutes and are made only when a filter names them.
const USUAL: usize = 100;

/// How many of these hosts are asked: around the ends of sets, and in between.
const ASKED: usize = 16;

/// Teams, each with a namespace of its own.
const TEAMS: usize = 5;

/// Writes the cases below `directory` that `filters` do not leave out.
pub(crate) fn write(directory: &Path, filters: &[String]) -> Result<()> {
    for (name, hosts) in CASES {
        let named = filters.iter().any(|filter| name.contains(filter.as_str()));
        let case = directory.join(name);
        if named || filters.is_empty() && hosts <= USUAL {
            fs::create_dir_all(&case).with_context(|| case.display().to_string())?;
            write_case(&case, hosts)?;
        } else if case.exists() {
            fs::remove_dir_all(&case).with_context(|| case.display().to_string())?;
        }
    }
    Ok(())
}

/// Where the case is written.
pub(crate) fn directory(tools: &Path) -> PathBuf {
    tools.join("scale")
}

fn write_case(directory: &Path, hosts: usize) -> Result<()> {
    let mut case = Text {
        zone: "scale.test".to_owned(),
        ..Text::default()
    };
    for team in 0..TEAMS {
        case.service(team, "even");
        case.service(team, "odd");
    }
    for index in 0..hosts {
        case.host(index);
    }
    for index in (0..hosts).step_by(hosts / ASKED).chain([hosts - 1]) {
        case.ask_host(index);
    }
    case.around();
    fs::write(directory.join("input.yaml"), case.input)?;
    fs::write(directory.join("requests.yaml"), case.requests)?;
    fs::write(directory.join("differences.toml"), case.differences)?;
    Ok(())
}

/// The files of a case.
#[derive(Default)]
struct Text {
    zone: String,
    input: String,
    requests: String,
    differences: String,
}

/// A request over HTTPS and what is to come of it.
struct Asked<'a> {
    name: &'a str,
    host: String,
    more: &'a str,
    certificate: &'a str,
    answer: &'a str,
}

fn parity(index: usize) -> &'static str {
    if index.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    }
}

impl Text {
    fn service(&mut self, team: usize, name: &str) {
        let _ = write!(
            self.input,
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}-{team}, namespace: team-{team}}}\nspec: {{ports: [{{port: 80, targetPort: 8080}}]}}\n"
        );
    }

    fn secret(&mut self, team: usize, name: &str, host: &str) {
        let _ = write!(
            self.input,
            "---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {{name: {name}, namespace: team-{team}, annotations: {{behaviour.test/tls-hosts: \"{host}\"}}}}\ndata: {{}}\n"
        );
    }

    fn ingress(
        &mut self,
        (team, name): (usize, &str),
        host: &str,
        (tls, annotations): (Option<&str>, &str),
        service: &str,
    ) {
        let tls = tls.map_or_else(String::new, |secret| {
            format!("  tls: [{{hosts: [\"{host}\"], secretName: {secret}}}]\n")
        });
        let _ = write!(
            self.input,
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}, namespace: team-{team}, annotations: {{{annotations}}}}}\nspec:\n  ingressClassName: nginx\n{tls}  rules:\n  - host: \"{host}\"\n    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}]}}\n"
        );
    }

    fn ask(&mut self, asked: &Asked<'_>) {
        let Asked {
            name,
            host,
            more,
            certificate,
            answer,
        } = asked;
        let _ = write!(
            self.requests,
            "- name: {name}\n  request: {{scheme: https, host: {host}, path: /p{more}}}\n  nginx: {{certificate: {certificate}, {answer}}}\n"
        );
    }

    /// A host with a certificate of its own.
    fn host(&mut self, index: usize) {
        let team = index % TEAMS;
        let (name, host) = (format!("h{index:04}"), self.named(index));
        let secret = format!("{name}-tls");
        self.secret(team, &secret, &host);
        let service = format!("{}-{team}", parity(index / TEAMS));
        self.ingress((team, &name), &host, (Some(&secret), ""), &service);
    }

    fn named(&self, index: usize) -> String {
        format!("h{index:04}.{}", self.zone)
    }

    fn ask_host(&mut self, index: usize) {
        let team = index % TEAMS;
        let host = self.named(index);
        let service = format!("{}-{team}", parity(index / TEAMS));
        self.ask(&Asked {
            name: &format!("host {index} with its own certificate"),
            more: "",
            certificate: &format!("team-{team}/h{index:04}-tls"),
            answer: &served(&service, &host),
            host,
        });
    }

    /// Hosts that are not like the others, and plain HTTP.
    fn around(&mut self) {
        let zone = self.zone.clone();
        let host = self.named(0);
        let _ = write!(
            self.requests,
            "- name: plain HTTP is sent to HTTPS\n  request: {{host: {host}, path: /p}}\n  nginx: {{status: 308, headers: {{location: \"https://{host}/p\"}}, absent_headers: [strict-transport-security]}}\n"
        );

        let wildcard = format!("*.w.{zone}");
        self.secret(0, "wildcard-tls", &wildcard);
        let tls = (Some("wildcard-tls"), "");
        self.ingress((0, "wildcard"), &wildcard, tls, "even-0");
        let below = format!("below.w.{zone}");
        self.ingress((1, "below"), &below, (None, ""), "odd-1");
        for (name, host, service) in [
            ("a name of a wildcard", format!("any.w.{zone}"), "even-0"),
            (
                "a host below a wildcard, by the wildcard's certificate",
                below,
                "odd-1",
            ),
        ] {
            self.ask(&Asked {
                name,
                more: "",
                certificate: "team-0/wildcard-tls",
                answer: &served(service, &host),
                host,
            });
        }

        let default = format!("{}/{}", DEFAULT_CERTIFICATE.0, DEFAULT_CERTIFICATE.1);
        let plain = format!("plain.{zone}");
        self.ingress((2, "plain"), &plain, (None, ""), "odd-2");
        let pending = format!("pending.{zone}");
        let tls = (Some("not-there-yet"), "");
        self.ingress((3, "pending"), &pending, tls, "odd-3");
        for (name, host, service) in [
            (
                "a host without a certificate, by the default one",
                plain,
                "odd-2",
            ),
            (
                "a host whose Secret is not there, by the default one",
                pending,
                "odd-3",
            ),
        ] {
            self.ask(&Asked {
                name,
                more: "",
                certificate: &default,
                answer: &served(service, &host),
                host,
            });
        }

        // What holds for all backends must reach routes of a set, beside a policy of their own.
        let ghost = format!("ghost.{zone}");
        self.secret(4, "ghost-tls", &ghost);
        let own = "nginx.ingress.kubernetes.io/proxy-connect-timeout: \"7\"";
        self.ingress((4, "ghost"), &ghost, (Some("ghost-tls"), own), "ghost");
        self.ask(&Asked {
            name: "a Service that is not there",
            host: ghost,
            more: "",
            certificate: "team-4/ghost-tls",
            answer: "status: 503",
        });

        let locked = format!("locked.{zone}");
        self.secret(4, "locked-tls", &locked);
        self.input.push_str("---\napiVersion: v1\nkind: Secret\nmetadata: {name: clients, namespace: team-4, annotations: {behaviour.test/ca: \"true\"}}\ndata: {}\n");
        let own = "nginx.ingress.kubernetes.io/auth-tls-secret: team-4/clients";
        self.ingress((4, "locked"), &locked, (Some("locked-tls"), own), "even-4");
        self.ask(&Asked {
            name: "a client with the certificate that is asked for",
            more: ", client_cert: clients",
            certificate: "team-4/locked-tls",
            answer: &served("even-4", &locked),
            host: locked.clone(),
        });
        self.ask(&Asked {
            name: "a client without one",
            host: locked,
            more: ", client_cert: none",
            certificate: "team-4/locked-tls",
            answer: "status: 400",
        });
        self.differences.push_str("[[difference]]\nrequest = \"a client without one\"\ncode = \"GW0532\"\nreason = \"the handshake fails\"\n");
    }
}

/// The answer of a backend over HTTPS.
fn served(service: &str, host: &str) -> String {
    format!(
        "status: 200, headers: {{strict-transport-security: max-age=31536000; includeSubDomains}}, backend: {{service: {service}, path: /p, headers: {{host: {host}, x-forwarded-proto: https}}}}"
    )
}

//! Keys that ingress-nginx v1.15.1 does not read: removed, misspelt, invented, or of
//! another program.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::Span;

use super::{DEFAULT_PREFIX, Entry, find, names, nearest};

/// A key that an earlier release read.
#[derive(Debug, PartialEq, Eq)]
pub struct RemovedKey {
    /// The key without prefix.
    pub key: &'static str,
    /// The release without it.
    pub since: &'static str,
    /// The key that does the same now, if there is one.
    pub replaced_by: Option<&'static str>,
    /// What it was and what to do.
    pub advice: &'static str,
}

/// A key that no release has read.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// The key without prefix.
    pub key: &'static str,
    /// The key that was probably meant.
    pub likely: Option<&'static str>,
    /// What to do.
    pub advice: &'static str,
}

const fn removed(
    key: &'static str,
    since: &'static str,
    replaced_by: Option<&'static str>,
    advice: &'static str,
) -> RemovedKey {
    RemovedKey {
        key,
        since,
        replaced_by,
        advice,
    }
}

const fn unknown(
    key: &'static str,
    likely: Option<&'static str>,
    advice: &'static str,
) -> UnknownKey {
    UnknownKey {
        key,
        likely,
        advice,
    }
}

const WAF: &str = "the Lua firewall is gone; ModSecurity (`enable-modsecurity`) took its place";
const INFLUX: &str = "metrics come from the controller's Prometheus endpoint";
const OPENTRACING: &str = "only OpenTelemetry is left";
const GLOBAL_LIMIT: &str = "the shared limit is gone, so nothing is limited; `limit-rps` and `limit-rpm` count for each controller replica";

/// Keys that earlier releases read.
pub static REMOVED: &[RemovedKey] = &[
    removed(
        "secure-backends",
        "0.21",
        Some("backend-protocol"),
        "write `backend-protocol: HTTPS`",
    ),
    removed(
        "grpc-backend",
        "0.21",
        Some("backend-protocol"),
        "write `backend-protocol: GRPC`, or `GRPCS` where `secure-backends` was set too",
    ),
    removed(
        "add-base-url",
        "0.22",
        None,
        "the application must know its own base URL",
    ),
    removed(
        "base-url-scheme",
        "0.22",
        None,
        "the application must know its own base URL",
    ),
    removed(
        "session-cookie-hash",
        "0.24",
        None,
        "the cookie's content cannot be chosen any more",
    ),
    removed(
        "mirror-uri",
        "0.34",
        Some("mirror-target"),
        "write the whole URL of the shadow to `mirror-target`",
    ),
    removed(
        "secure-verify-ca-secret",
        "0.27",
        Some("proxy-ssl-secret"),
        "write `proxy-ssl-secret: namespace/name` and `proxy-ssl-verify: \"on\"`",
    ),
    removed("lua-resty-waf", "0.27", Some("enable-modsecurity"), WAF),
    removed(
        "lua-resty-waf-allow-unknown-content-types",
        "0.27",
        Some("enable-modsecurity"),
        WAF,
    ),
    removed(
        "lua-resty-waf-debug",
        "0.27",
        Some("enable-modsecurity"),
        WAF,
    ),
    removed(
        "lua-resty-waf-extra-rules",
        "0.27",
        Some("modsecurity-snippet"),
        WAF,
    ),
    removed(
        "lua-resty-waf-ignore-rulesets",
        "0.27",
        Some("modsecurity-snippet"),
        WAF,
    ),
    removed(
        "lua-resty-waf-process-multipart-body",
        "0.27",
        Some("enable-modsecurity"),
        WAF,
    ),
    removed(
        "lua-resty-waf-score-threshold",
        "0.27",
        Some("modsecurity-snippet"),
        WAF,
    ),
    removed("enable-influxdb", "1.7", None, INFLUX),
    removed("influxdb-host", "1.7", None, INFLUX),
    removed("influxdb-measurement", "1.7", None, INFLUX),
    removed("influxdb-port", "1.7", None, INFLUX),
    removed("influxdb-server-name", "1.7", None, INFLUX),
    removed(
        "secure-upstream",
        "1.7",
        Some("backend-protocol"),
        "write `backend-protocol: HTTPS`",
    ),
    removed(
        "enable-opentracing",
        "1.10",
        Some("enable-opentelemetry"),
        OPENTRACING,
    ),
    removed(
        "opentracing-operation-name",
        "1.10",
        Some("opentelemetry-operation-name"),
        OPENTRACING,
    ),
    removed(
        "opentracing-trust-incoming-span",
        "1.10",
        Some("opentelemetry-trust-incoming-span"),
        OPENTRACING,
    ),
    removed("global-rate-limit", "1.12", Some("limit-rps"), GLOBAL_LIMIT),
    removed(
        "global-rate-limit-ignored-cidrs",
        "1.12",
        Some("limit-allowlist"),
        GLOBAL_LIMIT,
    ),
    removed("global-rate-limit-key", "1.12", None, GLOBAL_LIMIT),
    removed("global-rate-limit-window", "1.12", None, GLOBAL_LIMIT),
];

const LIMIT: &str = "nothing is limited now; `limit-rps` counts requests a second, `limit-rpm` requests a minute, for each client address";
const CONFIG_MAP: &str =
    "it is a key of the controller's ConfigMap and cannot be set for one Ingress";
const TRACING: &str =
    "it belonged to OpenTracing and to the controller's ConfigMap, which lost it in v1.10";
const WEBSOCKET: &str =
    "WebSockets work without any annotation; `proxy-read-timeout` bounds how long one may idle";

/// Keys seen under the controller's prefix that no release has read. Spelling mistakes
/// are not listed; they are found by distance.
pub static NEVER_EXISTED: &[UnknownKey] = &[
    unknown("rate-limit", Some("limit-rps"), LIMIT),
    unknown("rate-limit-rps", Some("limit-rps"), LIMIT),
    unknown("rate-limit-rpm", Some("limit-rpm"), LIMIT),
    unknown("rate-limit-window", Some("limit-rpm"), LIMIT),
    unknown("rate-limiting", Some("limit-rps"), LIMIT),
    unknown("requests-per-second", Some("limit-rps"), LIMIT),
    unknown("limit-req", Some("limit-rps"), LIMIT),
    unknown(
        "limit-burst",
        Some("limit-burst-multiplier"),
        "the burst is the rate times `limit-burst-multiplier`",
    ),
    unknown(
        "rate-limit-burst",
        Some("limit-burst-multiplier"),
        "the burst is the rate times `limit-burst-multiplier`",
    ),
    unknown(
        "rate-limit-whitelist",
        Some("limit-allowlist"),
        "addresses that are not limited stand in `limit-allowlist`",
    ),
    unknown(
        "connection-limit",
        Some("limit-connections"),
        "nothing is limited now",
    ),
    unknown(
        "max-connections",
        Some("limit-connections"),
        "nothing is limited now",
    ),
    unknown(
        "proxy-timeout",
        Some("proxy-read-timeout"),
        "there are three: `proxy-connect-timeout`, `proxy-send-timeout` and `proxy-read-timeout`, in seconds",
    ),
    unknown(
        "timeout",
        Some("proxy-read-timeout"),
        "there are three: `proxy-connect-timeout`, `proxy-send-timeout` and `proxy-read-timeout`, in seconds",
    ),
    unknown(
        "upstream-timeout",
        Some("proxy-read-timeout"),
        "there are three: `proxy-connect-timeout`, `proxy-send-timeout` and `proxy-read-timeout`, in seconds",
    ),
    unknown(
        "client-max-body-size",
        Some("proxy-body-size"),
        "the largest body is set by `proxy-body-size`; 1 MiB holds now",
    ),
    unknown(
        "max-body-size",
        Some("proxy-body-size"),
        "the largest body is set by `proxy-body-size`; 1 MiB holds now",
    ),
    unknown(
        "body-size",
        Some("proxy-body-size"),
        "the largest body is set by `proxy-body-size`; 1 MiB holds now",
    ),
    unknown("cors-enabled", Some("enable-cors"), "CORS is off now"),
    unknown("cors-enable", Some("enable-cors"), "CORS is off now"),
    unknown("cors", Some("enable-cors"), "CORS is off now"),
    unknown(
        "cors-allowed-origins",
        Some("cors-allow-origin"),
        "`enable-cors` must be set too",
    ),
    unknown("hsts", None, CONFIG_MAP),
    unknown("hsts-include-subdomains", None, CONFIG_MAP),
    unknown("hsts-max-age", None, CONFIG_MAP),
    unknown("hsts-preload", None, CONFIG_MAP),
    unknown(
        "ssl-protocols",
        None,
        "TLS versions are set by `ssl-protocols` of the controller's ConfigMap, for all hosts",
    ),
    unknown("http-redirect-code", None, CONFIG_MAP),
    unknown("use-forwarded-headers", None, CONFIG_MAP),
    unknown("use-proxy-protocol", None, CONFIG_MAP),
    unknown("use-gzip", None, CONFIG_MAP),
    unknown("use-http2", None, CONFIG_MAP),
    unknown(
        "add-headers",
        Some("custom-headers"),
        "`add-headers` is a key of the controller's ConfigMap; `custom-headers` does it for one Ingress",
    ),
    unknown(
        "proxy-set-headers",
        None,
        "request headers are set by `proxy-set-headers` of the controller's ConfigMap, for all backends",
    ),
    unknown(
        "proxy-set-header",
        None,
        "request headers are set by `proxy-set-headers` of the controller's ConfigMap, for all backends",
    ),
    unknown(
        "response-headers",
        Some("custom-headers"),
        "response headers are set by `custom-headers`, from a ConfigMap",
    ),
    unknown(
        "tcp-services-configmap",
        None,
        "it is a flag of the controller; TCP services are not part of an Ingress",
    ),
    unknown(
        "udp-services-configmap",
        None,
        "it is a flag of the controller; UDP services are not part of an Ingress",
    ),
    unknown("upstream-keepalive-connections", None, CONFIG_MAP),
    unknown("upstream-keepalive-requests", None, CONFIG_MAP),
    unknown("upstream-keepalive-timeout", None, CONFIG_MAP),
    unknown("keep-alive", None, CONFIG_MAP),
    unknown("websocket-services", None, WEBSOCKET),
    unknown("websocket", None, WEBSOCKET),
    unknown("enable-websocket", None, WEBSOCKET),
    unknown("proxy-websocket", None, WEBSOCKET),
    unknown(
        "whitelist-methods",
        None,
        "methods cannot be limited by an annotation; every method is served now",
    ),
    unknown(
        "allowed-methods",
        None,
        "methods cannot be limited by an annotation; every method is served now",
    ),
    unknown(
        "priority",
        None,
        "the order of paths follows from their length and type, and between Ingresses from their age",
    ),
    unknown(
        "session-cookie-partitioned",
        None,
        "it comes from a change that was never merged",
    ),
    unknown(
        "session-affinity",
        Some("affinity"),
        "sticky sessions are off now; write `affinity: cookie`",
    ),
    unknown(
        "sticky-sessions",
        Some("affinity"),
        "sticky sessions are off now; write `affinity: cookie`",
    ),
    unknown(
        "mirror-target-service",
        Some("mirror-target"),
        "`mirror-target` takes a URL",
    ),
    unknown(
        "allow-list",
        Some("allowlist-source-range"),
        "everybody is let in now",
    ),
    unknown(
        "whitelist",
        Some("whitelist-source-range"),
        "everybody is let in now",
    ),
    unknown(
        "ip-whitelist",
        Some("whitelist-source-range"),
        "everybody is let in now",
    ),
    unknown(
        "blacklist-source-range",
        Some("denylist-source-range"),
        "nobody is kept out now",
    ),
    unknown(
        "redirect",
        Some("permanent-redirect"),
        "there are `permanent-redirect` (301) and `temporal-redirect` (302)",
    ),
    unknown(
        "temporary-redirect",
        Some("temporal-redirect"),
        "the key is spelt `temporal-redirect`",
    ),
    unknown(
        "redirect-to-https",
        Some("ssl-redirect"),
        "`force-ssl-redirect` does it also without `spec.tls`",
    ),
    unknown(
        "force-https",
        Some("force-ssl-redirect"),
        "`ssl-redirect` does it where the host has `spec.tls`",
    ),
    unknown(
        "rewrite",
        Some("rewrite-target"),
        "nothing is rewritten now",
    ),
    unknown(
        "strip-prefix",
        Some("rewrite-target"),
        "path `/x(/|$)(.*)` with `rewrite-target: /$2` takes `/x` away",
    ),
    unknown(
        "ingress.class",
        None,
        "the annotation that chooses a controller is `kubernetes.io/ingress.class`; better is `spec.ingressClassName`",
    ),
    unknown("jaeger-collector-host", None, TRACING),
    unknown("jaeger-collector-port", None, TRACING),
    unknown("jaeger-propagation-format", None, TRACING),
    unknown("jaeger-sampler-param", None, TRACING),
    unknown("jaeger-sampler-type", None, TRACING),
    unknown("jaeger-service-name", None, TRACING),
    unknown("zipkin-collector-host", None, TRACING),
    unknown("zipkin-collector-port", None, TRACING),
    unknown("zipkin-service-name", None, TRACING),
];

/// What a prefix says about who reads its keys.
#[derive(Debug)]
pub struct ForeignPrefix {
    /// The part of the key before the slash; one that begins with a dot stands for
    /// everything that ends with it.
    pub prefix: &'static str,
    /// Who reads it.
    pub owner: Owner,
}

/// Who reads a key that is not the controller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Another Ingress controller, by name.
    Controller(&'static str),
    /// A tool that is no Ingress controller, with what to know about it.
    Tool(&'static str, &'static str),
}

const fn controller(prefix: &'static str, name: &'static str) -> ForeignPrefix {
    ForeignPrefix {
        prefix,
        owner: Owner::Controller(name),
    }
}

const fn tool(prefix: &'static str, name: &'static str, advice: &'static str) -> ForeignPrefix {
    ForeignPrefix {
        prefix,
        owner: Owner::Tool(name, advice),
    }
}

const CERTIFICATES: &str =
    "it asks for a certificate for `spec.tls`; the same annotation works on a Gateway";
const DNS: &str = "it makes DNS records; the same annotations work on a Gateway or a route";
const DELIVERY: &str = "it steers how the object is delivered, not how requests are served";
const KEEPING: &str = "it is bookkeeping of the tool that wrote the object";

/// Prefixes of other programs.
pub static FOREIGN_PREFIXES: &[ForeignPrefix] = &[
    controller("nginx.org", "F5 NGINX Ingress Controller"),
    controller("nginx.com", "F5 NGINX Ingress Controller"),
    controller("appprotect.f5.com", "F5 NGINX Ingress Controller"),
    controller(
        "ingress.kubernetes.io",
        "an old release of ingress-nginx, or Voyager, HAProxy or Traefik 1",
    ),
    controller("traefik.ingress.kubernetes.io", "Traefik"),
    controller("haproxy.org", "HAProxy Kubernetes Ingress Controller"),
    controller("haproxy.com", "HAProxy Kubernetes Ingress Controller"),
    controller("haproxy-ingress.github.io", "HAProxy Ingress"),
    controller("alb.ingress.kubernetes.io", "AWS Load Balancer Controller"),
    controller("konghq.com", "Kong"),
    controller("configuration.konghq.com", "Kong"),
    controller("plugins.konghq.com", "Kong"),
    controller("projectcontour.io", "Contour"),
    controller("getambassador.io", "Ambassador"),
    controller("networking.gke.io", "GKE Ingress"),
    controller("ingress.gcp.kubernetes.io", "GKE Ingress"),
    controller("cloud.google.com", "GKE Ingress"),
    controller(
        "appgw.ingress.kubernetes.io",
        "Azure Application Gateway Ingress Controller",
    ),
    controller(
        "appgw.ingress.azure.io",
        "Azure Application Gateway Ingress Controller",
    ),
    controller("higress.io", "Higress"),
    controller("k8s.apisix.apache.org", "Apache APISIX"),
    controller("ingress.cilium.io", "Cilium"),
    controller("istio.io", "Istio"),
    controller("voyager.appscode.com", "Voyager"),
    controller("ngrok.com", "ngrok"),
    controller("k8s.ngrok.com", "ngrok"),
    controller("tailscale.com", "Tailscale"),
    controller("pomerium.io", "Pomerium"),
    controller("ingress.pomerium.io", "Pomerium"),
    tool("cert-manager.io", "cert-manager", CERTIFICATES),
    tool("acme.cert-manager.io", "cert-manager", CERTIFICATES),
    tool(
        "certmanager.k8s.io",
        "cert-manager before 0.11",
        "no present release reads it; write `cert-manager.io/cluster-issuer` or `cert-manager.io/issuer` on the Gateway",
    ),
    tool("external-dns.alpha.kubernetes.io", "ExternalDNS", DNS),
    tool("external-dns.kubernetes.io", "ExternalDNS", DNS),
    tool("argocd.argoproj.io", "Argo CD", DELIVERY),
    tool("kustomize.toolkit.fluxcd.io", "Flux", DELIVERY),
    tool("helm.toolkit.fluxcd.io", "Flux", DELIVERY),
    tool("fluxcd.io", "Flux", DELIVERY),
    tool("meta.helm.sh", "Helm", KEEPING),
    tool("helm.sh", "Helm", DELIVERY),
    tool("kubectl.kubernetes.io", "kubectl", KEEPING),
    tool("field.cattle.io", "Rancher", KEEPING),
    tool("management.cattle.io", "Rancher", KEEPING),
    tool("objectset.rio.cattle.io", "Rancher", KEEPING),
    tool("app.kubernetes.io", "whoever labels objects", KEEPING),
    tool(
        "kyverno.io",
        "Kyverno",
        "it is about policies on objects, not about requests",
    ),
    tool(
        "policies.kyverno.io",
        "Kyverno",
        "it is about policies on objects, not about requests",
    ),
    tool(
        "forecastle.stakater.com",
        "Forecastle",
        "it makes an entry on a portal page; Forecastle reads Ingresses, so the entry needs a ForecastleApp instead",
    ),
    tool(
        "gethomepage.dev",
        "Homepage",
        "it makes an entry on a portal page; Homepage reads the same annotations from HTTPRoutes",
    ),
    tool(
        "hajimari.io",
        "Hajimari",
        "it makes an entry on a portal page that is read from Ingresses",
    ),
    tool(
        "monitor.stakater.com",
        "Ingress Monitor Controller",
        "it makes an uptime check that is read from Ingresses",
    ),
    tool("reloader.stakater.com", "Reloader", DELIVERY),
    tool(
        "service.kubernetes.io",
        "Kubernetes",
        "it belongs to a Service",
    ),
    tool(
        "ingressclass.kubernetes.io",
        "Kubernetes",
        "it belongs to an IngressClass",
    ),
    tool("ingress2gateway.io", "ingress2gateway", KEEPING),
    tool(
        "prometheus.io",
        "Prometheus",
        "it is about scraping metrics",
    ),
];

/// What a key is.
#[derive(Clone, Debug)]
pub enum KeyClass {
    /// The controller reads it.
    Known(&'static Entry),
    /// An earlier release read it.
    Removed(&'static RemovedKey),
    /// It is a slip of the pen.
    Misspelt {
        /// What was meant.
        likely: &'static str,
    },
    /// No release has read it.
    NeverExisted {
        /// What was probably meant.
        likely: Option<&'static str>,
        /// What to do; may be empty.
        advice: &'static str,
    },
    /// Another Ingress controller reads it.
    OtherController {
        /// Which.
        name: &'static str,
        /// The key under the controller's prefix that has the same name, if there is one.
        same_name: Option<&'static str>,
    },
    /// Another tool reads it.
    Metadata {
        /// Which.
        tool: &'static str,
        /// What to know about it.
        advice: &'static str,
    },
    /// `kubernetes.io/ingress.class`.
    ClassAnnotation,
    /// Nobody known reads it.
    Unrelated,
}

/// Classes a whole key. `prefix` is the controller's: [`DEFAULT_PREFIX`] unless it runs
/// with `--annotations-prefix`.
pub fn classify(full_key: &str, prefix: &str) -> KeyClass {
    let Some((group, name)) = full_key.split_once('/') else {
        // A key without prefix is nobody's; one of ours lost its prefix.
        return find(full_key).map_or(KeyClass::Unrelated, |entry| KeyClass::Misspelt {
            likely: entry.key,
        });
    };
    if group == prefix {
        return classify_own(name);
    }
    if group == DEFAULT_PREFIX {
        let same_name = find(name).map(|entry| entry.key);
        return KeyClass::OtherController {
            name: "a controller with the usual annotation prefix",
            same_name,
        };
    }
    if group == "kubernetes.io" {
        return kubernetes(name);
    }
    let owner = FOREIGN_PREFIXES.iter().find(|foreign| {
        group == foreign.prefix
            || group.strip_suffix(foreign.prefix).is_some_and(|head| {
                head.ends_with('.') && !group.ends_with("ingress.kubernetes.io")
            })
    });
    match owner.map(|foreign| foreign.owner) {
        Some(Owner::Controller(name_of)) => KeyClass::OtherController {
            name: name_of,
            same_name: find(name).map(|entry| entry.key),
        },
        Some(Owner::Tool(tool, advice)) => KeyClass::Metadata { tool, advice },
        // The prefix itself may be misspelt.
        None if find(name).is_some() && nearest(group, std::iter::once(prefix)).is_some() => {
            KeyClass::Misspelt {
                likely: find(name).map_or("", |entry| entry.key),
            }
        }
        None => KeyClass::Unrelated,
    }
}

fn kubernetes(name: &str) -> KeyClass {
    match name {
        "ingress.class" => KeyClass::ClassAnnotation,
        "tls-acme" => KeyClass::Metadata {
            tool: "cert-manager",
            advice: CERTIFICATES,
        },
        "ingress.allow-http"
        | "ingress.global-static-ip-name"
        | "ingress.regional-static-ip-name" => KeyClass::OtherController {
            name: "GKE Ingress",
            same_name: None,
        },
        "spec.ingressClassName" | "ingressClassName" | "ingress-class" => KeyClass::NeverExisted {
            likely: None,
            advice: "the class is chosen by the field `spec.ingressClassName` or the annotation `kubernetes.io/ingress.class`",
        },
        _ => KeyClass::Unrelated,
    }
}

/// Classes a key under the controller's prefix, given without the prefix.
pub fn classify_own(name: &str) -> KeyClass {
    if let Some(entry) = find(name) {
        return KeyClass::Known(entry);
    }
    if let Some(key) = REMOVED.iter().find(|removed| removed.key == name) {
        return KeyClass::Removed(key);
    }
    if let Some(key) = NEVER_EXISTED.iter().find(|unknown| unknown.key == name) {
        return KeyClass::NeverExisted {
            likely: key.likely,
            advice: key.advice,
        };
    }
    match nearest(name, names()) {
        Some(likely) => KeyClass::Misspelt { likely },
        None => KeyClass::NeverExisted {
            likely: None,
            advice: "",
        },
    }
}

impl KeyClass {
    /// What to tell about a key of this class under the controller's prefix; nothing
    /// about keys that are in order.
    pub fn diagnostic(&self, key: &str, span: Span) -> Option<Diagnostic> {
        let open = |likely: Option<&str>, diagnostic: Diagnostic| {
            if likely.and_then(find).is_some_and(|entry| entry.protective) {
                diagnostic.note("so what it was to protect is not protected")
            } else {
                diagnostic
            }
        };
        match self {
            Self::Removed(removed) => {
                let diagnostic = Diagnostic::new(
                    Code::RemovedAnnotation,
                    format!(
                        "`{key}` was removed from ingress-nginx in {}",
                        removed.since
                    ),
                )
                .label(span, "no effect");
                Some(open(removed.replaced_by, diagnostic.help(removed.advice)))
            }
            Self::Misspelt { likely } => {
                let diagnostic = Diagnostic::new(
                    Code::MisspeltAnnotation,
                    format!("`{key}` is not an ingress-nginx annotation"),
                )
                .label(span, "no effect");
                Some(open(
                    Some(likely),
                    diagnostic.help(format!("write `{likely}` if that was meant")),
                ))
            }
            Self::NeverExisted { likely, advice } => {
                let mut diagnostic = Diagnostic::new(
                    Code::UnknownAnnotation,
                    format!("`{key}` is not an ingress-nginx annotation"),
                )
                .label(span, "no effect");
                if let Some(likely) = likely {
                    diagnostic = diagnostic.help(format!("the likely one is `{likely}`"));
                }
                if !advice.is_empty() {
                    diagnostic = diagnostic.note(*advice);
                }
                if likely.is_none() {
                    diagnostic = diagnostic.help("remove it");
                }
                Some(open(*likely, diagnostic))
            }
            Self::OtherController {
                name,
                same_name: Some(same),
            } => Some(
                Diagnostic::new(
                    Code::UnknownAnnotation,
                    format!("`{key}` is read by {name}, not by this controller"),
                )
                .label(span, "no effect")
                .help(format!(
                    "write `{same}` under the controller's prefix if its effect is wanted"
                )),
            ),
            Self::OtherController {
                same_name: None, ..
            }
            | Self::Known(_)
            | Self::Metadata { .. }
            | Self::ClassAnnotation
            | Self::Unrelated => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(key: &str) -> String {
        match classify(key, DEFAULT_PREFIX) {
            KeyClass::Known(entry) => format!("known {}", entry.key),
            KeyClass::Removed(removed) => format!("removed {}", removed.since),
            KeyClass::Misspelt { likely } => format!("misspelt {likely}"),
            KeyClass::NeverExisted { likely, .. } => format!("never {}", likely.unwrap_or("-")),
            KeyClass::OtherController { name, same_name } => {
                format!("other {name} {}", same_name.unwrap_or("-"))
            }
            KeyClass::Metadata { tool, .. } => format!("tool {tool}"),
            KeyClass::ClassAnnotation => "class".to_owned(),
            KeyClass::Unrelated => "unrelated".to_owned(),
        }
    }

    #[test]
    fn keys_are_told_apart() {
        for (key, expected) in [
            ("nginx.ingress.kubernetes.io/use-regex", "known use-regex"),
            (
                "nginx.ingress.kubernetes.io/whitelist-source-range",
                "known allowlist-source-range",
            ),
            ("nginx.ingress.kubernetes.io/rate-limit", "never limit-rps"),
            (
                "nginx.ingress.kubernetes.io/enable-cores",
                "misspelt enable-cors",
            ),
            ("nginx.ingress.kubernetes.io/auth-typ", "misspelt auth-type"),
            ("nginx.ingress.kubernetes.io/influxdb-host", "removed 1.7"),
            ("nginx.ingress.kubernetes.io/no-such-thing", "never -"),
            ("nginx.ingress.kubernetes.io/priority", "never -"),
            (
                "nginx.ingress.kubernetes.io.example.org/enable-cors",
                "unrelated",
            ),
            (
                "ingress.kubernetes.io/ssl-redirect",
                "other an old release of ingress-nginx, or Voyager, HAProxy or Traefik 1 ssl-redirect",
            ),
            ("nginx.org/rewrites", "other F5 NGINX Ingress Controller -"),
            ("konghq.com/strip-path", "other Kong -"),
            ("cert-manager.io/cluster-issuer", "tool cert-manager"),
            ("kubernetes.io/ingress.class", "class"),
            ("kubernetes.io/tls-acme", "tool cert-manager"),
            ("kubernetes.io/ingress.allow-http", "other GKE Ingress -"),
            (
                "nginx.ingress.kubernets.io/ssl-redirect",
                "misspelt ssl-redirect",
            ),
            ("my-annotations/x", "unrelated"),
            ("ssl-redirect", "misspelt ssl-redirect"),
        ] {
            assert_eq!(class(key), expected, "{key}");
        }
        assert!(matches!(
            classify("edge.example.org/ssl-redirect", "edge.example.org"),
            KeyClass::Known(_)
        ));
        assert!(matches!(
            classify(
                "nginx.ingress.kubernetes.io/ssl-redirect",
                "edge.example.org"
            ),
            KeyClass::OtherController {
                same_name: Some("ssl-redirect"),
                ..
            }
        ));
    }

    #[test]
    fn tables_name_real_keys_and_no_accepted_ones() {
        let likely = NEVER_EXISTED.iter().map(|key| (key.key, key.likely));
        let replaced = REMOVED.iter().map(|key| (key.key, key.replaced_by));
        for (key, other) in likely.chain(replaced) {
            assert!(find(key).is_none(), "{key} is accepted");
            assert!(
                other.is_none_or(|other| find(other).is_some()),
                "{key} names {other:?}"
            );
        }
    }
}

//! Prefixes of other programs whose annotations stand on Ingresses.

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

pub(super) const CERTIFICATES: &str =
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

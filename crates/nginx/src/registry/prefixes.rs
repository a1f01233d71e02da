//! Prefixes of other Ingress controllers.

/// What a prefix says about who reads its keys.
#[derive(Debug)]
pub struct ForeignPrefix {
    /// The part of the key before the slash; one that begins with a dot stands for
    /// everything that ends with it.
    pub prefix: &'static str,
    /// The controller that reads it.
    pub controller: &'static str,
}

const fn controller(prefix: &'static str, controller: &'static str) -> ForeignPrefix {
    ForeignPrefix { prefix, controller }
}

/// Prefixes of other Ingress controllers; what other programs read is in
/// [`super::metadata`].
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
];

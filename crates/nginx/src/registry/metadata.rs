//! Labels and annotations that other programs read from an Ingress, and where they go.
//!
//! One table for all of them: the conversion, the account and the reference page are made from
//! it. The first row that matches a key counts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In `metadata.labels`.
    Label,
    /// In `metadata.annotations`.
    Annotation,
}

/// Where a key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// To every object that is written for the Ingress.
    Objects,
    /// To its routes.
    Routes,
    /// To its routes, under this key.
    RoutesAs(&'static str),
    /// To the Gateway, which all Ingresses share.
    Gateway,
    /// Into a Certificate.
    Certificate,
    /// It steers how an ACME challenge is answered by an Ingress.
    Solver,
    /// Nowhere.
    Nowhere,
}

/// A row of the table.
#[derive(Debug)]
pub struct Carry {
    /// The key. A final `*` stands for any rest, one at the start for any text before a dot.
    pub key: &'static str,
    /// Where it stands; nothing for either.
    pub place: Option<Place>,
    /// Who reads it.
    pub tool: &'static str,
    /// Where it goes.
    pub goes: Goes,
    /// Why, in a sentence without subject: "it …".
    pub why: &'static str,
}

const fn row(
    key: &'static str,
    place: Option<Place>,
    tool: &'static str,
    goes: Goes,
    why: &'static str,
) -> Carry {
    Carry {
        key,
        place,
        tool,
        goes,
        why,
    }
}

const LABEL: Option<Place> = Some(Place::Label);
const ANNOTATION: Option<Place> = Some(Place::Annotation);
const BOTH: Option<Place> = None;

const ASKS: &str = "it says what certificate cert-manager makes for `spec.tls`";
const SOLVER: &str =
    "it names an Ingress or a class for the HTTP-01 challenge, which a Gateway does not serve";
const RECORD: &str = "ExternalDNS reads it from routes";
const DELIVERY: &str =
    "it steers how objects are delivered, and these are delivered with the Ingress's own";
const TRACKING: &str = "it says whose an object is, and the tool that delivers an object writes it";
const KEEPING: &str = "it is bookkeeping of the tool that wrote the Ingress";
const SERVICE: &str = "it is read from Services, not from Ingresses";
const MESH: &str = "Linkerd reads it from namespaces, workloads and Services, not from Ingresses";
const POLICY: &str = "it is about checks of the Ingress object itself";
const INGRESS_ONLY: &str = "it is read from Ingresses alone";

/// The table.
#[rustfmt::skip]
pub static METADATA: &[Carry] = &[
    // cert-manager: pkg/controller/certificate-shim of v1.20.
    row("cert-manager.io/cluster-issuer", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/issuer", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/issuer-kind", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/issuer-group", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/common-name", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/email-sans", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/subject-*", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/duration", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/renew-before", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/usages", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/revision-history-limit", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/private-key-*", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("cert-manager.io/secret-template", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("kubernetes.io/tls-acme", ANNOTATION, "cert-manager", Goes::Certificate, ASKS),
    row("acme.cert-manager.io/*", ANNOTATION, "cert-manager", Goes::Solver, SOLVER),
    row("acme.cert-manager.io/*", LABEL, "cert-manager", Goes::Nowhere, "cert-manager finds its own solvers by it"),
    row("cert-manager.io/*", BOTH, "cert-manager", Goes::Nowhere, "cert-manager does not read it from Ingresses"),
    row("certmanager.k8s.io/*", BOTH, "cert-manager before 0.11", Goes::Nowhere, "no present release of cert-manager reads it"),
    // ExternalDNS: docs/sources/gateway-api.md.
    row("external-dns.alpha.kubernetes.io/target", ANNOTATION, "ExternalDNS", Goes::Gateway, "ExternalDNS reads it from the Gateway"),
    row("external-dns.kubernetes.io/target", ANNOTATION, "ExternalDNS", Goes::Gateway, "ExternalDNS reads it from the Gateway"),
    row("external-dns.alpha.kubernetes.io/ingress-hostname-source", ANNOTATION, "ExternalDNS", Goes::RoutesAs("external-dns.alpha.kubernetes.io/gateway-hostname-source"), "ExternalDNS has another key for routes, with the same values"),
    row("external-dns.kubernetes.io/ingress-hostname-source", ANNOTATION, "ExternalDNS", Goes::RoutesAs("external-dns.kubernetes.io/gateway-hostname-source"), "ExternalDNS has another key for routes, with the same values"),
    row("external-dns.alpha.kubernetes.io/*", ANNOTATION, "ExternalDNS", Goes::Routes, RECORD),
    row("external-dns.kubernetes.io/*", ANNOTATION, "ExternalDNS", Goes::Routes, RECORD),
    // Argo CD.
    row("argocd.argoproj.io/tracking-id", ANNOTATION, "Argo CD", Goes::Nowhere, TRACKING),
    row("argocd.argoproj.io/installation-id", ANNOTATION, "Argo CD", Goes::Nowhere, TRACKING),
    row("argocd.argoproj.io/instance", BOTH, "Argo CD", Goes::Nowhere, TRACKING),
    row("argocd.argoproj.io/*", ANNOTATION, "Argo CD", Goes::Objects, DELIVERY),
    row("link.argocd.argoproj.io/*", ANNOTATION, "Argo CD", Goes::Routes, "it is a link beside the object in Argo CD"),
    // Flux.
    row("kustomize.toolkit.fluxcd.io/name", BOTH, "Flux", Goes::Nowhere, TRACKING),
    row("kustomize.toolkit.fluxcd.io/namespace", BOTH, "Flux", Goes::Nowhere, TRACKING),
    row("kustomize.toolkit.fluxcd.io/checksum", BOTH, "Flux", Goes::Nowhere, KEEPING),
    row("kustomize.toolkit.fluxcd.io/*", BOTH, "Flux", Goes::Objects, DELIVERY),
    row("helm.toolkit.fluxcd.io/name", BOTH, "Flux", Goes::Nowhere, TRACKING),
    row("helm.toolkit.fluxcd.io/namespace", BOTH, "Flux", Goes::Nowhere, TRACKING),
    row("helm.toolkit.fluxcd.io/*", BOTH, "Flux", Goes::Objects, DELIVERY),
    row("reconcile.fluxcd.io/*", BOTH, "Flux", Goes::Nowhere, KEEPING),
    row("*.fluxcd.io/*", BOTH, "Flux", Goes::Nowhere, KEEPING),
    row("fluxcd.io/*", BOTH, "Flux", Goes::Nowhere, KEEPING),
    // Helm and kustomize.
    row("meta.helm.sh/*", BOTH, "Helm", Goes::Nowhere, TRACKING),
    row("app.kubernetes.io/managed-by", BOTH, "whoever delivers objects", Goes::Nowhere, TRACKING),
    row("heritage", LABEL, "old Helm charts", Goes::Nowhere, TRACKING),
    row("helm.sh/chart", LABEL, "Helm charts", Goes::Objects, "it says which chart the objects come from"),
    row("helm.sh/*", ANNOTATION, "Helm", Goes::Objects, DELIVERY),
    row("app.kubernetes.io/*", BOTH, "people and dashboards", Goes::Objects, "it says what application the objects belong to"),
    row("config.kubernetes.io/local-config", ANNOTATION, "kpt and kustomize", Goes::Objects, DELIVERY),
    row("config.kubernetes.io/depends-on", ANNOTATION, "kpt", Goes::Objects, DELIVERY),
    row("config.kubernetes.io/*", ANNOTATION, "kpt and kustomize", Goes::Nowhere, KEEPING),
    row("internal.config.kubernetes.io/*", ANNOTATION, "kpt and kustomize", Goes::Nowhere, KEEPING),
    row("kustomize.config.k8s.io/*", ANNOTATION, "kustomize", Goes::Nowhere, KEEPING),
    // Service meshes.
    row("linkerd.io/*", BOTH, "Linkerd", Goes::Nowhere, MESH),
    row("*.linkerd.io/*", BOTH, "Linkerd", Goes::Nowhere, MESH),
    // Portals and monitors.
    row("gethomepage.dev/*", ANNOTATION, "Homepage", Goes::Routes, "Homepage reads the same annotations from HTTPRoutes"),
    row("forecastle.stakater.com/*", ANNOTATION, "Forecastle", Goes::Nowhere, "it is read from Ingresses alone; a ForecastleApp makes the entry"),
    row("hajimari.io/*", ANNOTATION, "Hajimari", Goes::Nowhere, INGRESS_ONLY),
    row("monitor.stakater.com/*", ANNOTATION, "Ingress Monitor Controller", Goes::Nowhere, INGRESS_ONLY),
    row("reloader.stakater.com/*", ANNOTATION, "Reloader", Goes::Nowhere, "it is read from workloads, not from Ingresses"),
    row("prometheus.io/*", ANNOTATION, "Prometheus", Goes::Nowhere, SERVICE),
    // Policies about objects.
    row("kyverno.io/*", BOTH, "Kyverno", Goes::Nowhere, POLICY),
    row("*.kyverno.io/*", BOTH, "Kyverno", Goes::Nowhere, POLICY),
    // Bookkeeping.
    row("kubectl.kubernetes.io/*", BOTH, "kubectl", Goes::Nowhere, KEEPING),
    row("deployment.kubernetes.io/*", BOTH, "Kubernetes", Goes::Nowhere, KEEPING),
    row("addonmanager.kubernetes.io/*", LABEL, "the addon manager", Goes::Nowhere, TRACKING),
    row("field.cattle.io/*", BOTH, "Rancher", Goes::Nowhere, KEEPING),
    row("management.cattle.io/*", BOTH, "Rancher", Goes::Nowhere, KEEPING),
    row("*.cattle.io/*", BOTH, "Rancher", Goes::Nowhere, KEEPING),
    row("cattle.io/*", BOTH, "Rancher", Goes::Nowhere, KEEPING),
    row("velero.io/*", BOTH, "Velero", Goes::Nowhere, KEEPING),
    row("ingress2gateway.io/*", ANNOTATION, "ingress2gateway", Goes::Nowhere, KEEPING),
    row("service.kubernetes.io/*", BOTH, "Kubernetes", Goes::Nowhere, SERVICE),
    row("service.beta.kubernetes.io/*", BOTH, "Kubernetes", Goes::Nowhere, SERVICE),
    row("service.alpha.kubernetes.io/*", BOTH, "Kubernetes", Goes::Nowhere, SERVICE),
    row("ingressclass.kubernetes.io/*", ANNOTATION, "Kubernetes", Goes::Nowhere, "it is read from IngressClasses"),
    row("kubernetes.io/*", BOTH, "Kubernetes", Goes::Nowhere, "the prefix is kept for Kubernetes, and nothing reads the key from a route"),
    row("*.kubernetes.io/*", BOTH, "Kubernetes", Goes::Nowhere, "the prefix is kept for Kubernetes, and nothing reads the key from a route"),
    // Everybody's own.
    row("*", LABEL, "people and selectors", Goes::Objects, "it says what the objects belong to"),
    row("*", ANNOTATION, "unknown", Goes::Routes, "whoever reads it may look for it there"),
];

impl Carry {
    fn matches(&self, key: &str, place: Place) -> bool {
        if self.place.is_some_and(|own| own != place) {
            return false;
        }
        let (head, rest) = match self.key.strip_suffix('*') {
            Some(head) => (head, true),
            None => (self.key, false),
        };
        if let Some(suffix) = head.strip_prefix('*') {
            // `*.example.com/*`: any subdomain.
            let Some((group, _)) = key.split_once('/') else {
                return false;
            };
            return group
                .strip_suffix(suffix.trim_end_matches('/'))
                .is_some_and(|sub| !sub.is_empty());
        }
        if rest {
            key.starts_with(head)
        } else {
            key == head
        }
    }
}

/// The row of a key. Whether an annotation is one of an Ingress controller is for
/// [`super::classify`] to say; it is not asked here.
pub fn carry(key: &str, place: Place) -> Option<&'static Carry> {
    let rows = &*ROWS;
    let group = group(key);
    let mut of_group = rows.groups.get(group).into_iter().flatten();
    let below = rows.below.iter().filter(|(domain, _)| {
        group.len() > domain.len() && group.as_bytes().ends_with(domain.as_bytes())
    });
    let mut below = below.map(|(_, at)| at);
    let matches = |at: &&usize| METADATA[**at].matches(key, place);
    let found = [
        of_group.find(matches),
        below.find(matches),
        rows.all.iter().find(matches),
    ];
    let at = *found.into_iter().flatten().min()?;
    Some(&METADATA[at])
}

/// What stands before the slash of a key, and nothing for a key without one.
fn group(key: &str) -> &str {
    let slash = key.bytes().position(|b| b == b'/');
    slash.map_or("", |at| &key[..at])
}

/// Where to look for the row of a key: few rows of the table are about its group.
struct Rows {
    /// Indexes of the rows for one group each.
    groups: BTreeMap<&'static str, Vec<usize>>,
    /// Those of the rows for what is below a domain, and the domain with the dot before it.
    below: Vec<(&'static str, usize)>,
    /// Those of the rows for everything.
    all: Vec<usize>,
}

static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let (mut groups, mut below, mut all) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (at, row) in METADATA.iter().enumerate() {
        match row.key.strip_prefix('*') {
            Some("") => all.push(at),
            Some(domain) => below.push((group(domain), at)),
            None => {
                let rows: &mut Vec<usize> = groups.entry(group(row.key)).or_default();
                rows.push(at);
            }
        }
    }
    Rows { groups, below, all }
});

/// The row of a key that some known program reads.
pub(super) fn known(key: &str) -> Option<&'static Carry> {
    carry(key, Place::Annotation).filter(|row| row.key != "*" && row.tool != "Kubernetes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes(key: &str, place: Place) -> Goes {
        carry(key, place).map_or(Goes::Nowhere, |row| row.goes)
    }

    #[test]
    fn the_first_row_counts() {
        use Place::{Annotation, Label};
        for (key, place, expected) in [
            (
                "cert-manager.io/cluster-issuer",
                Annotation,
                Goes::Certificate,
            ),
            (
                "cert-manager.io/subject-countries",
                Annotation,
                Goes::Certificate,
            ),
            ("cert-manager.io/inject-ca-from", Annotation, Goes::Nowhere),
            (
                "acme.cert-manager.io/http01-edit-in-place",
                Annotation,
                Goes::Solver,
            ),
            (
                "external-dns.alpha.kubernetes.io/target",
                Annotation,
                Goes::Gateway,
            ),
            (
                "external-dns.alpha.kubernetes.io/ttl",
                Annotation,
                Goes::Routes,
            ),
            ("argocd.argoproj.io/sync-wave", Annotation, Goes::Objects),
            ("argocd.argoproj.io/instance", Label, Goes::Nowhere),
            ("kustomize.toolkit.fluxcd.io/prune", Label, Goes::Objects),
            ("kustomize.toolkit.fluxcd.io/name", Label, Goes::Nowhere),
            ("source.toolkit.fluxcd.io/x", Annotation, Goes::Nowhere),
            (
                "config.linkerd.io/skip-inbound-ports",
                Annotation,
                Goes::Nowhere,
            ),
            ("linkerd.io/inject", Annotation, Goes::Nowhere),
            ("app.kubernetes.io/name", Label, Goes::Objects),
            ("app.kubernetes.io/managed-by", Label, Goes::Nowhere),
            ("apps.kubernetes.io/pod-index", Label, Goes::Nowhere),
            ("heritage", Label, Goes::Nowhere),
            ("heritage", Annotation, Goes::Routes),
            ("team", Label, Goes::Objects),
            ("example.com/owner", Annotation, Goes::Routes),
        ] {
            assert_eq!(goes(key, place), expected, "{key}");
        }
    }

    #[test]
    fn no_row_is_hidden_by_one_before() {
        for (at, row) in METADATA.iter().enumerate() {
            let example = example(row.key);
            for place in [Place::Label, Place::Annotation] {
                if row.place.is_none_or(|own| own == place) {
                    let found = carry(&example, place).map(|found| found.key);
                    assert_eq!(found, Some(row.key), "row {at}: {example}");
                }
            }
        }
    }

    fn example(key: &str) -> String {
        if key == "*" {
            return "example.com/x".to_owned();
        }
        let key = match key.strip_prefix('*') {
            Some(rest) => format!("some{rest}"),
            None => key.to_owned(),
        };
        key.replace('*', "some")
    }
}

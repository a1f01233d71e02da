//! What belongs to the platform team: class, Gateway, base policies, grants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_api::gatewayclasses::GatewayClassSpec;
use gateway_api::gateways::{
    GatewayAllowedListeners, GatewayAllowedListenersNamespaces,
    GatewayAllowedListenersNamespacesFrom, GatewayAllowedListenersNamespacesSelector,
    GatewayInfrastructure, GatewayInfrastructureParametersRef, GatewayListeners,
    GatewayListenersAllowedRoutes, GatewayListenersAllowedRoutesNamespaces,
    GatewayListenersAllowedRoutesNamespacesFrom, GatewayListenersAllowedRoutesNamespacesSelector,
    GatewayListenersTls, GatewayListenersTlsCertificateRefs, GatewayListenersTlsMode, GatewaySpec,
};
use gateway_api::listenersets::{
    ListenerSetListeners, ListenerSetListenersAllowedRoutes,
    ListenerSetListenersAllowedRoutesNamespaces, ListenerSetListenersAllowedRoutesNamespacesFrom,
    ListenerSetListenersAllowedRoutesNamespacesSelector, ListenerSetListenersTls,
    ListenerSetListenersTlsCertificateRefs, ListenerSetListenersTlsMode, ListenerSetParentRef,
    ListenerSetSpec,
};
use gatewright_diagnostics::{Code, Diagnostic, ObjectRef, Severity};
use gatewright_model::{
    ClientAddress, Globals, Host, Model, Origin, SecretRef, TlsVersion, VerifyClient,
};

use crate::emit::{Emitter, Grant};
use crate::envoy::{
    BackendTrafficPolicySpec, CircuitBreaker, ClientHttp1, ClientHttp2, ClientHttpTimeout,
    ClientIpDetection, ClientPath, ClientTimeout, ClientTls, ClientTrafficPolicySpec,
    ClientValidation, CrlContext, CustomHeaderSettings, EmptyStruct, EnvoyProxySpec,
    FilterPosition, HeaderModifier, HeaderSettings, HeaderValue, HostHeader, HttpTimeout,
    ObjectReference, ProxyProtocolSettings, ResponseOverride, StatusCodeMatch, TargetRef,
    TcpTimeout, Timeout, XForwardedForSettings,
};
use crate::listeners::{self, Class, Listener, Set, certificates};
use crate::name::join;
use crate::policy::headers::STRICT_TRANSPORT;
use crate::policy::{authorizer, clients, compressors, load_balancer, retry};
use crate::rule::Section;
use crate::{Object, Part, Settings, Spec};

/// The controller name of Envoy Gateway.
const CONTROLLER: &str = "gateway.envoyproxy.io/gatewayclass-controller";
/// Name of the `GatewayClass` that is written.
const CLASS: &str = "envoy-gateway";
/// More than any pod serves; Envoy's own default of 1,024 would refuse what nginx serves.
pub(crate) const NO_LIMIT: u32 = 4_294_967_295;

/// Whether an HTTPS listener has anything to present.
pub(crate) fn has_certificate(model: &Model) -> bool {
    model.globals.default_certificate.is_some() || listeners::secrets(model).next().is_some()
}

pub(crate) fn emit(emitter: &mut Emitter<'_>) {
    if emitter.model.hosts.is_empty() {
        return;
    }
    let model = emitter.model;
    if !emitter.https {
        no_https(emitter);
    }
    if model.globals.headers.request_id {
        emitter.diagnose(Diagnostic::new(
            Code::RequestIdFormat,
            "requests without an id get a UUID, which has dashes, in place of 32 hexadecimal digits",
        ));
    }
    grants(emitter);
    if emitter.settings.existing {
        left_to_gateway(emitter);
        if emitter.divided {
            sets(emitter);
        }
        return;
    }
    let (namespace, name) = emitter.settings.gateway.clone();
    let label = emitter.settings.label.iter();
    let label = label.map(|(key, value)| (Arc::from(key.as_str()), Arc::from(value.as_str())));
    emitter.write(Object {
        part: Part::Infra,
        namespace: Arc::from(""),
        name: namespace.clone(),
        spec: Spec::Namespace,
        origins: Vec::new(),
        comments: Vec::new(),
        rule_comments: Vec::new(),
        labels: label.collect(),
        annotations: BTreeMap::new(),
    });
    let class = if let Some(class) = &emitter.settings.class {
        class.clone()
    } else {
        let spec = GatewayClassSpec {
            controller_name: CONTROLLER.to_owned(),
            ..GatewayClassSpec::default()
        };
        emitter.infra("", CLASS, Spec::GatewayClass(spec), Vec::new());
        CLASS.to_owned()
    };
    emitter.infra(
        &namespace,
        &name,
        Spec::EnvoyProxy(proxy()),
        vec!["nginx limits, then checks addresses, then asks for credentials".to_owned()],
    );
    let listeners = listeners(emitter);
    let https = emitter.https;
    let spec = GatewaySpec {
        allowed_listeners: emitter.divided.then(|| allowed_listeners(emitter.settings)),
        gateway_class_name: class,
        infrastructure: Some(GatewayInfrastructure {
            parameters_ref: Some(GatewayInfrastructureParametersRef {
                group: "gateway.envoyproxy.io".to_owned(),
                kind: "EnvoyProxy".to_owned(),
                name: name.clone(),
            }),
            ..GatewayInfrastructure::default()
        }),
        listeners,
        ..GatewaySpec::default()
    };
    emitter.infra(&namespace, &name, Spec::Gateway(Box::new(spec)), Vec::new());
    let base = vec!["what ingress-nginx does for every backend without an annotation".to_owned()];
    let spec = backend_traffic(model, &name);
    emitter.infra(
        &namespace,
        &name,
        Spec::BackendTrafficPolicy(Box::new(spec)),
        base,
    );
    if emitter.divided {
        sets(emitter);
        for section in ["http", "https"] {
            let secure = section == "https";
            if secure && !https {
                continue;
            }
            let target = TargetRef::gateway_api("Gateway", &name, Some(section));
            let mut spec = client_traffic(model, target, secure);
            if secure {
                negotiate(&mut spec, model.globals.http2);
            }
            client_policy(emitter, &namespace, &join(&name, section), section, spec);
        }
        return;
    }
    let own = listeners::own(emitter);
    let gateway = |section: &str| TargetRef::gateway_api("Gateway", &name, Some(section));
    let mut policies = vec![(
        "http".to_owned(),
        client_traffic(model, gateway("http"), false),
    )];
    if https {
        let secure = client_traffic(model, gateway("https"), true);
        for host in &own {
            let Listener { section, .. } = listeners::https(emitter, host);
            let mut spec = secure.clone();
            spec.target_refs = vec![gateway(&section)];
            own_tls(host, &namespace, &mut spec);
            policies.push((section, spec));
        }
        policies.push(("https".to_owned(), secure));
    }
    for (section, mut spec) in policies {
        if section != "http" && !own.is_empty() && model.globals.http2 {
            // Envoy Gateway leaves HTTP/2 out where certificates of listeners overlap.
            let tls = spec.tls.get_or_insert_with(ClientTls::default);
            tls.alpn_protocols = vec!["h2", "http/1.1"];
        }
        client_policy(emitter, &namespace, &join(&name, &section), &section, spec);
    }
}

fn client_policy(
    emitter: &mut Emitter<'_>,
    namespace: &str,
    name: &str,
    of: &str,
    spec: ClientTrafficPolicySpec,
) {
    let comment = format!("what ingress-nginx does for every client on {of}");
    let spec = Spec::ClientTrafficPolicy(Box::new(spec));
    emitter.infra(namespace, name, spec, vec![comment]);
}

/// Says which HTTP is spoken: Envoy Gateway leaves HTTP/2 out where host names or certificates
/// of listeners overlap, and a listener without a host name overlaps with all others.
fn negotiate(spec: &mut ClientTrafficPolicySpec, http2: bool) {
    let tls = spec.tls.get_or_insert_with(ClientTls::default);
    tls.alpn_protocols = if http2 {
        vec!["h2", "http/1.1"]
    } else {
        vec!["http/1.1"]
    };
}

/// Listeners of their own of hosts, each beside its certificate, and what holds for them.
fn sets(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    let (namespace, gateway) = emitter.settings.gateway.clone();
    for section in ["http", "https"] {
        let kept = join(&gateway, section);
        emitter.take_name("ClientTrafficPolicy", &namespace, &kept, section);
    }
    // The same for all but the target, which is set below.
    let secure = client_traffic(model, TargetRef::gateway_api("ListenerSet", "", None), true);
    let sets = Arc::clone(&emitter.sets);
    for set in &sets.sets {
        let what = match set.class {
            Class::Http2 => "hosts whose certificates are in this namespace",
            Class::Http1 => {
                "hosts that share certificates, without HTTP/2: browsers would ask for one on a connection made for another"
            }
            Class::Passthrough => "hosts whose TLS is passed through",
        };
        let spec = Spec::ListenerSet(Box::new(listener_set(emitter, set)));
        beside(emitter, &set.namespace, &set.name, spec, what.to_owned());
        if set.class == Class::Passthrough {
            continue;
        }
        let on = |section: Option<&str>| {
            let target = TargetRef::gateway_api("ListenerSet", &set.name, section);
            ClientTrafficPolicySpec {
                target_refs: vec![target],
                ..secure.clone()
            }
        };
        let mut policies = vec![(set.name.clone(), on(None))];
        for host in set.hosts.iter().filter(|host| clients::special(host)) {
            let Listener { section, .. } = listeners::https(emitter, host);
            let mut spec = on(Some(&section));
            own_tls(host, &set.namespace, &mut spec);
            policies.push((join(&set.name, &section), spec));
        }
        for (wanted, mut spec) in policies {
            negotiate(&mut spec, set.class == Class::Http2);
            let kind = "ClientTrafficPolicy";
            let name = emitter.take_name(kind, &set.namespace, &wanted, &set.name);
            let comment = format!("what ingress-nginx does for every client on {wanted}");
            let spec = Spec::ClientTrafficPolicy(Box::new(spec));
            beside(emitter, &set.namespace, &name, spec, comment);
        }
    }
}

/// An object in the namespace of certificates, whose team it belongs to.
fn beside(emitter: &mut Emitter<'_>, namespace: &str, name: &str, spec: Spec, comment: String) {
    let part = if *namespace == *emitter.settings.gateway.0 {
        Part::Infra
    } else {
        Part::Routes
    };
    emitter.beside(part, namespace, name, spec, vec![comment]);
}

fn listener_set(emitter: &Emitter<'_>, set: &Set<'_>) -> ListenerSetSpec {
    let (namespace, gateway) = emitter.settings.gateway.clone();
    let listener = |&host: &&Host| {
        let (listener, protocol, tls) = if set.class == Class::Passthrough {
            let tls = ListenerSetListenersTls {
                mode: Some(ListenerSetListenersTlsMode::Passthrough),
                ..ListenerSetListenersTls::default()
            };
            (listeners::passthrough(emitter, &host.name), "TLS", tls)
        } else {
            let reference = |secret: &SecretRef| ListenerSetListenersTlsCertificateRefs {
                name: secret.name.to_string(),
                namespace: (secret.namespace != set.namespace)
                    .then(|| secret.namespace.to_string()),
                ..ListenerSetListenersTlsCertificateRefs::default()
            };
            let secrets = listeners::presented(emitter, host);
            let tls = ListenerSetListenersTls {
                mode: Some(ListenerSetListenersTlsMode::Terminate),
                certificate_refs: Some(secrets.into_iter().map(reference).collect()),
                options: None,
            };
            (listeners::https(emitter, host), "HTTPS", tls)
        };
        ListenerSetListeners {
            name: listener.section,
            hostname: Some(host.name.to_string()),
            port: 443,
            protocol: protocol.to_owned(),
            allowed_routes: Some(ListenerSetListenersAllowedRoutes {
                namespaces: Some(match labels(emitter.settings) {
                    None => ListenerSetListenersAllowedRoutesNamespaces {
                        from: Some(ListenerSetListenersAllowedRoutesNamespacesFrom::All),
                        selector: None,
                    },
                    Some(labels) => ListenerSetListenersAllowedRoutesNamespaces {
                        from: Some(ListenerSetListenersAllowedRoutesNamespacesFrom::Selector),
                        selector: Some(ListenerSetListenersAllowedRoutesNamespacesSelector {
                            match_labels: Some(labels),
                            match_expressions: None,
                        }),
                    },
                }),
                kinds: None,
            }),
            tls: Some(tls),
        }
    };
    ListenerSetSpec {
        listeners: set.hosts.iter().map(listener).collect(),
        parent_ref: ListenerSetParentRef {
            name: gateway,
            namespace: Some(namespace),
            ..ListenerSetParentRef::default()
        },
    }
}

/// As with Ingress objects, every namespace may bring certificates for its hosts, unless only
/// those with a label may.
fn allowed_listeners(settings: &Settings) -> GatewayAllowedListeners {
    GatewayAllowedListeners {
        namespaces: Some(match labels(settings) {
            None => GatewayAllowedListenersNamespaces {
                from: Some(GatewayAllowedListenersNamespacesFrom::All),
                selector: None,
            },
            Some(labels) => GatewayAllowedListenersNamespaces {
                from: Some(GatewayAllowedListenersNamespacesFrom::Selector),
                selector: Some(GatewayAllowedListenersNamespacesSelector {
                    match_labels: Some(labels),
                    match_expressions: None,
                }),
            },
        }),
    }
}

/// The labels of namespaces that may use the listeners; nothing when all may.
fn labels(settings: &Settings) -> Option<BTreeMap<String, String>> {
    settings.label.clone().map(|label| BTreeMap::from([label]))
}

/// Says which namespaces need the label: what they are is not for a conversion to change.
pub(crate) fn tell_of_labels(emitter: &mut Emitter<'_>) {
    let Some((key, value)) = emitter.settings.label.clone() else {
        return;
    };
    let own = &emitter.settings.gateway.0;
    let attached = emitter.attached.iter().map(|namespace| &**namespace);
    let list: Vec<&str> = attached.filter(|namespace| namespace != own).collect();
    if list.is_empty() {
        return;
    }
    let diagnostic = Diagnostic::new(
        Code::NamespaceLabel,
        format!("namespaces need the label `{key}: \"{value}\"` for their routes to be served"),
    )
    .note("until then their hosts answer 404")
    .help(format!(
        "kubectl label namespace {} {key}={value}",
        list.join(" ")
    ));
    emitter.diagnose(diagnostic);
}

/// What the clients of one host need.
fn own_tls(host: &Host, namespace: &str, spec: &mut ClientTrafficPolicySpec) {
    let mut tls = spec.tls.take().unwrap_or_default();
    if let Some(ciphers) = &host.ciphers {
        tls.ciphers.clone_from(&ciphers.suites);
    }
    if let Some(wanted) = host.clients.as_ref().filter(|_| clients::asks(host)) {
        let secret = &wanted.authorities;
        let reference = ObjectReference {
            group: "",
            kind: "Secret",
            name: secret.name.to_string(),
            namespace: (*secret.namespace != *namespace).then(|| secret.namespace.to_string()),
        };
        tls.client_validation = Some(ClientValidation {
            mode: match wanted.verify {
                VerifyClient::Optional => "VerifyIfGiven",
                VerifyClient::Unverified => "Request",
                VerifyClient::Required | VerifyClient::Off => "RequireAndVerify",
            },
            crl: wanted.revoked.then(|| CrlContext {
                refs: vec![reference.clone()],
            }),
            ca_certificate_refs: vec![reference],
        });
        let headers = spec.headers.get_or_insert_with(HeaderSettings::default);
        let early = headers
            .early_request_headers
            .get_or_insert_with(HeaderModifier::default);
        early.remove.extend(clients::HEADERS.map(str::to_owned));
    }
    spec.tls = Some(tls);
}

fn no_https(emitter: &mut Emitter<'_>) {
    emitter.diagnose(
        Diagnostic::new(
            Code::NoCertificate,
            "there is no certificate, so nothing listens for HTTPS",
        )
        .note("ingress-nginx serves HTTPS for every host, with a self-signed certificate where no other fits")
        .help("pass `--default-ssl-certificate NAMESPACE/NAME` with a TLS Secret that exists in the cluster"),
    );
}

/// What ingress-nginx does for every client and backend stands in policies of the Gateway; those
/// of one that exists already are somebody else's.
fn left_to_gateway(emitter: &mut Emitter<'_>) {
    let globals = &emitter.model.globals;
    let (namespace, name) = &emitter.settings.gateway;
    let mut left = vec![
        "timeouts",
        "retries",
        "limits of connections",
        "the normal form of paths",
        "`X-Forwarded-*` and `X-Real-IP`",
        "removing `Server`",
    ];
    let headers = &globals.headers;
    for (wanted, what) in [
        (globals.hsts.is_some(), "`Strict-Transport-Security`"),
        (globals.compression.is_some(), "compression"),
        (globals.tls_versions.is_some(), "TLS versions"),
        (
            !headers.response.is_empty() || !headers.hidden.is_empty(),
            "headers of all answers",
        ),
        (
            globals.forwarded.proxy_protocol,
            "the PROXY protocol of the load balancer",
        ),
    ] {
        if wanted {
            left.push(what);
        }
    }
    let mut diagnostic = Diagnostic::new(
        Code::GatewaySettings,
        format!("what ingress-nginx does for every client and backend is left to Gateway {namespace}/{name}"),
    )
    .object(&ObjectRef::new("Gateway", namespace.as_str(), name.as_str()))
    .note(format!("that is: {}", left.join(", ")))
    .help("convert once without `--gateway`, with `--emit infra`, and compare its ClientTrafficPolicies, BackendTrafficPolicy and EnvoyProxy with those of the Gateway");
    if emitter.divided {
        diagnostic = diagnostic.note(
            "ListenerSets are attached to it: its `spec.allowedListeners` has to let their namespaces in",
        );
    }
    let by_address = emitter
        .model
        .hosts
        .iter()
        .flat_map(|h| &h.routes)
        .any(|r| r.policies.addresses.is_some() || r.policies.limits.is_some());
    let forwarded =
        globals.forwarded.address != ClientAddress::Peer || globals.forwarded.proxy_protocol;
    if by_address {
        diagnostic = diagnostic.note(
            "address lists and limits go by the address that the Gateway takes for the client's",
        );
        if forwarded {
            // The addresses of load balancers are often on the very lists.
            diagnostic = diagnostic.severity(Severity::Error).help(
                "set `clientIPDetection` or `proxyProtocol` in its ClientTrafficPolicy as the controller has it, before the routes are applied",
            )
            .help(format!("then confirm it with `--accept {}={namespace}/{name}`: until then paths with address lists answer 503", Code::GatewaySettings));
        }
    }
    emitter.diagnose(diagnostic);
    certificates_left(emitter);
}

/// Certificates of hosts stand in listeners, which somebody else writes.
fn certificates_left(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    let (namespace, name) = emitter.settings.gateway.clone();
    let mut left: Vec<(&Origin, &[SecretRef], Vec<String>)> = Vec::new();
    for host in model.hosts.iter().filter(|host| host.passthrough.is_none()) {
        let Some(certificate) = &host.certificate else {
            continue;
        };
        if clients::own_listener(emitter, host) {
            continue;
        }
        match left
            .iter_mut()
            .find(|(at, _, _)| **at == certificate.origin)
        {
            Some((_, _, hosts)) => hosts.push(host.name.to_string()),
            None => left.push((
                &certificate.origin,
                &certificate.secrets,
                vec![host.name.to_string()],
            )),
        }
    }
    for (origin, secrets, hosts) in left {
        if secrets.is_empty() {
            continue;
        }
        let names: Vec<String> = secrets
            .iter()
            .map(|secret| format!("{}/{}", secret.namespace, secret.name))
            .collect();
        let (names, hosts) = (names.join(", "), hosts.join(", "));
        let mut diagnostic = Diagnostic::new(
            Code::GatewayCertificate,
            format!("Secret {names} for {hosts} is left to Gateway {namespace}/{name}"),
        )
        .help(format!(
            "add it to `tls.certificateRefs` of the Gateway's HTTPS listener for {hosts}"
        ));
        if secrets.iter().any(|secret| *secret.namespace != *namespace) {
            diagnostic = diagnostic.note("a ReferenceGrant in the output lets the Gateway read it");
        }
        emitter.report(origin, false, diagnostic);
    }
}

fn grants(emitter: &mut Emitter<'_>) {
    let (namespace, name) = emitter.settings.gateway.clone();
    let model = emitter.model;
    let secrets: Vec<&SecretRef> = if emitter.divided {
        listeners::of_the_rest(emitter)
    } else {
        // That of an existing Gateway is its owner's.
        let default = model.globals.default_certificate.as_ref();
        let default = default.filter(|_| !emitter.settings.existing);
        certificates(model).into_iter().chain(default).collect()
    };
    for secret in secrets {
        if *secret.namespace == *namespace {
            continue;
        }
        emitter.grant(Grant {
            namespace: secret.namespace.to_string(),
            name: join(&name, &secret.name),
            from: ("gateway.networking.k8s.io", "Gateway", namespace.clone()),
            to: ("", "Secret", secret.name.to_string()),
            infra: true,
        });
    }
    // The default certificate is in listeners of all namespaces.
    if let Some(secret) = &model.globals.default_certificate {
        let with = emitter.sets.sets.iter();
        let with = with.filter(|set| set.class != Class::Passthrough);
        let from: BTreeSet<_> = with.map(|set| Arc::clone(&set.namespace)).collect();
        for from in from {
            if from == secret.namespace {
                continue;
            }
            emitter.grant(Grant {
                namespace: secret.namespace.to_string(),
                name: join(&join(&name, &secret.name), &from),
                from: ("gateway.networking.k8s.io", "ListenerSet", from.to_string()),
                to: ("", "Secret", secret.name.to_string()),
                infra: true,
            });
        }
    }
    for host in listeners::own(emitter) {
        let Some(wanted) = host.clients.as_ref().filter(|_| clients::asks(host)) else {
            continue;
        };
        let secret = &wanted.authorities;
        let holder = listeners::https(emitter, host).set;
        let from = holder.map_or_else(|| namespace.clone(), |(set, _)| set.to_string());
        if *secret.namespace == *from {
            continue;
        }
        let mut grant = join(&join(&name, &secret.name), "clients");
        if from != namespace {
            grant = join(&grant, &from);
        }
        emitter.grant(Grant {
            namespace: secret.namespace.to_string(),
            name: grant,
            from: ("gateway.envoyproxy.io", "ClientTrafficPolicy", from),
            to: ("", "Secret", secret.name.to_string()),
            infra: true,
        });
    }
}

/// nginx limits first, then looks at the address, then asks for credentials; Envoy Gateway
/// asks for credentials first.
fn proxy() -> EnvoyProxySpec {
    let before = |name, before| FilterPosition { name, before };
    EnvoyProxySpec {
        filter_order: vec![
            before("envoy.filters.http.rbac", "envoy.filters.http.ext_authz"),
            before("envoy.filters.http.rbac", "envoy.filters.http.basic_auth"),
            before(
                "envoy.filters.http.local_ratelimit",
                "envoy.filters.http.rbac",
            ),
        ],
    }
}

fn listeners(emitter: &mut Emitter<'_>) -> Vec<GatewayListeners> {
    let (namespace, _) = emitter.settings.gateway.clone();
    let label = labels(emitter.settings);
    let allowed = || {
        Some(GatewayListenersAllowedRoutes {
            namespaces: Some(match &label {
                None => GatewayListenersAllowedRoutesNamespaces {
                    from: Some(GatewayListenersAllowedRoutesNamespacesFrom::All),
                    selector: None,
                },
                Some(labels) => GatewayListenersAllowedRoutesNamespaces {
                    from: Some(GatewayListenersAllowedRoutesNamespacesFrom::Selector),
                    selector: Some(GatewayListenersAllowedRoutesNamespacesSelector {
                        match_labels: Some(labels.clone()),
                        match_expressions: None,
                    }),
                },
            }),
            kinds: None,
        })
    };
    let mut listeners = vec![GatewayListeners {
        name: "http".to_owned(),
        protocol: "HTTP".to_owned(),
        port: 80,
        allowed_routes: allowed(),
        ..GatewayListeners::default()
    }];
    if emitter.https {
        let model = emitter.model;
        let default = model.globals.default_certificate.as_ref();
        let refs: Vec<&SecretRef> = if emitter.divided {
            listeners::tell_of_too_many(emitter);
            listeners::of_the_rest(emitter)
        } else {
            let others = certificates(model).into_iter();
            let others = others.filter(|secret| Some(*secret) != default);
            default.into_iter().chain(others).collect()
        };
        listeners.push(GatewayListeners {
            name: "https".to_owned(),
            protocol: "HTTPS".to_owned(),
            port: 443,
            allowed_routes: allowed(),
            tls: Some(terminate(&refs, &namespace)),
            ..GatewayListeners::default()
        });
        if emitter.divided {
            return listeners;
        }
        for host in listeners::own(emitter) {
            let mut own: Vec<&SecretRef> = default.into_iter().collect();
            let certificate = host.certificate.iter().flat_map(|c| &c.secrets);
            own.extend(certificate.filter(|secret| Some(*secret) != default));
            if own.is_empty() {
                // Whatever there is: without a certificate there would be no listener.
                own.clone_from(&refs);
            }
            listeners.push(GatewayListeners {
                name: listeners::https(emitter, host).section,
                protocol: "HTTPS".to_owned(),
                port: 443,
                hostname: Some(host.name.to_string()),
                allowed_routes: allowed(),
                tls: Some(terminate(&own, &namespace)),
            });
        }
    }
    for host in &emitter.model.hosts {
        if host.passthrough.is_some() && !emitter.divided {
            listeners.push(GatewayListeners {
                name: listeners::passthrough(emitter, &host.name).section,
                protocol: "TLS".to_owned(),
                port: 443,
                hostname: Some(host.name.to_string()),
                allowed_routes: allowed(),
                tls: Some(GatewayListenersTls {
                    mode: Some(GatewayListenersTlsMode::Passthrough),
                    ..GatewayListenersTls::default()
                }),
            });
        }
    }
    listeners
}

fn terminate(secrets: &[&SecretRef], namespace: &str) -> GatewayListenersTls {
    GatewayListenersTls {
        mode: Some(GatewayListenersTlsMode::Terminate),
        certificate_refs: Some(
            secrets
                .iter()
                .map(|secret| GatewayListenersTlsCertificateRefs {
                    name: secret.name.to_string(),
                    namespace: (*secret.namespace != *namespace)
                        .then(|| secret.namespace.to_string()),
                    ..GatewayListenersTlsCertificateRefs::default()
                })
                .collect(),
        ),
        options: None,
    }
}

fn backend_traffic(model: &Model, gateway: &str) -> BackendTrafficPolicySpec {
    let globals = &model.globals;
    BackendTrafficPolicySpec {
        target_refs: vec![TargetRef::gateway_api("Gateway", gateway, None)],
        timeout: Some(Timeout {
            tcp: Some(TcpTimeout {
                connect_timeout: seconds(globals.connect_timeout),
            }),
            http: Some(HttpTimeout {
                request_timeout: Some("0s".to_owned()),
                stream_idle_timeout: Some(seconds(globals.idle_timeout)),
            }),
        }),
        retry: retry(&globals.retry),
        load_balancer: Some(load_balancer(&globals.balance, Section::Both)),
        circuit_breaker: Some(CircuitBreaker {
            max_connections: NO_LIMIT,
            max_pending_requests: NO_LIMIT,
            max_parallel_requests: NO_LIMIT,
        }),
        response_override: vec![missing_service()],
        compressor: compressors(globals.compression.as_ref()),
        ..BackendTrafficPolicySpec::default()
    }
}

/// Envoy Gateway answers 500 for a Service that is not there, nginx 503. A policy with
/// overrides of its own has to repeat it: lists are not merged.
pub(crate) fn missing_service() -> ResponseOverride {
    ResponseOverride::local(vec![StatusCodeMatch::value(500)], 503, None)
}

fn speaks_grpc(model: &Model) -> bool {
    let mut routes = model.hosts.iter().flat_map(|host| &host.routes);
    routes.any(listeners::route_speaks_grpc)
}

/// Request headers before anything looks at them.
fn early_headers(model: &Model, https: bool) -> HeaderModifier {
    let forwarded = &model.globals.forwarded;
    let (scheme, port) = if https {
        ("https", "443")
    } else {
        ("http", "80")
    };
    let named = |list: &[(&str, &str)]| -> Vec<HeaderValue> {
        list.iter()
            .map(|(name, value)| HeaderValue::new(*name, *value))
            .collect()
    };
    let mut early = HeaderModifier {
        set: named(&[
            ("X-Original-Forwarded-For", "%REQ(X-FORWARDED-FOR)%"),
            ("X-Original-Forwarded-Host", "%REQ(X-FORWARDED-HOST)%"),
        ]),
        ..HeaderModifier::default()
    };
    let own = [
        ("X-Forwarded-Host", "%REQ(:AUTHORITY)%"),
        ("X-Forwarded-Port", port),
    ];
    if forwarded.trust {
        early.add_if_absent = named(&own);
    } else {
        early.set.extend(named(&own));
        early.set.extend(named(&[
            ("X-Forwarded-Scheme", scheme),
            ("X-Scheme", scheme),
        ]));
    }
    match &forwarded.address {
        ClientAddress::Peer => {
            early.set.extend(named(&[(
                "X-Real-IP",
                "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
            )]));
            early.remove.push("X-Forwarded-For".to_owned());
        }
        ClientAddress::ForwardedFor(_) | ClientAddress::Header(_) if !forwarded.trust => {
            // Where Envoy does not look at the peer it believes this header of anybody.
            early.set.extend(named(&[("X-Forwarded-Proto", scheme)]));
        }
        ClientAddress::ForwardedFor(_) | ClientAddress::Header(_) => {}
    }
    let from = if forwarded.trust {
        "%REQ(X-FORWARDED-PROTO?:SCHEME)%"
    } else {
        scheme
    };
    authorizer::early_headers(model, from, &mut early.set);
    early.remove.push("Proxy".to_owned());
    if !speaks_grpc(model) {
        // nginx keeps it for itself; gRPC backends ask for it.
        early.remove.push("TE".to_owned());
    }
    early
}

/// Whether rules see another value of a request header than the client sent.
pub(crate) fn changes_early(model: &Model, name: &str) -> bool {
    let early = early_headers(model, true);
    let set = early.set.iter().chain(&early.add_if_absent);
    set.map(|header| header.name.as_str())
        .chain(early.remove.iter().map(String::as_str))
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Where Envoy takes the client's address from, unless from the connection.
fn detection(address: &ClientAddress) -> Option<ClientIpDetection> {
    match address {
        ClientAddress::Peer => None,
        ClientAddress::ForwardedFor(trusted) => Some(ClientIpDetection {
            x_forwarded_for: Some(XForwardedForSettings {
                trusted_cidrs: if trusted.is_empty() {
                    vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()]
                } else {
                    trusted.clone()
                },
                num_trusted_hops: None,
            }),
            custom_header: None,
        }),
        ClientAddress::Header(name) => Some(ClientIpDetection {
            x_forwarded_for: None,
            custom_header: Some(CustomHeaderSettings { name: name.clone() }),
        }),
    }
}

fn client_traffic(model: &Model, target: TargetRef, https: bool) -> ClientTrafficPolicySpec {
    let globals = &model.globals;
    let forwarded = &globals.forwarded;
    let early = early_headers(model, https);
    let mut late = crate::policy::headers::late(model);
    if let Some(hsts) = globals.hsts.as_ref().filter(|_| https) {
        late.remove
            .retain(|name| !name.eq_ignore_ascii_case(STRICT_TRANSPORT));
        let header = HeaderValue::new(STRICT_TRANSPORT, hsts);
        // A route may say something else; then the others take away what a backend says.
        if crate::policy::headers::sets_strict_transport(model) {
            late.add_if_absent.push(header);
        } else {
            late.set.push(header);
        }
    }
    ClientTrafficPolicySpec {
        target_refs: vec![target],
        client_ip_detection: detection(&forwarded.address),
        proxy_protocol: forwarded
            .proxy_protocol
            .then_some(ProxyProtocolSettings { optional: false }),
        timeout: Some(ClientTimeout {
            http: ClientHttpTimeout {
                idle_timeout: Some(seconds(globals.client_idle_timeout)),
                request_headers_received_timeout: Some(seconds(globals.client_header_timeout)),
            },
        }),
        // nginx routes by the decoded path: an escaped slash must not lead around a rule.
        path: Some(ClientPath {
            escaped_slashes_action: "UnescapeAndForward",
        }),
        headers: Some(HeaderSettings {
            with_underscores_action: Some(if globals.underscores_in_headers {
                "Allow"
            } else {
                "DropHeader"
            }),
            host: Some(HostHeader {
                strip_trailing_host_dot: true,
            }),
            request_id: Some(if globals.headers.request_id {
                "PreserveOrGenerate"
            } else {
                "Preserve"
            }),
            early_request_headers: Some(early),
            late_response_headers: Some(late),
        }),
        http1: Some(ClientHttp1 {
            http10: Some(EmptyStruct {}),
            preserve_header_case: None,
        }),
        http2: Some(ClientHttp2 {
            max_concurrent_streams: globals.http2_streams,
        }),
        tls: https.then(|| client_tls(globals)).flatten(),
    }
}

fn client_tls(globals: &Globals) -> Option<ClientTls> {
    let mut tls = ClientTls::default();
    if !globals.http2 {
        tls.alpn_protocols = vec!["http/1.1"];
    }
    if let Some(versions) = globals.tls_versions {
        let name = |version| match version {
            TlsVersion::V1_2 => "1.2",
            TlsVersion::V1_3 => "1.3",
        };
        (tls.min_version, tls.max_version) = (Some(name(versions.0)), Some(name(versions.1)));
    }
    (tls != ClientTls::default()).then_some(tls)
}

/// A Gateway API duration: at most five digits a unit.
pub(crate) fn seconds(seconds: u32) -> String {
    if seconds < 100_000 {
        return format!("{seconds}s");
    }
    let (hours, rest) = (seconds / 3600, seconds % 3600);
    match (hours.min(99_999), rest) {
        (hours, 0) => format!("{hours}h"),
        (hours, rest) => format!("{hours}h{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_keep_to_five_digits() {
        assert_eq!(seconds(60), "60s");
        assert_eq!(seconds(1_728_000), "480h");
        assert_eq!(seconds(100_001), "27h2801s");
    }
}

//! The plan as Markdown. The commands of all blocks marked `sh` can be run one after the other in
//! one shell; `cargo xtask conformance --plan` does so.

use std::fmt::Write as _;

use gatewright_diagnostics::render::printable;
use gatewright_verify::Verdict;

use super::shell::{line, quote};
use super::{Errand, Files, Host, Plan, WAITED};
use crate::audit::{Note, many, row};

/// The releases of Kubernetes that Envoy Gateway v1.9 is tested with.
const KUBERNETES: &str = "1.33 to 1.36";
/// Where `convert` writes to.
const DIRECTORY: &str = "gateway";
const SYSTEM: &str = "envoy-gateway-system";
/// So many names stand on a line of their own each rather than on one.
const ON_ONE_LINE: usize = 3;

pub(super) fn render(plan: &Plan) -> String {
    let mut out = Page(String::new());
    out.title(plan);
    if plan.hosts.is_empty() {
        out.text("No Ingress was selected, so nothing moves.");
        out.errands(plan);
        return out.0;
    }
    out.errands(plan);
    out.cluster(plan);
    out.objects(plan);
    out.infra(plan);
    out.routes(plan);
    out.ask_both(plan);
    out.names(plan);
    out.watch(plan);
    out.back(plan);
    out.remove(plan);
    out.0
}

/// The page so far.
struct Page(String);

impl Page {
    fn heading(&mut self, title: &str) {
        let _ = write!(self.0, "\n## {title}\n");
    }

    fn text(&mut self, text: &str) {
        let _ = write!(self.0, "\n{text}\n");
    }

    fn commands(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            let _ = write!(self.0, "\n```sh\n{}\n```\n", lines.join("\n"));
        }
    }

    fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let _ = write!(
            self.0,
            "\n| {} |\n|{}\n",
            head.join(" | "),
            "---|".repeat(head.len())
        );
        for cells in rows {
            let cells: Vec<String> = cells
                .iter()
                .map(|cell| printable(cell).into_owned())
                .collect();
            row(
                &mut self.0,
                &cells.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }
    }

    fn title(&mut self, plan: &Plan) {
        self.0.push_str("# From ingress-nginx to Envoy Gateway\n");
        let ingresses = plan.ingresses.values().map(Vec::len).sum();
        let _ = write!(
            self.0,
            "\n{} with {} in {}.",
            many(ingresses, "Ingress", "Ingresses"),
            many(plan.hosts.len(), "host", "hosts"),
            many(plan.ingresses.len(), "namespace", "namespaces"),
        );
        if plan.hosts.is_empty() {
            self.0.push('\n');
        } else {
            self.0.push_str(" Until step 7 nothing that is served changes, and until step 10 every step can be taken back.\n");
            self.text("The commands are for a POSIX shell with kubectl, helm and curl. They belong into one session, from top to bottom: later ones use what earlier ones have set.");
        }
        if let Some(saved) = &plan.invocation.saved {
            let saved = quote(saved);
            self.text(&format!(
                "What was read from standard input has to stand in `{saved}`."
            ));
        }
    }

    fn errands(&mut self, plan: &Plan) {
        self.heading("1. What a person has to settle first");
        let mut rows: Vec<Vec<String>> = plan.errands.iter().map(errand).collect();
        for note in &plan.elsewhere {
            if is_before(note) {
                rows.push(vec![
                    note.topic.to_owned(),
                    format!("{}, {}", note.object, note.place),
                    note.message.clone(),
                    note.advice.clone(),
                ]);
            }
        }
        for (namespace, referenced) in &plan.referenced {
            for object in referenced.iter().filter(|object| !object.given) {
                rows.push(vec![
                    "not given".to_owned(),
                    name(&object.kind, namespace, &object.name),
                    "the output names it, and it is not in the input".to_owned(),
                    if object.kind == "Service" {
                        "see that it is in the cluster; a port that is named, or an ExternalName, can only be resolved where the Service is given".to_owned()
                    } else {
                        "see that it is in the cluster".to_owned()
                    },
                ]);
            }
        }
        if rows.is_empty() {
            self.text("Nothing: nothing is refused, and everything that the output names is in the input.");
        } else {
            self.table(&["", "where", "what", "what to do"], rows);
        }
        if plan.warnings > 0 && !plan.hosts.is_empty() {
            let warnings = many(plan.warnings, "warning", "warnings");
            self.text(&format!(
                "{warnings} about differences and about what has no effect, to be read by whoever answers for the hosts:"
            ));
            self.commands(&[gatewright(plan, "check", "")]);
        }
        if plan.referenced.is_empty() {
            return;
        }
        self.text("All that the output names and does not hold. Whatever is missing here is missing later:");
        let lines: Vec<String> = plan
            .referenced
            .iter()
            .flat_map(|(namespace, referenced)| {
                let names: Vec<String> = referenced
                    .iter()
                    .map(|object| format!("{}/{}", resource(&object.kind), object.name))
                    .collect();
                on_namespace("kubectl get", namespace, &names, "--output name")
            })
            .collect();
        self.commands(&lines);
    }

    fn cluster(&mut self, plan: &Plan) {
        self.heading("2. What the cluster needs");
        let needs = &plan.prerequisites;
        let gateway_api = needs.gateway_api.as_deref().unwrap_or_default();
        let envoy_gateway = needs.envoy_gateway.as_deref().unwrap_or_default();
        let mut rows = vec![
            vec!["Kubernetes".to_owned(), KUBERNETES.to_owned()],
            vec![
                "Gateway API".to_owned(),
                format!("{gateway_api}, standard channel"),
            ],
            vec!["Envoy Gateway".to_owned(), envoy_gateway.to_owned()],
        ];
        let notes = needs.notes.iter();
        rows.extend(notes.filter_map(|note| {
            let (what, version) = note.split_once(' ')?;
            Some(vec![what.to_owned(), format!("{version} or newer")])
        }));
        self.table(&["what", "version"], rows);
        self.text("The custom resources first, since Helm would not renew those that are there:");
        self.commands(&[
            "kubectl version".to_owned(),
            format!("helm template eg-crds oci://docker.io/envoyproxy/gateway-crds-helm --version {envoy_gateway} \\"),
            "  --set crds.gatewayAPI.enabled=true --set crds.gatewayAPI.channel=standard \\".to_owned(),
            "  --set crds.envoyGateway.enabled=true | kubectl apply --server-side --filename -".to_owned(),
        ]);
        let mut values = "";
        if needs.extension_apis.is_empty() {
            self.text("The output needs none of the extension APIs of Envoy Gateway.");
        } else {
            self.text("The extension APIs that the output needs, and no others:");
            let mut lines = vec![
                "cat >envoy-gateway-values.yaml <<'YAML'".to_owned(),
                "config:".to_owned(),
                "  envoyGateway:".to_owned(),
                "    extensionApis:".to_owned(),
            ];
            let apis = needs.extension_apis.iter();
            lines.extend(apis.map(|api| format!("      {api}: true")));
            lines.push("YAML".to_owned());
            self.commands(&lines);
            values = " --values envoy-gateway-values.yaml";
        }
        self.text("Envoy Gateway, new or brought up to date with the settings that it has:");
        self.commands(&[
            format!("helm upgrade --install eg oci://docker.io/envoyproxy/gateway-helm --version {envoy_gateway} \\"),
            format!("  --namespace {SYSTEM} --create-namespace --skip-crds --reset-then-reuse-values{values}"),
            format!("kubectl wait --namespace {SYSTEM} --for=condition=Available deployment/envoy-gateway --timeout=5m"),
        ]);
    }

    fn objects(&mut self, plan: &Plan) {
        self.heading("3. Write the objects");
        self.text("The proof first: it compares the objects with the Ingresses, host by host, and fails where they differ in a way that no finding announces.");
        let mut lines = vec![
            gatewright(plan, "verify", ""),
            gatewright(
                plan,
                "convert",
                &format!(" --layout parts --output {DIRECTORY}"),
            ),
        ];
        if plan.errands.iter().any(|errand| errand.topic == "refused") {
            lines[1].push_str(" || true  # 1: something is refused, see step 1");
        }
        self.commands(&lines);
        let mut files = Vec::new();
        for (part, name, whose) in [
            (&plan.infra, "infra", "the platform team's"),
            (&plan.routes, "routes", "the application teams'"),
        ] {
            if part.plain {
                files.push(format!("`{DIRECTORY}/{name}.yaml` ({whose})"));
            }
            if part.secret {
                files.push(format!(
                    "`{DIRECTORY}/{name}.secrets.yaml` (Secrets, not for a repository as it is)"
                ));
            }
        }
        self.text(&format!("This writes {}.", files.join(", ")));
    }

    fn infra(&mut self, plan: &Plan) {
        self.heading("4. The Gateway beside ingress-nginx");
        let gateways: Vec<String> = plan
            .gateways
            .iter()
            .map(|(namespace, name)| format!("`{namespace}/{name}`"))
            .collect();
        if plan.is_existing {
            self.text(&format!(
                "The Gateway {} is there already; its listeners have to take routes from these namespaces.",
                gateways.join(", ")
            ));
        } else {
            self.text("It gets an address of its own and serves nobody yet. `Programmed` waits for the load balancer.");
        }
        let mut lines = apply(&plan.infra, "infra");
        lines.extend(waits(&plan.infra));
        if plan.is_existing {
            for (namespace, name) in &plan.gateways {
                lines.extend(on_namespace(
                    "kubectl wait --for=condition=Programmed",
                    namespace,
                    &[format!("gateway/{name}")],
                    "--timeout=10m",
                ));
            }
        }
        self.commands(&lines);
    }

    fn routes(&mut self, plan: &Plan) {
        self.heading("5. The routes beside the Ingresses");
        self.text(
            "Both are served now, each at its own address: the names still lead to ingress-nginx.",
        );
        let mut lines = apply(&plan.routes, "routes");
        lines.extend(waits(&plan.routes));
        self.commands(&lines);
        self.text("What the API server has now, against the Ingresses once more:");
        let kinds = plan.kinds.iter().filter(|kind| **kind != "Certificate");
        let kinds: Vec<String> = kinds.map(|kind| resource(kind)).collect();
        self.commands(&[
            format!(
                "kubectl get {} --all-namespaces --output yaml |",
                kinds.join(",")
            ),
            format!("  {}", gatewright(plan, "verify", " --against -")),
        ]);
    }

    fn ask_both(&mut self, plan: &Plan) {
        self.heading("6. Ask both");
        self.text("A request for each path of the Ingresses goes to both addresses. `same` says whether status and redirect agree; `000` is no answer at all, which may take a moment after step 5.");
        self.commands(
            &[
                "address() {  # of what kubectl says: a name is looked up",
                "  case $1 in *[g-z]*) dig +short \"$1\" | tail -n 1 ;; *) echo \"$1\" ;; esac",
                "}",
                "ask() {  # ADDRESS URL",
                "  host=${2#*://} host=${host%%/*}",
                "  curl --silent --max-time 20 --output /dev/null --write-out '%{http_code} %{redirect_url}' \\",
                "    --resolve \"$host:80:$1\" --resolve \"$host:443:$1\" \"$2\"",
                "}",
                "same() {  # URL",
                "  old=$(ask \"$OLD\" \"$1\") new=$(ask \"$NEW\" \"$1\")",
                "  [ \"$old\" = \"$new\" ] && echo \"same: $1: $new\" || echo \"DIFFERENT: $1: $old before, $new now\"",
                "}",
            ]
            .map(str::to_owned),
        );
        let mut before = None;
        for host in &plan.hosts {
            let _ = write!(self.0, "\n### {}\n", heading_name(&host.name));
            self.text(&verdict(&host.verdict));
            let mut lines = Vec::new();
            let addresses = addresses(host);
            // Hosts of one Ingress have one address.
            if before.as_ref() != Some(&addresses) {
                lines.extend(addresses.iter().cloned());
                before = Some(addresses);
            }
            for probe in &host.probes {
                let mut line = format!("same {}", quote(&probe.url));
                if let Some((nginx, envoy)) = &probe.differs {
                    let _ = write!(line, "  # expected: {nginx} before; {envoy} now");
                }
                lines.push(line);
            }
            self.commands(&lines);
            if host.probes.is_empty() {
                self.text("None of its paths has a text that can be asked for without thinking: choose requests by hand.");
            }
        }
    }

    fn names(&mut self, plan: &Plan) {
        self.heading("7. Move the names");
        self.text("1. A day before: a TTL of 60 seconds for every record below, so that a step, and the way back, takes a minute.\n2. One host after the other, in this order: those first for which nothing differs. Where DNS weighs records (Route 53, Google Cloud DNS, Azure Traffic Manager, NS1), the new address gets 5 of 100, then 25, 50 and 100; elsewhere a host moves at once.\n3. After each step: a few TTLs of step 8 before the next one. If in doubt: step 9.");
        let rows = plan.hosts.iter().map(|host| {
            vec![
                format!("`{}`", host.name),
                if host.name == "*" {
                    "nobody's name: whoever uses the old address itself has to be told".to_owned()
                } else {
                    "from `$OLD` to `$NEW`".to_owned()
                },
                host.verdict.word().to_owned(),
            ]
        });
        self.table(&["host", "A, AAAA or CNAME", "verified"], rows);
        if plan.has_limits || plan.is_sticky {
            let what = match (plan.has_limits, plan.is_sticky) {
                (true, true) => "Rate limits and sticky sessions are",
                (true, false) => "Rate limits are",
                _ => "Sticky sessions are",
            };
            let then = match (plan.has_limits, plan.is_sticky) {
                (true, true) => "a client may have twice the requests and lose its session",
                (true, false) => "a client may have twice the requests",
                _ => "a client may lose its session",
            };
            self.text(&format!("{what} each proxy's own: as long as both serve a host, {then}. Move such a host at once rather than by weights."));
        }
        self.text("The TTL that holds, and where a name leads after its step:");
        let mut lines = vec![
            "moved() {  # URL".to_owned(),
            "  curl --silent --max-time 20 --output /dev/null --write-out \"%{remote_ip} %{http_code} $1\\n\" \"$1\"".to_owned(),
            "}".to_owned(),
        ];
        for host in &plan.hosts {
            let Some(probe) = host.probes.last().filter(|_| host.name != "*") else {
                continue;
            };
            if !host.name.contains('*') {
                lines.push(format!("dig +noall +answer {}", line([host.name.as_str()])));
            }
            lines.push(format!("moved {}", quote(&probe.url)));
        }
        self.commands(&lines);
    }

    fn watch(&mut self, plan: &Plan) {
        self.heading("8. What to watch");
        self.table(
            &["what", "says"],
            [
                ["answers 5xx of Envoy, by route", "a backend that Envoy does not reach, or a refusal of step 1"],
                ["answers 4xx, against those of yesterday", "a path, a password, an address list or a limit that is decided otherwise"],
                ["`envoy_cluster_upstream_rq_time` against `nginx_ingress_controller_request_duration_seconds`", "timeouts and retries"],
                ["requests that ingress-nginx still gets", "names, clients and health checks that have not moved"],
            ]
            .map(|cells| cells.map(str::to_owned).to_vec()),
        );
        let mut lines = Vec::new();
        for (namespace, name) in &plan.gateways {
            lines.push(format!(
                "kubectl logs --namespace {SYSTEM} --container envoy --since 10m --tail -1 --selector {} |",
                line([format!("gateway.envoyproxy.io/owning-gateway-namespace={namespace},gateway.envoyproxy.io/owning-gateway-name={name}").as_str()])
            ));
            lines.push("  grep -E '\"response_code\":\"?5' || echo 'no 5xx'".to_owned());
        }
        let (kind, namespace, name) = controller(plan);
        lines.extend(on_namespace(
            "kubectl logs --since 10m --tail 20",
            &namespace,
            &[format!("{kind}/{name}")],
            "",
        ));
        self.commands(&lines);
        let monitoring: Vec<&Note> = plan
            .elsewhere
            .iter()
            .filter(|note| note.topic == "monitoring")
            .collect();
        if !monitoring.is_empty() {
            self.text("These look at metrics of ingress-nginx and go silent with it:");
            let rows = monitoring
                .iter()
                .map(|note| vec![note.object.clone(), note.place.clone(), note.advice.clone()]);
            self.table(&["object", "place", "what to do"], rows);
        }
    }

    fn back(&mut self, plan: &Plan) {
        self.heading("9. The way back");
        self.text("Before step 10 it is DNS alone: the records get the old address again. The Ingresses and the controller have not changed, and serve whatever still comes. After a TTL the addresses that `moved` prints are the old ones.");
        self.text("The routes can stay, or go until the cause is found; step 5 brings them back:");
        let mut lines = Vec::new();
        if plan.routes.plain {
            lines.push(format!(
                "kubectl delete --ignore-not-found --filename {DIRECTORY}/routes.yaml"
            ));
        }
        self.commands(&lines);
        self.text("From step 10 on the Ingresses are made anew from what was saved there. They get a new age, and where two Ingresses claim one path, the oldest one has it: look at those first. A controller that is gone has to be installed again before.");
    }

    fn remove(&mut self, plan: &Plan) {
        self.heading("10. Remove what is left");
        self.text("When no name leads to the old address any more, for as long as the longest TTL and the longest-lived client connection. Save the Ingresses, then delete them:");
        let mut lines = vec![": >ingresses-before.yaml".to_owned()];
        let mut deletions = Vec::new();
        for (namespace, names) in &plan.ingresses {
            let names: Vec<String> = names.iter().map(|name| format!("ingress/{name}")).collect();
            let mut save = on_namespace("kubectl get", namespace, &names, "--output yaml");
            if let Some(last) = save.last_mut() {
                last.push_str(" |");
            }
            lines.extend(save);
            lines.push("  sed -e '/^ *resourceVersion: /d' >>ingresses-before.yaml".to_owned());
            lines.push("echo --- >>ingresses-before.yaml".to_owned());
            deletions.extend(on_namespace("kubectl delete", namespace, &names, ""));
        }
        lines.extend(deletions);
        self.commands(&lines);
        self.text("The way back from here, as long as the controller runs:");
        self.0
            .push_str("\n```sh back\nkubectl apply --filename ingresses-before.yaml\n```\n");
        if !plan.certificates.is_empty() {
            self.text("cert-manager's own Certificates go with their Ingresses. Those of the routes take over the Secrets, with one new certificate each:");
            let mut lines = Vec::new();
            for (namespace, name) in &plan.certificates {
                lines.extend(on_namespace(
                    "kubectl wait --for=condition=Ready",
                    namespace,
                    &[format!("certificate/{name}")],
                    "--timeout=10m",
                ));
            }
            self.commands(&lines);
        }
        self.text("Step 7's `moved` once more, and then the controller. First what else it serves; this has to print no Ingress of its class:");
        self.commands(&["kubectl get ingress --all-namespaces".to_owned()]);
        if !plan.staying.is_empty() {
            let staying: Vec<String> = plan
                .staying
                .iter()
                .map(|(namespace, name)| format!("`{namespace}/{name}`"))
                .collect();
            self.text(&format!(
                "Not part of this plan, and still there: {}. If the controller serves any of them, stop here.",
                printable(&staying.join(", "))
            ));
        }
        let own: Vec<&Note> = plan
            .elsewhere
            .iter()
            .filter(|note| note.topic == "ingress-nginx")
            .collect();
        if own.is_empty() {
            self.text("Names are those of the controller's chart; the controller itself was not in the input. The webhook first: without the controller the API server would refuse every change of an Ingress.");
        } else {
            self.text("The webhook first: without the controller the API server would refuse every change of an Ingress. What was found of it in the input:");
            let rows = own
                .iter()
                .map(|note| vec![note.object.clone(), note.place.clone(), note.advice.clone()]);
            self.table(&["object", "place", "what to do"], rows);
        }
        let (_, namespace, _) = controller(plan);
        let webhook = found(plan, "ValidatingWebhookConfiguration")
            .map_or_else(|| "ingress-nginx-admission".to_owned(), |(_, name)| name);
        let class = found(plan, "IngressClass").map_or_else(|| "nginx".to_owned(), |(_, n)| n);
        self.commands(&[
            format!(
                "kubectl delete validatingwebhookconfiguration {} --ignore-not-found",
                quote(&webhook)
            ),
            format!(
                "helm uninstall ingress-nginx --namespace {}",
                quote(&namespace)
            ),
            format!(
                "kubectl delete ingressclass {} --ignore-not-found",
                quote(&class)
            ),
        ]);
    }
}

/// A command of Gatewright about the same input.
fn gatewright(plan: &Plan, command: &str, more: &str) -> String {
    let arguments = plan.invocation.arguments.iter();
    let words = std::iter::once(command).chain(arguments.map(String::as_str));
    format!("gatewright {}{more}", line(words))
}

/// `command` on objects of a namespace, which may be none.
fn on_namespace(command: &str, namespace: &str, names: &[String], more: &str) -> Vec<String> {
    let mut head = command.to_owned();
    if !namespace.is_empty() {
        let _ = write!(head, " --namespace {}", quote(namespace));
    }
    if !more.is_empty() {
        let _ = write!(head, " {more}");
    }
    if names.len() <= ON_ONE_LINE {
        return vec![format!("{head} {}", line(names.iter().map(String::as_str)))];
    }
    let mut lines = vec![format!("{head} \\")];
    let last = names.len() - 1;
    for (at, name) in names.iter().enumerate() {
        let end = if at == last { "" } else { " \\" };
        lines.push(format!("  {}{end}", quote(name)));
    }
    lines
}

fn apply(files: &Files, name: &str) -> Vec<String> {
    let file = |ending: &str| {
        format!("kubectl apply --server-side --filename {DIRECTORY}/{name}{ending}.yaml")
    };
    // What the rest refers to comes first; namespaces of infra are in its plain part.
    let mut lines = Vec::new();
    if files.plain && name == "infra" {
        lines.push(file(""));
    }
    if files.secret {
        lines.push(file(".secrets"));
    }
    if files.plain && name != "infra" {
        lines.push(file(""));
    }
    lines
}

fn waits(files: &Files) -> Vec<String> {
    let mut lines = Vec::new();
    for ((at, namespace), names) in &files.waits {
        let (kind, conditions) = WAITED[*at];
        for condition in conditions {
            let names: Vec<String> = names
                .iter()
                .map(|name| format!("{}/{name}", resource(kind)))
                .collect();
            lines.extend(on_namespace(
                &format!("kubectl wait --for={}", quote(condition)),
                namespace,
                &names,
                "--timeout=10m",
            ));
        }
    }
    lines
}

fn addresses(host: &Host) -> Vec<String> {
    let of = |variable: &str, kind: &str, (namespace, name): &(String, String), path: &str| {
        format!(
            "{variable}=$(address \"$(kubectl get {kind} {} --namespace {} --output jsonpath='{path}')\")",
            quote(name),
            quote(namespace)
        )
    };
    let old = "{.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}";
    let mut lines = vec![of("OLD", "ingress", &host.ingress, old)];
    if let Some(gateway) = &host.gateway {
        let new = "{.status.addresses[0].value}";
        lines.push(of("NEW", "gateway", gateway, new));
    }
    lines
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Equivalent => "`verify` has found no request that is served otherwise.".to_owned(),
        Verdict::Declared => {
            "`verify` has found differences, all of which findings announce.".to_owned()
        }
        Verdict::Differs => "`verify` has found a difference that nothing announces. Do not move this host before it is understood.".to_owned(),
        Verdict::NotDecided(reason) => format!(
            "`verify` could not decide about all requests ({}). Ask for more than these.",
            printable(reason)
        ),
    }
}

fn errand(errand: &Errand) -> Vec<String> {
    vec![
        errand.topic.to_owned(),
        errand.about.clone(),
        errand.what.clone(),
        errand.todo.clone(),
    ]
}

/// Whether it has to be seen to before anything moves.
fn is_before(note: &Note) -> bool {
    matches!(
        note.topic,
        "ExternalDNS" | "cert-manager" | "network policy" | "Kubernetes 1.36"
    )
}

/// Kind, namespace and name of the controller: those of its chart unless it was given.
fn controller(plan: &Plan) -> (&'static str, String, String) {
    for (kind, resource) in [("Deployment", "deployment"), ("DaemonSet", "daemonset")] {
        if let Some((namespace, name)) = found(plan, kind) {
            return (resource, namespace, name);
        }
    }
    let (namespace, name) = ("ingress-nginx", "ingress-nginx-controller");
    ("deployment", namespace.to_owned(), name.to_owned())
}

/// Namespace and name of what belongs to the controller in the input.
fn found(plan: &Plan, kind: &str) -> Option<(String, String)> {
    let own = plan
        .elsewhere
        .iter()
        .filter(|note| note.topic == "ingress-nginx");
    own.filter_map(|note| note.object.strip_prefix(kind)?.strip_prefix(' '))
        .map(|object| object.split_once('/').unwrap_or(("", object)))
        .map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
        .next()
}

fn name(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}

/// A kind as kubectl takes it.
fn resource(kind: &str) -> String {
    kind.to_ascii_lowercase()
}

/// A host in a heading: `*` would be read as emphasis.
fn heading_name(name: &str) -> String {
    format!("`{}`", printable(name))
}

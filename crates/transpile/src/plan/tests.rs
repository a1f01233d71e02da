use super::*;
use crate::{Input, Options, verify};

const SHOP: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
spec:
  ingressClassName: nginx
  rules:
  - host: shop.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
";

fn text_of(inputs: &[(&str, &str)], options: &Options, arguments: &[&str]) -> String {
    let inputs = inputs.iter().map(|(name, text)| Input {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
    });
    let invocation = Invocation {
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        saved: None,
    };
    plan(
        &verify(inputs.collect(), None, options),
        options,
        invocation,
    )
    .markdown()
}

fn of(text: &str) -> String {
    text_of(&[("in.yaml", text)], &Options::default(), &["in.yaml"])
}

/// The lines of all blocks of commands.
fn commands(plan: &str) -> Vec<&str> {
    let mut inside = false;
    plan.lines()
        .filter(|line| {
            if line.starts_with("```") {
                inside = line.starts_with("```sh");
                return false;
            }
            inside
        })
        .collect()
}

#[test]
fn extension_apis_are_those_of_the_output() {
    assert!(!of(SHOP).contains("extensionApis"));
    let external = format!(
        "{SHOP}---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{type: ExternalName, externalName: web.example.com}}\n"
    );
    let plan = of(&external);
    assert!(plan.contains("    extensionApis:\n      enableBackend: true\n"));
    assert!(!plan.contains("enableLua") && !plan.contains("enableEnvoyPatchPolicy"));
    assert!(plan.contains("--values envoy-gateway-values.yaml"));
}

#[test]
fn what_is_refused_or_not_given_comes_first() {
    let snippet = SHOP.replace(
        "  namespace: shop\n",
        "  namespace: shop\n  annotations:\n    nginx.ingress.kubernetes.io/auth-url: https://auth.example.com/check\n",
    );
    let snippet = snippet.replace(
        "  rules:",
        "  tls: [{hosts: [shop.test], secretName: shop-tls}]\n  rules:",
    );
    let plan = of(&snippet);
    let first = plan.split("\n## ").nth(1).unwrap();
    assert!(first.contains("| refused | GW"), "{first}");
    assert!(
        first.contains("| not given | Secret shop/shop-tls |"),
        "{first}"
    );
    assert!(first.contains("kubectl get --namespace shop --output name secret/shop-tls\n"));
    assert!(of(SHOP).contains("| not given | Service shop/web |"));
    assert!(plan.contains("gatewright convert in.yaml --layout parts --output gateway || true"));
}

#[test]
fn what_was_accepted_is_still_named() {
    let refused = SHOP.replace(
        "  namespace: shop\n",
        "  namespace: shop\n  annotations:\n    nginx.ingress.kubernetes.io/auth-url: https://auth.example.com/check\n",
    );
    let options = Options {
        accept: vec!["GW0624=shop/web".to_owned()],
        ..Options::default()
    };
    let plan = text_of(&[("in.yaml", &refused)], &options, &["in.yaml"]);
    assert!(plan.contains("| accepted | GW0624, Ingress shop/web"));
    assert!(!plan.contains("|| true"));
}

#[test]
fn a_request_that_differs_says_so() {
    let refused = SHOP.replace(
        "  namespace: shop\n",
        "  namespace: shop\n  annotations:\n    nginx.ingress.kubernetes.io/auth-url: https://auth.example.com/check\n",
    );
    let plan = of(&refused);
    let line = plan.lines().find(|line| line.starts_with("same http"));
    let line = line.unwrap();
    assert!(
        line.starts_with("same http://shop.test/  # expected: "),
        "{line}"
    );
    assert!(line.contains("503"), "{line}");
}

#[test]
fn nothing_of_the_input_becomes_a_command() {
    let hostile = SHOP.replace("/, pathType: Prefix", "\"/a$(id)`id`;id\", pathType: Exact");
    let plan = text_of(
        &[("in.yaml", &hostile)],
        &Options::default(),
        &["$(id) `id`.yaml"],
    );
    for line in commands(&plan) {
        let outside: Vec<&str> = line.split('\'').step_by(2).collect();
        let outside = outside.concat();
        assert!(
            !outside.contains("`id`") && !outside.contains("$(id"),
            "{line}"
        );
    }
    assert!(plan.contains("gatewright verify '$(id) `id`.yaml'"));
}

#[test]
fn the_order_of_files_says_nothing() {
    let other = SHOP.replace("shop", "store");
    let (a, b) = (("a.yaml", SHOP), ("b.yaml", other.as_str()));
    let options = Options::default();
    assert_eq!(
        text_of(&[a, b], &options, &["."]),
        text_of(&[b, a], &options, &["."])
    );
}

#[test]
fn a_gateway_that_exists_is_not_written() {
    let options = Options {
        gateway: Some(("infra".to_owned(), "public".to_owned())),
        ..Options::default()
    };
    let plan = text_of(
        &[("in.yaml", SHOP)],
        &options,
        &["in.yaml", "--gateway=infra/public"],
    );
    assert!(!plan.contains("infra.yaml"));
    assert!(plan.contains(
        "kubectl wait --for=condition=Programmed --namespace infra --timeout=10m gateway/public"
    ));
    assert!(plan.contains("kubectl get gateway public --namespace infra"));
}

#[test]
fn what_belongs_to_the_controller_is_called_by_its_name() {
    let controller = "---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: edge, namespace: edge-system}
spec: {template: {spec: {containers: [{name: controller, image: registry.k8s.io/ingress-nginx/controller:v1.15.1, args: [/nginx-ingress-controller]}]}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: edge-admission}
webhooks: [{name: validate.nginx.ingress.kubernetes.io, clientConfig: {service: {name: ingress-nginx-controller-admission, namespace: edge-system}}}]
";
    let plan = of(&format!("{SHOP}{controller}"));
    for command in [
        "kubectl logs --since 10m --tail 20 --namespace edge-system daemonset/edge",
        "kubectl delete validatingwebhookconfiguration edge-admission --ignore-not-found",
        "helm uninstall ingress-nginx --namespace edge-system",
    ] {
        assert!(commands(&plan).contains(&command), "{command}");
    }
}

#[test]
fn without_an_ingress_nothing_moves() {
    let plan = of("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n");
    assert!(plan.contains("nothing moves"));
    assert!(commands(&plan).is_empty());
}

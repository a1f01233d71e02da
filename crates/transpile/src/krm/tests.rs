use super::*;
use crate::{Options, convert};

const LIST: &str = r#"apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
# why it is there
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: other # a comment
    annotations:
      config.kubernetes.io/path: other.yaml
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata:
    name: web
    namespace: shop
    annotations:
      config.kubernetes.io/index: '1'
      config.kubernetes.io/path: 'apps/web.yaml'
      internal.config.kubernetes.io/index: '1'
      internal.config.kubernetes.io/path: 'apps/web.yaml'
      nginx.ingress.kubernetes.io/rate-limit: "10"
  spec:
    ingressClassName: nginx
    rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
- apiVersion: v1
  kind: Service
  metadata:
    name: web
    namespace: shop
    annotations:
      internal.config.kubernetes.io/index: '0'
      internal.config.kubernetes.io/path: 'apps/web.yaml'
  spec:
    ports: [{port: 80}]
- apiVersion: gateway.networking.k8s.io/v1
  kind: HTTPRoute
  metadata:
    name: gone
    annotations:
      internal.config.kubernetes.io/path: 'gateway/shop_httproute_gone.yaml'
functionConfig:
  apiVersion: v1
  kind: ConfigMap
  data:
    emit: routes
"#;

fn writing() -> Writing {
    Writing {
        remove_ingresses: false,
        directory: "gateway".to_owned(),
    }
}

fn run(text: &str, writing: &Writing) -> (String, Conversion) {
    let list = ResourceList::read(text.to_owned()).expect("a list");
    let conversion = convert(list.inputs(writing), &Options::default());
    (list.write(&conversion, writing), conversion)
}

#[test]
fn objects_become_files_again() {
    let list = ResourceList::read(LIST.to_owned()).expect("a list");
    let inputs = list.inputs(&writing());
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["apps/web.yaml", "other.yaml"]);
    let text = &inputs[0].text;
    assert!(
        text.starts_with(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\nspec:\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("---\napiVersion: networking.k8s.io/v1\n"),
        "{text}"
    );
    assert!(
        text.contains("  annotations:\n    nginx.ingress.kubernetes.io/rate-limit: \"10\"\n"),
        "{text}"
    );
    assert_eq!(inputs[1].text.lines().next(), Some("# why it is there"));
}

#[test]
fn what_is_not_touched_keeps_its_text() {
    let (text, _) = run(LIST, &writing());
    let (before, _) = LIST.split_once("- apiVersion: gateway").expect("the route");
    assert!(text.starts_with(before), "{text}");
    assert!(!text.contains("name: gone"), "{text}");
    assert!(
        text.contains("      config.kubernetes.io/path: gateway/shop_httproute_web.yaml\n"),
        "{text}"
    );
    let config = text.find("\nfunctionConfig:\n").expect("the configuration");
    assert!(text.find("\nresults:\n").expect("results") > config);
}

/// As kpt writes the comment before an object.
#[test]
fn comments_behind_the_dash_are_kept() {
    let list = LIST.replace(
        "# why it is there\n- apiVersion",
        "- # why it is there\n  apiVersion",
    );
    let (text, _) = run(&list, &writing());
    let (before, _) = list.split_once("- apiVersion: gateway").expect("the route");
    assert!(text.starts_with(before), "{text}");
    let list = ResourceList::read(list).expect("a list");
    let inputs = list.inputs(&writing());
    assert!(
        inputs[1]
            .text
            .starts_with("# why it is there\napiVersion: v1\n"),
        "{}",
        inputs[1].text
    );
}

#[test]
fn a_second_run_says_the_same() {
    let (first, _) = run(LIST, &writing());
    let (second, _) = run(&first, &writing());
    assert_eq!(first, second);
}

#[test]
fn results_have_file_line_and_field() {
    let (text, conversion) = run(LIST, &writing());
    let found = conversion
        .diagnostics
        .iter()
        .find(|found| found.code == Code::UnknownAnnotation)
        .expect("the finding");
    let span = found.span().expect("a place");
    // Line 6 of the document that is the second in its file, behind seven lines and `---`.
    assert_eq!(conversion.sources.position(span).line, 15);
    let at = text.find("code: GW0410").expect("the result");
    let result = &text[..at];
    let result = &result[result.rfind("- message").expect("its begin")..];
    assert!(
        result.contains("  file:\n    path: apps/web.yaml\n    index: 1\n"),
        "{result}"
    );
    assert!(
        result.contains("path: metadata.annotations[nginx.ingress.kubernetes.io/rate-limit]"),
        "{result}"
    );
    assert!(text[at..].contains("line: \"15\""), "{text}");
}

#[test]
fn ingresses_are_removed_on_request() {
    let remove = Writing {
        remove_ingresses: true,
        ..writing()
    };
    let (text, _) = run(LIST, &remove);
    assert!(
        !text.contains("- apiVersion: networking.k8s.io/v1\n"),
        "{text}"
    );
    assert!(text.contains("kind: Service\n"), "{text}");
}

#[test]
fn json_is_written_anew() {
    let text = r#"{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}]}"#;
    let (text, _) = run(text, &writing());
    assert!(
        text.contains("- apiVersion: networking.k8s.io/v1\n  kind: Ingress\n"),
        "{text}"
    );
    assert!(text.contains("  kind: HTTPRoute\n"), "{text}");
    let again = ResourceList::read(text).expect("a list");
    assert!(again.items.len() > 2);
}

#[test]
fn a_plain_list_gets_no_results() {
    let text = LIST
        .replace("kind: ResourceList", "kind: List")
        .replace("config.kubernetes.io/v1\n", "v1\n");
    let (text, _) = run(&text, &writing());
    assert!(!text.contains("\nresults:"), "{text}");
}

#[test]
fn settings_are_read() {
    let list = ResourceList::read(LIST.to_owned()).expect("a list");
    let emit = ("emit".to_owned(), Setting::Text("routes".to_owned()));
    assert_eq!(list.config(), [emit]);
    let own = "kind: ResourceList\nfunctionConfig:\n  kind: Convert\n  spec:\n    comments: false\n    ingress-classes: [a, b]\nitems: []\n";
    let list = ResourceList::read(own.to_owned()).expect("a list");
    let classes = Setting::List(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(
        list.config(),
        [
            ("comments".to_owned(), Setting::Flag(false)),
            ("ingress-classes".to_owned(), classes)
        ]
    );
}

#[test]
fn what_is_no_list_is_refused() {
    for text in [
        "",
        "a: 1\n",
        "kind: Ingress\n",
        "a: 1\n---\nb: 2\n",
        "a: [\n",
    ] {
        assert!(ResourceList::read(text.to_owned()).is_err(), "{text:?}");
    }
}

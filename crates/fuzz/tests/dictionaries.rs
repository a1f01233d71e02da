//! The words that libFuzzer is given to play with. `BLESS=1` writes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use gatewright_nginx::config_map::CONFIG_KEYS;
use gatewright_nginx::registry;

fn dictionary(words: impl IntoIterator<Item = String>) -> String {
    let words: BTreeSet<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut text = String::new();
    for word in words {
        let bytes = word.bytes().fold(String::new(), |mut bytes, byte| {
            match byte {
                b'"' | b'\\' => bytes.extend(['\\', char::from(byte)]),
                b' '..=b'~' => bytes.push(char::from(byte)),
                _ => {
                    let _ = write!(bytes, "\\x{byte:02X}");
                }
            }
            bytes
        });
        let _ = writeln!(text, "\"{bytes}\"");
    }
    text
}

fn expect(name: &str, words: Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/dictionaries");
    let path = path.join(format!("{name}.dict"));
    let text = dictionary(words);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).expect("a writable directory");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, text, "{name}: BLESS=1 writes it");
}

fn annotations() -> Vec<String> {
    let mut words: Vec<String> = registry::names().map(|name| format!("{name}: ")).collect();
    words.extend(registry::entries().map(|entry| entry.example.to_owned()));
    let settings = CONFIG_KEYS.iter();
    words.extend(settings.map(|key| format!("%{}: ", key.key)));
    let others = [
        "\n",
        "\n+",
        "+",
        "tls\n",
        "host *.a.test",
        "host ",
        "\n/",
        " Exact",
        " Prefix",
        " Implementation",
        "/(.*)",
        "(/|$)(.*)",
        "\\n",
        "true",
        "false",
        "users",
        "headers",
        "shop/users",
        "$1",
        "$host",
        "$request_uri",
        "http://auth.test/check",
        "10.0.0.0/8",
    ];
    words.extend(others.map(str::to_owned));
    words
}

#[test]
fn annotations_are_those_of_the_registry() {
    expect("annotations", annotations());
}

#[test]
fn settings_are_those_of_the_table() {
    let keys = CONFIG_KEYS.iter().map(|key| format!("{}: ", key.key));
    let mut words: Vec<String> = keys.collect();
    words.extend(CONFIG_KEYS.iter().map(|key| key.default.to_owned()));
    words.extend(registry::names().map(|name| format!("\n-{name}: ")));
    words.extend(["\n", "\n-", "true", "false", "-tls\n"].map(str::to_owned));
    expect("config_map", words);
}

#[test]
fn objects_have_the_names_of_both() {
    let names = registry::names();
    let mut words: Vec<String> = names
        .map(|name| format!("nginx.ingress.kubernetes.io/{name}: "))
        .collect();
    words.extend(CONFIG_KEYS.iter().map(|key| format!("\n  {}: ", key.key)));
    let others = [
        "\n---\n",
        "apiVersion: networking.k8s.io/v1\n",
        "kind: Ingress\n",
        "kind: List\n",
        "kind: Secret\n",
        "kind: ConfigMap\n",
        "kind: Service\n",
        "metadata: ",
        "name: ",
        "namespace: ",
        "annotations:\n",
        "labels:\n",
        "spec:\n",
        "items:\n",
        "rules:\n",
        "host: ",
        "http: {paths: [",
        "path: ",
        "pathType: Prefix",
        "pathType: Exact",
        "pathType: ImplementationSpecific",
        "backend: {service: {name: ",
        "port: {number: 80}",
        "defaultBackend: ",
        "tls: ",
        "secretName: ",
        "ingressClassName: ",
        "\"true\"",
    ];
    words.extend(others.map(str::to_owned));
    expect("pipeline", words);
}

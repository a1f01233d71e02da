//! Documents that are none of the objects that a conversion reads.

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_yaml::{Node, closest};

const READ: &[&str] = &["Ingress", "IngressClass"];
const READ_CORE: &[&str] = &["Service", "Secret", "ConfigMap"];
/// The groups that Ingresses have had.
const GROUPS: &[&str] = &["networking.k8s.io", "extensions"];
const VERSION_HELP: &str = "write `apiVersion: networking.k8s.io/v1`";

/// What is to be said of it, and whether an Ingress is lost; nothing for an object of another
/// kind, which most inputs hold some of.
pub(crate) fn judge(node: &Node, version: &str, kind: &str) -> Option<(Diagnostic, bool)> {
    let found = |message: String| Diagnostic::new(Code::NotAnObject, message);
    let Some(mapping) = node.as_mapping() else {
        return Some((
            found(format!(
                "a {} stands where an object is expected",
                node.kind_name()
            ))
            .at(node.span)
            .help("write a map with `apiVersion`, `kind` and `metadata`"),
            false,
        ));
    };
    let place = |key| mapping.get(key).map(|value| value.span);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let of_ingress = GROUPS.contains(&group);
    if kind == "Ingress" {
        let meant =
            of_ingress || group.is_empty() || closest(group, GROUPS.iter().copied()).is_some();
        let at = place("apiVersion").or(place("kind")).unwrap_or(node.span);
        let message = if version.is_empty() {
            "the Ingress has no `apiVersion`".to_owned()
        } else if meant {
            format!("`{version}` is no API version of Ingresses")
        } else {
            format!("an Ingress of `{group}` is another kind of object and is not converted")
        };
        let said = found(message).at(at);
        return Some(if meant {
            (
                said.note("the API server refuses the object, so it is not converted")
                    .help(VERSION_HELP),
                true,
            )
        } else {
            (said.severity(Severity::Warning), false)
        });
    }
    if kind.is_empty() {
        return kindless(node, of_ingress);
    }
    let known = if of_ingress {
        READ
    } else if version == "v1" {
        READ_CORE
    } else {
        return None;
    };
    let likely = closest(kind, known.iter().copied())?;
    let message = format!("there is no kind `{kind}` in `{version}`");
    let at = place("kind").unwrap_or(node.span);
    let help = format!("did you mean `{likely}`?");
    Some((found(message).at(at).help(help), true))
}

/// A document that does not say what it is. Values of a chart are common among manifests; one
/// that has what only an Ingress has was meant to be converted.
fn kindless(node: &Node, of_ingress: bool) -> Option<(Diagnostic, bool)> {
    let spec = |key| node.at("spec").is_some_and(|spec| spec.get(key).is_some());
    let ingress = of_ingress
        || ["rules", "ingressClassName", "defaultBackend", "backend"]
            .into_iter()
            .any(spec);
    let object = node.get("apiVersion").is_some() || node.get("metadata").is_some();
    let first = node
        .as_mapping()
        .and_then(|mapping| mapping.iter().next())?;
    let found = Diagnostic::new(Code::NotAnObject, "the document has no `kind`").at(first.key.span);
    Some(if ingress {
        (
            found.help("write `apiVersion: networking.k8s.io/v1` and `kind: Ingress`"),
            true,
        )
    } else if object {
        (
            found
                .severity(Severity::Warning)
                .help("write the kind of the object"),
            false,
        )
    } else {
        (
            found
                .severity(Severity::Info)
                .note("it is not a Kubernetes object and is passed over"),
            false,
        )
    })
}

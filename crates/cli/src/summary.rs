//! The closing words of a run.

use std::fmt::Write as _;
use std::path::Path;

use gatewright_diagnostics::render::printable;
use gatewright_transpile::{OutcomeCounts, Prerequisites, Summary};

/// The summary of a run, a line for each aspect that there is something to say about.
pub(crate) fn text(
    summary: &Summary,
    prerequisites: &Prerequisites,
    unreadable: usize,
    secrets: Option<&Path>,
) -> String {
    let Summary {
        files,
        documents,
        ingresses,
        skipped_ingresses,
        rules,
        hosts,
        objects,
        outcomes,
        errors,
        warnings,
        infos,
    } = summary;
    let mut out = String::new();
    let _ = write!(
        out,
        "{} in {} of {}: {}, {}",
        count(*ingresses, "Ingress", "Ingresses"),
        count(*documents, "document", "documents"),
        count(*files, "file", "files"),
        count(*hosts, "host", "hosts"),
        count(*rules, "rule", "rules"),
    );
    if *skipped_ingresses > 0 {
        let _ = write!(
            out,
            "; {} left out",
            count(*skipped_ingresses, "Ingress", "Ingresses")
        );
    }
    if unreadable > 0 {
        let _ = write!(
            out,
            "; {} not readable",
            count(unreadable, "document", "documents")
        );
    }
    out.push('\n');
    let OutcomeCounts {
        translated,
        differences,
        no_effect,
        refused,
    } = outcomes;
    if translated + differences + no_effect + refused > 0 {
        let _ = writeln!(
            out,
            "annotations and fields: {translated} translated, {differences} with a difference, {no_effect} without effect, {refused} refused"
        );
    }
    if !objects.is_empty() {
        let objects: Vec<_> = objects
            .iter()
            .map(|object| format!("{} {}", object.count, object.kind))
            .collect();
        let _ = writeln!(out, "written: {}", objects.join(", "));
    }
    if let Some(path) = secrets {
        let path = path.to_string_lossy();
        let _ = writeln!(out, "sensitive: the Secrets are in `{}`", printable(&path));
    }
    if let Some(needs) = needs(prerequisites) {
        let _ = writeln!(out, "needs: {needs}");
    }
    if errors + warnings + infos > 0 {
        let _ = writeln!(
            out,
            "{}, {}, {}; `gatewright explain CODE` tells more",
            count(*errors, "error", "errors"),
            count(*warnings, "warning", "warnings"),
            count(*infos, "info", "infos"),
        );
    }
    out
}

fn needs(prerequisites: &Prerequisites) -> Option<String> {
    let Prerequisites {
        gateway_api,
        envoy_gateway,
        extension_apis,
        notes,
    } = prerequisites;
    let mut needs = Vec::new();
    needs.extend(
        gateway_api
            .iter()
            .map(|version| format!("Gateway API {version}")),
    );
    needs.extend(
        envoy_gateway
            .iter()
            .map(|version| format!("Envoy Gateway {version}")),
    );
    if !extension_apis.is_empty() {
        needs.push(format!("extensionApis {}", extension_apis.join(", ")));
    }
    needs.extend(notes.iter().cloned());
    (!needs.is_empty()).then(|| needs.join("; "))
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use gatewright_transpile::ObjectCount;

    use super::*;

    #[test]
    fn says_what_there_is_to_say() {
        let summary = Summary {
            files: 2,
            documents: 3,
            ingresses: 1,
            skipped_ingresses: 1,
            rules: 4,
            hosts: 1,
            objects: vec![ObjectCount {
                kind: "HTTPRoute".into(),
                count: 2,
            }],
            outcomes: OutcomeCounts {
                translated: 5,
                refused: 1,
                ..OutcomeCounts::default()
            },
            errors: 1,
            warnings: 0,
            infos: 2,
        };
        let needs = Prerequisites {
            envoy_gateway: Some("1.8".into()),
            extension_apis: vec!["enableBackend".into()],
            ..Prerequisites::default()
        };
        assert_eq!(
            text(&summary, &needs, 1, Some(Path::new("gateway.secrets.yaml"))),
            "\
1 Ingress in 3 documents of 2 files: 1 host, 4 rules; 1 Ingress left out; 1 document not readable
annotations and fields: 5 translated, 0 with a difference, 0 without effect, 1 refused
written: 2 HTTPRoute
sensitive: the Secrets are in `gateway.secrets.yaml`
needs: Envoy Gateway 1.8; extensionApis enableBackend
1 error, 0 warnings, 2 infos; `gatewright explain CODE` tells more
"
        );
    }

    #[test]
    fn an_empty_run_has_one_line() {
        assert_eq!(
            text(&Summary::default(), &Prerequisites::default(), 0, None),
            "0 Ingresses in 0 documents of 0 files: 0 hosts, 0 rules\n"
        );
    }
}

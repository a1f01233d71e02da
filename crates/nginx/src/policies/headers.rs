//! Headers that a `ConfigMap` holds: those of an Ingress and those of the controller.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{GlobalHeaders, Header, RequestValue, ValuePart};
use gatewright_source::Span;

use super::{PolicyInput, PolicyOutput};
use crate::config_map::Config;
use crate::named::Told;
use crate::objects::{ConfigMapInfo, Objects};

/// The keys that are carried over.
pub(crate) const KEYS: &[&str] = &["custom-headers"];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(wanted) = &input.settings.custom_headers else {
        return;
    };
    let origin = input.origin("custom-headers", wanted.span);
    let reference = &wanted.value;
    let Some(map) = config_map(input.objects, &reference.namespace, &reference.name) else {
        let name = format!("{}/{}", reference.namespace, reference.name);
        let told = (input.objects).told("ConfigMap", &reference.namespace, &reference.name);
        let withheld = told == Some(Told::Withheld);
        let diagnostic = missing(&name)
            .label(wanted.span, "not in the input")
            .note("ingress-nginx answers 503 as long as it does not exist, and so do the paths of this Ingress");
        out.refuse(format!("ConfigMap {name} is missing"), !withheld, origin);
        out.refused(input, "custom-headers", diagnostic);
        return;
    };
    let allowed = &input.config.global_allowed_response_headers;
    let mut headers = Vec::new();
    for (name, value, span) in &map.data {
        let fault = if !is_name(name) || !is_value(value) {
            format!("the header `{name}` has a name or value that the controller does not take")
        } else if allowed.iter().any(|allowed| **allowed == **name) {
            headers.push(Header {
                name: name.to_string(),
                value: vec![ValuePart::Text(value.to_string())],
            });
            continue;
        } else {
            format!("the header `{name}` is not listed in `global-allowed-response-headers`")
        };
        let diagnostic = Diagnostic::new(Code::AnnotationDeniesIngress, fault.clone())
            .label(*span, "not allowed")
            .label(wanted.span, "wanted here")
            .note("ingress-nginx answers 503 on every path of this Ingress, and so does the output")
            .help("list the header in the controller's ConfigMap, or remove it from this one");
        out.refuse(fault, true, origin);
        out.refused(input, "custom-headers", diagnostic);
        return;
    }
    out.policies_mut().response_headers = headers;
}

/// What the controller's `ConfigMap` says of headers for all hosts.
pub(crate) fn globals(
    config: &Config,
    objects: &Objects,
    controller: Option<&ConfigMapInfo>,
    diagnostics: &mut Vec<Diagnostic>,
) -> GlobalHeaders {
    let mut read = |key: &str, reference: &str| {
        let reference = reference.trim();
        if reference.is_empty() {
            return Vec::new();
        }
        let map = reference
            .split_once('/')
            .and_then(|(namespace, name)| config_map(objects, namespace, name));
        let Some(map) = map else {
            let mut diagnostic = missing(reference).note(format!(
                "the controller's ConfigMap names it under `{key}`; no header of it is set"
            ));
            let mut entries = controller.iter().flat_map(|map| &map.data);
            if let Some((_, _, span)) = entries.find(|(name, ..)| &**name == key) {
                diagnostic = diagnostic.label(*span, "not in the input");
            }
            diagnostics.push(diagnostic);
            return Vec::new();
        };
        headers(map, diagnostics)
    };
    let response = read("add-headers", &config.add_headers);
    let mut request = read("proxy-set-headers", &config.proxy_set_headers);
    if config.proxy_add_original_uri_header {
        request.push(Header {
            name: "X-Original-URI".to_owned(),
            value: vec![ValuePart::Request(RequestValue::Target)],
        });
    }
    GlobalHeaders {
        response,
        request,
        hidden: config
            .hide_headers
            .iter()
            .filter(|name| is_name(name))
            .cloned()
            .collect(),
        // `more_clear_headers Server` takes it away from every answer unless nginx names itself.
        server: config.server_tokens && config.allow_backend_server_header,
        request_id: config.generate_request_id,
    }
}

fn headers(map: &ConfigMapInfo, diagnostics: &mut Vec<Diagnostic>) -> Vec<Header> {
    let mut headers = Vec::new();
    for (name, value, span) in &map.data {
        match parts(value) {
            Ok(value) if is_name(name) && is_value_or_empty(value.as_slice()) => {
                headers.push(Header {
                    name: name.to_string(),
                    value,
                });
            }
            Ok(_) => diagnostics.push(left_out(
                *span,
                format!("the header `{name}` cannot be set: its name or value holds other characters than headers have"),
            )),
            Err(variable) => diagnostics.push(left_out(
                *span,
                format!("the header `{name}` is left out: Envoy knows nothing like `{variable}`"),
            )),
        }
    }
    headers
}

fn left_out(span: Span, message: String) -> Diagnostic {
    Diagnostic::new(Code::HeaderVariable, message)
        .label(span, "left out")
        .help("write a plain text, or set the header in the application")
}

fn missing(name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::HeaderMapMissing,
        format!("ConfigMap {name} is not in the input"),
    )
    .help("add it to the input, or correct its name")
}

fn config_map<'a>(objects: &'a Objects, namespace: &str, name: &str) -> Option<&'a ConfigMapInfo> {
    objects
        .config_maps
        .get(&(Arc::from(namespace), Arc::from(name)))
}

/// `^[a-zA-Z\d\-_]+$` of the controller.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The controller's pattern of header values.
fn is_value(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| {
            b.is_ascii_alphanumeric() || b"_ :;.,\\/\"'?!(){}[]@<>=-+*#$&`|~^%".contains(&b)
        })
}

fn is_value_or_empty(parts: &[ValuePart]) -> bool {
    parts.iter().all(|part| match part {
        ValuePart::Text(text) => text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t')),
        ValuePart::Request(_) => true,
    })
}

/// A text with nginx variables; the error is the first that has no counterpart.
fn parts(text: &str) -> Result<Vec<ValuePart>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        push_text(&mut parts, before);
        let after = &after[1..];
        let braced = after.strip_prefix('{').and_then(|s| s.split_once('}'));
        let (name, next) = braced.unwrap_or_else(|| {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len());
            after.split_at(end)
        });
        let value = variable(name).ok_or_else(|| format!("${name}"))?;
        parts.push(ValuePart::Request(value));
        rest = next;
    }
    push_text(&mut parts, rest);
    Ok(parts)
}

fn push_text(parts: &mut Vec<ValuePart>, text: &str) {
    if !text.is_empty() {
        parts.push(ValuePart::Text(text.to_owned()));
    }
}

fn variable(name: &str) -> Option<RequestValue> {
    Some(match name {
        "host" => RequestValue::Host,
        "http_host" | "best_http_host" => RequestValue::Authority,
        "scheme" | "pass_access_scheme" => RequestValue::Scheme,
        "server_port" | "pass_server_port" | "pass_port" => RequestValue::ListenerPort,
        "remote_addr" | "the_real_ip" => RequestValue::ClientAddress,
        "request_method" => RequestValue::Method,
        "request_uri" => RequestValue::Target,
        "req_id" | "request_id" => RequestValue::Id,
        _ => {
            let header = name.strip_prefix("http_").filter(|name| !name.is_empty())?;
            RequestValue::Header(header.replace('_', "-"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_what_they_stand_for() {
        let check = |text: &str, expected: &[ValuePart]| assert_eq!(parts(text).unwrap(), expected);
        let text = |text: &str| ValuePart::Text(text.to_owned());
        check("plain", &[text("plain")]);
        check("", &[]);
        check(
            "$server_port",
            &[ValuePart::Request(RequestValue::ListenerPort)],
        );
        check(
            "a${host}:b $http_x_y",
            &[
                text("a"),
                ValuePart::Request(RequestValue::Host),
                text(":b "),
                ValuePart::Request(RequestValue::Header("x-y".to_owned())),
            ],
        );
        assert_eq!(parts("a $upstream_addr"), Err("$upstream_addr".to_owned()));
        assert_eq!(parts("5 $"), Err("$".to_owned()));
    }

    #[test]
    fn names_and_values_are_checked_as_the_controller_does() {
        assert!(is_name("X-Frame_Options1") && !is_name("X Y") && !is_name(""));
        assert!(is_value("blue $host \"x\"") && !is_value("a\nb") && !is_value(""));
    }
}

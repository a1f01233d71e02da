//! nginx's variables in values.

use std::collections::BTreeMap;

use gatewright_model::{Piece, Template};

use crate::ingress::Ingress;

/// What `set` gave the snippet's own variables; `None` when it depends on a condition.
pub(super) type Own = BTreeMap<String, Option<Template>>;

/// A value with variables, or the first variable that has no counterpart.
pub(super) fn template(text: &str, own: &Own, ingress: &Ingress) -> Result<Template, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = name(rest);
        if name.is_empty() {
            literal.push('$');
            continue;
        }
        rest = if rest.starts_with('{') {
            &rest[name.len() + 2..]
        } else {
            &rest[name.len()..]
        };
        let unknown = || format!("${name}");
        let found = match own.get(name) {
            Some(value) => value.clone().ok_or_else(unknown)?.0,
            None => vec![piece(name, ingress).ok_or_else(unknown)?],
        };
        for piece in found {
            match piece {
                Piece::Text(text) => literal.push_str(&text),
                piece => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(piece);
                }
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(Template(pieces))
}

/// The name of the variable whose `$` has just been read; empty if it is none.
fn name(rest: &str) -> &str {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(inner) = rest.strip_prefix('{') {
        return inner
            .split_once('}')
            .map(|(name, _)| name)
            .filter(|name| name.chars().all(word))
            .unwrap_or_default();
    }
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return &rest[..1];
    }
    &rest[..rest.find(|c| !word(c)).unwrap_or(rest.len())]
}

fn piece(name: &str, ingress: &Ingress) -> Option<Piece> {
    Some(match name {
        "host" | "best_http_host" | "http_host" => Piece::Host,
        "remote_addr" | "the_real_ip" => Piece::ClientAddress,
        "scheme" | "pass_access_scheme" => Piece::Scheme,
        "request_method" => Piece::Method,
        "request_uri" => Piece::Target,
        "uri" | "document_uri" => Piece::Path,
        "request_id" | "req_id" => Piece::RequestId,
        "proxy_add_x_forwarded_for" => Piece::Header("x-forwarded-for".to_owned()),
        "service_name" => Piece::BackendName,
        "service_port" => Piece::BackendPort,
        "namespace" => Piece::Text(ingress.object.namespace.to_string()),
        "ingress_name" => Piece::Text(ingress.object.name.to_string()),
        _ => {
            if let Some(header) = name
                .strip_prefix("http_")
                .filter(|header| !header.is_empty())
            {
                return Some(Piece::Header(header.replace('_', "-")));
            }
            let digit = name
                .parse::<u8>()
                .ok()
                .filter(|digit| (1..=9).contains(digit))?;
            Piece::Capture(digit)
        }
    })
}

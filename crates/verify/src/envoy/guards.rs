//! What policies ask of a request before a backend gets it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reference::place;
use crate::behaviour::{Addresses, Authorizer, Bucket, Guards, Limits, Passwords};
use crate::objects::{Objects, at, items, text};

/// The guards of a `SecurityPolicy`; the error says why the controller refuses it, upon which
/// the rule answers 500.
pub(crate) fn security(
    objects: &Objects,
    namespace: &str,
    spec: &Value,
    guards: &mut Guards,
) -> Result<(), String> {
    if spec["authorization"].is_object() {
        match addresses(&spec["authorization"]) {
            Some(found) => guards.addresses = Some(found),
            None => {
                guards
                    .others
                    .insert("an authorization rule that is not interpreted".to_owned());
            }
        }
    }
    if spec["basicAuth"].is_object() {
        guards.passwords = Some(passwords(objects, namespace, &spec["basicAuth"])?);
    }
    if spec["extAuth"].is_object() {
        guards.authorizer = Some(authorizer(objects, namespace, &spec["extAuth"])?);
    }
    for other in ["jwt", "oidc", "apiKeyAuth", "csrf"] {
        if !spec[other].is_null() {
            guards.others.insert(format!("`{other}`"));
        }
    }
    Ok(())
}

/// The guards of a `BackendTrafficPolicy`.
pub(crate) fn traffic(spec: &Value, guards: &mut Guards) {
    let mut limits = Limits::default();
    for rule in items(at(spec, "/rateLimit/local/rules")) {
        limits.buckets.extend(bucket(rule));
    }
    if text(&spec["rateLimit"], "type") == "Global" || spec["rateLimit"]["global"].is_object() {
        guards
            .others
            .insert("a global rate limit that is not interpreted".to_owned());
    }
    // What is as good as none is none.
    limits.concurrent = at(spec, "/circuitBreaker/maxParallelRequests")
        .as_u64()
        .filter(|most| *most < u64::from(u32::MAX));
    if limits != Limits::default() {
        guards.limits = Some(limits);
    }
}

fn addresses(spec: &Value) -> Option<Addresses> {
    let allows = |word: &str| word == "Allow";
    let mut rules = Vec::new();
    for rule in items(&spec["rules"]) {
        let principal = rule["principal"].as_object()?;
        if rule.get("operation").is_some_and(|o| !o.is_null())
            || rule.get("cel").is_some_and(|c| !c.is_null())
            || principal.keys().any(|key| key != "clientCIDRs")
        {
            return None;
        }
        let networks = items(&principal["clientCIDRs"])
            .iter()
            .filter_map(|network| network.as_str().map(str::to_owned))
            .collect();
        rules.push((allows(text(rule, "action")), networks));
    }
    Some(Addresses {
        rules,
        otherwise: allows(text(spec, "defaultAction")),
    })
}

/// Names and hashes; `None` for the users when the Secret is not among the objects.
fn passwords(objects: &Objects, namespace: &str, spec: &Value) -> Result<Passwords, String> {
    let reference = &spec["users"];
    let name = text(reference, "name");
    let namespace = reference["namespace"].as_str().unwrap_or(namespace);
    let secret = format!("{namespace}/{name}");
    let Some(object) = objects.find("Secret", namespace, name) else {
        return Ok(Passwords {
            secret,
            users: None,
        });
    };
    let lines = match object.at("/stringData/.htpasswd").as_str() {
        Some(plain) => plain.as_bytes().to_vec(),
        None => object
            .at("/data/.htpasswd")
            .as_str()
            .and_then(base64)
            .ok_or_else(|| format!("Secret {secret} has no `.htpasswd`"))?,
    };
    let mut users = BTreeMap::new();
    for line in String::from_utf8_lossy(&lines)
        .lines()
        .filter(|line| !line.is_empty())
    {
        let Some((user, hash)) = line.split_once(":{SHA}") else {
            return Err(format!("Secret {secret} holds a hash that is not SHA-1"));
        };
        // The first of a name counts.
        users
            .entry(user.to_owned())
            .or_insert_with(|| hash.to_owned());
    }
    Ok(Passwords {
        secret,
        users: Some(users),
    })
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text
        .bytes()
        .filter(|b| !b.is_ascii_whitespace() && *b != b'=')
    {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn authorizer(objects: &Objects, namespace: &str, spec: &Value) -> Result<Authorizer, String> {
    let service = if spec["http"].is_object() {
        &spec["http"]
    } else {
        &spec["grpc"]
    };
    let mut references = items(&service["backendRefs"]).to_vec();
    if service["backendRef"].is_object() {
        references.push(service["backendRef"].clone());
    }
    let places: BTreeSet<_> = references
        .iter()
        .map(|reference| place(objects, ("SecurityPolicy", namespace), reference).0)
        .collect();
    let fails_open = spec["failOpen"].as_bool() == Some(true);
    if let Some(missing) = places
        .iter()
        .find(|p| matches!(p, crate::behaviour::Place::Missing(_)))
        && !fails_open
    {
        return Err(format!("the auth service is {missing}"));
    }
    let path = service["pathOverride"]
        .as_str()
        .or_else(|| service["path"].as_str());
    Ok(Authorizer {
        places,
        path: path.unwrap_or_default().to_owned(),
        fails_open,
    })
}

fn bucket(rule: &Value) -> Option<Bucket> {
    let limit = &rule["limit"];
    let seconds = match text(limit, "unit") {
        "Second" => 1,
        "Minute" => 60,
        "Hour" => 3_600,
        "Day" => 86_400,
        "Week" => 604_800,
        "Month" => 2_592_000,
        "Year" => 31_536_000,
        _ => return None,
    };
    let size = limit["requests"].as_u64()?;
    let mut bucket = Bucket {
        size,
        gains: size,
        seconds,
        only: None,
        exempt: BTreeSet::new(),
        each: false,
    };
    let selectors = items(&rule["clientSelectors"]);
    for selector in selectors {
        if selector.as_object()?.keys().any(|key| key != "sourceCIDR") {
            // It counts only some requests of an address.
            return None;
        }
        let source = &selector["sourceCIDR"];
        let network = text(source, "value").to_owned();
        bucket.each = text(source, "type") == "Distinct";
        if source["invert"].as_bool() == Some(true) {
            bucket.only = None;
            bucket.exempt = BTreeSet::from([network]);
        } else {
            // Only the last selector counts.
            bucket.only = Some(network);
            bucket.exempt.clear();
        }
    }
    Some(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_decoded() {
        assert_eq!(base64("YTp7U0hBfXg=\n").as_deref(), Some(&b"a:{SHA}x"[..]));
        assert_eq!(base64("*"), None);
    }

    #[test]
    fn only_address_lists_are_interpreted() {
        let spec = json!({ "defaultAction": "Deny", "rules": [
            { "action": "Allow", "principal": { "clientCIDRs": ["10.0.0.0/8"] } }
        ] });
        let found = addresses(&spec).unwrap();
        assert_eq!(found.to_string(), "allow 10.0.0.0/8, deny other addresses");
        let spec = json!({ "rules": [{ "action": "Allow", "principal": { "headers": [] } }] });
        assert_eq!(addresses(&spec), None);
    }

    #[test]
    fn a_selector_of_headers_counts_only_some_requests() {
        let rule = |selector: Value| {
            json!({
                "clientSelectors": [selector], "limit": { "requests": 5, "unit": "Second" }
            })
        };
        let source = json!({ "sourceCIDR": { "type": "Distinct", "value": "0.0.0.0/0" } });
        assert!(bucket(&rule(source)).is_some_and(|b| b.each && b.size == 5));
        assert_eq!(bucket(&rule(json!({ "headers": [] }))), None);
    }
}

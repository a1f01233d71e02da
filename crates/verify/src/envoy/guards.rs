//! What policies ask of a request before a backend gets it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reference::place;
use crate::behaviour::{Addresses, Authorizer, Bucket, Guards, Limits, Passwords};
use crate::objects::{Object, Objects, at, items, text};
use crate::re2;

/// The guards of a `SecurityPolicy`; the error says why the controller refuses it, upon which
/// the rule answers 500.
pub(crate) fn security(
    objects: &Objects,
    namespace: &str,
    spec: &Value,
    guards: &mut Guards,
) -> Result<(), String> {
    if spec["authorization"].is_object() {
        match authorization(&spec["authorization"]) {
            Some((found, subject)) => {
                guards.addresses = found;
                guards.subject = subject;
            }
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

/// The addresses and the subjects of certificates that are let in, where all rules that let in
/// ask for the same subject.
fn authorization(spec: &Value) -> Option<(Option<Addresses>, Option<String>)> {
    let allows = |word: &str| word == "Allow";
    let otherwise = allows(text(spec, "defaultAction"));
    let mut rules = Vec::new();
    let mut asked = BTreeSet::new();
    for rule in items(&spec["rules"]) {
        if rule.get("operation").is_some_and(|o| !o.is_null()) {
            return None;
        }
        let allow = allows(text(rule, "action"));
        let condition = rule["cel"].as_str();
        if allow {
            asked.insert(condition);
        } else if condition.is_some() {
            return None;
        }
        let networks = match rule["principal"].as_object() {
            Some(principal) if principal.keys().all(|key| key == "clientCIDRs") => {
                items(&principal["clientCIDRs"])
                    .iter()
                    .filter_map(|network| network.as_str().map(str::to_owned))
                    .collect()
            }
            None if condition.is_some() => vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()],
            _ => return None,
        };
        rules.push((
            allow,
            networks,
            condition.is_some() && rule["principal"].is_null(),
        ));
    }
    let mut asked = asked.into_iter();
    let condition = asked.next().flatten();
    if asked.next().is_some() || (condition.is_some() && otherwise) {
        return None;
    }
    let subject = match condition {
        Some(condition) => Some(subjects(condition)?),
        None => None,
    };
    let everybody = matches!(rules.as_slice(), [(true, _, true)]);
    let addresses = Addresses {
        rules: rules
            .into_iter()
            .map(|(allow, networks, _)| (allow, networks))
            .collect(),
        otherwise,
    };
    Some(((!everybody).then_some(addresses), subject))
}

/// The subjects for which a condition holds, in Rust's syntax of patterns. Without a certificate
/// it is an error, which lets nobody in.
fn subjects(condition: &str) -> Option<String> {
    let literal = condition
        .strip_prefix("connection.subject_peer_certificate.matches('")?
        .strip_suffix("')")?;
    let mut pattern = String::new();
    let mut chars = literal.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                escaped @ ('\\' | '\'') => pattern.push(escaped),
                _ => return None,
            },
            '\'' => return None,
            _ => pattern.push(c),
        }
    }
    re2::anywhere(&pattern).ok()
}

fn holds_users(secret: &Object) -> bool {
    ["/data/.htpasswd", "/stringData/.htpasswd"]
        .iter()
        .any(|path| secret.at(path).is_string())
}

/// Names and hashes; `None` for the users when no Secret with users is among the objects, as
/// where they are kept elsewhere.
fn passwords(objects: &Objects, namespace: &str, spec: &Value) -> Result<Passwords, String> {
    let reference = &spec["users"];
    let name = text(reference, "name");
    let namespace = reference["namespace"].as_str().unwrap_or(namespace);
    let secret = format!("{namespace}/{name}");
    let Some(object) = objects.find("Secret", namespace, name) else {
        if objects.of("Secret").any(holds_users) {
            return Err(format!("Secret {secret} is not there"));
        }
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
        let (found, _) = authorization(&spec).unwrap();
        assert_eq!(
            found.unwrap().to_string(),
            "allow 10.0.0.0/8, deny other addresses"
        );
        let spec = json!({ "rules": [{ "action": "Allow", "principal": { "headers": [] } }] });
        assert_eq!(authorization(&spec), None);
    }

    #[test]
    fn a_subject_may_be_asked_for_besides_the_address() {
        let cel = r"connection.subject_peer_certificate.matches('.*CN=o\'x\\.y.*')";
        let both = json!({ "defaultAction": "Deny", "rules": [
            { "action": "Deny", "principal": { "clientCIDRs": ["10.9.0.0/16"] } },
            { "action": "Allow", "principal": { "clientCIDRs": ["10.0.0.0/8"] }, "cel": cel },
        ] });
        let (addresses, subject) = authorization(&both).unwrap();
        assert_eq!(
            addresses.unwrap().to_string(),
            "deny 10.9.0.0/16, allow 10.0.0.0/8, deny other addresses"
        );
        assert_eq!(subject.unwrap(), r"(?-u).*CN=o'x\.y.*");
        let alone =
            json!({ "defaultAction": "Deny", "rules": [{ "action": "Allow", "cel": cel }] });
        assert!(matches!(authorization(&alone), Some((None, Some(_)))));
        // Whoever another rule lets in needs no such subject.
        let open = json!({ "defaultAction": "Deny", "rules": [
            { "action": "Allow", "cel": cel },
            { "action": "Allow", "principal": { "clientCIDRs": ["10.0.0.0/8"] } },
        ] });
        assert_eq!(authorization(&open), None);
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

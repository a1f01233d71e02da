//! User names and passwords: `SecurityPolicy` `basicAuth`.

use std::collections::BTreeMap;

use gatewright_model::{Owner, Passwords};
use k8s_openapi::ByteString;

use super::Attached;
use crate::emit::Emitter;
use crate::envoy::{
    BasicAuth, HeaderModifier, HeaderValue, ResponseOverride, SecretReference, StatusCodeMatch,
};
use crate::formatter;
use crate::name::join;
use crate::object::SecretData;

/// The only key that Envoy Gateway reads.
const KEY: &str = ".htpasswd";

/// The policies of a route that asks for a password. Envoy names the URL as the realm.
pub(crate) fn attach(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    passwords: &Passwords,
    attached: &mut Attached,
) {
    let name = secret(emitter, owner, passwords);
    attached.security().basic_auth = Some(BasicAuth {
        users: SecretReference { name },
    });
    let realm: String = passwords
        .realm
        .chars()
        .filter(|c| (' '..='~').contains(c))
        .flat_map(|c| {
            let escape = matches!(c, '"' | '\\').then_some('\\');
            escape.into_iter().chain([c])
        })
        .collect();
    let value = format!("Basic realm=\"{}\"", formatter::literal(&realm));
    attached
        .traffic()
        .response_override
        .push(ResponseOverride::local(
            vec![StatusCodeMatch::value(401)],
            401,
            Some(HeaderModifier {
                set: vec![HeaderValue::new("WWW-Authenticate", value)],
                ..HeaderModifier::default()
            }),
        ));
}

/// The name of the Secret with the users; it is written when they are known.
fn secret(emitter: &mut Emitter<'_>, owner: &Owner, passwords: &Passwords) -> String {
    let wanted = join(&passwords.secret, "htpasswd");
    let Some(users) = &passwords.users else {
        return wanted;
    };
    let lines: Vec<String> = users
        .iter()
        .map(|user| format!("{}:{{SHA}}{}", user.name, user.sha1))
        .collect();
    // Nobody may pass: Envoy Gateway wants a value, and an empty line is no user.
    let text = format!("{}\n", lines.join("\n"));
    let data = SecretData {
        kind: "Opaque",
        data: BTreeMap::from([(KEY.to_owned(), ByteString(text.into_bytes()))]),
    };
    emitter.secret(owner, wanted, data, &passwords.secret)
}

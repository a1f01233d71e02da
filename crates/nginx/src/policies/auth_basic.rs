//! Passwords: the users of a Secret, as far as their hashes can be checked elsewhere.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::Passwords;

use super::users::{self, Users};
use super::{PolicyInput, PolicyOutput};
use crate::annotations::auth_basic::AuthBasic;
use crate::objects::Missing;

/// The keys that are carried over.
pub(crate) const KEYS: &[&str] = &["auth-type", "auth-secret", "auth-secret-type", "auth-realm"];

/// What the annotations and the Secret make of it.
pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(auth) = &input.settings.auth_basic else {
        return;
    };
    if auth.switched_off {
        let span = auth.realm.as_ref().map_or(auth.span, |realm| realm.span);
        super::opening(input, out, "auth-realm", span);
        return;
    }
    if auth.digest {
        let diagnostic = Diagnostic::new(
            Code::DigestAuth,
            "Envoy has no digest authentication, so the paths of this Ingress answer 503",
        )
        .at(auth.span)
        .help("use `auth-type: basic` over HTTPS, or an auth service");
        out.refused(input, "auth-type", diagnostic);
        out.refuse(
            "digest authentication is not supported",
            false,
            input.origin("auth-type", auth.span),
        );
        return;
    }
    let Ok(users) = users_of(input, auth, out) else {
        return;
    };
    out.policies_mut().passwords = Some(Passwords {
        realm: auth
            .realm
            .as_ref()
            .map(|realm| realm.value.clone())
            .unwrap_or_default(),
        secret: Arc::from(auth.secret.value.name.as_str()),
        users: users.map(|users| users.kept),
        origin: input.origin("auth-secret", auth.secret.span),
    });
}

/// The users; nothing when they are not in the input, a fault when ingress-nginx answers 503.
fn users_of(
    input: &PolicyInput<'_>,
    auth: &AuthBasic,
    out: &mut PolicyOutput,
) -> Result<Option<Users>, ()> {
    let secret = &auth.secret.value;
    let known =
        input.objects.secrets.iter().find(|((namespace, name), _)| {
            **namespace == *secret.namespace && **name == *secret.name
        });
    let missing =
        |message: String| Diagnostic::new(Code::UsersMissing, message).at(auth.secret.span);
    let full = format!("{}/{}", secret.namespace, secret.name);
    let Some((_, info)) = known else {
        let objects = input.objects;
        if let Some(why) = objects.secret_is_missing(&secret.namespace, &secret.name) {
            let diagnostic = match why {
                Missing::LookedFor => missing(format!("Secret {full} does not exist"))
                    .note("without it ingress-nginx answers 503, and so does the output")
                    .help("create it, or correct its name"),
                Missing::AmongOthers => missing(format!("Secret {full} is not among the input objects"))
                    .note("other Secrets of the namespace are; without it ingress-nginx answers 503, and so does the output")
                    .help("add the Secret to the input, or correct its name"),
            };
            refuse(input, auth, out, diagnostic);
            return Err(());
        }
        out.differs(
            input,
            "auth-secret",
            missing(format!("the users of Secret {full} are not in the input"))
                .note(format!(
                    "the output asks for a Secret {full}-htpasswd; until it is made the paths answer 503"
                ))
                .help("add the Secret to the input; or make the new one with the key `.htpasswd`, each line from `htpasswd -n -s USER`"),
        );
        return Ok(None);
    };
    let Some(users) = users::read(&info.data, auth.secret_type) else {
        let diagnostic = missing(format!("Secret {full} has no key `auth`"))
            .note("ingress-nginx answers 503 for it, and so does the output")
            .help(
                "put the htpasswd file under the key `auth`, or set `auth-secret-type: auth-map`",
            );
        refuse(input, auth, out, diagnostic);
        return Err(());
    };
    if !users.lost.is_empty() {
        let names: Vec<String> = users.lost.iter().map(|name| format!("`{name}`")).collect();
        let (who, whose) = if names.len() == 1 {
            ("user", "hash that Envoy does not know")
        } else {
            ("users", "hashes that Envoy does not know")
        };
        let mut diagnostic = Diagnostic::new(
            Code::UserHash,
            format!("{who} {} of Secret {full}: {whose}", names.join(", ")),
        )
        .at(auth.secret.span)
        .note("Envoy checks `{SHA}` hashes only; these users are left out and cannot sign in");
        if users.kept.is_empty() {
            diagnostic = diagnostic.note("no user is left: everybody gets 401");
        }
        out.differs(
            input,
            "auth-secret",
            diagnostic.help("make new hashes with `htpasswd -n -s USER` and add them to the new Secret, or to this one before the conversion"),
        );
    }
    Ok(Some(users))
}

fn refuse(
    input: &PolicyInput<'_>,
    auth: &AuthBasic,
    out: &mut PolicyOutput,
    diagnostic: Diagnostic,
) {
    out.refused(input, "auth-secret", diagnostic);
    out.refuse(
        "the Secret with the users is missing",
        true,
        input.origin("auth-secret", auth.secret.span),
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::{codes, lower, lower_told, lower_with};
    use super::*;
    use crate::named::Told;

    const BASIC: (&str, &str) = ("auth-type", "basic");
    const SECRET: (&str, &str) = ("auth-secret", "users");

    #[test]
    fn users_that_cannot_be_checked_are_left_out() {
        let out = lower_with(
            &[BASIC, SECRET, ("auth-realm", "Staff")],
            &[("users", "auth", "a:{PLAIN}x\nb:$apr1$x$y\n")],
        );
        let passwords = out.policies.passwords.as_ref().unwrap();
        assert_eq!(passwords.realm, "Staff");
        assert_eq!(passwords.users.as_ref().map(Vec::len), Some(1));
        assert_eq!(codes(&out), [Code::UserHash]);
        let said = format!("{:?}", out.diagnostics);
        assert!(said.contains("`b`") && !said.contains("$apr1$"), "{said}");
    }

    #[test]
    fn a_secret_that_is_not_seen_is_named() {
        let out = lower(&[BASIC, SECRET]);
        assert!(out.policies.passwords.as_ref().unwrap().users.is_none());
        for secrets in [
            [("other", "auth", "a:{PLAIN}x")],
            [("users", "file", "a:{PLAIN}x")],
        ] {
            let out = lower_with(&[BASIC, SECRET], &secrets);
            assert_eq!(codes(&out), [Code::UsersMissing]);
            assert!(out.refusal.is_some_and(|refusal| refusal.faithful));
        }
    }

    #[test]
    fn a_secret_that_may_not_be_read_is_not_one_that_is_missing() {
        let other = [("other", "auth", "a:{PLAIN}x")];
        let withheld = lower_told(&[BASIC, SECRET], &other, &[("users", Told::Withheld)]);
        let passwords = withheld.policies.passwords.as_ref().unwrap();
        assert!(passwords.users.is_none() && withheld.refusal.is_none());
        let absent = lower_told(&[BASIC, SECRET], &[], &[("users", Told::Absent)]);
        assert_eq!(codes(&absent), [Code::UsersMissing]);
        assert!(absent.refusal.is_some_and(|refusal| refusal.faithful));
    }

    #[test]
    fn what_is_not_basic_is_refused() {
        let digest = lower(&[("auth-type", "digest"), SECRET]);
        assert_eq!(codes(&digest), [Code::DigestAuth]);
        let off = lower(&[BASIC, SECRET, ("auth-realm", "off")]);
        assert_eq!(codes(&off), [Code::AuthOpening]);
        assert!(off.refusal.is_some() && off.policies.passwords.is_none());
    }
}

//! Passwords.
//!
//! `internal/ingress/annotations/auth` of ingress-nginx. The group is read only with
//! `auth-type`; everything that then cannot be used makes the paths answer 503.

use gatewright_diagnostics::Code;
use gatewright_source::{Span, Spanned};

use super::{Keys, Reference, Settings};
use crate::registry::{
    Around, BASIC, BASIC_SPACE, Carried, EmptyValue, Entry, Grammar, GrammarFault, Invalid, Risk,
};

/// Authentication with passwords.
#[derive(Clone, Debug)]
pub struct AuthBasic {
    /// Where `auth-type` is set.
    pub span: Span,
    /// Basic; anything else that passes is digest.
    pub digest: bool,
    /// The Secret with the users.
    pub secret: Spanned<Reference>,
    /// How the Secret holds them.
    pub secret_type: SecretType,
    /// The realm; empty unless set.
    pub realm: Option<Spanned<String>>,
    /// `auth-realm: off` means "no authentication" to nginx.
    pub switched_off: bool,
}

/// How a Secret holds users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretType {
    /// An htpasswd file under the key `auth`.
    #[default]
    AuthFile,
    /// Every key is a user.
    AuthMap,
}

const GROUP: &str = "BasicDigestAuth";

const AUTH: Entry = Entry {
    group: GROUP,
    protective: true,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "auth-type",
        grammar: Grammar::Contains(&["basic", "digest"]),
        invalid: Invalid::Reject,
        empty: EmptyValue::DropGroup,
        summary: "asks for a user and a password; `auth-secret` holds the users",
        target: "SecurityPolicy `basicAuth`",
        difference: "`digest` is refused: the paths answer 503",
        codes: &[Code::DigestAuth],
        example: "basic",
        around: Around {
            annotations: &[("auth-secret", "users")],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-secret",
        grammar: Grammar::LooseText(BASIC),
        invalid: Invalid::Deny,
        empty: EmptyValue::Deny,
        risk: Risk::Medium,
        summary: "names the Secret with the users, in the namespace of the Ingress",
        target: "SecurityPolicy `basicAuth.users`, a new Secret with the key `.htpasswd`",
        difference: "only `{SHA}` and `{PLAIN}` passwords can be carried over, users with others are left out; where the Secret is not in the input, the new one has to be made by hand",
        carried: Carried::Differently,
        codes: &[Code::UserHash, Code::UsersMissing],
        example: "users",
        around: Around {
            annotations: &[("auth-type", "basic")],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-secret-type",
        grammar: Grammar::Contains(&["auth-file", "auth-map"]),
        default: "auth-file",
        invalid: Invalid::Reject,
        summary: "says whether the Secret holds an htpasswd file under `auth` (`auth-file`) or one user for each key (`auth-map`)",
        target: "the new Secret, made from either",
        example: "auth-map",
        around: Around {
            annotations: &[("auth-type", "basic"), ("auth-secret", "users-by-name")],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-realm",
        grammar: Grammar::Text(BASIC_SPACE),
        default: "empty",
        invalid: Invalid::Reject,
        risk: Risk::Medium,
        summary: "is the realm that clients are told; `off` switches the authentication off",
        target: "BackendTrafficPolicy `responseOverride` of the 401",
        difference: "`off` is not repeated: the paths answer 503",
        codes: &[Code::AuthOpening],
        example: "Staff only",
        around: Around {
            annotations: &[("auth-type", "basic"), ("auth-secret", "users")],
            ..Around::NOTHING
        },
        ..AUTH
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let kind = keys.text("auth-type");
    if let Some(cause) = keys.take_dropped() {
        settings.note_lost(keys, cause);
        keys.drop_group(GROUP, cause);
        return;
    }
    let Some(kind) = kind else {
        let reason = if keys.has("auth-type") {
            "`auth-type` cannot be used"
        } else {
            "`auth-type` is not set, so nobody is asked for a password"
        };
        keys.ignore_rest(GROUP, reason);
        return;
    };
    if !(kind.value.contains("basic") || kind.value.contains("digest")) {
        // Before validation the parser itself refused it.
        keys.fail_key(
            "auth-type",
            Invalid::Deny,
            GrammarFault::whole("is neither `basic` nor `digest`").help("write `basic`"),
        );
        keys.ignore_rest(GROUP, "`auth-type` cannot be used");
        return;
    }
    let secret_type = secret_type(keys);
    if !keys.has("auth-secret") {
        keys.fail_key(
            "auth-type",
            Invalid::Deny,
            GrammarFault::whole("needs `auth-secret`, which is not set")
                .help("name the Secret with the users in `auth-secret`"),
        );
    }
    let secret = keys.reference("auth-secret", false);
    let realm = keys.text("auth-realm");
    let switched_off = realm.as_ref().is_some_and(|realm| realm.value == "off");
    if let (true, Some(realm)) = (switched_off, &realm) {
        let diagnostic = keys
            .diagnostic(
                Code::AuthSwitchedOff,
                "auth-realm",
                "`auth-realm: off` switches the authentication off",
            )
            .at(realm.span)
            .note(
                "nginx reads the realm `off` as no authentication: the paths are open to everyone",
            )
            .help("choose another realm");
        keys.report(diagnostic);
    }
    let (Some(secret), Some(secret_type)) = (secret, secret_type) else {
        return;
    };
    settings.auth_basic = Some(Box::new(AuthBasic {
        span: kind.span,
        digest: kind.value != "basic",
        secret,
        secret_type,
        realm,
        switched_off,
    }));
}

/// A type that holds a word without being it passes the check and is then refused.
fn secret_type(keys: &mut Keys<'_>) -> Option<SecretType> {
    let Some(text) = keys.text("auth-secret-type") else {
        return Some(SecretType::AuthFile);
    };
    match text.value.as_str() {
        "auth-file" => Some(SecretType::AuthFile),
        "auth-map" => Some(SecretType::AuthMap),
        _ => {
            keys.fail_key(
                "auth-secret-type",
                Invalid::Deny,
                GrammarFault::whole("is neither `auth-file` nor `auth-map`")
                    .help("write `auth-file` or `auth-map`"),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, codes, read};
    use super::*;

    #[test]
    fn users_are_asked_for() {
        let auth = read(&[
            ("auth-type", "basic"),
            ("auth-secret", "users"),
            ("auth-realm", "Staff only"),
        ]);
        let auth = auth.settings.auth_basic.unwrap();
        assert!(!auth.digest && !auth.switched_off);
        assert_eq!(
            (auth.secret.value.namespace.as_str(), auth.secret_type),
            ("shop", SecretType::AuthFile)
        );
        assert!(
            read(&[("auth-type", "digest"), ("auth-secret", "users")])
                .settings
                .auth_basic
                .unwrap()
                .digest
        );
    }

    #[test]
    fn what_cannot_be_used_is_denied() {
        check(&[("auth-type", "basic")], "auth-type: denied");
        check(
            &[("auth-type", "basic"), ("auth-secret", "other/users")],
            "auth-type: taken, auth-secret: denied",
        );
        check(
            &[("auth-type", "basic"), ("auth-secret", "")],
            "auth-type: taken, auth-secret: denied",
        );
        check(
            &[("auth-type", "basic"), ("auth-secret", "a,b")],
            "auth-type: taken, auth-secret: denied",
        );
        check(
            &[
                ("auth-type", "basic"),
                ("auth-secret", "u"),
                ("auth-secret-type", "auth-mapping"),
            ],
            "auth-type: taken, auth-secret: taken, auth-secret-type: denied",
        );
        assert!(
            read(&[("auth-type", "basic")])
                .settings
                .auth_basic
                .is_none()
        );
    }

    #[test]
    fn what_is_wrong_drops_the_ingress() {
        check(&[("auth-type", "jwt")], "auth-type: rejected");
        check(
            &[
                ("auth-type", "basic"),
                ("auth-secret", "u"),
                ("auth-realm", "a,b"),
            ],
            "auth-type: taken, auth-secret: taken, auth-realm: rejected",
        );
        check(
            &[
                ("auth-type", "basic"),
                ("auth-secret", "u"),
                ("auth-secret-type", "x"),
            ],
            "auth-type: taken, auth-secret: taken, auth-secret-type: rejected",
        );
    }

    #[test]
    fn openings_are_errors() {
        let off = read(&[
            ("auth-type", "basic"),
            ("auth-secret", "u"),
            ("auth-realm", "off"),
        ]);
        assert!(off.settings.auth_basic.unwrap().switched_off);
        let empty = read(&[("auth-type", ""), ("auth-secret", "u")]);
        assert!(empty.settings.auth_basic.is_none());
        assert_eq!(codes(&empty), [Code::AuthSwitchedOff]);
        let alone = read(&[("auth-secret", "u"), ("auth-realm", "bad,realm")]);
        assert!(alone.rejected.is_empty());
        assert_eq!(
            codes(&alone),
            [Code::AnnotationNoEffect, Code::AnnotationNoEffect]
        );
        assert_eq!(
            alone.diagnostics[0].severity,
            gatewright_diagnostics::Severity::Warning
        );
    }
}

//! Certificates that Ingresses ask cert-manager for, as its ingress-shim reads them
//! (cert-manager v1.20, `pkg/controller/certificate-shim`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::{
    CertificateRequest, CertificateSettings, Issuer, KeySettings, Origin, OwnerId, SecretRef,
    SecretTemplate, Subject509,
};
use gatewright_source::Span;
use serde::Deserialize;

use crate::IndexMap;
use crate::effective::Source;
use crate::ingress::{Annotation, Ingress};
use crate::registry::metadata::{Carry, Goes};

const CLUSTER_ISSUER: &str = "cert-manager.io/cluster-issuer";
const ISSUER: &str = "cert-manager.io/issuer";
const KIND: &str = "cert-manager.io/issuer-kind";
const GROUP: &str = "cert-manager.io/issuer-group";
const TLS_ACME: &str = "kubernetes.io/tls-acme";

/// What was asked for, and what became of the annotations that ask.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    pub(crate) requests: Vec<CertificateRequest>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) outcomes: Vec<(OwnerId, Span, Outcome)>,
}

/// What an Ingress asks for.
struct Wish {
    issuer: Issuer,
    settings: Arc<CertificateSettings>,
    /// Where the issuer is named.
    span: Span,
}

/// A fault of an annotation: its place, what is wrong with it, and what to do.
struct Fault {
    span: Span,
    message: String,
    help: &'static str,
}

/// All requests. Where several Ingresses ask for one Secret the oldest counts: which of them
/// cert-manager saw first nobody can tell.
pub(crate) fn requests(sources: &[Source<'_>]) -> Requests {
    let mut found = Requests::default();
    let mut by_secret: IndexMap<SecretRef, CertificateRequest> = IndexMap::default();
    let mut sources: Vec<&Source<'_>> = sources.iter().filter(|s| !s.contested).collect();
    sources.sort_by(|a, b| {
        let created = a.ingress.created.cmp(&b.ingress.created);
        created.then(a.id.cmp(&b.id))
    });
    for source in sources {
        let asking: Vec<&Annotation> = asking(source.ingress).collect();
        solver(source, &mut found);
        if asking.is_empty() {
            continue;
        }
        let result = wish(source.ingress).and_then(|wish| twice(source.ingress).map(|()| wish));
        let wish = match result {
            Ok(Some(wish)) => wish,
            // Nothing asks: the other keys say nothing.
            Ok(None) => continue,
            Err(fault) => {
                found.refuse(source, &asking, fault);
                continue;
            }
        };
        let (asked, lost) = take(source, &wish, &mut by_secret);
        for (span, diagnostic) in lost {
            let outcome = Outcome::Refused(Code::CertificateNotAsked);
            found.outcomes.push((source.id, span, outcome));
            found.diagnostics.push(diagnostic);
        }
        for annotation in asking.iter().filter(|_| asked) {
            let span = annotation.value.span;
            found.outcomes.push((source.id, span, Outcome::Translated));
        }
    }
    found.requests = by_secret.into_values().collect();
    found.requests.sort_by(|a, b| a.secret.cmp(&b.secret));
    found
}

/// The annotations that say what certificate is wanted.
fn asking(ingress: &Ingress) -> impl Iterator<Item = &Annotation> {
    let asks = |row: &Carry| row.goes == Goes::Certificate;
    let annotations = ingress.annotations.iter();
    annotations.filter(move |annotation| annotation.row.is_some_and(asks))
}

impl Requests {
    fn refuse(&mut self, source: &Source<'_>, asking: &[&Annotation], fault: Fault) {
        for annotation in asking {
            self.outcomes.push((
                source.id,
                annotation.value.span,
                Outcome::Refused(Code::CertificateNotAsked),
            ));
        }
        self.diagnostics.push(
            Diagnostic::new(Code::CertificateNotAsked, fault.message)
                .object(&source.ingress.object)
                .at(fault.span)
                .note("the Secret that exists goes on being served until its certificate expires")
                .help(fault.help),
        );
    }
}

/// Annotations about the HTTP-01 challenge.
fn solver(source: &Source<'_>, found: &mut Requests) {
    for annotation in &source.ingress.annotations {
        let key: &str = &annotation.key.value;
        if annotation.row.is_none_or(|row| row.goes != Goes::Solver) {
            continue;
        }
        if key.ends_with("/http01-edit-in-place") && &*annotation.value.value != "true" {
            continue;
        }
        let span = annotation.value.span;
        found
            .outcomes
            .push((source.id, span, Outcome::Refused(Code::ChallengeByIngress)));
        found.diagnostics.push(
            Diagnostic::new(
                Code::ChallengeByIngress,
                format!("`{key}` has no counterpart behind a Gateway"),
            )
            .object(&source.ingress.object)
            .at(span)
            .note("challenges of the ACME server are then answered by whatever solver the issuer names")
            .help("give the issuer a solver `http01.gatewayHTTPRoute` with the Gateway in `parentRefs`, or one for DNS-01"),
        );
    }
}

/// `checkForDuplicateSecretNames`: cert-manager then asks for none of them.
fn twice(ingress: &Ingress) -> Result<(), Fault> {
    let names = || ingress.tls.iter().filter_map(|tls| tls.secret.as_ref());
    for (at, name) in names().enumerate() {
        if names().take(at).any(|other| other.value == name.value) {
            return Err(Fault {
                span: name.span,
                message: format!(
                    "cert-manager asks for no certificate: `tls` names Secret {} twice",
                    name.value
                ),
                help: "write the hosts of the Secret into one entry of `spec.tls`",
            });
        }
    }
    Ok(())
}

/// Adds what the blocks of `spec.tls` ask for; returns whether they ask for anything, and what
/// another Ingress has asked for otherwise.
fn take(
    source: &Source<'_>,
    wish: &Wish,
    by_secret: &mut IndexMap<SecretRef, CertificateRequest>,
) -> (bool, Vec<(Span, Diagnostic)>) {
    let (mut asked, mut lost) = (false, Vec::new());
    for tls in &source.ingress.tls {
        let Some(secret) = &tls.secret else { continue };
        if tls.hosts.is_empty() {
            continue;
        }
        let secret = SecretRef {
            namespace: Arc::clone(&source.ingress.object.namespace),
            name: Arc::clone(&secret.value),
        };
        let request = by_secret
            .entry(secret)
            .or_insert_with_key(|secret| CertificateRequest {
                secret: secret.clone(),
                owners: Vec::new(),
                names: Vec::new(),
                addresses: Vec::new(),
                issuer: wish.issuer.clone(),
                settings: Arc::clone(&wish.settings),
                origin: Origin::field(source.id, wish.span),
            });
        if request.issuer != wish.issuer || request.settings != wish.settings {
            let what = if request.issuer == wish.issuer {
                "with other settings"
            } else {
                "from another issuer"
            };
            lost.push((
                wish.span,
                Diagnostic::new(
                    Code::CertificateNotAsked,
                    format!(
                        "the certificate in Secret {} is asked for by another Ingress, {what}",
                        request.secret.name
                    ),
                )
                .object(&source.ingress.object)
                .label(wish.span, "does not count")
                .label(request.origin.span, "counts")
                .note("cert-manager makes the certificate for the Ingress that asked first")
                .help("ask for the same in both, or give each a Secret of its own"),
            ));
            continue;
        }
        request.owners.push(source.id);
        asked = true;
        for host in &tls.hosts {
            let list = match host.value.parse::<IpAddr>() {
                Ok(_) => &mut request.addresses,
                Err(_) => &mut request.names,
            };
            if !list.contains(&host.value) {
                list.push(Arc::clone(&host.value));
            }
        }
    }
    (asked, lost)
}

/// What the annotations ask for; nothing when none of them asks.
fn wish(ingress: &Ingress) -> Result<Option<Wish>, Fault> {
    let get = |key: &str| {
        let mut annotations = ingress.annotations.iter();
        annotations.find(|annotation| *annotation.key.value == *key)
    };
    let text = |annotation: &Annotation| Arc::clone(&annotation.value.value);
    let (named, kind) = match (get(ISSUER), get(CLUSTER_ISSUER)) {
        (Some(_), Some(second)) => {
            return Err(Fault {
                span: second.value.span,
                message: "cert-manager asks for no certificate: both an issuer and a cluster issuer are named".to_owned(),
                help: "keep one of the two annotations",
            });
        }
        (Some(issuer), None) => (issuer, "Issuer"),
        (None, Some(issuer)) => (issuer, "ClusterIssuer"),
        (None, None) => {
            let acme = get(TLS_ACME).filter(|acme| {
                // strconv.ParseBool
                matches!(
                    &*acme.value.value,
                    "1" | "t" | "T" | "true" | "TRUE" | "True"
                )
            });
            return match acme {
                None => Ok(None),
                Some(acme) => Err(Fault {
                    span: acme.value.span,
                    message: "no certificate is asked for: the issuer is a setting of cert-manager"
                        .to_owned(),
                    help: "name it with `cert-manager.io/cluster-issuer` in place of `kubernetes.io/tls-acme`",
                }),
            };
        }
    };
    if let (Some(_), Some(other)) = (get(CLUSTER_ISSUER), get(KIND).or(get(GROUP))) {
        return Err(Fault {
            span: other.value.span,
            message: format!(
                "cert-manager asks for no certificate: `{CLUSTER_ISSUER}` and `{}` exclude each other",
                other.key.value
            ),
            help: "write `cert-manager.io/issuer` in place of `cert-manager.io/cluster-issuer`",
        });
    }
    if named.value.value.is_empty() {
        return Err(Fault {
            span: named.value.span,
            message: "cert-manager asks for no certificate: the issuer has no name".to_owned(),
            help: "write the name of the issuer",
        });
    }
    let issuer = Issuer {
        name: text(named),
        kind: get(KIND).map_or_else(|| Arc::from(kind), text),
        group: get(GROUP).map(text),
    };
    let own: Vec<(&str, &Annotation)> = ingress
        .annotations
        .iter()
        .filter_map(|annotation| {
            let name = annotation.key.value.strip_prefix("cert-manager.io/")?;
            Some((name, annotation))
        })
        .collect();
    let settings = settings(&|key| {
        let mut own = own.iter();
        own.find(|(name, _)| *name == key).map(|&(_, found)| found)
    })?;
    let settings = if settings == **UNWRITTEN {
        Arc::clone(&UNWRITTEN)
    } else {
        Arc::new(settings)
    };
    Ok(Some(Wish {
        issuer,
        settings,
        span: named.value.span,
    }))
}

/// What most Ingresses ask for beyond an issuer: nothing.
static UNWRITTEN: LazyLock<Arc<CertificateSettings>> = LazyLock::new(Arc::default);

/// `translateAnnotations`.
fn settings<'a>(
    get: &dyn Fn(&str) -> Option<&'a Annotation>,
) -> Result<CertificateSettings, Fault> {
    let text = |key: &str| get(key).map(|found| found.value.value.to_string());
    let list = |key: &str| match get(key) {
        None => Ok(Vec::new()),
        Some(found) => {
            csv(&found.value.value).ok_or_else(|| fault(found, "write a comma-separated list"))
        }
    };
    let duration = |key: &str| match get(key) {
        Some(found) if !is_duration(&found.value.value) => Err(fault(
            found,
            "write a duration with its unit, such as `2160h`",
        )),
        found => Ok(found.map(|found| found.value.value.to_string())),
    };
    let number = |key: &str, least: u32| match get(key) {
        None => Ok(None),
        Some(found) => match found.value.value.parse::<u32>() {
            Ok(number) if number >= least && i32::try_from(number).is_ok() => Ok(Some(number)),
            _ => Err(fault(found, "write a positive whole number")),
        },
    };
    let one_of = |key: &str, known: &[&str]| match get(key) {
        Some(found) if !known.contains(&&*found.value.value) => Err(fault(
            found,
            "write a value that cert-manager knows; they are case-sensitive",
        )),
        found => Ok(found.map(|found| found.value.value.to_string())),
    };
    let algorithm = one_of("private-key-algorithm", &["RSA", "ECDSA", "Ed25519"])?;
    let size = number("private-key-size", 1)?;
    let fits = match (algorithm.as_deref(), size) {
        (None | Some("RSA"), Some(size)) => (2048..=8192).contains(&size),
        (Some("ECDSA"), Some(size)) => [256, 384, 521].contains(&size),
        _ => true,
    };
    if let (false, Some(found)) = (fits, get("private-key-size")) {
        return Err(fault(found, "write a size that the algorithm has"));
    }
    let split = |key: &str| -> Vec<String> {
        let text = get(key).map(|found| &*found.value.value);
        text.map_or_else(Vec::new, |text| {
            text.split(',').map(str::to_owned).collect()
        })
    };
    Ok(CertificateSettings {
        common_name: text("common-name"),
        emails: split("email-sans"),
        subject: Subject509 {
            organizations: list("subject-organizations")?,
            organizational_units: list("subject-organizationalunits")?,
            countries: list("subject-countries")?,
            provinces: list("subject-provinces")?,
            localities: list("subject-localities")?,
            postal_codes: list("subject-postalcodes")?,
            street_addresses: list("subject-streetaddresses")?,
            serial_number: text("subject-serialnumber"),
        },
        duration: duration("duration")?,
        renew_before: duration("renew-before")?,
        usages: split("usages")
            .into_iter()
            .map(|usage| usage.trim().to_owned())
            .collect(),
        history: number("revision-history-limit", 1)?,
        key: KeySettings {
            algorithm,
            encoding: one_of("private-key-encoding", &["PKCS1", "PKCS8"])?,
            size,
            rotation: one_of("private-key-rotation-policy", &["Never", "Always"])?,
        },
        template: match get("secret-template") {
            None => SecretTemplate::default(),
            Some(found) => template(&found.value.value)
                .ok_or_else(|| fault(found, "write JSON with `annotations` and `labels`"))?,
        },
    })
}

fn fault(found: &Annotation, help: &'static str) -> Fault {
    Fault {
        span: found.value.span,
        message: format!(
            "cert-manager asks for no certificate: it cannot read `{}`",
            found.key.value
        ),
        help,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateJson {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn template(json: &str) -> Option<SecretTemplate> {
    let TemplateJson {
        annotations,
        labels,
    } = serde_json::from_str(json).ok()?;
    let own = annotations
        .keys()
        .any(|key| key.starts_with("cert-manager.io/"));
    (!own).then_some(SecretTemplate {
        annotations,
        labels,
    })
}

/// `SplitWithEscapeCSV`: one record, as Go's encoding/csv reads it.
fn csv(text: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text.trim_end_matches('\n');
    if rest.contains('\n') {
        return None;
    }
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) = match rest.split_once(',') {
                Some((field, after)) => (field, Some(after)),
                None => (rest, None),
            };
            if field.contains('"') {
                return None;
            }
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Some(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut inner = quoted;
        let after = loop {
            let (part, after) = inner.split_once('"')?;
            field.push_str(part);
            match after.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    inner = more;
                }
                None => break after,
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return after.is_empty().then_some(fields),
        }
    }
}

/// `time.ParseDuration` of Go, without signs: certificates last forward.
fn is_duration(text: &str) -> bool {
    if text == "0" {
        return true;
    }
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number = &rest[..digits];
        if !number.contains(|c: char| c.is_ascii_digit()) || number.matches('.').count() > 1 {
            return false;
        }
        rest = &rest[digits..];
        let Some(unit) = ["ns", "us", "µs", "ms", "s", "m", "h"]
            .into_iter()
            .find(|unit| rest.starts_with(unit))
        else {
            return false;
        };
        rest = &rest[unit.len()..];
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for good in ["2160h", "1h30m", "0", "1.5h", "10ms"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["", "90d", "2160", "h", "1..5h", "-1h", "1 h"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }

    #[test]
    fn lists_are_records_of_csv() {
        let list = |items: &[&str]| Some(items.iter().map(|&item| item.to_owned()).collect());
        assert_eq!(csv("a,b c"), list(&["a", "b c"]));
        assert_eq!(csv(r#""a, b",c"#), list(&["a, b", "c"]));
        assert_eq!(csv(r#""say ""x""""#), list(&[r#"say "x""#]));
        assert_eq!(csv(r#"a"b"#), None);
        assert_eq!(csv("\"a\nb\""), None);
        assert_eq!(csv(r#""a"#), None);
    }

    #[test]
    fn templates_are_checked_as_cert_manager_does() {
        assert!(template(r#"{"labels": {"a": "b"}}"#).is_some());
        assert!(template(r#"{"labels": {"a": 1}}"#).is_none());
        assert!(template(r#"{"other": {}}"#).is_none());
        assert!(template(r#"{"annotations": {"cert-manager.io/x": "y"}}"#).is_none());
    }
}

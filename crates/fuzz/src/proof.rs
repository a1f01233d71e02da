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

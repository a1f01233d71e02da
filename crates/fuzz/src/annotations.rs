//! Two Ingresses of one host with any annotations: the promises, and that no order shows.

use gatewright_diagnostics::Severity;
use gatewright_diagnostics::render::Format;

use crate::promises::{self, findings};
use crate::scene::{Order, Scene};

/// Takes a scene; its lines are annotations of the first Ingress unless they say otherwise.
pub fn run(data: &[u8]) {
    check(&Scene::read(&String::from_utf8_lossy(data)));
}

/// Asserts the promises for a scene, in both orders.
pub(crate) fn check(scene: &Scene) {
    let text = scene.text(Order::Given);
    let conversion = promises::hold_in(&text, &[Format::Full]);
    for error in &conversion.diagnostics {
        let is_error = error.severity == Severity::Error;
        assert!(
            !is_error || error.object.is_some(),
            "of which object? {error:?}"
        );
    }
    let turned = scene.text(Order::Turned);
    let other =
        gatewright_transpile::convert(promises::input(turned.as_str()), &promises::options());
    assert!(
        other.output == conversion.output,
        "the order shows:\n{text}\n=====\n{}\n=====\n{turned}\n=====\n{}",
        conversion.output,
        other.output
    );
    assert_eq!(
        findings(&other),
        findings(&conversion),
        "the order shows:\n{text}"
    );
}

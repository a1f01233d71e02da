//! Recognising a finding again in the next run.

use std::collections::BTreeMap;

use gatewright_source::SourceMap;

use crate::Diagnostic;

/// A fingerprint for each diagnostic. It holds no line number, so that a finding which
/// only moved stays the same; equal ones are told apart by their order.
pub(super) fn fingerprints(sources: &SourceMap, diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    diagnostics
        .iter()
        .map(|diagnostic| {
            let Diagnostic {
                code,
                severity: _,
                message,
                object,
                annotation,
                labels: _,
                notes: _,
                helps: _,
            } = diagnostic;
            let file = diagnostic.span().map(|span| sources.file(span.file).name());
            let object = object.as_ref().map(ToString::to_string);
            let parts = [
                &code.to_string(),
                file.unwrap_or(""),
                object.as_deref().unwrap_or(""),
                annotation.as_deref().unwrap_or(""),
                message,
            ];
            let hash = fnv1a(&parts.join("\0"));
            let number = seen.entry(hash).and_modify(|n| *n += 1).or_insert(0);
            format!("{:016x}", hash.wrapping_add(*number))
        })
        .collect()
}

/// FNV-1a: short, and the same on every machine and in every version of Rust.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use gatewright_source::Span;

    use super::*;
    use crate::Code;

    #[test]
    fn a_finding_that_moves_keeps_its_fingerprint() {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", "a: b\n");
        let at = |start| Diagnostic::new(Code::Syntax, "x").at(Span::new(file, start, start + 1));
        let before = fingerprints(&sources, &[at(0)]);
        assert_eq!(fingerprints(&sources, &[at(2)]), before);
        let two = fingerprints(&sources, &[at(0), at(2)]);
        assert_eq!(two[0], before[0]);
        assert_ne!(two[0], two[1]);
        assert_eq!(
            fnv1a("a"),
            0xaf63_dc4c_8601_ec8c,
            "the published test vector"
        );
    }
}

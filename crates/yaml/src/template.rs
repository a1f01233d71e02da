use std::ops::Range;

/// The first template action (`{{ … }}` or `{% … %}`) that stands outside of comments and
/// one-line quoted scalars.
///
/// This looks at text, not at YAML, because a template is not YAML yet. The range ends at the
/// action's end, or with its line when it is not closed there.
pub fn template_action(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(found) = in_line(line) {
            return Some(start + found.start..start + found.end);
        }
        start += line.len();
    }
    None
}

fn in_line(line: &str) -> Option<Range<usize>> {
    let bytes = line.as_bytes();
    let mut at = 0;
    // Whether a scalar may start here, so that a quote opens one.
    let mut fresh = true;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' if matches!(bytes.get(at + 1), Some(b'{' | b'%')) => {
                let close = if bytes[at + 1] == b'{' { "}}" } else { "%}" };
                let end = line[at..]
                    .find(close)
                    .map_or(line.trim_end().len(), |len| at + len + close.len());
                return Some(at..end);
            }
            b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => return None,
            b'\'' | b'"' if fresh => {
                if let Some(len) = closing(&bytes[at + 1..], byte) {
                    at += len + 1;
                }
                fresh = false;
            }
            b' ' | b'\t' => {}
            _ => fresh = matches!(byte, b':' | b'-' | b',' | b'[' | b'{'),
        }
        at += 1;
    }
    None
}

/// Where the quote closes that opened in front of `rest`.
fn closing(rest: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\'' if quote == b'\'' && rest.get(at + 1) == Some(&b'\'') => at += 1,
            _ if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(template_action(text).map(|r| &text[r]), expect, "{text}");
    }

    #[test]
    fn actions_are_found() {
        check("a: b\n{{- if .Values.x }}\n", Some("{{- if .Values.x }}"));
        check(
            "a: {{ .Values.x | quote }} # b",
            Some("{{ .Values.x | quote }}"),
        );
        check("it's: {{ x }}", Some("{{ x }}"));
        check("a: {% if b %}", Some("{% if b %}"));
        check("a: {{ b\n}}", Some("{{ b"));
        check("a: \"x\" {{ b }}", Some("{{ b }}"));
    }

    #[test]
    fn quotes_and_comments_hide_them() {
        check("a: \"{{ b }}\"", None);
        check("a: ['{{ b }}', \"it's \\\" {{ c }}\"]", None);
        check("# {{ b }}\na: b # {{ c }}", None);
        check("a: {b: {c: d}}", None);
    }
}

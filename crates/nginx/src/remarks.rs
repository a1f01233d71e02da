//! Remarks on paths that do something else than their author probably meant.

use gatewright_diagnostics::{Code, Diagnostic, ObjectRef};
use gatewright_model::pattern::Pattern;
use gatewright_source::{Span, Spanned};

/// A `rewrite-target` with a capture that the path does not have: nginx puts nothing in its
/// place (`ngx_http_script_copy_capture_code`).
pub(crate) fn missing_capture(
    object: &ObjectRef,
    path: &str,
    target: &Spanned<String>,
) -> Option<Diagnostic> {
    let highest = highest_capture(&target.value)?;
    let groups = Pattern::parse(path).ok()?.group_count();
    if highest <= groups {
        return None;
    }
    let has = match groups {
        0 => "no group".to_owned(),
        1 => "one group".to_owned(),
        _ => format!("{groups} groups"),
    };
    Some(
        Diagnostic::new(
            Code::AnnotationOddValue,
            format!(
                "`rewrite-target` names the capture `${highest}`, and the path `{path}` has {has}"
            ),
        )
        .object(object)
        .annotation("rewrite-target")
        .at(target.span)
        .note("nginx puts nothing in its place, and so does the output")
        .help("add the group to the path, as in `/app(/|$)(.*)` with `/$2`, or correct the number"),
    )
}

/// The highest of `$1` … `$9` in a text.
fn highest_capture(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(2)
        .filter(|pair| pair[0] == b'$' && (b'1'..=b'9').contains(&pair[1]))
        .map(|pair| usize::from(pair[1] - b'0'))
        .max()
}

/// A path that looks like a pattern on a host whose paths are compared as they are written.
pub(crate) fn plain_pattern(object: &ObjectRef, path: &str, span: Span) -> Option<Diagnostic> {
    looks_like_pattern(path).then(|| {
        Diagnostic::new(
            Code::PatternAsText,
            format!("`{path}` looks like a pattern, and is compared as it is written"),
        )
        .object(object)
        .at(span)
        .note("paths are patterns only on a host for which some Ingress sets `use-regex: \"true\"` or a `rewrite-target`; the output does the same")
        .help(match path.strip_suffix("/*") {
            Some("") => "write `/` with `pathType: Prefix` for everything".to_owned(),
            Some(above) => format!(
                "write `{above}` with `pathType: Prefix` for everything below it"
            ),
            None => "set `use-regex: \"true\"` if a pattern is meant".to_owned(),
        })
    })
}

/// A path that no decoded, normalised path of a request is equal to.
pub(crate) fn never_requested(path: &str) -> Option<&'static str> {
    if path.contains("//") {
        Some("nginx makes `//` of a request one slash before it compares")
    } else if path.split('/').any(|step| step == "." || step == "..") {
        Some("nginx resolves `.` and `..` of a request before it compares")
    } else {
        None
    }
}

/// A path that is compared as it is written, where its author meant another one.
pub(crate) fn not_decoded(object: &ObjectRef, path: &str, span: Span) -> Option<Diagnostic> {
    let bytes = path.as_bytes();
    let escape = bytes.windows(3).any(|triple| {
        triple[0] == b'%' && triple[1].is_ascii_hexdigit() && triple[2].is_ascii_hexdigit()
    });
    let (message, note, help) = if path.contains('?') {
        (
            format!("`{path}` is compared with a path, which never holds a query"),
            "a request reaches it only with the question mark escaped, as `%3F`",
            "leave the query out: nothing in an Ingress compares it",
        )
    } else if escape {
        (
            format!("`{path}` is compared with the decoded path of a request"),
            "a request reaches it only with the percent sign escaped, as `%25`; the output does the same",
            "write the character itself in place of its escape",
        )
    } else {
        return None;
    };
    Some(
        Diagnostic::new(Code::PathNotDecoded, message)
            .object(object)
            .at(span)
            .note(note)
            .help(help),
    )
}

/// Whether a path holds what plain paths hardly ever do.
fn looks_like_pattern(path: &str) -> bool {
    let pairs = [".*", ".+", "/?", ")?", "]+", "]*"];
    path.ends_with('$')
        || path.ends_with("/*")
        || path.contains(['\\', '^', '|', '['])
        || pairs.iter().any(|pair| path.contains(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_the_single_digits() {
        assert_eq!(highest_capture("/$1/$3"), Some(3));
        assert_eq!(highest_capture("/$12"), Some(1));
        assert_eq!(highest_capture("/$host/$0$"), None);
    }

    #[test]
    fn paths_of_requests_are_normalised() {
        for path in ["/a//b", "/x/../y", "/x/.", "//"] {
            assert!(never_requested(path).is_some(), "{path}");
        }
        for path in ["/a/b", "/a/", "/a..b", "/.well-known/x", "/..."] {
            assert_eq!(never_requested(path), None, "{path}");
        }
    }

    #[test]
    fn plain_paths_are_no_patterns() {
        for path in [
            "/a.b",
            "/People('x')",
            "/a+b",
            "/c++",
            "/a*b",
            "/~user",
            "/a;v=1",
        ] {
            assert!(!looks_like_pattern(path), "{path}");
        }
        for path in [
            "/a(/|$)(.*)",
            "/img/.*",
            "/[a-z]+",
            "/a$",
            r"/a\.b",
            "/api/?",
            "/api/*",
        ] {
            assert!(looks_like_pattern(path), "{path}");
        }
    }
}

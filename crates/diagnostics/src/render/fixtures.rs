//! The diagnostics that every renderer's snapshot shows.

use gatewright_source::{FileId, SourceMap, Span};

use super::{Format, render};
use crate::{Code, Diagnostic, ObjectRef, Severity};

/// Compares the rendering of the fixtures with the snapshot `name`.
#[track_caller]
pub(super) fn check(format: Format, name: &str) {
    let (sources, diagnostics) = fixtures();
    let text = render(format, &sources, &diagnostics, false);
    assert!(!text.contains('\u{1b}'), "no escape without colour");
    insta::assert_snapshot!(name, text);
}

/// The span of the first `needle` in a file.
pub(super) fn find(sources: &SourceMap, file: FileId, needle: &str) -> Span {
    let start = sources.file(file).text().find(needle).unwrap();
    let start = u32::try_from(start).unwrap();
    Span::new(file, start, start + u32::try_from(needle.len()).unwrap())
}

const WEB: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/rewrite-target: /$3
    nginx.ingress.kubernetes.io/rate-limit: \"10\"
spec:
  rules:
    - host: shop.example.com
";

pub(super) fn fixtures() -> (SourceMap, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let web = sources.add("apps/web.yaml", WEB);
    let other = sources.add(
        "apps/other.yaml",
        WEB.replace("web", "other").replace('\n', "\r\n"),
    );
    let helm = sources.add(
        "chart/ingress.yaml",
        format!("{}host: {{{{ .Values.host }}}}", "# filler\n".repeat(300)),
    );
    let evil = sources.add(
        "evil\u{1b}[2J.yaml",
        "key: \u{1b}]0;title\u{7}\u{9b}31m\u{202e}x\ttab\n",
    );
    let long = sources.add(
        "long.yaml",
        format!("a: {}needle{}\n", "x".repeat(900), "y".repeat(900)),
    );
    let wide = sources.add("wide.yaml", "日本: [\u{1f469}\u{200d}\u{1f4bb}, x]\nsnippet: |\n  one\n  two\n  three\n  four\nend: true\n");
    let shop_web = ObjectRef::new("Ingress", "shop", "web");
    let all = vec![
        Diagnostic::new(Code::HelmTemplate, "the document is a Helm template")
            .label(
                find(&sources, helm, "{{ .Values.host }}"),
                "a template action",
            )
            .help("render the chart first: `helm template RELEASE CHART | gatewright convert -`"),
        Diagnostic::new(
            Code::Syntax,
            "`$3` refers to a group that no path of this Ingress has",
        )
        .object(&shop_web)
        .annotation("rewrite-target")
        .severity(Severity::Warning)
        .label(find(&sources, web, "$3"), "no third group")
        .label(
            find(&sources, web, "shop.example.com"),
            "paths of this host",
        )
        .note("nginx puts an empty text in its place")
        .note("a note of\ntwo lines")
        .help("use `$1` or `$2`")
        .help("or add a group to the path"),
        Diagnostic::new(
            Code::Syntax,
            "host `shop.example.com` is claimed by two Ingresses",
        )
        .object(&shop_web)
        .severity(Severity::Info)
        .label(find(&sources, web, "shop.example.com"), "this one wins")
        .label(
            find(&sources, other, "shop.example.com"),
            "this one comes later",
        ),
        Diagnostic::new(
            Code::Syntax,
            "the ConfigMap of the controller is not in the input",
        )
        .object(&ObjectRef::new("ConfigMap", "", "nginx\u{1b}[0m"))
        .note("its settings are taken as the defaults"),
        Diagnostic::new(Code::Syntax, "message with \u{1b}[31mescapes\u{1b}[0m")
            .label(find(&sources, evil, "\u{202e}x"), "here\u{7}"),
        Diagnostic::new(Code::Syntax, "a long line").at(find(&sources, long, "needle")),
        Diagnostic::new(Code::Syntax, "wide characters").label(find(&sources, wide, "x]"), "the x"),
        Diagnostic::new(Code::Syntax, "a block of lines").label(
            find(&sources, wide, "|\n  one\n  two\n  three\n  four"),
            "not supported",
        ),
        Diagnostic::new(Code::Syntax, "unexpected end").at(Span::new(helm, 9999, 9999)),
    ];
    (sources, all)
}

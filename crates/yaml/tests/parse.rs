//! Diagnostics and places of the reader.

use std::fmt::Write;

use gatewright_source::{FileId, SourceMap};
use gatewright_yaml::{Node, Value, parse};

/// One line for each diagnostic: code, places with the text there, message.
fn check(text: &str, documents: usize, expect: &[&str]) {
    let mut map = SourceMap::default();
    let file = map.add("a.yaml", text);
    let parsed = parse(file, text);
    assert_eq!(
        parsed.documents.len(),
        documents,
        "{:?}",
        parsed.diagnostics
    );
    let found: Vec<_> = parsed
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let mut line = diagnostic.code.to_string();
            for label in &diagnostic.labels {
                let at = map.position(label.span);
                let text = map.slice(label.span);
                let _ = write!(line, " {}:{} `{text}`", at.line, at.column);
            }
            format!("{line}: {}", diagnostic.message)
        })
        .collect();
    assert_eq!(found, expect, "{}", text.get(..200).unwrap_or(text));
}

#[test]
fn faults_have_exact_places_and_stop_nothing() {
    check(
        "a: 1\n---\nb: [1, 2}\n---\nc: 3\n",
        2,
        &["GW0101 3:4 `[`: a `{` or `[` is closed by the wrong bracket"],
    );
    check(
        "a: *.example.com\n",
        0,
        &[
            "GW0101 1:4 `*`: an alias `*name` without an anchor `&name` in front of it in the same document",
        ],
    );
    check(
        "a: b\nc\nd: 1\n",
        0,
        &["GW0101 2:1 `c`: a line is neither `key: value` nor the continuation of a value"],
    );
    check(
        "a:\n\tb: 1\n",
        0,
        &["GW0101 2:2 `b`: a tab is used for indentation"],
    );
    check(
        "a: x\n--- {b: 1}\n---\nc: 1\n",
        2,
        &["GW0101 2:5 `{b: 1}`: only a comment may follow the document separator `---`"],
    );
    check(
        "a: \"\\q\"\n",
        0,
        &["GW0101 1:4 `\"`: an unknown escape in a double-quoted text"],
    );
    check(
        "é: \u{1}\n",
        0,
        &["GW0101 1:4 `\u{1}`: the control character U+0001 is not allowed"],
    );
    check(
        "? {a: b}\n: c\n",
        0,
        &["GW0101 1:3 `{`: a map or a list cannot be the key of a map"],
    );
    check(
        "a: .inf\n",
        0,
        &[
            "GW0101 1:4 `.inf`: infinity and not-a-number have no form in JSON, so kubectl refuses them",
        ],
    );
    check(
        "~: 1\n",
        0,
        &["GW0101 1:1 `~`: null cannot be the key of a map"],
    );
    check(
        "%YAML 1.1\n---\na: 1\n",
        1,
        &["GW0101 1:1 `%`: kubectl reads no documents with `%` directives"],
    );
}

#[test]
fn what_kubectl_reads_otherwise_is_refused() {
    let name = "the name of an anchor has letters, digits, `-` and `_` only";
    check(
        "a:\n  &app: rr\n",
        0,
        &[&format!("GW0101 2:4 `app:`: {name}")],
    );
    check(
        "a: &é !x # more\n  b: 1\n",
        0,
        &[&format!("GW0101 1:5 `é`: {name}")],
    );
    check(
        "a: &x-1_Z # R&D: see\n  b: 1\nc: [&y 1, *x-1_Z]\nd: &z !!str 1\n",
        1,
        &[],
    );
    check(
        "a: [b?, ?c]\n",
        0,
        &["GW0101 1:9 `?c`: inside of `{}` and `[]` a `?` marks a key"],
    );
    check("a: ?b\nc: [d?e]\n", 1, &[]);
}

#[test]
fn templates_are_recognised() {
    const MESSAGE: &str = "the document holds template actions, so it is not YAML yet";
    let check = |text, documents, places: &[&str]| {
        let lines: Vec<_> = places
            .iter()
            .map(|p| format!("GW0102 {p}: {MESSAGE}"))
            .collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        check(text, documents, &lines);
    };
    check(
        "{{- if .Values.x }}\na: 1\n{{- end }}\n",
        0,
        &["1:1 `{{- if .Values.x }}`"],
    );
    check(
        "a: {{ .Values.x }}\n---\nb: 1\n",
        1,
        &["1:4 `{{ .Values.x }}`"],
    );
    check(
        "a:\n{{ toYaml . | indent 2 }}\n",
        0,
        &["2:1 `{{ toYaml . | indent 2 }}`"],
    );
    check("{% if x %}\na: 1\n{% endif %}\n", 0, &["1:1 `{% if x %}`"]);
    check("a: \"{{ .Values.x }}\"\nb: |\n  {{ y }}\n", 1, &[]);
    check(
        "a: \"{{ .Values.x }}\"\nb: [\nc: {{ d }}\n",
        0,
        &["3:4 `{{ d }}`"],
    );
}

#[test]
fn double_keys_are_warned_of() {
    check(
        "a: 1\nb: {c: 1, c: 2}\na: 2\n",
        1,
        &[
            "GW0103 2:11 `c` 2:5 `c`: the key `c` occurs twice in one map",
            "GW0103 3:1 `a` 1:1 `a`: the key `a` occurs twice in one map",
        ],
    );
    check(
        "{\"a\": 1, \"a\": 2}",
        1,
        &["GW0103 1:10 `\"a\"` 1:2 `\"a\"`: the key `a` occurs twice in one map"],
    );
    check("a: &x {b: 1}\nc: {b: 2, <<: *x}\n", 1, &[]);
}

#[test]
fn text_behind_the_end_is_warned_of() {
    check(
        "a: 1\n...\n# x\nb: 2\n",
        1,
        &["GW0105 4:1 `b: 2`: what follows the end `...` of a document is ignored"],
    );
    check("a: 1\n...\n---\nb: 2\n", 2, &[]);
}

#[test]
fn limits_are_kept() {
    const DEEP: &str = "maps and lists are nested deeper than 500 levels";
    let flow = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    check(&flow(500), 1, &[]);
    check(&flow(501), 0, &[&format!("GW0104 1:501 `[`: {DEEP}")]);
    check(&flow(100_000), 0, &[&format!("GW0104 1:501 `[`: {DEEP}")]);
    let block: Vec<_> = (0..501).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    let block = block.concat();
    check(&block, 0, &[&format!("GW0104 501:501 `a`: {DEEP}")]);
    check(
        &"- ".repeat(3000),
        0,
        &[&format!("GW0104 1:1001 `-`: {DEEP}")],
    );
    let json = "{\"a\":".repeat(600);
    check(&json, 0, &[&format!("GW0104 1:2501 `{{`: {DEEP}")]);
    let half = format!(
        "a: &a {}\nb: {}*a{}\n",
        flow(300),
        "[".repeat(300),
        "]".repeat(300)
    );
    check(&half, 0, &[&format!("GW0104 2:304 `*a`: {DEEP}")]);

    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..20 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(",");
        let _ = writeln!(bomb, "a{n}: &a{n} [{aliases}]");
    }
    check(
        &bomb,
        0,
        &["GW0104 4:18 `*a2`: aliases blow the document up beyond what kubectl accepts"],
    );
    let long = format!(
        "a: &a {}\nb:\n{}",
        "x".repeat(1 << 20),
        "- *a\n".repeat(200)
    );
    check(
        &long,
        0,
        &["GW0104 67:3 `*a`: aliases blow the document up beyond what kubectl accepts"],
    );
}

#[test]
fn json_streams_are_read() {
    check("{\"a\": 1}{\"b\": 2}\n\t{\"c\": 3}\n", 3, &[]);
    check("{\n\t\"a\": 1\n}\n---\nb: 2\n", 2, &[]);
    check("\u{feff}{\"a\": 1}", 1, &[]);
    check(
        "{\"a\": 1 \"b\": 2}",
        0,
        &["GW0101 1:9 `\"`: in JSON, `,` or `}` is expected here, not `\"`"],
    );
    check(
        "{\"a\": 1}\n{\"b\": 2}\n{c}\n",
        2,
        &["GW0101 3:2 `c`: in JSON, a key in double quotes is expected here, not `c`"],
    );
}

/// All values with their source text, one on a line.
fn places(text: &str) -> String {
    fn walk(node: &Node, path: &str, text: &str, out: &mut String) {
        let at = &text[node.span.start as usize..node.span.end as usize];
        let _ = writeln!(out, "{path}={at:?}");
        match &node.value {
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{path}[{index}]"), text, out);
                }
            }
            Value::Mapping(mapping) => {
                for entry in mapping {
                    let key = &text[entry.key.span.start as usize..entry.key.span.end as usize];
                    walk(&entry.value, &format!("{path}.{key}"), text, out);
                }
            }
            _ => {}
        }
    }
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.diagnostics, []);
    let mut out = String::new();
    for document in &parsed.documents {
        walk(&document.root, "", text, &mut out);
    }
    out
}

#[test]
fn values_have_tight_places() {
    let text = "# head\n\u{e9}: 'x' # c\nb:\n- p: |\n    l1\n    l2\n\n  q: >-\n    f\n- &a [1, \"2\"]\n- \n\
                c: !!str  on\nd: one\n  two\n\ne: *a\n";
    let expect = [
        r#"="é: 'x' # c\nb:\n- p: |\n    l1\n    l2\n\n  q: >-\n    f\n- &a [1, \"2\"]\n- \nc: !!str  on\nd: one\n  two\n\ne: *a""#,
        r#".é="'x'""#,
        r#".b="- p: |\n    l1\n    l2\n\n  q: >-\n    f\n- &a [1, \"2\"]\n- ""#,
        r#".b[0]="p: |\n    l1\n    l2\n\n  q: >-\n    f""#,
        r#".b[0].p="l1\n    l2""#,
        r#".b[0].q="f""#,
        r#".b[1]="[1, \"2\"]""#,
        r#".b[1][0]="1""#,
        r#".b[1][1]="\"2\"""#,
        r#".b[2]="""#,
        r#".c="on""#,
        r#".d="one\n  two""#,
        r#".e="[1, \"2\"]""#,
        r#".e[0]="1""#,
        r#".e[1]="\"2\"""#,
    ];
    assert_eq!(places(text).lines().collect::<Vec<_>>(), expect);
}

#[test]
fn places_survive_mended_text() {
    let text = "a:\n  b: 'x,\n  y'\n  c: {\n\td: 1}#e\n  f: g\n";
    let expect = "=\"a:\\n  b: 'x,\\n  y'\\n  c: {\\n\\td: 1}#e\\n  f: g\"\n\
                  .a=\"b: 'x,\\n  y'\\n  c: {\\n\\td: 1}#e\\n  f: g\"\n\
                  .a.b=\"'x,\\n  y'\"\n.a.c=\"{\\n\\td: 1}\"\n.a.c.d=\"1\"\n.a.f=\"g\"\n";
    assert_eq!(places(text), expect);
}

#[test]
fn documents_have_places() {
    let text = "\u{feff}a: 1\n--- # x\n---\nb: 2\n";
    let parsed = parse(FileId(0), text);
    let spans: Vec<_> = parsed
        .documents
        .iter()
        .map(|d| &text[d.span.start as usize..d.span.end as usize])
        .collect();
    assert_eq!(spans, ["a: 1\n", "b: 2\n"]);
}

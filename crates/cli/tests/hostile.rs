//! Input that is broken or made to do harm: what it gets, and that its neighbours convert.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scratch;

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::process::{Output, Stdio};

use scratch::Scratch;

/// The exit codes of `docs`: an object has errors; something could not be read.
const HAS_ERRORS: Option<i32> = Some(1);
const IS_UNREADABLE: Option<i32> = Some(3);

fn ingress(name: &str, host: &str, annotations: &str, paths: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  namespace: shop
  annotations: {{{annotations}}}
spec:
  ingressClassName: nginx
  rules:
  - host: {host}
    http:
      paths:
{paths}"
    )
}

fn path(path: &str, kind: &str) -> String {
    format!(
        "      - {{path: {path}, pathType: {kind}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}\n"
    )
}

fn healthy() -> String {
    ingress("healthy", "healthy.test", "", &path("/", "Prefix"))
}

/// So many Ingresses, each with a host of its own.
fn many(count: usize) -> String {
    (0..count)
        .map(|at| {
            let (name, host) = (format!("i{at}"), format!("i{at}.test"));
            ingress(&name, &host, "", &path("/", "Prefix")) + "---\n"
        })
        .collect()
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Converts a document and, behind it, an Ingress that is as it should be.
fn beside_healthy(name: &str, document: impl AsRef<[u8]>) -> Ran {
    let scratch = Scratch::new(name);
    let mut text = document.as_ref().to_vec();
    text.extend_from_slice(format!("\n---\n{}", healthy()).as_bytes());
    scratch.put("in.yaml", text);
    let ran = Ran::from(scratch.run("", &["convert", "in.yaml"]));
    assert!(ran.out.contains("healthy.test"), "{name}: {}", ran.err);
    ran
}

#[track_caller]
fn check(ran: &Ran, code: Option<i32>, said: &str) {
    assert_eq!(ran.code, code, "{}", ran.err);
    assert!(ran.err.contains(said), "{}", ran.err);
}

#[test]
fn aliases_that_multiply_are_not_followed() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (before, key) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        let all = vec![format!("*{before}"); 9].join(",");
        let _ = writeln!(bomb, "{key}: &{key} [{all}]");
    }
    let ran = beside_healthy("bomb", bomb);
    check(&ran, IS_UNREADABLE, "aliases blow the document up");
}

#[test]
fn depth_has_an_end() {
    let flow = format!("a: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    check(
        &beside_healthy("depth-flow", flow),
        IS_UNREADABLE,
        "nested deeper",
    );
    let block = (0..2_000).fold(String::new(), |mut all, depth| {
        let _ = writeln!(all, "{}a:", " ".repeat(depth));
        all
    });
    check(
        &beside_healthy("depth-block", block),
        IS_UNREADABLE,
        "nested deeper",
    );
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    let ran = beside_healthy("utf8", b"ab: \xff");
    check(&ran, IS_UNREADABLE, "in.yaml:1:5");
    let ran = beside_healthy("nul", b"a: \"x\0y\"");
    check(&ran, IS_UNREADABLE, "in.yaml:1:6");
}

#[test]
fn a_byte_order_mark_may_stand_before_each_document() {
    let scratch = Scratch::new("bom");
    let other = ingress("other", "other.test", "", &path("/", "Prefix"));
    let text = format!("\u{feff}{}---\n\u{feff}{other}", healthy());
    scratch.put("in.yaml", text);
    let ran = Ran::from(scratch.run("", &["convert", "in.yaml"]));
    check(&ran, Some(0), "2 Ingresses");
}

#[test]
fn annotations_are_as_long_as_the_api_server_allows() {
    let long = "x".repeat(10_000_000);
    let annotation = format!("nginx.ingress.kubernetes.io/configuration-snippet: \"{long}\"");
    let hostile = ingress("long", "long.test", &annotation, &path("/", "Prefix"));
    let ran = beside_healthy("annotation", hostile);
    check(&ran, HAS_ERRORS, "262144 are allowed");
    assert!(ran.err.len() < 20_000, "the excerpt is not the whole value");
}

#[test]
fn many_documents_are_each_accounted_for() {
    let documents: String = (0..20_000).fold(String::new(), |mut all, at| {
        let _ = writeln!(all, "---\na: {at}");
        all
    });
    let ran = beside_healthy("documents", documents);
    check(&ran, Some(0), "in 20001 documents");
}

#[test]
fn many_paths_of_a_host_convert() {
    let paths: String = (0..20_000)
        .map(|at| path(&format!("/p{at}"), "Prefix"))
        .collect();
    let ran = beside_healthy("paths", ingress("many", "many.test", "", &paths));
    check(&ran, Some(0), "");
    assert_eq!(ran.out.matches("value: /p").count(), 20_000);
}

#[test]
fn patterns_that_explode_are_refused_and_not_compiled() {
    let nested = (0..8).fold("a".to_owned(), |inner, _| format!("({inner}{{1,10}})"));
    let deep = format!("/{}b{}", "(a|".repeat(5_000), ")".repeat(5_000));
    let paths: String = [
        "/(a+)+(b|a?){50}(x{1,500}){1,500}",
        &format!("/{nested}"),
        &deep,
    ]
    .iter()
    .map(|text| path(&format!("\"{text}\""), "ImplementationSpecific"))
    .collect();
    let regex = "nginx.ingress.kubernetes.io/use-regex: \"true\"";
    let hostile = ingress("patterns", "patterns.test", regex, &paths);
    let ran = beside_healthy("patterns", &hostile);
    check(&ran, HAS_ERRORS, "error[GW08");
    let scratch = Scratch::new("patterns-verify");
    scratch.put("in.yaml", hostile);
    let ran = Ran::from(scratch.run("", &["verify", "in.yaml"]));
    assert!(
        !ran.out.contains("patterns.test  equivalent"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("not decided"), "{}", ran.out);
}

#[test]
fn names_at_their_limit_stay_valid_and_apart() {
    let stem = vec!["n".repeat(63); 3].join(".");
    let names = ["a", "b"].map(|last| format!("{stem}.{}{last}", "n".repeat(60)));
    assert_eq!(names[0].len(), 253);
    let scratch = Scratch::new("names");
    let text = names
        .iter()
        .zip(["a.test", "b.test"])
        .map(|(name, host)| ingress(name, host, "", &path("\"/x y\"", "Prefix")))
        .collect::<Vec<_>>()
        .join("---\n");
    scratch.put("in.yaml", text);
    let ran = Ran::from(scratch.run("", &["convert", "in.yaml"]));
    check(&ran, Some(0), "2 Ingresses");
    let routes: Vec<&str> = ran
        .out
        .split("---\n")
        .filter(|document| document.contains("kind: HTTPRoute\n"))
        .filter_map(|document| {
            document
                .lines()
                .find_map(|line| line.strip_prefix("  name: "))
        })
        .collect();
    assert_eq!(routes.len(), 2);
    assert_ne!(routes[0], routes[1]);
    assert!(routes.iter().all(|name| name.len() <= 253));
}

#[test]
fn nothing_raw_reaches_the_terminal() {
    let scratch = Scratch::new("terminal");
    let annotation = "\"nginx.ingress.kubernetes.io/\\e[2Jkey\": \"\\e]0;title\\a\", nginx.ingress.kubernetes.io/auth-realm: \"\\u009b31m\\r\\n\"";
    scratch.put(
        "in/\u{1b}[31m\u{7}x.yaml",
        ingress("t", "t.test", annotation, &path("/", "Prefix")) + "---\na: {\n",
    );
    for format in ["full", "concise", "json", "github", "markdown", "junit"] {
        let ran = Ran::from(scratch.run("", &["check", "--format", format, "in"]));
        for text in [&ran.out, &ran.err] {
            let raw = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(raw, None, "{format}: {text}");
        }
    }
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: users, namespace: shop}\ndata: {auth: YTokYXByMSR4JHg=}\n";
    let annotation = "nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: users";
    scratch.put(
        "sensitive.yaml",
        ingress("t", "t.test", annotation, &path("/", "Prefix")) + secret,
    );
    for output in ["a\u{7}b\u{8}.yaml", "a\u{1b}[31m.yaml"] {
        let ran = Ran::from(scratch.run("", &["convert", "sensitive.yaml", "-o", output]));
        assert!(ran.err.contains("sensitive: "), "{}", ran.err);
        let raw = ran.err.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(raw, None, "{}", ran.err);
    }
    for format in ["text", "markdown", "json", "html"] {
        let ran = Ran::from(scratch.run("", &["audit", "--format", format, "in"]));
        let raw = ran.out.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(raw, None, "{format}");
    }
}

#[test]
fn values_cannot_become_documents() {
    let scratch = Scratch::new("injection");
    let evil = "\\n---\\nkind: Secret\\nmetadata: {name: evil}\\n#";
    let annotations = [
        "upstream-vhost",
        "rewrite-target",
        "app-root",
        "custom-headers",
        "auth-realm",
        "permanent-redirect",
        "canary-by-header",
        "session-cookie-name",
        "x-forwarded-prefix",
    ];
    let mut text = String::new();
    for (at, key) in annotations.iter().enumerate() {
        let annotation = format!("nginx.ingress.kubernetes.io/{key}: \"/a{evil}\"");
        let paths = path(&format!("\"/b{evil}\""), "Exact") + &path("/", "Prefix");
        text += &ingress(
            &format!("i{at}"),
            &format!("i{at}.test"),
            &annotation,
            &paths,
        );
        text += "---\n";
    }
    scratch.put("in.yaml", text);
    for args in [
        &["convert", "in.yaml"][..],
        &["convert", "--nginx-version", "pre-1.12", "in.yaml"],
    ] {
        let ran = Ran::from(scratch.run("", args));
        assert!(
            !ran.out.lines().any(|line| line == "kind: Secret"),
            "{}",
            ran.out
        );
        assert!(!ran.out.contains("name: evil\n"), "{}", ran.out);
    }
}

#[test]
fn names_lead_out_of_no_directory() {
    let scratch = Scratch::new("traversal");
    let hostile = ingress("../../../evil", "a.test", "", &path("/", "Prefix"));
    let elsewhere = hostile
        .replace("../../../evil", "fine")
        .replace("namespace: shop", "namespace: ../../evil");
    scratch.put(
        "deep/down/in.yaml",
        format!("{hostile}---\n{elsewhere}---\n{}", healthy()),
    );
    for layout in ["object", "ingress", "tree"] {
        let args = ["convert", "--layout", layout, "--output", "out", "in.yaml"];
        check(
            &Ran::from(scratch.run("deep/down", &args)),
            HAS_ERRORS,
            "../../../evil",
        );
    }
    let outside: Vec<_> = [scratch.path(""), scratch.path("deep")]
        .iter()
        .flat_map(|directory| fs::read_dir(directory).unwrap())
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(outside, ["deep", "down"]);
}

#[test]
fn secrets_are_in_no_finding() {
    let scratch = Scratch::new("secrets");
    let kept = "PASSWORDOFALICE";
    let secret = |body: &str| {
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: users, namespace: shop}}\n{body}\n"
        )
    };
    let auth = "nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: users";
    let user = ingress("auth", "auth.test", auth, &path("/", "Prefix"));
    for body in [
        format!("stringData: {{auth: [{kept}]}}"),
        format!("stringData: {{auth: \"alice:{kept}\\nbob\"}}"),
        format!("data: {{auth: \"!{kept}\"}}"),
        format!("stringDtaa:\n  auth: {kept}"),
        format!("stringData:\n  auth: \"{kept}\n   unclosed: ["),
        format!("stringData:\n  auth: {kept}\n  auth: {kept}"),
    ] {
        scratch.put("in.yaml", user.clone() + &secret(&body));
        for format in [
            "full", "concise", "json", "sarif", "junit", "gitlab", "markdown",
        ] {
            let ran = Ran::from(scratch.run("", &["check", "--format", format, "in.yaml"]));
            for text in [&ran.out, &ran.err] {
                assert!(!text.contains(kept), "{format}: {text}");
            }
        }
        for command in ["verify", "audit"] {
            let ran = Ran::from(scratch.run("", &[command, "in.yaml"]));
            assert!(!(ran.out + &ran.err).contains(kept), "{command}");
        }
    }
}

#[cfg(unix)]
#[test]
fn links_that_go_round_are_walked_once() {
    let scratch = Scratch::new("links");
    scratch.put("tree/in.yaml", healthy());
    std::os::unix::fs::symlink("..", scratch.path("tree/up")).unwrap();
    std::os::unix::fs::symlink("self", scratch.path("tree/self")).unwrap();
    let ran = Ran::from(scratch.run("", &["convert", "tree"]));
    check(&ran, Some(0), "1 Ingress");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_opened_is_named() {
    let scratch = Scratch::new("unopened");
    scratch.put("in.yaml", healthy());
    std::os::unix::fs::symlink("nowhere", scratch.path("gone.yaml")).unwrap();
    let ran = Ran::from(scratch.run("", &["convert", "in.yaml", "gone.yaml"]));
    assert!(ran.err.contains("gone.yaml"), "{}", ran.err);
    assert_ne!(ran.code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_leaves_what_was_there() {
    let scratch = Scratch::new("full");
    scratch.put("in.yaml", healthy());
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = scratch.command("", &["convert", "in.yaml"]);
    let ran = Ran::from(command.stdout(full).output().unwrap());
    assert_ne!(ran.code, Some(0));
    assert!(ran.err.contains("cannot write"), "{}", ran.err);
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let scratch = Scratch::new("pipe");
    scratch.put("in.yaml", many(500));
    let mut command = scratch.command("", &["convert", "in.yaml"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 16];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn runs_side_by_side_and_runs_cut_short_leave_whole_files() {
    let scratch = Scratch::new("runs");
    scratch.put("in.yaml", many(300));
    let args = ["convert", "in.yaml", "--output", "out.yaml"];
    let ran = Ran::from(scratch.run("", &args));
    check(&ran, Some(0), "");
    let whole = scratch.text("out.yaml");
    // Another content, so that the runs below have something to write.
    scratch.put("out.yaml", "old");
    let run = || {
        let mut command = scratch.command("", &args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut both = [run(), run()];
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(scratch.text("out.yaml"), whole);
    for milliseconds in [0, 2, 5, 10, 20, 40, 80] {
        scratch.put("out.yaml", "old");
        let mut child = run();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
        let text = scratch.text("out.yaml");
        assert!(text == "old" || text == whole, "half a file");
    }
}

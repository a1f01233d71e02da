//! Which file an object is written to, and writing all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_transpile::{Conversion, Written};
use rayon::prelude::*;

use crate::args::LayoutArg;
use crate::discover::{absolute, below, shown};
use crate::exit::Fault;
use crate::owned::{CONVERTED, Standing, converted, look_converted};
use crate::read::{STDIN, plain};
use crate::write;

/// What is not one Ingress's. No name of Kubernetes begins with an underscore.
const CLUSTER: &str = "_cluster";
const INFRA: &str = "_infra.yaml";
const SHARED: &str = "_shared.yaml";
/// Where inputs are mirrored that lie outside of the working directory.
const OUTSIDE: &str = "_outside";
const KUSTOMIZATION: &str = "kustomization.yaml";
/// File systems take 255 bytes; an ending and the name of a temporary file need some of them.
const LONGEST: usize = 200;

/// A file to write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) text: String,
    pub(crate) private: bool,
}

/// The files, as seen from the output directory.
pub(crate) fn plan(
    conversion: &Conversion,
    layout: LayoutArg,
    kustomization: bool,
) -> BTreeMap<PathBuf, Output> {
    let here = absolute(Path::new(""));
    let mut files: BTreeMap<PathBuf, Output> = BTreeMap::new();
    for written in &conversion.written {
        let inputs = written.files.iter();
        let first = inputs
            .map(|file| conversion.sources.file(*file).name())
            .min();
        let mut place = place(written, first, layout, &here);
        if written.sensitive && layout != LayoutArg::Object {
            place = secrets(&place);
        }
        let output = files.entry(place).or_insert_with(|| Output {
            text: CONVERTED.to_owned(),
            private: written.sensitive,
        });
        let document = conversion.output.document(written);
        if output.text.len() > CONVERTED.len() {
            output.text.push_str("---\n");
        }
        output.text.push_str(document);
    }
    if kustomization && !files.is_empty() {
        let text = resources(files.keys());
        let private = false;
        files.insert(PathBuf::from(KUSTOMIZATION), Output { text, private });
    }
    files
}

/// `first` is the first by name of the files that the object is written for.
fn place(written: &Written, first: Option<&str>, layout: LayoutArg, here: &Path) -> PathBuf {
    let namespace = || match &*written.namespace {
        "" => PathBuf::from(CLUSTER),
        namespace => PathBuf::from(safe(namespace)),
    };
    match layout {
        LayoutArg::Stream => PathBuf::from("all.yaml"),
        LayoutArg::Parts if written.infra => PathBuf::from("infra.yaml"),
        LayoutArg::Parts => PathBuf::from("routes.yaml"),
        LayoutArg::Object => {
            let name = format!("{}-{}", written.kind.to_ascii_lowercase(), written.name);
            namespace().join(format!("{}.yaml", safe(&name)))
        }
        _ if written.infra => PathBuf::from(INFRA),
        LayoutArg::Ingress => match written.ingresses.as_slice() {
            [] => namespace().join(SHARED),
            [(namespace, name)] => Path::new(&safe(namespace)).join(format!("{}.yaml", safe(name))),
            [(first, _), others @ ..] if others.iter().all(|(other, _)| other == first) => {
                Path::new(&safe(first)).join(SHARED)
            }
            _ => PathBuf::from(SHARED),
        },
        LayoutArg::Tree => match first {
            None => namespace().join(SHARED),
            Some(STDIN) => PathBuf::from("stdin.yaml"),
            Some(name) => mirrored(Path::new(name), here),
        },
    }
}

/// The place of an input below the output directory.
fn mirrored(input: &Path, here: &Path) -> PathBuf {
    let inside = below(here, input);
    let mut place = PathBuf::new();
    if inside.is_none() {
        place.push(OUTSIDE);
    }
    let path = inside.unwrap_or_else(|| absolute(input));
    let mut parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    let file = parts.next_back().unwrap_or_default();
    place.extend(parts.map(|part| limited(&part)));
    let is_yaml = |ending: &&str| file.len() > ending.len() && file.ends_with(ending);
    match [".yaml", ".yml"].into_iter().find(is_yaml) {
        Some(ending) => {
            let stem = &file[..file.len() - ending.len()];
            place.join(format!("{}{ending}", limited(stem)))
        }
        None => place.join(format!("{}.yaml", limited(&file))),
    }
}

/// The file for what nobody should read, beside the one for the rest.
fn secrets(place: &Path) -> PathBuf {
    let stem = place.file_stem().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!("{stem}.secrets.yaml"))
}

/// A name from an object as the name of a file. Those that Kubernetes takes stay as they are.
fn safe(text: &str) -> String {
    let mut name = String::new();
    for (at, c) in text.char_indices() {
        let plain = c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '-' | '.' | '_'));
        if plain {
            name.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    // Windows opens devices by these names, whatever follows a dot.
    let device = name.split('.').next().unwrap_or_default();
    let device = device.to_ascii_lowercase();
    let numbered = device.strip_prefix("com").or(device.strip_prefix("lpt"));
    if matches!(&*device, "con" | "prn" | "aux" | "nul")
        || numbered.is_some_and(|n| n.len() == 1 && n.chars().all(|c| c.is_ascii_digit()))
    {
        name.insert(0, '%');
    }
    if name.is_empty() {
        name.push('%');
    }
    limited(&name)
}

/// A name cut to the limit, with a hash of the whole.
fn limited(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    // 64-bit FNV-1a: the same on every machine and in every release.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut end = LONGEST - 17;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{hash:016x}", &name[..end])
}

fn resources<'a>(files: impl Iterator<Item = &'a PathBuf>) -> String {
    let mut text = format!(
        "{CONVERTED}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
    );
    for file in files {
        let name = shown(file).replace('\\', "/");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/');
        let first = name.chars().next();
        if name.chars().all(plain) && first.is_some_and(|c| c != '-') {
            let _ = writeln!(text, "- {name}");
        } else {
            // What JSON takes for a text, YAML does too.
            let _ = writeln!(text, "- {}", serde_json::Value::String(name));
        }
    }
    text
}

/// Writes the files below `directory`, after a look at what stands there: all of them or,
/// where a file is somebody else's, none. `force` replaces those of others, but no input.
/// Returns a finding about files of earlier runs.
pub(crate) fn write<'a>(
    directory: &Path,
    files: &BTreeMap<PathBuf, Output>,
    force: bool,
    inputs: impl Iterator<Item = &'a str>,
) -> Result<Option<Diagnostic>, Fault> {
    let inputs: BTreeSet<PathBuf> = inputs
        .filter_map(|input| Path::new(input).canonicalize().ok())
        .collect();
    let mut foreign = Vec::new();
    for place in files.keys() {
        let path = directory.join(place);
        if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
            return Err(
                Fault::new(format!("`{}` is both input and output", shown(&path)))
                    .help("name another directory with `--output DIR`"),
            );
        }
        let standing = look_converted(&path).map_err(|error| {
            Fault::new(format!("cannot read `{}`: {}", shown(&path), plain(&error)))
        })?;
        if standing == Standing::Foreign && (!force || path.is_dir()) {
            foreign.push(format!("`{}`", shown(&path)));
        }
    }
    if !foreign.is_empty() {
        let many = if foreign.len() == 1 { "was" } else { "were" };
        let named = foreign.len().min(5);
        let rest = match foreign.len() - named {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        return Err(Fault::new(format!(
            "{}{rest} {many} not written by `gatewright convert`; nothing is written",
            foreign[..named].join(", ")
        ))
        .help("name another directory, move the files away, or replace them with `--force`"));
    }
    // Each waits for the disk, so they wait together.
    let written: Vec<Result<(), Fault>> = files
        .par_iter()
        .map(|(place, output)| write_one(&directory.join(place), output))
        .collect();
    written.into_iter().collect::<Result<(), Fault>>()?;
    Ok(stale(directory, files))
}

fn write_one(path: &Path, output: &Output) -> Result<(), Fault> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| {
            Fault::new(format!(
                "cannot create `{}`: {}",
                shown(parent),
                plain(&error)
            ))
        })?;
    }
    if output.private {
        write::write_secret(path, &output.text)
    } else {
        write::write(path, &output.text)
    }
}

fn stale(directory: &Path, files: &BTreeMap<PathBuf, Output>) -> Option<Diagnostic> {
    let left: Vec<String> = converted(directory)
        .into_iter()
        .filter(|place| !files.contains_key(place))
        .map(|place| format!("`{}`", shown(&directory.join(place))))
        .collect();
    let first = left.first()?;
    let message = match left.len() {
        1 => format!("{first} is of an earlier run and is left as it is"),
        number => format!("{number} files of an earlier run are left as they are, such as {first}"),
    };
    Some(
        Diagnostic::new(Code::StaleOutput, message)
            .help("remove what is no longer needed, or let `gatewright sync` keep the files"),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatewright_transpile::Place;

    use super::*;
    use crate::discover::tests::Tree;

    fn written(kind: &'static str, namespace: &str, name: &str, of: &[(&str, &str)]) -> Written {
        Written {
            place: Place::default(),
            files: Vec::new(),
            kind,
            namespace: Arc::from(namespace),
            name: name.to_owned(),
            ingresses: of
                .iter()
                .map(|(namespace, name)| (Arc::from(*namespace), Arc::from(*name)))
                .collect(),
            infra: false,
            sensitive: false,
        }
    }

    fn at(written: &Written, layout: LayoutArg) -> String {
        shown(&place(written, None, layout, Path::new("/here")))
    }

    #[test]
    fn objects_have_their_places() {
        let route = written("HTTPRoute", "shop", "web-http", &[("shop", "web")]);
        assert_eq!(
            at(&route, LayoutArg::Object),
            "shop/httproute-web-http.yaml"
        );
        assert_eq!(at(&route, LayoutArg::Ingress), "shop/web.yaml");
        assert_eq!(at(&route, LayoutArg::Parts), "routes.yaml");
        let class = written("GatewayClass", "", "eg", &[]);
        assert_eq!(
            at(&class, LayoutArg::Object),
            "_cluster/gatewayclass-eg.yaml"
        );
        let infra = Written {
            infra: true,
            ..class
        };
        assert_eq!(at(&infra, LayoutArg::Ingress), "_infra.yaml");
        assert_eq!(at(&infra, LayoutArg::Tree), "_infra.yaml");
        assert_eq!(at(&infra, LayoutArg::Parts), "infra.yaml");
        let both = written("Backend", "shop", "x", &[("shop", "a"), ("shop", "b")]);
        assert_eq!(at(&both, LayoutArg::Ingress), "shop/_shared.yaml");
        let apart = written(
            "ReferenceGrant",
            "data",
            "x",
            &[("shop", "a"), ("web", "b")],
        );
        assert_eq!(at(&apart, LayoutArg::Ingress), "_shared.yaml");
    }

    #[test]
    fn names_stay_below_the_directory_and_short() {
        for (text, expected) in [
            ("web", "web"),
            ("web.example.com", "web.example.com"),
            ("../../etc/passwd", "%2E./..%2Fetc"),
            ("..", "%2E."),
            ("", "%"),
            ("con", "%con"),
            ("com1.x", "%com1.x"),
            ("_infra", "%5Finfra"),
        ] {
            let name = safe(text);
            if !text.contains('/') {
                assert_eq!(name, expected, "{text}");
            }
            assert!(!name.contains(['/', '\\']), "{name}");
            assert!(name != "." && name != "..", "{name}");
        }
        let (a, b) = ("a".repeat(253), format!("{}b", "a".repeat(252)));
        assert!(safe(&a).len() <= LONGEST);
        assert_ne!(safe(&a), safe(&b));
        let route = written("HTTPRoute", "..", "../x", &[("../../up", "/etc/x")]);
        for layout in [LayoutArg::Object, LayoutArg::Ingress] {
            let place = place(&route, None, layout, Path::new("/here"));
            let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
            assert!(place.components().all(normal), "{}", place.display());
        }
    }

    #[test]
    fn inputs_are_mirrored() {
        let here = absolute(Path::new("/repo"));
        let place = |input: &str| shown(&mirrored(Path::new(input), &here));
        assert_eq!(place("/repo/apps/a/ingress.yaml"), "apps/a/ingress.yaml");
        assert_eq!(place("/repo/apps/x/../a.yml"), "apps/a.yml");
        assert_eq!(place("/repo/a.json"), "a.json.yaml");
        assert_eq!(place("/other/a.yaml"), "_outside/other/a.yaml");
        assert_eq!(
            shown(&secrets(Path::new("apps/a/ingress.yaml"))),
            "apps/a/ingress.secrets.yaml"
        );
    }

    #[test]
    fn files_of_others_stop_everything() {
        let tree = Tree::new(&[("out/b.yaml", "mine: 1\n"), ("out/old.yaml", CONVERTED)]);
        let output = |text: &str| Output {
            text: format!("{CONVERTED}{text}"),
            private: false,
        };
        let files = BTreeMap::from([
            (PathBuf::from("a.yaml"), output("a: 1\n")),
            (PathBuf::from("b.yaml"), output("b: 1\n")),
        ]);
        let directory = tree.path("out");
        let write = |force| write(&directory, &files, force, std::iter::empty());
        let fault = write(false).unwrap_err();
        assert!(fault.message.contains("b.yaml"), "{fault:?}");
        assert!(!directory.join("a.yaml").exists());
        let stale = write(true).unwrap().unwrap();
        assert!(stale.message.contains("old.yaml"), "{stale:?}");
        assert!(write(false).is_ok(), "its own by now");
        let text = fs::read_to_string(directory.join("b.yaml")).unwrap();
        assert_eq!(text, format!("{CONVERTED}b: 1\n"));
    }

    #[test]
    fn no_input_is_ever_replaced() {
        let tree = Tree::new(&[("in.yaml", "a: 1\n")]);
        let input = tree.path("in.yaml");
        let files = BTreeMap::from([(PathBuf::from("in.yaml"), Output::default())]);
        let names = [input.to_str().unwrap()];
        let fault = write(&tree.path(""), &files, true, names.into_iter()).unwrap_err();
        assert!(fault.message.contains("both input and output"), "{fault:?}");
        assert_eq!(fs::read_to_string(input).unwrap(), "a: 1\n");
    }

    #[test]
    fn resources_are_quoted_where_they_must_be() {
        let files = [PathBuf::from("a/b.yaml"), PathBuf::from("odd name.yaml")];
        let text = resources(files.iter());
        assert!(
            text.ends_with("resources:\n- a/b.yaml\n- \"odd name.yaml\"\n"),
            "{text}"
        );
    }
}

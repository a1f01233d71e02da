//! Where the objects of an input file go.

use std::path::{Component, Path, PathBuf};

use crate::config::keys::quoted;
use crate::suggest::nearest;

/// The value of `to`: a path, perhaps with places to fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Hole),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    Dir,
    Path,
    File,
}

const HOLES: [(&str, Hole); 3] = [
    ("dir", Hole::Dir),
    ("path", Hole::Path),
    ("file", Hole::File),
];

impl Target {
    /// Reads the value. The error says what is wrong, and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, String)> {
        let names = HOLES.map(|(name, _)| format!("{{{name}}}"));
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                let help = format!("the places are {}", quoted(&names));
                return Err(("`{` is not closed".into(), help));
            };
            let Some((_, hole)) = HOLES.iter().find(|(known, _)| *known == name) else {
                let help = match nearest(name, HOLES.map(|(name, _)| name)) {
                    Some(word) => format!("did you mean `{{{word}}}`?"),
                    None => format!("the places are {}", quoted(&names)),
                };
                return Err((format!("there is no `{{{name}}}`"), help));
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Hole(*hole));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        let below = "write a path below the directory of gatewright.toml";
        let path = Path::new(text);
        if text.is_empty() || text.ends_with('/') {
            return Err(("it names no file".into(), "write the path of a file".into()));
        }
        let mut components = path.components();
        if components.any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            let what = "it leads out of the directory of gatewright.toml";
            return Err((what.into(), below.into()));
        }
        if text.contains('*') {
            let help = format!("the places to fill are {}", quoted(&names));
            return Err(("it names one file, so `*` says nothing".into(), help));
        }
        Ok(Self { parts })
    }

    /// Whether objects go to different files.
    pub(crate) fn is_split(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Hole(_)))
    }

    /// The output for an input file, both as seen from the configuration. None when the
    /// file has no directory of that name.
    pub(crate) fn expand(&self, input: &Path) -> Option<PathBuf> {
        let directory = input.parent().unwrap_or(Path::new(""));
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Hole(Hole::Dir) => text.push_str(directory.file_name()?.to_str()?),
                Part::Hole(Hole::Path) if directory.as_os_str().is_empty() => text.push('.'),
                Part::Hole(Hole::Path) => text.push_str(directory.to_str()?),
                Part::Hole(Hole::File) => text.push_str(input.file_stem()?.to_str()?),
            }
        }
        let path: PathBuf = Path::new(&text)
            .components()
            .filter(|part| *part != Component::CurDir)
            .collect();
        // Names come from files, and a file may lie outside.
        let inside = path.components().all(|p| matches!(p, Component::Normal(_)));
        inside.then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(to: &str, input: &str) -> Option<String> {
        let path = Target::parse(to).unwrap().expand(Path::new(input))?;
        Some(path.to_str().unwrap().to_owned())
    }

    #[test]
    fn places_are_filled() {
        let input = "apps/shop/ingress.yaml";
        for (to, output) in [
            ("apps/{dir}/gateway.yaml", "apps/shop/gateway.yaml"),
            ("{path}/gateway.yaml", "apps/shop/gateway.yaml"),
            ("out/{dir}-{file}.yaml", "out/shop-ingress.yaml"),
            ("./all.yaml", "all.yaml"),
        ] {
            assert_eq!(expand(to, input).as_deref(), Some(output), "{to}");
        }
        assert_eq!(expand("{path}/a.yaml", "x.yaml").as_deref(), Some("a.yaml"));
        assert_eq!(expand("{dir}/a.yaml", "x.yaml"), None);
        assert_eq!(expand("{path}/a.yaml", "../x/y.yaml"), None);
    }

    #[test]
    fn bad_targets_are_refused() {
        for bad in [
            "",
            "a/",
            "{dri}/x",
            "{dir",
            "/a.yaml",
            "../a.yaml",
            "a/../../b",
            "*/a.yaml",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
        assert!(!Target::parse("a.yaml").unwrap().is_split());
        assert!(Target::parse("{dir}.yaml").unwrap().is_split());
    }
}

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// Files in a directory of their own, removed at the end.
pub(crate) struct Tree(PathBuf);

impl Tree {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("gatewright-{}-{number}", std::process::id()));
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(root)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names found under the given paths, relative to the tree.
    fn find(&self, paths: &[&str], exclude: &[&str]) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|path| self.path(path)).collect();
        let exclude = Patterns::new(None, exclude.iter().copied(), "--exclude").unwrap();
        let discovery = discover(&paths, &exclude, &[]).unwrap();
        assert!(discovery.faults.is_empty(), "{:?}", discovery.faults);
        let root = format!("{}/", shown(&self.0));
        discovery
            .sources
            .iter()
            .map(|source| source.name.replace(&root, ""))
            .collect()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn shop() -> Tree {
    Tree::new(&[
        ("b/ingress.yaml", ""),
        ("a.yml", ""),
        ("c/list.JSON", ""),
        ("README.md", ""),
        (".hidden/x.yaml", ""),
        ("vendor/x.yaml", ""),
        ("b/vendor/y.yaml", ""),
    ])
}

#[test]
fn directories_are_searched_for_manifests() {
    assert_eq!(
        shop().find(&[""], &[]),
        [
            "a.yml",
            "b/ingress.yaml",
            "b/vendor/y.yaml",
            "c/list.JSON",
            "vendor/x.yaml"
        ]
    );
}

#[test]
fn order_and_repetition_of_arguments_do_not_matter() {
    let tree = shop();
    let expected = ["a.yml", "b/ingress.yaml", "b/vendor/y.yaml"];
    assert_eq!(tree.find(&["b", "a.yml"], &[]), expected);
    assert_eq!(
        tree.find(&["a.yml", "./b/../b", "b/./ingress.yaml", "b"], &[])
            .len(),
        3
    );
    assert_eq!(tree.find(&["a.yml", "b", "b", "a.yml"], &[]), expected);
}

#[test]
fn a_named_file_needs_no_extension() {
    assert_eq!(shop().find(&["README.md"], &[]), ["README.md"]);
}

#[test]
fn exclusions_work_as_in_gitignore() {
    let tree = shop();
    assert_eq!(
        tree.find(&[""], &["vendor"]),
        ["a.yml", "b/ingress.yaml", "c/list.JSON"]
    );
    assert_eq!(tree.find(&["a.yml"], &["*.yml"]), [""; 0]);
}

#[test]
fn globs_are_expanded() {
    let tree = shop();
    assert_eq!(tree.find(&["*.yml"], &[]), ["a.yml"]);
    assert_eq!(tree.find(&["**/*.yaml"], &[]).len(), 3);
    assert_eq!(tree.find(&["?"], &[]).len(), 3, "directories are searched");
    assert_eq!(tree.find(&["{a,z}.yml"], &[]), ["a.yml"]);
}

#[test]
fn git_ignores_are_honoured_inside_a_repository() {
    let tree = Tree::new(&[
        (".git/HEAD", ""),
        (".gitignore", "generated/\n"),
        ("generated/a.yaml", ""),
        ("b.yaml", ""),
    ]);
    assert_eq!(tree.find(&[""], &[]), ["b.yaml"]);
    assert_eq!(tree.find(&["generated/a.yaml"], &[]), ["generated/a.yaml"]);
}

#[test]
fn what_is_missing_is_named_before_anything_is_read() {
    let tree = shop();
    let paths = [
        tree.path("a.yml"),
        tree.path("nope.yaml"),
        tree.path("no*.yaml"),
    ];
    let fault = discover(&paths, &Patterns::default(), &[]).unwrap_err();
    assert!(fault.message.contains("nope.yaml"), "{fault:?}");
    assert!(fault.message.contains("no*.yaml"), "{fault:?}");
}

#[test]
fn the_output_is_not_read() {
    let tree = shop();
    let output = tree.path("a.yml");
    let found = discover(&[tree.path("")], &Patterns::default(), &[&output]).unwrap();
    assert_eq!(found.sources.len(), 4);
    assert!(
        discover(
            std::slice::from_ref(&output),
            &Patterns::default(),
            &[&output]
        )
        .is_err()
    );
}

#[test]
fn stdin_is_taken_once() {
    let paths = [PathBuf::from("-"), PathBuf::from("-")];
    let found = discover(&paths, &Patterns::default(), &[]).unwrap();
    assert_eq!(found.sources.len(), 1);
    assert_eq!(found.sources[0].name, STDIN);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_may_lead_back() {
    use std::os::unix::fs::symlink;
    let tree = Tree::new(&[("apps/a.yaml", ""), ("shared/b.yaml", "")]);
    symlink(tree.path("apps"), tree.path("apps/again")).unwrap();
    symlink(tree.path("shared/b.yaml"), tree.path("apps/b.yaml")).unwrap();
    symlink(tree.path("nowhere"), tree.path("apps/editor.lock")).unwrap();
    assert_eq!(tree.find(&["apps"], &[]), ["apps/a.yaml", "apps/b.yaml"]);
    assert_eq!(
        tree.find(&["apps", "shared"], &[]),
        ["apps/a.yaml", "apps/b.yaml"]
    );

    symlink(tree.path("nowhere"), tree.path("apps/c.yaml")).unwrap();
    let found = discover(&[tree.path("apps")], &Patterns::default(), &[]).unwrap();
    assert_eq!((found.sources.len(), found.faults.len()), (2, 1));
}

#[test]
fn patterns_of_a_configuration_are_seen_from_its_directory() {
    let base = absolute(Path::new("conf"));
    let patterns = Patterns::new(Some(base), ["apps/*.yaml", "vendor"], "exclude").unwrap();
    assert!(patterns.match_path(Path::new("conf/apps/a.yaml")));
    assert!(patterns.match_path(Path::new("./conf/x/../apps/a.yaml")));
    assert!(patterns.match_path(Path::new("conf/deep/vendor/a.yaml")));
    assert!(!patterns.match_path(Path::new("apps/a.yaml")));
    assert!(!patterns.match_path(Path::new("conf/apps/x/a.yaml")));
}

#[test]
fn no_path_is_the_working_directory() {
    let here = std::env::current_dir().unwrap();
    assert_eq!(absolute(Path::new("")), here);
    assert_eq!(absolute(Path::new("a/../b/.")), here.join("b"));
}

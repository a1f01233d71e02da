//! What holds for any input: one module a fuzz target, each with a `run` that panics where a
//! promise is broken.
//!
//! libFuzzer calls them through the workspace in `fuzz/`; `tests/replay.rs` calls them with every
//! file of `testdata/fuzz`. See `docs/fuzzing.md`.

pub mod annotations;
pub mod config_map;
pub mod go_yaml;
pub mod nginx_conf;
pub mod pattern;
pub mod pipeline;
pub mod promises;
pub mod proof;
pub mod scalar;
mod scene;
pub mod snippet;
pub mod sound;
pub mod yaml_tree;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its program, of its module and of the directory of its corpus.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "yaml_tree",
        run: yaml_tree::run,
    },
    Target {
        name: "scalar",
        run: scalar::run,
    },
    Target {
        name: "pattern",
        run: pattern::run,
    },
    Target {
        name: "snippet",
        run: snippet::run,
    },
    Target {
        name: "annotations",
        run: annotations::run,
    },
    Target {
        name: "config_map",
        run: config_map::run,
    },
    Target {
        name: "pipeline",
        run: pipeline::run,
    },
];

//! The controller's settings beside an Ingress with any annotations: the same promises.

use crate::annotations;
use crate::scene::Scene;

/// Takes a scene; its lines are settings unless they say otherwise.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.lines().map(|line| match line.strip_prefix('-') {
        Some(annotation) => annotation.to_owned(),
        None => format!("%{line}"),
    });
    let lines: Vec<String> = lines.collect();
    annotations::check(&Scene::read(&lines.join("\n")));
}

//! Ingress → Gateway → routes → Services, as a drawing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::{Audit, Readiness};
use super::{class, escape};
use crate::Conversion;

/// More rows than a person can follow are drawn by namespace.
const MOST: usize = 40;
const WIDTH: usize = 220;
const GAP: usize = 90;
const HEIGHT: usize = 24;
const STEP: usize = 32;
const TOP: usize = 34;

/// Columns of names, and edges between neighbours.
#[derive(Default)]
struct Picture {
    columns: [BTreeSet<String>; 4],
    edges: BTreeSet<(usize, String, String)>,
    colours: BTreeMap<String, Readiness>,
}

pub(super) fn draw(audit: &Audit, conversion: &Conversion) -> String {
    let mut picture = Picture::default();
    let gateways: Vec<String> = conversion
        .written
        .iter()
        .filter(|written| written.kind == "Gateway")
        .map(|written| format!("{}/{}", written.namespace, written.name))
        .collect();
    let gateway = gateways
        .first()
        .cloned()
        .unwrap_or_else(|| "Gateway".to_owned());
    let by_namespace = audit.ingresses.len() > MOST;
    let short = |namespace: &str, name: &str| {
        if by_namespace {
            format!("{namespace}/…")
        } else {
            format!("{namespace}/{name}")
        }
    };
    let mut routes: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for written in &conversion.written {
        if matches!(written.kind, "HTTPRoute" | "TLSRoute") {
            for (namespace, name) in &written.ingresses {
                let of_ingress = routes.entry((namespace, name)).or_default();
                of_ingress.push(short(&written.namespace, &written.name));
            }
        }
    }
    let mut services: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for (object, item) in conversion.ledger.items() {
        let service = item.path.ends_with("backend.service.name")
            || item.path.ends_with("defaultBackend.service.name")
            || item.path.ends_with("serviceName");
        if service && &*object.kind == "Ingress" {
            let name = conversion.sources.slice(item.span);
            let name = short(&object.namespace, name.trim_matches(['"', '\'']));
            let key = (&*object.namespace, &*object.name);
            services.entry(key).or_default().insert(name);
        }
    }
    for ingress in &audit.ingresses {
        let key = (ingress.namespace.as_str(), ingress.name.as_str());
        let name = short(key.0, key.1);
        let worst = picture
            .colours
            .entry(name.clone())
            .or_insert(ingress.readiness);
        if gravity(ingress.readiness) > gravity(*worst) {
            *worst = ingress.readiness;
        }
        picture.columns[0].insert(name.clone());
        let Some(routes) = routes.get(&key) else {
            continue;
        };
        picture.columns[1].insert(gateway.clone());
        picture.edges.insert((0, name, gateway.clone()));
        for route in routes {
            picture.columns[2].insert(route.clone());
            picture.edges.insert((1, gateway.clone(), route.clone()));
            for service in services.get(&key).into_iter().flatten() {
                picture.columns[3].insert(service.clone());
                picture.edges.insert((2, route.clone(), service.clone()));
            }
        }
    }
    picture.svg(by_namespace)
}

const fn gravity(readiness: Readiness) -> u8 {
    match readiness {
        Readiness::LeftOut => 0,
        Readiness::Ready => 1,
        Readiness::Review => 2,
        Readiness::Blocked => 3,
    }
}

impl Picture {
    fn svg(&self, by_namespace: bool) -> String {
        let rows = self.columns.iter().map(BTreeSet::len).max().unwrap_or(0);
        let (width, height) = (4 * WIDTH + 3 * GAP, TOP + rows.max(1) * STEP);
        let what = if by_namespace { ", by namespace" } else { "" };
        let mut out = format!(
            "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"Ingresses, the Gateway, routes and Services{what}\">\n"
        );
        let left = |column: usize| column * (WIDTH + GAP);
        // The shorter columns stand in the middle.
        let top = |column: usize, row: usize| {
            let free = (rows - self.columns[column].len()) * STEP / 2;
            TOP + free + row * STEP
        };
        let row =
            |column: usize, name: &str| self.columns[column].iter().position(|other| other == name);
        for (column, from, to) in &self.edges {
            let (Some(a), Some(b)) = (row(*column, from), row(column + 1, to)) else {
                continue;
            };
            let (x, y) = (left(*column) + WIDTH, top(*column, a) + HEIGHT / 2);
            let (end, below) = (left(column + 1), top(column + 1, b) + HEIGHT / 2);
            let middle = x + GAP / 2;
            let _ = writeln!(
                out,
                "<path d=\"M{x} {y}C{middle} {y} {middle} {below} {end} {below}\"/>"
            );
        }
        for (column, title) in ["Ingresses", "Gateway", "Routes", "Services"]
            .into_iter()
            .enumerate()
        {
            let x = left(column);
            let _ = writeln!(
                out,
                "<text class=\"head\" x=\"{x}\" y=\"16\">{title}</text>"
            );
            for (at, name) in self.columns[column].iter().enumerate() {
                let y = top(column, at);
                let colour = match self.colours.get(name) {
                    Some(readiness) if column == 0 => class(*readiness),
                    _ => "",
                };
                let _ = writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"4\"/><text class=\"{colour}\" x=\"{}\" y=\"{}\">{}<title>{}</title></text>",
                    x + 8,
                    y + 16,
                    escape(&cut(name)),
                    escape(name),
                );
            }
        }
        out.push_str("</svg>\n");
        out
    }
}

/// As much of a name as a box takes.
fn cut(name: &str) -> String {
    if name.chars().count() <= 32 {
        return name.to_owned();
    }
    let head: String = name.chars().take(31).collect();
    format!("{head}…")
}

//! A plot as SVG: both axes logarithmic, so that a straight line of slope one is linear growth.

use std::fmt::Write as _;

/// A line through points.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A square field with its lines.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
    /// The decades of the axes.
    pub(super) x: (i32, i32),
    pub(super) y: (i32, i32),
    /// What a power of ten is called on the upright axis.
    pub(super) label: fn(i32) -> String,
}

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 34.0;
/// From one panel to the next.
const STEP: f64 = WIDTH + LEFT + 30.0;

/// Colours that can be told apart on white and on black, and by people who see few colours.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}
.t{font-weight:600}
.g{stroke:#d0d7de}
.l0{stroke:#6e7781;fill:#6e7781}
.l1{stroke:#0969da;fill:#0969da}
.l2{stroke:#bc4c00;fill:#bc4c00}
polyline{fill:none!important;stroke-width:2}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.g{stroke:#30363d}.l0{stroke:#9198a1;fill:#9198a1}.l1{stroke:#58a6ff;fill:#58a6ff}.l2{stroke:#f0883e;fill:#f0883e}}";

/// The panels side by side.
pub(super) fn svg(title: &str, panels: &[Panel]) -> String {
    let count = u32::try_from(panels.len()).unwrap_or_default();
    let (width, height) = (STEP * f64::from(count), TOP + HEIGHT + 60.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n"
    );
    for (at, panel) in (0_u32..).zip(panels) {
        let _ = writeln!(
            out,
            "<g transform=\"translate({} 0)\">",
            STEP * f64::from(at)
        );
        draw(&mut out, panel);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, panel: &Panel) {
    let across = |value: f64| LEFT + WIDTH * share(value, panel.x);
    let up = |value: f64| TOP + HEIGHT * (1.0 - share(value, panel.y));
    let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
    let _ = writeln!(
        out,
        "<text class=\"t\" x=\"{LEFT}\" y=\"18\">{}</text>",
        panel.title
    );
    for decade in panel.x.0..=panel.x.1 {
        let x = across(10_f64.powi(decade));
        let _ = writeln!(
            out,
            "<path class=\"g\" d=\"M{x:.1} {TOP}V{bottom}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            10_i64.pow(u32::try_from(decade).unwrap_or_default())
        );
    }
    for decade in panel.y.0..=panel.y.1 {
        let y = up(10_f64.powi(decade));
        let _ = writeln!(
            out,
            "<path class=\"g\" d=\"M{LEFT} {y:.1}H{right}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            (panel.label)(decade)
        );
    }
    for (at, line) in (0_u32..).zip(&panel.lines) {
        let points: Vec<(f64, f64)> = line
            .points
            .iter()
            .map(|&(x, y)| (across(x), up(y)))
            .collect();
        let joined: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            out,
            "<g class=\"l{at}\"><polyline points=\"{}\"/>",
            joined.join(" ")
        );
        for (x, y) in points {
            let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
        let x = LEFT + 106.0 * f64::from(at);
        let y = bottom + 42.0;
        let _ = writeln!(
            out,
            "<path stroke-width=\"2\" d=\"M{x} {y}h16\"/></g><text x=\"{}\" y=\"{}\">{}</text>",
            x + 22.0,
            y + 4.0,
            line.name
        );
    }
}

/// Where a value stands between the ends of an axis.
fn share(value: f64, (low, high): (i32, i32)) -> f64 {
    (value.max(1e-9).log10() - f64::from(low)) / f64::from(high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_an_axis_are_decades() {
        assert!(share(10.0, (1, 3)).abs() < 1e-9);
        assert!((share(100.0, (1, 3)) - 0.5).abs() < 1e-9);
        assert!((share(1000.0, (1, 3)) - 1.0).abs() < 1e-9);
    }
}

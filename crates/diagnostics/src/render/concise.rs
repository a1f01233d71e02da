use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use gatewright_source::SourceMap;

use super::printable;
use crate::{Diagnostic, Severity};

/// `path:line:column: error[GW0102] Ingress shop/web: message`, one line each.
pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic], color: bool) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        if let Some(span) = diagnostic.span() {
            let file = sources.file(span.file);
            let at = file.position(span.start);
            let _ = write!(
                out,
                "{}:{}:{}: ",
                printable(file.name()),
                at.line,
                at.column
            );
        }
        let style = if color {
            style(diagnostic.severity)
        } else {
            Style::new()
        };
        let (severity, code) = (diagnostic.severity, diagnostic.code);
        let _ = write!(out, "{style}{severity}[{code}]{style:#}");
        if let Some(object) = &diagnostic.object {
            let _ = write!(out, " {}", printable(&object.to_string()));
        }
        let _ = writeln!(out, ": {}", printable(&diagnostic.message));
    }
    out
}

fn style(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Info => AnsiColor::BrightBlue,
    };
    color.on_default().bold()
}

#[cfg(test)]
mod tests {
    use crate::render::Format;
    use crate::render::fixtures::check;

    #[test]
    fn one_line_each() {
        check(Format::Concise, "concise");
    }
}

//! `explain`: the pages behind codes and annotations.

use gatewright_diagnostics::render::{JSON_VERSION, to_json};
use gatewright_diagnostics::{CODES, Code, Severity};
use gatewright_transpile::{annotation_keys, explain_annotation};
use serde::Serialize;

use crate::args::{ExplainArgs, ExplainFormat};
use crate::exit::{Exit, Fault};
use crate::output::Terminal;
use crate::suggest::nearest;

/// `gatewright explain`.
pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, Fault> {
    let ExplainArgs {
        subject,
        all: _,
        format,
    } = args;
    let text = match (subject, format) {
        (Some(subject), ExplainFormat::Text) => find(subject)?.text(),
        (Some(subject), ExplainFormat::Json) => to_json(&find(subject)?),
        (None, ExplainFormat::Text) => {
            let pages: Vec<_> = all().iter().map(Page::text).collect();
            pages.join("\n")
        }
        (None, ExplainFormat::Json) => to_json(&Document {
            version: JSON_VERSION,
            pages: all(),
        }),
    };
    Terminal::data(&text)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Document {
    version: u32,
    pages: Vec<Page>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Page {
    Code {
        code: Code,
        name: &'static str,
        severity: Severity,
        title: &'static str,
        explanation: &'static str,
    },
    Annotation {
        key: String,
        explanation: String,
    },
}

impl Page {
    fn code(code: Code) -> Self {
        let info = code.info();
        Self::Code {
            code,
            name: info.name,
            severity: info.severity,
            title: info.title,
            explanation: info.explanation,
        }
    }

    fn annotation(key: &str) -> Option<Self> {
        Some(Self::Annotation {
            key: key.to_owned(),
            explanation: explain_annotation(key)?,
        })
    }

    /// The page for reading; ends with a line break.
    fn text(&self) -> String {
        let mut text = match self {
            Self::Code {
                code,
                name,
                severity,
                title,
                explanation,
            } => format!("{severity}[{code}] {name}: {title}\n\n{explanation}"),
            Self::Annotation { explanation, .. } => explanation.clone(),
        };
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}

fn all() -> Vec<Page> {
    let codes = CODES.iter().map(|&(code, _)| Page::code(code));
    let annotations = annotation_keys();
    let annotations = annotations.iter().filter_map(|key| Page::annotation(key));
    codes.chain(annotations).collect()
}

fn find(subject: &str) -> Result<Page, Fault> {
    if let Some(code) = Code::find(subject) {
        return Ok(Page::code(code));
    }
    // Whatever prefix the controller was told to use, the key is what comes behind it.
    let key = subject.rsplit('/').next().unwrap_or(subject);
    Page::annotation(key).ok_or_else(|| {
        let fault = Fault::new(format!("`{subject}` is neither a code nor an annotation"));
        let codes: Vec<_> = CODES.iter().map(|(code, _)| code.to_string()).collect();
        let names = CODES.iter().map(|(_, info)| info.name);
        let words = codes.iter().map(String::as_str).chain(names);
        let typed = key.to_lowercase();
        match nearest(&typed, annotation_keys()).or_else(|| nearest(key, words)) {
            Some(word) => fault.help(format!("did you mean `{word}`?")),
            None => fault.help("`gatewright explain --all` lists everything"),
        }
    })
}

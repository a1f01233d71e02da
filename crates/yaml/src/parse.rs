use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::{FileId, Span};

use crate::fault::Fault;
use crate::node::Node;
use crate::split::{self, Chunk};
use crate::template_action;
use crate::{document, json};

/// What a text holds.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The documents that could be read and are not empty, in order.
    pub documents: Vec<Document>,
    /// One error for each document that could not be read, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its value.
    pub root: Node,
    /// Its text between the separators.
    pub span: Span,
}

/// Reads all documents of a text, YAML or JSON, as kubectl reads them.
///
/// A document that cannot be read costs one diagnostic and does not stop the others.
pub fn parse(file: FileId, text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if u32::try_from(text.len()).is_err() {
        let help = "split the file into several";
        parsed.diagnostics.push(
            Diagnostic::new(Code::YamlLimit, "the file is larger than 4 GiB")
                .at(Span::new(file, 0, 0))
                .help(help),
        );
        return parsed;
    }
    let reader = Reader { file, text };
    let start = reader.json(&mut parsed);
    if start < text.len() {
        for chunk in split::split(&text[start..]) {
            reader.chunk(start, &chunk, &mut parsed);
        }
    }
    parsed
}

/// A run of documents of a text.
#[derive(Debug)]
pub struct Piece {
    /// None for the whole text.
    chunks: Option<Vec<Chunk>>,
}

/// Documents of one piece; enough for a thread to be worth it, few enough to be let go soon.
const PIECE: usize = 16;

/// Cuts a text between documents, so that it can be read piece by piece: what [`parse`] finds
/// in the text is what [`parse_piece`] finds in its pieces, one after the other.
pub fn pieces(text: &str) -> Vec<Piece> {
    let json = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{');
    if json || u32::try_from(text.len()).is_err() {
        return vec![Piece { chunks: None }];
    }
    let mut pieces = Vec::new();
    let mut chunks = split::split(text).peekable();
    while chunks.peek().is_some() {
        let piece: Vec<Chunk> = chunks.by_ref().take(PIECE).collect();
        pieces.push(Piece {
            chunks: Some(piece),
        });
    }
    pieces
}

/// Reads a piece of a text that [`pieces`] cut.
pub fn parse_piece(file: FileId, text: &str, piece: &Piece) -> Parsed {
    let Some(chunks) = &piece.chunks else {
        return parse(file, text);
    };
    let mut parsed = Parsed::default();
    let reader = Reader { file, text };
    for chunk in chunks {
        reader.chunk(0, chunk, &mut parsed);
    }
    parsed
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
}

impl Reader<'_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let clip = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, clip(range.start), clip(range.end))
    }

    /// Reads JSON documents off the start of the text, and says where YAML begins.
    ///
    /// As in kubectl, a text that starts with `{` is tried as JSON. As long as at most one value
    /// was read, what follows may still be YAML; behind two or more it may not.
    fn json(&self, parsed: &mut Parsed) -> usize {
        let mut at = if self.text.starts_with('\u{feff}') {
            3
        } else {
            0
        };
        if !self.text[at..].trim_start().starts_with('{') {
            return 0;
        }
        let mut count = 0;
        loop {
            let space = self.text[at..].len() - json::trim_start(&self.text[at..]).len();
            if at + space == self.text.len() {
                return self.text.len();
            }
            match json::read(self.file, self.text, at + space) {
                Ok(read) => {
                    let span = self.span(at + space..read.end);
                    at = read.end;
                    count += 1;
                    parsed.diagnostics.extend(read.warnings);
                    if !read.root.is_null() {
                        let root = read.root;
                        parsed.documents.push(Document { root, span });
                    }
                }
                Err(fault) if count > 1 || !self.yaml_may_follow(at + space) => {
                    let rest = at + space..self.text.len();
                    parsed.diagnostics.push(self.report(fault, rest));
                    return self.text.len();
                }
                Err(_) => {
                    let rest = &self.text[at..at + space];
                    return at + rest.find('\n').map_or(space, |line| line + 1);
                }
            }
        }
    }

    /// Whether the text at `at` is better explained as YAML than as broken JSON.
    fn yaml_may_follow(&self, at: usize) -> bool {
        let rest = &self.text[at..];
        let Some(inner) = rest.strip_prefix('{') else {
            return true;
        };
        // `{"a": 1, b: 2}` is YAML, `{"a": 1 "b": 2}` is neither; YAML's reader decides.
        let chunk = split::split(rest).next();
        let readable = chunk.is_some_and(|chunk| {
            let range = at + chunk.range.start..at + chunk.range.end;
            document::read(self.file, self.text, range).is_ok()
        });
        readable || !inner.trim_start().starts_with('"')
    }

    fn chunk(&self, base: usize, chunk: &Chunk, parsed: &mut Parsed) {
        let range = base + chunk.range.start..base + chunk.range.end;
        if let Some(bad) = &chunk.bad_separator {
            let bad = base + bad.start..base + bad.end;
            let fault = Fault::syntax(
                bad,
                "only a comment may follow the document separator `---`",
            )
            .help("move the content to the next line");
            parsed.diagnostics.push(self.report(fault, range));
            return;
        }
        match document::read(self.file, self.text, range.clone()) {
            Ok(built) => {
                parsed.diagnostics.extend(built.warnings);
                if let Some(root) = built.root.filter(|root| !root.is_null()) {
                    let span = self.span(range);
                    parsed.documents.push(Document { root, span });
                }
            }
            Err(fault) => parsed.diagnostics.push(self.report(fault, range)),
        }
    }

    /// The diagnostic of an unreadable document. Whatever the parser stumbled over, template
    /// actions in the document are the reason.
    fn report(&self, fault: Fault, document: std::ops::Range<usize>) -> Diagnostic {
        if let Some(action) = template_action(&self.text[document.clone()]) {
            let action = document.start + action.start..document.start + action.end;
            let helm = self.text[action.clone()].starts_with("{{");
            return Diagnostic::new(
                Code::HelmTemplate,
                "the document holds template actions, so it is not YAML yet",
            )
            .label(self.span(action), "the first template action")
            .help(if helm {
                "render the chart first: `helm template RELEASE CHART | gatewright convert -`"
            } else {
                "render the template first and convert its output"
            });
        }
        let span = self.span(fault.range);
        let mut diagnostic = Diagnostic::new(fault.code, fault.message).label(span, fault.label);
        diagnostic.helps.extend(fault.help.map(str::to_owned));
        diagnostic
    }
}

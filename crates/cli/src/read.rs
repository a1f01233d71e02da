//! Reading files. Every failure carries its path and becomes a diagnostic, so that one
//! bad file does not hide what is to be said about the others.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_source::{SourceMap, Span};
use gatewright_transpile::Input;
use rayon::prelude::*;

/// How stdin is called in diagnostics.
pub(crate) const STDIN: &str = "<stdin>";

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// How diagnostics call it.
    pub(crate) name: String,
    /// `None` stands for stdin.
    pub(crate) path: Option<PathBuf>,
}

/// A file, or a part of one, that could not be read.
#[derive(Debug)]
pub(crate) struct ReadFault {
    name: String,
    kind: FaultKind,
}

#[derive(Debug)]
enum FaultKind {
    Io(String),
    /// Something in a cluster.
    Told(Box<Diagnostic>),
    /// Holds the text up to the first byte that is not UTF-8.
    Encoding {
        before: String,
        utf16: bool,
    },
}

impl ReadFault {
    pub(crate) fn io(name: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: FaultKind::Io(error.into()),
        }
    }

    /// What is to be said about reading a cluster.
    #[cfg_attr(
        not(feature = "cluster"),
        expect(dead_code, reason = "only clusters are told of")
    )]
    pub(crate) fn told(found: Diagnostic) -> Self {
        Self {
            name: String::new(),
            kind: FaultKind::Told(Box::new(found)),
        }
    }

    /// Whether the whole file is lost, not only a document of it.
    pub(crate) fn is_file(&self) -> bool {
        match &self.kind {
            FaultKind::Io(_) => true,
            FaultKind::Told(found) => found.severity == Severity::Error,
            FaultKind::Encoding { .. } => false,
        }
    }

    /// Whether it says that there is no Ingress.
    pub(crate) fn is_no_ingress(&self) -> bool {
        matches!(&self.kind, FaultKind::Told(found) if found.code == Code::IngressNotFound)
    }

    /// Whether a document is lost.
    pub(crate) fn is_document(&self) -> bool {
        matches!(self.kind, FaultKind::Encoding { .. })
    }

    /// The diagnostic. It points into a text of its own, which is added to `sources`:
    /// what could not be read is not among the texts of the run.
    pub(crate) fn diagnostic(self, sources: &mut SourceMap) -> Diagnostic {
        let Self { name, kind } = self;
        match kind {
            FaultKind::Told(found) => *found,
            FaultKind::Io(error) => {
                let message = format!("`{name}` cannot be read: {error}");
                let file = sources.add(name, "");
                Diagnostic::new(Code::UnreadableFile, message).at(Span::new(file, 0, 0))
            }
            FaultKind::Encoding { before, utf16 } => {
                let at = u32::try_from(before.len()).unwrap_or(u32::MAX);
                let file = sources.add(name, before);
                let help = if utf16 {
                    "the file begins like UTF-16, which PowerShell writes; save it as UTF-8"
                } else {
                    "save the file as UTF-8"
                };
                Diagnostic::new(Code::NotUtf8, "the document is not UTF-8")
                    .label(Span::new(file, at, at), "the first byte that is not UTF-8")
                    .note("the document is skipped; all others are converted")
                    .help(help)
            }
        }
    }
}

/// Reads all sources, in parallel and in their order.
pub(crate) fn read(sources: &[Source]) -> (Vec<Input>, Vec<ReadFault>) {
    let read: Vec<_> = sources
        .par_iter()
        .map(|source| (source, bytes(source.path.as_deref())))
        .collect();
    let (mut inputs, mut faults) = (Vec::new(), Vec::new());
    for (source, result) in read {
        let name = &source.name;
        match result {
            Err(error) => faults.push(ReadFault::io(name, plain(&error))),
            Ok(bytes) => {
                let (text, broken) = decode(bytes);
                faults.extend(broken.into_iter().map(|kind| ReadFault {
                    name: name.clone(),
                    kind,
                }));
                inputs.push(Input {
                    name: name.clone(),
                    text,
                });
            }
        }
    }
    (inputs, faults)
}

fn bytes(path: Option<&Path>) -> io::Result<Vec<u8>> {
    let bytes = if let Some(path) = path {
        std::fs::read(path)?
    } else {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    };
    if u32::try_from(bytes.len()).is_err() {
        return Err(io::Error::other("the file is larger than 4 GiB"));
    }
    Ok(bytes)
}

/// The error without the number of the operating system.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

/// The text of a file. A document that is not UTF-8 becomes empty lines, so that the
/// others keep their line numbers.
fn decode(bytes: Vec<u8>) -> (String, Vec<FaultKind>) {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, Vec::new()),
        Err(error) => error.into_bytes(),
    };
    let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if utf16 {
        let before = String::new();
        return (String::new(), vec![FaultKind::Encoding { before, utf16 }]);
    }
    let (mut text, mut faults) = (String::new(), Vec::new());
    for document in documents(&bytes) {
        match str::from_utf8(document) {
            Ok(document) => text.push_str(document),
            Err(error) => {
                let valid = &document[..error.valid_up_to()];
                let before = format!("{text}{}", String::from_utf8_lossy(valid));
                faults.push(FaultKind::Encoding { before, utf16 });
                text.extend(document.iter().filter(|&&b| b == b'\n').map(|_| '\n'));
            }
        }
    }
    (text, faults)
}

/// Cuts before every line that begins with `---`.
fn documents(bytes: &[u8]) -> Vec<&[u8]> {
    let mut documents = Vec::new();
    let mut start = 0;
    for (at, window) in bytes.windows(4).enumerate() {
        if window == b"\n---" {
            documents.push(&bytes[start..=at]);
            start = at + 1;
        }
    }
    documents.push(&bytes[start..]);
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_document_leaves_the_others_in_place() {
        let (text, faults) = decode(b"a: 1\n---\nb: 2\nc: \xff\n---\nd: 3\n".to_vec());
        assert_eq!(text, "a: 1\n\n\n\n---\nd: 3\n");
        let [FaultKind::Encoding { before, utf16 }] = faults.as_slice() else {
            panic!("{faults:?}");
        };
        assert_eq!((before.as_str(), *utf16), ("a: 1\n---\nb: 2\nc: ", false));
    }

    #[test]
    fn utf_16_is_recognised() {
        let (text, faults) = decode(b"\xff\xfea\0:\0".to_vec());
        assert_eq!(text, "");
        assert!(matches!(
            faults.as_slice(),
            [FaultKind::Encoding { utf16: true, .. }]
        ));
    }

    #[test]
    fn good_text_is_passed_on() {
        let (text, faults) = decode("\u{feff}é: 1\r\n".into());
        assert_eq!(text, "\u{feff}é: 1\r\n");
        assert!(faults.is_empty());
    }

    #[test]
    fn errors_begin_small_and_have_no_number() {
        assert_eq!(
            plain(&io::Error::from_raw_os_error(13)),
            "permission denied"
        );
    }
}

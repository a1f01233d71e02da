use std::ops::Range;

use gatewright_diagnostics::Code;

/// Why a document cannot be read.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    /// Byte range of the whole text.
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: &'static str,
    pub(crate) help: Option<&'static str>,
}

impl Fault {
    pub(crate) fn syntax(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code: Code::Syntax,
            range,
            message: message.into(),
            label: "",
            help: None,
        }
    }

    pub(crate) fn limit(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code: Code::YamlLimit,
            ..Self::syntax(range, message)
        }
    }

    pub(crate) fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }
}

/// Maps and lists may be nested this deep. Far more than any object needs, and little enough
/// for recursive functions on a thread's stack.
pub(crate) const MAX_DEPTH: usize = 500;

pub(crate) fn too_deep(range: Range<usize>) -> Fault {
    Fault::limit(
        range,
        format!("maps and lists are nested deeper than {MAX_DEPTH} levels"),
    )
    .help("no Kubernetes object is nested that deep; flatten the document")
}

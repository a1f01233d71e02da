//! From files to what their objects say.

use std::sync::atomic::{AtomicUsize, Ordering};

use gatewright_diagnostics::Diagnostic;
use gatewright_nginx::{Intake, Reader, Reading};
use gatewright_source::{FileId, SourceMap, Span};
use gatewright_yaml::{Piece, parse_piece, pieces};
use rayon::prelude::*;

use crate::{Options, redact};

/// What there is to say of files besides what their objects say.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) documents: usize,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What no excerpt may show.
    pub(crate) secrets: Vec<Span>,
}

/// What a piece of a file holds.
struct Portion {
    reading: Reading,
    documents: usize,
    diagnostics: Vec<Diagnostic>,
    secrets: Vec<Span>,
}

impl Gathered {
    fn take(&mut self, portion: Portion, reader: &mut Reader, intake: &mut Intake) {
        intake.take(portion.reading, reader);
        self.documents += portion.documents;
        self.diagnostics.extend(portion.diagnostics);
        self.secrets.extend(portion.secrets);
    }
}

/// Reads all files. A piece is parsed, read and let go by one thread, as memory that another one
/// lets go is slow; what the pieces say is put together in their order.
pub(crate) fn gather(
    sources: &SourceMap,
    files: &[FileId],
    options: &Options,
    intake: &mut Intake,
) -> Gathered {
    let pieces: Vec<(FileId, Piece)> = files
        .iter()
        .flat_map(|&file| {
            pieces(sources.file(file).text())
                .into_iter()
                .map(move |piece| (file, piece))
        })
        .collect();
    let read = |(file, piece): &(FileId, Piece), reader: &mut Reader| {
        let parsed = parse_piece(*file, sources.file(*file).text(), piece);
        Portion {
            reading: reader.read(&parsed.documents),
            documents: parsed.documents.len(),
            secrets: redact::secrets(&parsed, sources),
            diagnostics: parsed.diagnostics,
        }
    };
    let reader = || Reader::new(options.namespace.as_deref());
    let mut gathered = Gathered::default();
    let threads = threads(options).min(pieces.len());
    if threads < 2 {
        let mut reader = reader();
        for piece in &pieces {
            let portion = read(piece, &mut reader);
            gathered.take(portion, &mut reader, intake);
        }
        return gathered;
    }
    let next = AtomicUsize::new(0);
    let some = |_| {
        let mut reader = reader();
        let mut portions = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else {
                return (reader, portions);
            };
            portions.push((at, read(piece, &mut reader)));
        }
    };
    let (mut readers, portions): (Vec<_>, Vec<_>) = (0..threads).into_par_iter().map(some).unzip();
    let portions = portions.into_iter().enumerate();
    let mut portions: Vec<(usize, usize, Portion)> = portions
        .flat_map(|(by, portions)| {
            portions
                .into_iter()
                .map(move |(at, portion)| (at, by, portion))
        })
        .collect();
    portions.sort_unstable_by_key(|(at, ..)| *at);
    for (_, by, portion) in portions {
        gathered.take(portion, &mut readers[by], intake);
    }
    gathered
}

/// How many threads may share the work.
pub(crate) fn threads(options: &Options) -> usize {
    options.threads.unwrap_or_else(rayon::current_num_threads)
}

//! YAML as kubectl reads it, with positions, and YAML that kubectl reads back equal.
//!
//! Reading: [`parse`] gives the documents of a text as trees of [`Node`]s, each with its byte
//! span; [`from_node`] turns a tree into a typed object and lists what did not fit.
//! Writing: [`to_out`] or the constructors of [`Out`] give an ordered tree,
//! [`write_document`] its text. [`DocumentWriter`] writes typed objects without a tree, and
//! comments.
//!
//! "As kubectl" means: documents are separated by text, and scalars have the meaning that
//! sigs.k8s.io/yaml (YAML 1.1 through JSON) gives them. The files of `testdata/yaml` hold
//! kubectl's own readings to compare with.

mod alias;
mod binary;
mod bridge;
mod check;
mod closest;
mod dedup;
mod direct;
mod document;
mod emit;
mod escape;
mod fault;
mod json;
mod message;
mod node;
mod number;
mod out;
mod parse;
mod problem;
mod quote;
mod resolve;
mod serialize;
mod source;
mod split;
mod template;
mod tree;

pub use bridge::from_node;
pub use closest::closest;
pub use direct::{DocumentWriter, KeyOrder, Scratch};
pub use emit::write_document;
pub use node::{Entry, Mapping, Node, Value};
pub use out::{Out, OutEntry, OutMapping};
pub use parse::{Document, Parsed, Piece, parse, parse_piece, pieces};
pub use problem::{Problem, ProblemKind, Typed};
pub use serialize::{WriteError, to_out};
pub use template::template_action;

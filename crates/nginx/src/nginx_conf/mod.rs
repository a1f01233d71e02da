//! The nginx configuration language, as it stands in snippets.
//!
//! `src/core/ngx_conf_file.c` of nginx: words are separated by white space, `;` ends a
//! directive, `{` opens a block, `#` starts a comment where a word could start. A word may be
//! quoted; a backslash keeps the next character from ending it.

mod ast;
mod lexer;
mod parser;

pub(crate) use ast::place;
pub use ast::{Directive, Fault, Word};
pub use parser::parse;

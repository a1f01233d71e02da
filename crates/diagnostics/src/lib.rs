//! Diagnostics with stable codes, the outcome ledger, and one renderer for each format.
//!
//! A diagnostic is a value: what is wrong (message), where (labels), what follows
//! (notes) and what a person can do (helps). The message stands alone: lower case,
//! no final period, code in backticks.

mod codes;
mod diagnostic;
mod ledger;
pub mod render;

pub use codes::{CODES, Code, CodeInfo};
pub use diagnostic::{Diagnostic, Label, ObjectRef, Severity};
pub use ledger::{Item, ItemPath, Ledger, LedgerObject, Outcome};

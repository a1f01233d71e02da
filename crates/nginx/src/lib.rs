//! What ingress-nginx does: intake, annotation registry, effective configuration, lowering.
//!
//! [`analyze`] reads documents as the controller v1.15.1 would and yields the routing model,
//! with an account of every annotation and field.

mod account;
mod analyze;
pub mod annotations;
mod certificates;
pub mod config_map;
mod digest;
mod effective;
mod flags;
mod ingress;
mod left_out;
mod legacy;
mod lower;
mod named;
pub mod nginx_conf;
mod objects;
mod overruled;
mod policies;
mod reading;
pub mod registry;
mod remarks;
mod select;
mod service;
mod stranger;
mod validate;

use rayon::prelude::*;

pub use analyze::{Analysis, Options, analyze};
pub use named::{Name, Named, Need, Told, Workload, named, workload};
pub use objects::Intake;
pub use reading::{Reader, Reading};
pub use select::Selection;

/// Of names from other people's files, in the order in which they came.
type IndexMap<K, V> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;
type IndexSet<T> = indexmap::IndexSet<T, foldhash::fast::RandomState>;

/// What becomes of each of so many things, on the threads of the pool if there are several.
fn each<T: Send>(threads: usize, number: usize, one: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    /// Fewer are not worth a thread.
    const FEW: usize = 32;
    if threads < 2 {
        return (0..number).map(one).collect();
    }
    let numbers = (0..number).into_par_iter().with_min_len(FEW);
    numbers.map(one).collect()
}

/// Both of two things, side by side if there are several threads.
fn both<A: Send, B: Send>(
    threads: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if threads < 2 {
        return (one(), other());
    }
    rayon::join(one, other)
}

/// Gives back what much memory is in, beside what comes next if there are several threads.
fn discard(threads: usize, what: impl Send + 'static) {
    if threads > 1 {
        rayon::spawn(|| drop(what));
    }
}

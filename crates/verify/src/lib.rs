//! Decides whether emitted objects serve every request as the model says.
//!
//! [`verify`] reads neither the emitter's mind nor its code: the objects come from their text
//! ([`Objects::read`]), are put into the order of Envoy Gateway v1.9, and both sides are asked
//! what they do with one request of every kind that either could tell apart. The answer for a
//! host holds for all requests, or comes with a request that shows the difference.

mod automaton;
mod behaviour;
mod compare;
mod decide;
mod declared;
mod envoy;
mod example;
mod hosts;
mod journey;
mod kinds;
mod nginx;
mod objects;
mod path;
mod re2;
mod report;
mod verdict;

pub use behaviour::{
    Addresses, Answer, Authorizer, Behaviour, Bucket, Clients, Forwarding, Guards, Limits,
    Passwords, Place, Share, Tls, Wire,
};
pub use compare::{Aspect, Class};
pub use example::example;
pub use journey::{Journey, Journeys, Stop};
pub use objects::Objects;
pub use path::NORMAL_FORM;
pub use report::{COMPARED, NOT_COMPARED, diagnostics, last_line, line, table};
pub use verdict::{Difference, HostReport, Side, Verdict, Verification, verify};

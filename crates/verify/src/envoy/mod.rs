//! What Envoy does, as Envoy Gateway v1.9 would configure it from the objects.
//!
//! Nothing here is shared with the code that writes objects: rules are sorted, policies are
//! found and texts are matched as the controller and the proxy do it.

mod answer;
mod client;
mod guards;
mod listener;
mod operators;
mod policy;
mod reference;
mod rule;
mod world;

pub(crate) use answer::View;
pub(crate) use client::Client;
pub(crate) use rule::{AuthorityChange, Effect, Entry, PathChange, PathTest, Rule};
pub(crate) use world::{Place as Spot, World};

//! What ingress-nginx does: intake, annotation registry, effective configuration, lowering.

pub mod annotations;
pub mod config_map;
pub mod registry;

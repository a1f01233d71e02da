//! `service-upstream`: requests go to the address of the Service.

use gatewright_model::{Forward, Target};

use super::Attached;

/// Adds `routingType` (Envoy Gateway `BackendTrafficPolicy`).
pub(super) fn attach(forward: &Forward, attached: &mut Attached) {
    let primary = &forward.split.primary;
    if primary.service_address && matches!(primary.target, Target::Service { .. }) {
        attached.traffic().routing_type = Some("Service");
    }
}

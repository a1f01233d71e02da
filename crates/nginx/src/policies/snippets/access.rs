//! `allow` and `deny`.

use gatewright_model::Addresses;

use super::{AddressList, Product, Reader, table};
use crate::policies::{forwarded, ip_lists};
use gatewright_diagnostics::{Code, Diagnostic};

impl Reader<'_, '_> {
    /// The first that fits decides, and nobody is denied by default
    /// (`ngx_http_access_module`).
    pub(super) fn access(&mut self, product: &mut Product) {
        let access = std::mem::take(&mut product.access);
        let (Some((_, _, first)), Some((_, _, last))) = (access.first(), access.last()) else {
            return;
        };
        let place = self.place(&(first.start..last.end));
        let mut addresses = Addresses {
            rules: Vec::new(),
            otherwise: true,
        };
        let mut complete = false;
        for (allow, who, range) in &access {
            if who == "all" {
                addresses.otherwise = *allow;
                complete = true;
                break;
            }
            // No client of HTTP comes through a socket of the file system.
            if who == "unix:" {
                continue;
            }
            let Some(network) = ip_lists::network(who) else {
                let diagnostic = Diagnostic::new(
                    Code::SnippetProtection,
                    format!("`{who}` is no network, so what the list protects answers 503"),
                )
                .label(self.place(range), "restricts who gets in")
                .help(table::help("allow"));
                self.refused(diagnostic);
                self.refuse(product, "a list of addresses is not carried over");
                return;
            };
            addresses.push(*allow, vec![network.to_string()]);
        }
        if !addresses.rules.is_empty() && !forwarded::expressible(self.input.config) {
            let diagnostic = Diagnostic::new(
                Code::AddressListRefused,
                "an address list of a snippet cannot be carried over",
            )
            .label(place, "restricts who gets in")
            .note("the client's address comes from a header of certain peers only, and Envoy Gateway would believe everybody")
            .help("let the load balancer send `X-Forwarded-For`");
            self.refused(diagnostic);
            self.refuse(product, "nobody can tell the client's address");
            return;
        }
        product.addresses = Some(AddressList {
            addresses,
            complete,
            outermost: false,
            origin: self.origin(),
            place,
        });
    }
}

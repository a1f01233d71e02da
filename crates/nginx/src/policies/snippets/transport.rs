//! Compression, and the name of a backend that speaks TLS.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{BackendTls, Compression, is_dns_subdomain};

use super::{Product, Reader, Scope};
use crate::annotations::backend::Protocol;
use crate::nginx_conf::Directive;
use crate::policies::PolicyOutput;
use crate::policies::backend_tls::UpstreamTls;

/// `gzip_min_length` where nobody wrote one (`ngx_http_gzip_filter_module`).
const MIN_LENGTH: u32 = 20;

/// How a snippet lets requests and answers travel.
#[derive(Debug, Default)]
pub(super) struct Travel {
    gzip: Option<bool>,
    min_length: Option<u32>,
    server_name: bool,
    name: Option<String>,
}

impl Reader<'_, '_> {
    /// Whether the directive is about this; it is dealt with then.
    pub(super) fn travel(
        &mut self,
        directive: &Directive,
        scope: Scope,
        product: &mut Product,
    ) -> bool {
        let words = directive.texts();
        let travel = &mut product.travel;
        match (directive.name.as_str(), words.as_slice()) {
            ("gzip", ["on"]) => travel.gzip = Some(true),
            ("gzip", ["off"]) if !self.input.config.use_gzip => travel.gzip = Some(false),
            ("gzip_min_length", [length]) if length.parse::<u32>().is_ok() => {
                travel.min_length = length.parse().ok();
            }
            ("gzip_types" | "gzip_comp_level" | "gzip_proxied" | "gzip_disable", _) => {
                let diagnostic = Diagnostic::new(
                    Code::CompressionSettings,
                    format!("`{}` has no counterpart", directive.name),
                )
                .label(
                    self.place(&directive.range),
                    "Envoy uses its own level and types",
                )
                .note("text, JSON, JavaScript, XML and SVG are compressed where compression is on");
                self.differs(diagnostic);
            }
            ("proxy_ssl_server_name", ["on"]) if scope == Scope::Location => {
                travel.server_name = true;
            }
            ("proxy_ssl_name", [name]) if scope == Scope::Location => {
                travel.name = Some((*name).to_owned());
            }
            _ => return false,
        }
        true
    }

    /// What the directives come to together.
    pub(super) fn travels(&self, product: &mut Product) {
        if product.travel.gzip == Some(true) {
            product.policies.transport.compression = Some(Compression {
                gzip: true,
                brotli: self.input.config.enable_brotli,
                min_length: product.travel.min_length.unwrap_or(MIN_LENGTH),
            });
        }
    }
}

impl Travel {
    /// Tells a backend that speaks TLS the name it is asked for. Without one, and with a
    /// variable, it is told the host of the request in any case.
    pub(super) fn name_backend(&self, protocol: Protocol, out: &mut PolicyOutput) {
        let speaks_tls = matches!(
            protocol,
            Protocol::Https | Protocol::Grpcs { .. } | Protocol::AutoHttp
        );
        let name = self.name.as_ref().filter(|name| is_dns_subdomain(name));
        if let Some(name) = name.filter(|_| self.server_name && speaks_tls)
            && out.upstream_tls.is_none()
        {
            out.upstream_tls = Some(UpstreamTls {
                settings: Ok(BackendTls {
                    authority: None,
                    certificate: None,
                    name: Some(name.clone()),
                    versions: None,
                    ciphers: Vec::new(),
                }),
                host_wide: false,
            });
        }
    }
}

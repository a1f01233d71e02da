//! The annotations of an Ingress, read as the controller's parsers read them.
//!
//! One family, one file: its registry entries, its typed settings and its reader
//! (`internal/ingress/annotations/` of ingress-nginx). What other objects decide (does
//! the Secret exist, has the Service endpoints) is not asked here; settings carry the
//! reference.
//!
//! Every key ends in exactly one [`KeyStatus`]. A key that no reader took is a fault of
//! this crate; a test reads every key there is.

mod keys;
mod reference;
mod settings;

pub mod affinity;
pub mod auth_basic;
pub mod auth_external;
pub mod auth_tls;
pub mod backend;
pub mod buffering;
pub mod canary;
pub mod cors;
pub mod errors;
pub mod fastcgi;
pub mod headers;
pub mod ip_lists;
pub mod limits;
pub mod mirror;
pub mod modsecurity;
pub mod observability;
pub mod proxy;
pub mod proxy_ssl;
pub mod redirect;
pub mod replies;
pub mod rewrite;
pub mod server;
pub mod snippets;
pub mod ssl;

use gatewright_diagnostics::{Diagnostic, ObjectRef};

use crate::config_map::Config;
use crate::registry::{Entry, Risk};
pub use keys::{Annotation, Fault, KeyNote, KeyStatus, Keys};
pub use reference::{Reference, Url, parse_url};
pub use settings::Settings;

macro_rules! families {
    ($(#[doc = $title:literal] $variant:ident = $module:ident;)*) => {
        /// A family of annotations: one file of this module.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Family {
            $(#[doc = $title] $variant,)*
        }

        impl Family {
            /// All families, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its entries.
            pub fn entries(self) -> &'static [Entry] {
                match self {
                    $(Self::$variant => $module::ENTRIES,)*
                }
            }

            /// Its name: that of its module.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($module),)*
                }
            }

            /// What its keys are about, in a few words.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title.trim_ascii(),)*
                }
            }

            fn parse(self, keys: &mut Keys<'_>, settings: &mut Settings) {
                match self {
                    $(Self::$variant => $module::parse(keys, settings),)*
                }
            }
        }
    };
}

families! {
    /// Rewrites, regex mode, redirects to HTTPS.
    Rewrite = rewrite;
    /// Fixed redirects.
    Redirect = redirect;
    /// Other names of the host, the name told to the backend.
    Server = server;
    /// Canary Ingresses.
    Canary = canary;
    /// Protocol and balancing of the backend.
    Backend = backend;
    /// Session cookies.
    Affinity = affinity;
    /// Timeouts, retries, connections.
    Proxy = proxy;
    /// Sizes and buffers.
    Buffering = buffering;
    /// Cookies and redirects of the backend.
    Replies = replies;
    /// TLS to the backend.
    ProxySsl = proxy_ssl;
    /// Passthrough and ciphers.
    Ssl = ssl;
    /// Client certificates.
    AuthTls = auth_tls;
    /// Passwords.
    AuthBasic = auth_basic;
    /// Auth services.
    AuthExternal = auth_external;
    /// Allow and deny lists.
    IpLists = ip_lists;
    /// Rates, connections, bandwidth.
    Limits = limits;
    /// CORS.
    Cors = cors;
    /// Response headers.
    Headers = headers;
    /// Error pages and fallbacks.
    Errors = errors;
    /// Shadow traffic.
    Mirror = mirror;
    /// Logs and traces.
    Observability = observability;
    /// The web application firewall.
    Modsecurity = modsecurity;
    /// `FastCGI` backends.
    Fastcgi = fastcgi;
    /// Raw nginx configuration.
    Snippets = snippets;
}

/// Which controller judged the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ControllerVersion {
    /// v1.12 and later: every value is checked against its grammar.
    #[default]
    V1_15,
    /// Before v1.12, or with `--enable-annotation-validation=false`: only booleans and
    /// numbers are parsed.
    Pre1_12,
}

/// What the annotations of one Ingress say.
#[derive(Clone, Debug, Default)]
pub struct AnnotationResult {
    /// What was accepted.
    pub settings: Settings,
    /// Why the whole Ingress is dropped; empty when it is not.
    pub rejected: Vec<Fault>,
    /// Why its locations answer 503; empty when they do not.
    pub denied: Vec<Fault>,
    /// What makes nginx refuse the configuration.
    pub breaks: Vec<Fault>,
    /// What became of each key, in the order they were given.
    pub notes: Vec<KeyNote>,
    /// Everything there is to tell; the faults above are in it too.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the annotations under the controller's prefix.
pub fn read<'a>(
    annotations: impl IntoIterator<Item = Annotation<'a>>,
    config: &'a Config,
    version: ControllerVersion,
    object: &'a ObjectRef,
) -> AnnotationResult {
    let mut keys = Keys::new(annotations, config, version, object);
    let mut settings = Settings::default();
    if !keys.is_empty() {
        let limit = config.risk_level(version);
        if limit < Risk::Critical {
            keys.gate_risk(limit);
        }
        keys.block_words();
        keys.report_unknown();
        for &family in Family::ALL {
            if keys.holds(family) {
                keys.enter(family);
                family.parse(&mut keys, &mut settings);
            }
        }
    }
    keys.finish(settings)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

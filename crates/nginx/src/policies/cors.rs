//! CORS.

use gatewright_model::{Cors, CorsOrigins};

use super::{PolicyInput, PolicyOutput};
use crate::annotations::cors::Origins;

/// The keys that are carried over.
pub(crate) const KEYS: &[&str] = &[
    "enable-cors",
    "cors-allow-origin",
    "cors-allow-methods",
    "cors-allow-headers",
    "cors-expose-headers",
    "cors-allow-credentials",
    "cors-max-age",
];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(cors) = &input.settings.cors else {
        return;
    };
    let origins = match &cors.origins {
        Origins::Any => CorsOrigins::Any,
        Origins::List { open_end: true, .. } => CorsOrigins::Echo,
        Origins::List { items, .. } if items.is_empty() => {
            for &key in KEYS {
                out.inert(key, "`cors-allow-origin` lets no origin in");
            }
            return;
        }
        Origins::List { items, .. } => CorsOrigins::EndWith(items.clone()),
    };
    let mut headers = Vec::new();
    let mut header = |name: &str, value: String| headers.push((name.to_owned(), value));
    if cors.credentials() {
        header("Access-Control-Allow-Credentials", "true".to_owned());
    }
    header("Access-Control-Allow-Methods", cors.methods().to_owned());
    header("Access-Control-Allow-Headers", cors.headers().to_owned());
    if let Some(expose) = &cors.expose_headers {
        header("Access-Control-Expose-Headers", expose.value.clone());
    }
    header("Access-Control-Max-Age", cors.max_age().to_string());
    out.policies_mut().cors = Some(Cors {
        origins,
        headers,
        origin: input.origin("enable-cors", cors.span),
    });
}

//! Filters of an `HTTPRoute` rule.

use gateway_api::httproutes::{
    HttpRouteRulesFilters, HttpRouteRulesFiltersExtensionRef,
    HttpRouteRulesFiltersRequestHeaderModifier, HttpRouteRulesFiltersRequestHeaderModifierSet,
    HttpRouteRulesFiltersRequestRedirect, HttpRouteRulesFiltersType,
    HttpRouteRulesFiltersUrlRewrite, HttpRouteRulesFiltersUrlRewritePath,
    HttpRouteRulesFiltersUrlRewritePathType,
};

pub(crate) fn extension(name: &str) -> HttpRouteRulesFilters {
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::ExtensionRef,
        extension_ref: Some(HttpRouteRulesFiltersExtensionRef {
            group: "gateway.envoyproxy.io".to_owned(),
            kind: "HTTPRouteFilter".to_owned(),
            name: name.to_owned(),
        }),
        ..HttpRouteRulesFilters::default()
    }
}

pub(crate) fn redirect(redirect: HttpRouteRulesFiltersRequestRedirect) -> HttpRouteRulesFilters {
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::RequestRedirect,
        request_redirect: Some(redirect),
        ..HttpRouteRulesFilters::default()
    }
}

pub(crate) fn set_request_headers(headers: &[(&str, &str)]) -> HttpRouteRulesFilters {
    let set = headers
        .iter()
        .map(|(name, value)| HttpRouteRulesFiltersRequestHeaderModifierSet {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        })
        .collect();
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::RequestHeaderModifier,
        request_header_modifier: Some(HttpRouteRulesFiltersRequestHeaderModifier {
            set: Some(set),
            ..HttpRouteRulesFiltersRequestHeaderModifier::default()
        }),
        ..HttpRouteRulesFilters::default()
    }
}

/// Sets a request header, by the filter that is there if there is one: a rule takes only one.
pub(crate) fn add_request_header(
    filters: &mut Vec<HttpRouteRulesFilters>,
    name: &str,
    value: &str,
) {
    let there = filters
        .iter_mut()
        .find_map(|filter| filter.request_header_modifier.as_mut());
    match there {
        Some(modifier) => modifier
            .set
            .get_or_insert_with(Vec::new)
            .push(HttpRouteRulesFiltersRequestHeaderModifierSet {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
        None => filters.push(set_request_headers(&[(name, value)])),
    }
}

/// Replaces the authority, the whole path, or both, by literals.
pub(crate) fn rewrite(hostname: Option<String>, path: Option<String>) -> HttpRouteRulesFilters {
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::UrlRewrite,
        url_rewrite: Some(HttpRouteRulesFiltersUrlRewrite {
            hostname,
            path: path.map(|path| HttpRouteRulesFiltersUrlRewritePath {
                r#type: HttpRouteRulesFiltersUrlRewritePathType::ReplaceFullPath,
                replace_full_path: Some(path),
                replace_prefix_match: None,
            }),
        }),
        ..HttpRouteRulesFilters::default()
    }
}

/// A text as an Envoy header value: `%` starts a command operator there.
pub(crate) fn header_value(text: &str) -> String {
    text.replace('%', "%%")
}

/// Whether Gateway API takes it as a host to rewrite or redirect to: a DNS name, no port.
pub(crate) fn is_hostname(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

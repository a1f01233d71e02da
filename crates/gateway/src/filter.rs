//! Filters of an `HTTPRoute` rule.

use gateway_api::httproutes::{
    HttpRouteRulesFilters, HttpRouteRulesFiltersExtensionRef,
    HttpRouteRulesFiltersRequestHeaderModifier, HttpRouteRulesFiltersRequestHeaderModifierSet,
    HttpRouteRulesFiltersType, HttpRouteRulesFiltersUrlRewrite,
    HttpRouteRulesFiltersUrlRewritePath, HttpRouteRulesFiltersUrlRewritePathType,
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

pub(crate) fn set_request_headers(headers: &[(&str, &str)]) -> HttpRouteRulesFilters {
    let set: Vec<_> = headers
        .iter()
        .map(
            |(name, value)| HttpRouteRulesFiltersRequestHeaderModifierSet {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            },
        )
        .collect();
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::RequestHeaderModifier,
        request_header_modifier: Some(HttpRouteRulesFiltersRequestHeaderModifier {
            set: (!set.is_empty()).then_some(set),
            ..HttpRouteRulesFiltersRequestHeaderModifier::default()
        }),
        ..HttpRouteRulesFilters::default()
    }
}

/// Takes headers away from the request to the backend; a rule has one such filter at most.
pub(crate) fn remove_request_headers<'a>(
    filters: &mut Vec<HttpRouteRulesFilters>,
    names: impl IntoIterator<Item = &'a str>,
) {
    let known = filters
        .iter()
        .position(|filter| filter.request_header_modifier.is_some());
    let at = known.unwrap_or_else(|| {
        filters.push(set_request_headers(&[]));
        filters.len() - 1
    });
    let Some(modifier) = &mut filters[at].request_header_modifier else {
        return;
    };
    let removed = modifier.remove.get_or_insert_with(Vec::new);
    for name in names {
        if !removed.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            removed.push(name.to_owned());
        }
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

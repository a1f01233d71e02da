//! Filters of an `HTTPRoute` rule.

use gateway_api::httproutes::{
    HttpRouteRulesBackendRefs, HttpRouteRulesFilters, HttpRouteRulesFiltersExtensionRef,
    HttpRouteRulesFiltersRequestHeaderModifier, HttpRouteRulesFiltersRequestHeaderModifierSet,
    HttpRouteRulesFiltersRequestMirror, HttpRouteRulesFiltersRequestMirrorBackendRef,
    HttpRouteRulesFiltersRequestRedirect, HttpRouteRulesFiltersResponseHeaderModifier,
    HttpRouteRulesFiltersResponseHeaderModifierAdd, HttpRouteRulesFiltersResponseHeaderModifierSet,
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

/// Takes headers away from the request to the backend.
pub(crate) fn remove_request_headers<'a>(
    filters: &mut Vec<HttpRouteRulesFilters>,
    names: impl IntoIterator<Item = &'a str>,
) {
    for name in names {
        remove_request_header(filters, name);
    }
}

/// Headers that one modifier takes (Gateway API).
const MAX_HEADERS: usize = 16;

/// The one modifier of request headers that a rule may have.
fn request_modifier(
    filters: &mut Vec<HttpRouteRulesFilters>,
) -> &mut HttpRouteRulesFiltersRequestHeaderModifier {
    let is_one = |f: &HttpRouteRulesFilters| f.request_header_modifier.is_some();
    let at = filters.iter().position(is_one).unwrap_or_else(|| {
        filters.push(HttpRouteRulesFilters {
            r#type: HttpRouteRulesFiltersType::RequestHeaderModifier,
            ..HttpRouteRulesFilters::default()
        });
        filters.len() - 1
    });
    filters[at]
        .request_header_modifier
        .get_or_insert_with(HttpRouteRulesFiltersRequestHeaderModifier::default)
}

/// Sets a request header unless the rule sets it already; false when there is no room.
pub(crate) fn set_request_header(
    filters: &mut Vec<HttpRouteRulesFilters>,
    name: &str,
    value: &str,
) -> bool {
    let set = request_modifier(filters).set.get_or_insert_with(Vec::new);
    if set
        .iter()
        .any(|known| known.name.eq_ignore_ascii_case(name))
    {
        return true;
    }
    if set.len() >= MAX_HEADERS {
        return false;
    }
    set.push(HttpRouteRulesFiltersRequestHeaderModifierSet {
        name: name.to_owned(),
        value: value.to_owned(),
    });
    true
}

/// Takes a request header away.
pub(crate) fn remove_request_header(filters: &mut Vec<HttpRouteRulesFilters>, name: &str) {
    let remove = request_modifier(filters)
        .remove
        .get_or_insert_with(Vec::new);
    if !remove.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        remove.push(name.to_owned());
    }
}

/// Forgets what was set before under a name.
pub(crate) fn unset_request_header(filters: &mut [HttpRouteRulesFilters], name: &str) {
    let modifiers = filters
        .iter_mut()
        .filter_map(|f| f.request_header_modifier.as_mut());
    for modifier in modifiers {
        if let Some(set) = &mut modifier.set {
            set.retain(|known| !known.name.eq_ignore_ascii_case(name));
        }
        modifier.set = modifier.set.take().filter(|set| !set.is_empty());
    }
}

pub(crate) fn response_headers(
    set: &[(String, String)],
    add: &[(String, String)],
    remove: &[String],
) -> HttpRouteRulesFilters {
    let set: Vec<_> = set
        .iter()
        .map(
            |(name, value)| HttpRouteRulesFiltersResponseHeaderModifierSet {
                name: name.clone(),
                value: value.clone(),
            },
        )
        .collect();
    let add: Vec<_> = add
        .iter()
        .map(
            |(name, value)| HttpRouteRulesFiltersResponseHeaderModifierAdd {
                name: name.clone(),
                value: value.clone(),
            },
        )
        .collect();
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::ResponseHeaderModifier,
        response_header_modifier: Some(HttpRouteRulesFiltersResponseHeaderModifier {
            set: (!set.is_empty()).then_some(set),
            remove: (!remove.is_empty()).then(|| remove.to_vec()),
            add: (!add.is_empty()).then_some(add),
        }),
        ..HttpRouteRulesFilters::default()
    }
}

/// A copy of every request goes to this backend.
pub(crate) fn mirror(to: HttpRouteRulesBackendRefs) -> HttpRouteRulesFilters {
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::RequestMirror,
        request_mirror: Some(HttpRouteRulesFiltersRequestMirror {
            backend_ref: HttpRouteRulesFiltersRequestMirrorBackendRef {
                group: to.group,
                kind: to.kind,
                name: to.name,
                namespace: to.namespace,
                port: to.port,
            },
            ..HttpRouteRulesFiltersRequestMirror::default()
        }),
        ..HttpRouteRulesFilters::default()
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

/// Replaces the prefix by which a rule took the path.
pub(crate) fn replace_prefix(to: String) -> HttpRouteRulesFilters {
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::UrlRewrite,
        url_rewrite: Some(HttpRouteRulesFiltersUrlRewrite {
            hostname: None,
            path: Some(HttpRouteRulesFiltersUrlRewritePath {
                r#type: HttpRouteRulesFiltersUrlRewritePathType::ReplacePrefixMatch,
                replace_full_path: None,
                replace_prefix_match: Some(to),
            }),
        }),
        ..HttpRouteRulesFilters::default()
    }
}

/// A redirect as Gateway API has it.
pub(crate) fn redirect(redirect: HttpRouteRulesFiltersRequestRedirect) -> HttpRouteRulesFilters {
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::RequestRedirect,
        request_redirect: Some(redirect),
        ..HttpRouteRulesFilters::default()
    }
}

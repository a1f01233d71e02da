use super::Request;
use crate::pattern::Pattern;
use crate::{Backend, HeaderRule, Split};

/// The backends that may get a request, with their shares.
pub fn split<'m>(split: &'m Split, request: &Request) -> Vec<(&'m Backend, u32)> {
    let Some(canary) = &split.canary else {
        return vec![(&split.primary, 1)];
    };
    let (to_canary, to_primary) = (vec![(&canary.backend, 1)], vec![(&split.primary, 1)]);
    if let Some(header) = &canary.header {
        let value = request.header(&header.name).unwrap_or_default();
        match &header.rule {
            HeaderRule::AlwaysNever if value == "always" => return to_canary,
            HeaderRule::AlwaysNever if value == "never" => return to_primary,
            HeaderRule::Value(wanted) if !value.is_empty() && value == wanted => return to_canary,
            HeaderRule::Pattern(text) if !value.is_empty() => {
                let pattern = Pattern::parse_case_sensitive(text).ok();
                if pattern.and_then(|pattern| pattern.is_found(value)) == Some(true) {
                    return to_canary;
                }
            }
            _ => {}
        }
    }
    if let Some(name) = &canary.cookie {
        match request
            .header("cookie")
            .and_then(|value| cookie(value, name))
        {
            Some("always") => return to_canary,
            Some("never") => return to_primary,
            _ => {}
        }
    }
    let weight = canary.weight.min(canary.total);
    if weight == 0 {
        to_primary
    } else if weight == canary.total {
        to_canary
    } else {
        vec![
            (&split.primary, canary.total - weight),
            (&canary.backend, weight),
        ]
    }
}

/// The value of a cookie as nginx's `$cookie_name` has it: the first of that name, in any case,
/// up to the next semicolon (`ngx_http_parse_multi_header_lines`).
pub fn cookie<'v>(header: &'v str, name: &str) -> Option<&'v str> {
    let mut rest = header;
    loop {
        let head = rest.get(..name.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(name)) {
            let value = rest[name.len()..].trim_start_matches(' ');
            if let Some(value) = value.strip_prefix('=') {
                let value = value.trim_start_matches(' ');
                return Some(value.split(';').next().unwrap_or_default());
            }
        }
        let next = rest.find([';', ','])?;
        rest = rest[next + 1..].trim_start_matches(' ');
    }
}

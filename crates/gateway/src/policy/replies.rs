//! Cookies and redirects of backends, rewritten by a script: Gateway API cannot look into the
//! value of a header.

use std::fmt::Write as _;

use gatewright_model::{Policies, ReplyRewrites};

use super::Attached;
use crate::emit::Emitter;
use crate::envoy::Lua;

pub(super) fn attach(emitter: &mut Emitter<'_>, policies: &Policies, attached: &mut Attached) {
    if policies.reply_rewrites.is_empty() {
        return;
    }
    emitter.out.needs_lua = true;
    attached
        .extension
        .get_or_insert_default()
        .lua
        .push(Lua::inline(script(&policies.reply_rewrites)));
}

fn script(rewrites: &ReplyRewrites) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = |text: String| lines.push(text);
    let pair = |name: &str, (from, to): &(String, String)| {
        format!(
            "local {name}_from, {name}_to = {}, {}",
            quoted(from),
            quoted(to)
        )
    };
    if let Some(location) = &rewrites.location {
        line(pair("location", location));
        line(LOCATION.to_owned());
    }
    let cookies = rewrites.cookie_domain.is_some() || rewrites.cookie_path.is_some();
    if let Some((from, to)) = &rewrites.cookie_domain {
        let bare = |text: &str| text.strip_prefix('.').unwrap_or(text).to_owned();
        line(pair("domain", &(bare(from).to_ascii_lowercase(), bare(to))));
    }
    if let Some(path) = &rewrites.cookie_path {
        line(pair("path", path));
    }
    if cookies {
        line("local function attribute(lead, name, value)".to_owned());
        line("  local key = string.lower(string.match(name, \"^(.-)%s*$\"))".to_owned());
        if rewrites.cookie_domain.is_some() {
            line(DOMAIN.to_owned());
        }
        if rewrites.cookie_path.is_some() {
            line(PATH.to_owned());
        }
        line("  return lead .. name .. \"=\" .. value\nend".to_owned());
        line(COOKIE.to_owned());
    }
    line("function envoy_on_response(handle)\n  local headers = handle:headers()".to_owned());
    if rewrites.location.is_some() {
        line(ON_LOCATION.to_owned());
    }
    if cookies {
        line(ON_COOKIES.to_owned());
    }
    line("end\n".to_owned());
    lines.join("\n")
}

const LOCATION: &str = r#"local function moved(url)
  if string.sub(url, 1, #location_from) == location_from then
    return location_to .. string.sub(url, #location_from + 1)
  end
  return url
end"#;

const DOMAIN: &str = r#"  if key == "domain" and string.lower(string.match(value, "^%.?(.*)$")) == domain_from then
    value = domain_to
  end"#;

const PATH: &str = r#"  if key == "path" and string.sub(value, 1, #path_from) == path_from then
    value = path_to .. string.sub(value, #path_from + 1)
  end"#;

const COOKIE: &str = r#"local function cookie(text)
  local pair, attributes = string.match(text, "^([^;]*)(.*)$")
  return pair .. string.gsub(attributes, "(;%s*)([^=;]*)=([^;]*)", attribute)
end"#;

const ON_LOCATION: &str = r#"  local location = headers:get("location")
  if location then
    headers:replace("location", moved(location))
  end
  local refresh = headers:get("refresh")
  local at = refresh and string.find(string.lower(refresh), "url=", 1, true)
  if at then
    headers:replace("refresh", string.sub(refresh, 1, at + 3) .. moved(string.sub(refresh, at + 4)))
  end"#;

const ON_COOKIES: &str = r#"  local cookies = {}
  for at = 0, headers:getNumValues("set-cookie") - 1 do
    cookies[at + 1] = cookie(headers:getAtIndex("set-cookie", at))
  end
  headers:remove("set-cookie")
  for _, text in ipairs(cookies) do
    headers:add("set-cookie", text)
  end"#;

/// A text as Lua writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\{byte:03}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(from: &str, to: &str) -> (String, String) {
        (from.to_owned(), to.to_owned())
    }

    #[test]
    fn texts_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"b\\c\n\u{e9}"), "\"a\\\"b\\\\c\\010\\195\\169\"");
    }

    #[test]
    fn a_script_holds_what_it_needs() {
        let check = |rewrites: &ReplyRewrites, words: &[&str], absent: &[&str]| {
            let text = script(rewrites);
            assert!(
                text.contains("function envoy_on_response(handle)"),
                "{text}"
            );
            for word in words {
                assert!(text.contains(word), "{word} in {text}");
            }
            for word in absent {
                assert!(!text.contains(word), "{word} in {text}");
            }
        };
        let location = ReplyRewrites {
            location: Some(pair("http://a/", "https://b/")),
            ..ReplyRewrites::default()
        };
        check(
            &location,
            &["\"http://a/\", \"https://b/\"", "refresh"],
            &["cookie"],
        );
        let domain = ReplyRewrites {
            cookie_domain: Some(pair(".A.test", ".b.test")),
            ..ReplyRewrites::default()
        };
        check(
            &domain,
            &["\"a.test\", \"b.test\"", "set-cookie"],
            &["path_from", "location"],
        );
    }
}

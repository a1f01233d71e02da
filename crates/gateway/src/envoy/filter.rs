use serde::Serialize;

use super::HeaderModifier;

/// `HTTPRouteFilter`: what a rule does that Gateway API has no filter for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteFilterSpec {
    /// Rewrites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_rewrite: Option<HttpUrlRewrite>,
    /// An answer without a backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_response: Option<DirectResponse>,
}

/// Rewrites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HttpUrlRewrite {
    /// Of the authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<HttpHostnameModifier>,
    /// Of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<HttpPathModifier>,
}

/// The authority that a backend sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpHostnameModifier {
    /// `Header`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The header it is taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// The path that a backend sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpPathModifier {
    /// `ReplaceRegexMatch`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Pattern and substitution.
    pub replace_regex_match: ReplaceRegexMatch,
}

impl HttpPathModifier {
    /// Replaces every part that the RE2 `pattern` matches; `\1` … `\9` are captures.
    pub fn regex(pattern: String, substitution: String) -> Self {
        Self {
            kind: "ReplaceRegexMatch",
            replace_regex_match: ReplaceRegexMatch {
                pattern,
                substitution,
            },
        }
    }
}

/// Pattern and substitution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplaceRegexMatch {
    /// RE2.
    pub pattern: String,
    /// With `\1` … `\9`.
    pub substitution: String,
}

/// An answer without a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectResponse {
    /// Status.
    pub status_code: u16,
    /// The type of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<ResponseBody>,
    /// Headers to set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderModifier>,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResponseBody {
    /// `Inline`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The text; may hold Envoy's command operators.
    pub inline: String,
}

impl ResponseBody {
    /// A text that stands in the object itself.
    pub fn inline(text: String) -> Self {
        Self {
            kind: "Inline",
            inline: text,
        }
    }
}

//! Answers of steps, as filters.

use gatewright_model::{
    Condition, Forward, HeaderChange, Piece, Reply, Step, Subject, Target, Template, Test,
};

use super::condition;
use super::steps::Place;
use crate::envoy::{
    DirectResponse, HeaderModifier, HeaderValue, HttpRouteFilterSpec, ResponseBody,
};
use crate::filter;
use crate::formatter::{HOST, PATH, QUERY, SCHEME, extracted, literal};
use crate::rule::Deed;

/// What a rule does that gives this answer.
pub(super) fn deed(place: &mut Place<'_, '_>, step: &Step) -> Result<Deed, String> {
    match &step.reply {
        Reply::Status { code, body } => {
            let body = match body {
                Some((text, content_type)) => {
                    let content_type = own_type(place).unwrap_or_else(|| content_type.clone());
                    Some((render(text, None)?, content_type))
                }
                None => None,
            };
            let suffix = format!("{}-{code}", place.name);
            Ok(respond(place, *code, body, Vec::new(), &suffix))
        }
        Reply::Redirect {
            code,
            location,
            keep_query,
        } => redirect(place, *code, location, *keep_query, step.when.as_ref()),
    }
}

fn respond(
    place: &mut Place<'_, '_>,
    code: u16,
    body: Option<(String, String)>,
    headers: Vec<HeaderValue>,
    suffix: &str,
) -> Deed {
    if body.is_none() && headers.is_empty() {
        return place
            .emitter
            .respond(place.owner, code, format!("answers {code}"));
    }
    let (body, content_type) = body.unzip();
    let spec = HttpRouteFilterSpec {
        direct_response: Some(DirectResponse {
            status_code: code,
            content_type,
            body: body.map(ResponseBody::inline),
            header: (!headers.is_empty()).then(|| HeaderModifier {
                set: headers,
                ..HeaderModifier::default()
            }),
        }),
        url_rewrite: None,
    };
    let comment = format!("answers {code}");
    let name = place.emitter.filter(place.owner, suffix, spec, comment);
    Deed {
        filters: vec![filter::extension(&name)],
        backends: Vec::new(),
    }
}

/// The type of an answer with a text, if the route says one.
fn own_type(place: &Place<'_, '_>) -> Option<String> {
    let edits = place.route.policies.response_edits.iter().rev();
    edits
        .filter(|edit| edit.name.eq_ignore_ascii_case("content-type"))
        .find_map(|edit| match &edit.change {
            HeaderChange::Set(value) | HeaderChange::Add { value, .. } => value.literal(),
            HeaderChange::Remove | HeaderChange::Hide => None,
        })
}

fn redirect(
    place: &mut Place<'_, '_>,
    code: u16,
    location: &Template,
    keep_query: bool,
    when: Option<&Condition>,
) -> Result<Deed, String> {
    let mut value = String::new();
    for piece in &location.0 {
        match piece {
            Piece::Capture(group) => value.push_str(&capture(*group, when)?),
            piece => value.push_str(&render(&Template(vec![piece.clone()]), None)?),
        }
    }
    if keep_query {
        value.push_str(QUERY);
    }
    let location = vec![HeaderValue::new("Location", value)];
    let suffix = format!("{}-redirect", place.name);
    Ok(respond(place, code, None, location, &suffix))
}

/// What a group of the condition's pattern captured in the path.
fn capture(group: u8, when: Option<&Condition>) -> Result<String, String> {
    let Some(Condition {
        subject: Subject::Path { query },
        test: Test::Pattern { text, fold },
        negated: false,
    }) = when
    else {
        return Err("only a pattern of the path captures".to_owned());
    };
    let re2 = condition::parse(&condition::anchored(text), *fold)?
        .to_re2()
        .map_err(|_| "RE2 cannot say this pattern".to_owned())?;
    let re2 = if *query { re2 } else { re2.for_encoded_path() };
    let source = if *query {
        "request.path"
    } else {
        "request.url_path"
    };
    extracted(source, &re2.rewrite_pattern(), &format!("\\{group}"))
        .ok_or_else(|| "the pattern cannot be quoted".to_owned())
}

/// A text with Envoy's command operators.
pub(crate) fn render(template: &Template, forward: Option<&Forward>) -> Result<String, String> {
    let mut out = String::new();
    for piece in &template.0 {
        match piece {
            Piece::Text(text) => out.push_str(&literal(text)),
            Piece::ClientAddress => out.push_str("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            Piece::Host => out.push_str(HOST),
            Piece::Scheme => out.push_str(SCHEME),
            Piece::Method => out.push_str("%REQ(:METHOD)%"),
            Piece::Target => out.push_str(PATH),
            Piece::Path => out.push_str("%PATH(NQ:PATH)%"),
            Piece::RequestId => out.push_str("%REQ(X-REQUEST-ID)%"),
            Piece::Header(name) => {
                out.extend(["%REQ(", &name.to_ascii_uppercase(), ")%"]);
            }
            Piece::BackendName | Piece::BackendPort => {
                let (name, port) = match forward.map(|forward| &forward.split.primary.target) {
                    Some(Target::Service { name, port, .. }) => (name, port),
                    Some(Target::External { service, port, .. }) => (service, port),
                    _ => return Err("there is no backend to name".to_owned()),
                };
                if *piece == Piece::BackendName {
                    out.push_str(name);
                } else {
                    out.push_str(&port.to_string());
                }
            }
            Piece::Capture(_) => return Err("captures are not known to headers".to_owned()),
        }
    }
    Ok(out)
}

//! Whole snippets.

use gatewright_diagnostics::Code;
use gatewright_model::{HeaderChange, Reply, Subject};
use gatewright_source::{FileId, Span};

use super::{Place, Product, Reader, Scope};
use crate::annotations::Settings;
use crate::config_map::Config;
use crate::objects::Objects;
use crate::policies::{PolicyInput, PolicyOutput};

/// What a snippet comes to, with the codes of what is told about it.
fn read(text: &str, scope: Scope) -> (Product, Vec<Code>) {
    let object = gatewright_diagnostics::ObjectRef::new("Ingress", "default", "shop");
    let file = FileId(0);
    let ingress = crate::policies::testing::ingress(&object);
    let input = PolicyInput {
        owner: gatewright_model::OwnerId(0),
        object: &object,
        name_span: ingress.name_span,
        ingress: &ingress,
        settings: &Settings::default(),
        config: &Config::default(),
        places: &[],
        objects: &Objects::default(),
        effective: &crate::effective::Effective::default(),
        sources: &[],
        addresses_unconfirmed: false,
        decides_clients: true,
    };
    let mut out = PolicyOutput::default();
    let mut reader = Reader {
        input: &input,
        key: "configuration-snippet",
        spans: (Span::new(file, 0, 3), Span::new(file, 5, 9)),
        controller: false,
        text: text.to_owned(),
        out: &mut out,
    };
    let product = reader.snippet(scope);
    (product, out.diagnostics.iter().map(|d| d.code).collect())
}

fn check(text: &str, scope: Scope, expected: &str) {
    let (product, codes) = read(text, scope);
    let mut shown = Vec::new();
    for step in &product.policies.steps {
        let when = match &step.when {
            None => "always".to_owned(),
            Some(when) => {
                let subject = match &when.subject {
                    Subject::Path { .. } => "path".to_owned(),
                    Subject::Header(name) => name.clone(),
                    other => format!("{other:?}"),
                };
                format!("{}{subject}", if when.negated { "not " } else { "" })
            }
        };
        let code = match &step.reply {
            Reply::Status { code, .. } | Reply::Redirect { code, .. } => code,
        };
        shown.push(format!("{when}: {code}"));
    }
    let policies = &product.policies;
    for (edit, sign) in (policies.request_edits.iter().map(|e| (e, '>')))
        .chain(policies.response_edits.iter().map(|e| (e, '<')))
    {
        shown.push(match &edit.change {
            HeaderChange::Set(_) => format!("{sign}{}", edit.name),
            HeaderChange::Add { .. } => format!("{sign}+{}", edit.name),
            HeaderChange::Remove => format!("{sign}-{}", edit.name),
            HeaderChange::Hide => format!("{sign}~{}", edit.name),
        });
    }
    for location in &product.locations {
        let place = match &location.place {
            Place::Exact(text) => format!("= {text}"),
            Place::Prefix { path, .. } => path.clone(),
            Place::Pattern { text, .. } => format!("~ {text}"),
        };
        let mut text = format!("at {place}: {}", location.policies.steps.len());
        if let Some(list) = &location.addresses {
            let networks = list.addresses.rules.iter().flat_map(|rule| &rule.networks);
            for network in networks {
                text.extend([" +", network]);
            }
            text.push_str(if list.addresses.otherwise { " +" } else { " -" });
        }
        shown.push(text);
    }
    if let Some(edit) = &policies.path_edit {
        shown.push(
            if edit.again {
                "rewrite and look up"
            } else {
                "rewrite"
            }
            .to_owned(),
        );
    }
    if let Some(list) = &product.addresses {
        let sign = |allow| if allow { '+' } else { '-' };
        let rules = list.addresses.rules.iter();
        let rules: Vec<String> = rules
            .map(|rule| format!("{}{}", sign(rule.allow), rule.networks.join("+")))
            .collect();
        shown.push(format!(
            "addresses {} else {}",
            rules.join(" "),
            sign(list.addresses.otherwise)
        ));
    }
    if let Some(compression) = &policies.transport.compression {
        shown.push(format!("gzip from {}", compression.min_length));
    }
    if product.refusal.is_some() {
        shown.push("refused".to_owned());
    }
    shown.extend(codes.iter().map(ToString::to_string));
    assert_eq!(shown.join(", "), expected, "{text}");
}

#[test]
fn headers_of_both_directions() {
    let check = |text, expected| check(text, Scope::Location, expected);
    check("more_set_headers \"A: 1\" 'B: 2';", "<A, <B");
    check("more_clear_headers X; proxy_hide_header Y;", "<-X, <~Y");
    check("add_header A b always; add_header C d;", "<+A, <+C, GW0570");
    check(
        "proxy_set_header A $host; proxy_set_header B \"\";",
        ">A, >-B",
    );
    check(
        "proxy_set_header X-User $ssl_client_s_dn;",
        ">-X-User, GW0688",
    );
    check(
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header X-Real-IP $remote_addr;",
        "",
    );
    check("proxy_set_header Host other;", "GW0685");
    check("more_set_headers -s 404 'A: b';", "GW0685");
}

#[test]
fn control() {
    let check = |text, expected| check(text, Scope::Location, expected);
    check("return 403; deny all;", "always: 403, addresses  else -");
    check(
        "return 301 https://x$request_uri; return 403;",
        "always: 301",
    );
    check("if ($request_method = POST) { return 405; }", "Method: 405");
    check("if ($http_x !~ a) { return 444; }", "not x: 444, GW0571");
    check(
        "if ($geoip_country_code = X) { return 403; }",
        "refused, GW0686",
    );
    check("if ($geoip_country_code = X) { add_header A b; }", "GW0685");
    check("limit_except GET { deny all; }", "not Method: 403");
    check(
        "allow 10.0.0.1/8; allow ::1; deny all;",
        "addresses +10.0.0.0/8+::1/128 else -",
    );
    check(
        "deny 10.1.0.0/16; allow 10.0.0.0/8; deny 1.2.3.4; deny all; allow 9.9.9.9;",
        "addresses -10.1.0.0/16 +10.0.0.0/8 -1.2.3.4/32 else -",
    );
    check("deny 1.2.3.4;", "addresses -1.2.3.4/32 else +");
    check("allow all;", "addresses  else +");
    check("allow $office; deny all;", "refused, GW0686");
    check("rewrite ^/a/(.*)$ /b/$1 break;", "rewrite");
    check("rewrite ^/a/(.*)$ /b/$1 last;", "rewrite and look up");
    // What looks at the path afterwards sees the new one.
    check(
        "rewrite ^/a/(.*)$ /b/$1; if ($uri ~ ^/b) { return 403; }",
        "rewrite and look up, refused, GW0686",
    );
    check(
        "rewrite ^/a/(.*)$ /b/$1; rewrite ^/c$ /d permanent; rewrite ^/b/x$ /e redirect;",
        "path: 301, rewrite and look up, refused, GW0686",
    );
    check("rewrite ^/a$ /b break; return 403;", "always: 403, rewrite");
    check("rewrite ^/a$ /b permanent;", "path: 301");
}

#[test]
fn what_is_not_carried_over() {
    let check = |text, expected| check(text, Scope::Location, expected);
    check(
        "access_log off; proxy_ssl_verify off; server_tokens off;",
        "",
    );
    check("sub_filter a b; expires 1d;", "GW0685, GW0685");
    check("gzip on; gzip_min_length 1000;", "gzip from 1000");
    check("gzip on; gzip_types text/css;", "gzip from 20, GW0551");
    check("gzip off; auth_request_set $u $upstream_http_u;", "");
    check("auth_basic off; auth_basic x;", "refused, GW0685, GW0686");
    check("proxy_read_timeout 5s;", "GW0689");
    check(
        "limit_req zone=x; auth_request /a;",
        "refused, GW0686, GW0686",
    );
    check("access_by_lua_block { ngx.exit(403) }", "refused, GW0686");
    check("deny all", "addresses  else -, refused, GW0687");
    check("set $x 1;", "");
    check(
        "set $x 1; proxy_set_header A a$x; add_header B $x always;",
        ">A, <+B",
    );
    check(
        "if ($http_a) { set $x 1; } proxy_set_header A $x;",
        ">-A, GW0688",
    );
    check("set $proxy_upstream_name x;", "refused, GW0686");
}

#[test]
fn servers_have_locations() {
    let check = |text, expected| check(text, Scope::Server, expected);
    check("location = /a { return 404; }", "at = /a: 1");
    check(
        "location ~* \\.php$ { deny all; access_log off; }",
        "at ~ \\.php$: 0 -",
    );
    check("location /a { deny all; return 403; }", "at /a: 1 -");
    check(
        "location /a { allow 10.0.0.0/8; deny all; }",
        "at /a: 0 +10.0.0.0/8 -",
    );
    check("location / { return 200; }", "refused, GW0689");
    check(
        "location /a { proxy_pass http://x; proxy_set_header A b; proxy_pass_request_body off; }",
        "at /a: 0, GW0686",
    );
    // Only the paths that are rewritten are not served.
    check("rewrite ^/a /b last;", "at ~ ^/a: 0, GW0686");
    check("rewrite ^/a https://a.test redirect;", "path: 302");
    check(
        "allow 10.0.0.0/8; deny all;",
        "addresses +10.0.0.0/8 else -",
    );
    check(
        "proxy_read_timeout 5s; proxy_set_header A b; server_tokens off;",
        "",
    );
}

//! Other names of the host, and the host name that the backend is told.
//!
//! `internal/ingress/annotations/{alias,upstreamvhost}` of ingress-nginx. A wrong
//! character in either drops the Ingress.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::registry::{Entry, Grammar, Invalid, Risk, Scope};

/// What the server annotations say.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// Other names of the host, without doubles, in the order they were written. `~` opens
    /// a pattern.
    pub aliases: Option<Spanned<Vec<String>>>,
    /// The `Host` header for the backend; may hold nginx variables.
    pub upstream_vhost: Option<Spanned<String>>,
}

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "server-alias",
        group: "Aliases",
        grammar: Grammar::ServerNames,
        invalid: Invalid::Reject,
        scope: Scope::Host,
        risk: Risk::High,
        summary: "serves the paths of the host under other names too; names that have a server of their own are left out",
        target: "more `hostnames` with the rules of the host",
        difference: "names that are patterns (`~…`) are refused",
        codes: &[Code::AliasPattern],
        example: "shop.example.net,shop.example.org",
        ..Entry::BASE
    },
    Entry {
        key: "upstream-vhost",
        group: "UpstreamVhost",
        grammar: Grammar::ServerName,
        invalid: Invalid::Reject,
        summary: "sends this as the `Host` header to the backend",
        target: "`urlRewrite.hostname`, or an HTTPRouteFilter that takes it from a request header (`$http_…`)",
        difference: "a name with a port or other nginx variables is left out: the backend gets the `Host` of the client",
        codes: &[Code::UpstreamVhost],
        example: "internal.example.com",
        ..Entry::BASE
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    settings.server.aliases = keys.value("server-alias").and_then(|(at, value)| {
        let mut names: Vec<String> = Vec::new();
        for name in value
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let found = !names.is_empty();
        found.then(|| Spanned::new(names, keys.value_span(at)))
    });
    settings.server.upstream_vhost = keys.text("upstream-vhost");
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn aliases_are_a_list_without_doubles() {
        let server = read(&[
            ("server-alias", "a.b, c.d,,a.b"),
            ("upstream-vhost", " $host "),
        ])
        .settings
        .server;
        assert_eq!(server.aliases.as_ref().unwrap().value, ["a.b", "c.d"]);
        assert_eq!(server.upstream_vhost.as_ref().unwrap().value, "$host");
    }

    #[test]
    fn strange_characters_drop_the_ingress() {
        check(&[("server-alias", "a;b")], "server-alias: rejected");
        check(&[("server-alias", "")], "server-alias: ignored");
        check(&[("upstream-vhost", "a b;c")], "upstream-vhost: rejected");
    }
}

//! The users of a Secret (`ngx_http_auth_basic_module`; `internal/ingress/annotations/auth`
//! of ingress-nginx for maps).

use std::collections::{BTreeMap, BTreeSet};

use gatewright_model::User;

use super::sha1::{base64_sha1, is_base64_sha1};
use crate::annotations::auth_basic::SecretType;

/// The key of an htpasswd file.
const FILE: &str = "auth";

/// The users of a Secret.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Users {
    /// Whose hash is SHA-1.
    pub(crate) kept: Vec<User>,
    /// The names of those with another hash.
    pub(crate) lost: Vec<String>,
}

/// Reads the users; `None` when the Secret holds no file where one is looked for.
pub(crate) fn read(data: &BTreeMap<String, Vec<u8>>, kind: SecretType) -> Option<Users> {
    let text = match kind {
        SecretType::AuthFile => String::from_utf8_lossy(data.get(FILE)?).into_owned(),
        SecretType::AuthMap => data
            .iter()
            .map(|(name, hash)| format!("{name}:{}", String::from_utf8_lossy(hash)))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    Some(parse(&text))
}

/// A line is `user:hash` or `user:hash:comment`; the first line of a user holds.
fn parse(text: &str) -> Users {
    let mut users = Users::default();
    let mut seen = BTreeSet::new();
    for line in text.split(['\n', '\r']) {
        if line.starts_with('#') {
            continue;
        }
        let mut fields = line.split(':');
        let (Some(name), Some(hash)) = (fields.next(), fields.next()) else {
            continue;
        };
        if name.is_empty() || !seen.insert(name.to_owned()) {
            continue;
        }
        let sha1 = if let Some(hash) = hash.strip_prefix("{SHA}") {
            // With a broken hash nobody gets in with nginx either.
            if !is_base64_sha1(hash) {
                continue;
            }
            hash.to_owned()
        } else if let Some(password) = hash.strip_prefix("{PLAIN}") {
            base64_sha1(password.as_bytes())
        } else {
            if is_hash(hash) {
                users.lost.push(name.to_owned());
            }
            continue;
        };
        users.kept.push(User {
            name: name.to_owned(),
            sha1,
        });
    }
    users
}

/// Whether any password could match: `{SSHA}`, a modular crypt(3) hash or one of DES.
fn is_hash(text: &str) -> bool {
    let des = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'/';
    text.starts_with("{SSHA}")
        || text.starts_with('$') && text.matches('$').count() >= 2
        || text.len() == 13 && text.bytes().all(des)
        || text.len() == 20 && text.starts_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(users: &Users) -> (Vec<&str>, Vec<&str>) {
        (
            users.kept.iter().map(|user| &*user.name).collect(),
            users.lost.iter().map(String::as_str).collect(),
        )
    }

    #[test]
    fn lines_are_read_as_nginx_reads_them() {
        let users = parse(concat!(
            "# staff\r\n",
            "alice:{SHA}w3QkzGJswDXW5OKZHAJw0FELjfM=:since May\n",
            "alice:$apr1$x$second-line-of-alice\n",
            "bob:{PLAIN}wonder\n",
            "carol:$apr1$pepper12$H7hE8gu4tsY59xsiBwpMR0\n",
            "dora:abJnggxhB/yWI\n",
            "eve:{SHA}broken\n",
            "frank:password\n",
            ":{PLAIN}x\nnobody\n\n",
        ));
        assert_eq!(names(&users), (vec!["alice", "bob"], vec!["carol", "dora"]));
        assert_eq!(users.kept[0].sha1, users.kept[1].sha1);
        assert!(!format!("{users:?}").contains("w3Qk"));
    }

    #[test]
    fn secrets_hold_a_file_or_a_map() {
        let data: BTreeMap<_, _> = [("auth".to_owned(), b"alice:{PLAIN}x".to_vec())].into();
        let file = read(&data, SecretType::AuthFile).unwrap();
        assert_eq!(names(&file), (vec!["alice"], vec![]));
        // The file as the hash of a user named `auth`: nobody gets in.
        let map = read(&data, SecretType::AuthMap).unwrap();
        assert_eq!(names(&map), (vec![], vec![]));
        assert!(read(&BTreeMap::new(), SecretType::AuthFile).is_none());
    }
}

use super::*;

#[test]
fn paths_are_decoded_once_and_normalised() {
    for (path, expected) in [
        ("/", Ok("/")),
        ("//a//b", Ok("/a/b")),
        ("/a/./b/../c", Ok("/a/c")),
        ("/a/..", Ok("/")),
        ("/a/.", Ok("/a/")),
        ("/%61%2fb%2e%2E/c", Ok("/a/b../c")),
        ("/a%2f%2e%2e/c", Ok("/c")),
        ("/%C3%A9", Ok("/é")),
        ("/%2", Err(Malformed)),
        ("/..", Err(Malformed)),
        ("x", Err(Malformed)),
    ] {
        assert_eq!(decode(path), expected.map(str::to_owned), "{path}");
    }
}

#[test]
fn the_first_cookie_of_a_name_counts() {
    let check = |header: &str, expected| assert_eq!(cookie(header, "Beta"), expected, "{header}");
    check("beta=always", Some("always"));
    check("a=1; BETA = never; beta=always", Some("never"));
    check("alphabeta=1", None);
    check("xbeta=1;beta=", Some(""));
    check("beta=a b,c; d=e", Some("a b,c"));
    check("beta", None);
}

#[test]
fn prefixes_end_at_segments() {
    let check = |matcher: &PathMatcher, path, expected| {
        assert_eq!(takes(matcher, path), Some(expected), "{matcher:?} {path}");
    };
    let foo = PathMatcher::Prefix("/foo".to_owned());
    check(&foo, "/foo", true);
    check(&foo, "/foo/x", true);
    check(&foo, "/foobar", false);
    let slash = PathMatcher::Prefix("/foo/".to_owned());
    check(&slash, "/foo", false);
    check(&slash, "/foo/", true);
    check(&PathMatcher::Prefix("/".to_owned()), "/x", true);
    check(&PathMatcher::Exact("/foo".to_owned()), "/foo/", false);
    check(&PathMatcher::Pattern("/foo".to_owned()), "/FOOBAR", true);
}

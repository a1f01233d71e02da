//! The command line as its users see it: every case is a file of `testdata/cli`.
//!
//! `TRYCMD=overwrite cargo test -p gatewright-cli --test cli` rewrites what they expect.

#[test]
fn cases() {
    trycmd::TestCases::new()
        .register_bin("gatewright", trycmd::cargo::cargo_bin!("gatewright"))
        // Nothing of the machine that runs the tests may show.
        .env("COLUMNS", "100")
        .case("../../testdata/cli/*.toml")
        .case("../../testdata/cli/*.trycmd");
}

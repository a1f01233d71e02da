//! Beside PCRE2, which needs a C compiler: replaying on stable does without.
#![no_main]

use gatewright_fuzz::pattern::{Engine, Groups, Oracle};
use pcre2::bytes::{Regex, RegexBuilder};

struct Pcre;

struct Compiled(Regex);

impl Oracle for Pcre {
    fn compile(&self, text: &str, fold: bool) -> Option<Box<dyn Engine>> {
        let built = RegexBuilder::new().caseless(fold).build(text);
        Some(Box::new(Compiled(built.ok()?)))
    }
}

impl Engine for Compiled {
    fn find(&self, path: &str) -> Option<Option<Groups>> {
        let Some(found) = self.0.captures(path.as_bytes()).ok()? else {
            return Some(None);
        };
        let groups = 0..found.len();
        let range = |group| found.get(group).map(|part| part.start()..part.end());
        Some(Some(groups.map(range).collect()))
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewright_fuzz::pattern::run_beside(data, Some(&Pcre)));

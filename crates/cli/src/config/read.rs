//! From the text of `gatewright.toml` to values, with everything that is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_source::{FileId, Span};
use gatewright_transpile::annotation_keys;
use globset::{GlobBuilder, GlobMatcher};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::exceptions::{Action, Day, Exception};
use super::keys::{Check, Default, Key, Kind, SECTIONS, Shape, TOP, Value, quoted, unknown_code};
use super::{Entries, File, Located};
use crate::args::EmitArg;
use crate::config::keys;
use crate::discover::Patterns;
use crate::suggest::nearest;
use crate::sync::{Mapping, Target};

/// What was read, and what is wrong with it. The findings point into `file`.
pub(super) fn read(text: &str, file: FileId, entries: &mut Entries) -> Vec<Diagnostic> {
    let mut reader = Reader {
        file,
        base: entries.directory.clone(),
        faults: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => reader.top(table.get_ref(), entries),
        Err(error) => {
            let whole = error.span().unwrap_or(0..0);
            let message = error.message().lines().next().unwrap_or_default();
            reader.fault(
                Code::ConfigSyntax,
                format!("not valid TOML: {message}"),
                &whole,
                "mend the file, or pass `--no-config` to do without it",
            );
        }
    }
    reader.faults
}

struct Reader {
    file: FileId,
    base: std::path::PathBuf,
    faults: Vec<Diagnostic>,
}

type Fields = BTreeMap<&'static str, Located<Value>>;

impl Reader {
    fn span(&self, place: &Range<usize>) -> Span {
        span(self.file, place)
    }

    fn fault(&mut self, code: Code, message: String, at: &Range<usize>, help: impl Into<String>) {
        let diagnostic = Diagnostic::new(code, message).at(self.span(at)).help(help);
        self.faults.push(diagnostic);
    }

    fn top(&mut self, table: &DeTable<'_>, entries: &mut Entries) {
        let names = || {
            let keys = TOP.iter().map(|key| key.name);
            keys.chain(SECTIONS.iter().map(|section| section.name))
        };
        for (key, value) in table {
            let name: &str = key.get_ref();
            if let Some(known) = TOP.iter().find(|known| known.name == name) {
                if let Some(value) = self.value(known, value) {
                    entries.values.insert(known.name, value);
                }
            } else if let Some(section) = SECTIONS.iter().find(|s| s.name == name) {
                self.section(section.name, &section.shape, value, entries);
            } else {
                self.unknown(name, &key.span(), names(), "");
            }
        }
    }

    fn unknown(
        &mut self,
        name: &str,
        at: &Range<usize>,
        known: impl Iterator<Item = &'static str>,
        place: &str,
    ) {
        let known: Vec<&str> = known.collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("the keys{place} are {}", quoted(&known)),
        };
        let message = format!("there is no key `{name}`{place}");
        self.fault(Code::ConfigKey, message, at, help);
    }

    fn wrong_type(&mut self, name: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(
            Code::ConfigValue,
            format!("`{name}` is {found}"),
            &value.span(),
            format!("write {wanted}"),
        );
    }

    fn value(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) -> Option<Located<Value>> {
        let at = value.span();
        let value = match (key.kind, value.get_ref()) {
            (Kind::Flag, DeValue::Boolean(flag)) => Value::Flag(*flag),
            (Kind::Text(check), DeValue::String(text)) => {
                Value::Text(self.check(key.name, check, text, &at)?)
            }
            (Kind::Day, DeValue::String(text)) => self.day(text, &at)?,
            (Kind::Day, DeValue::Datetime(day)) => self.day(&day.to_string(), &at)?,
            (Kind::List(check), DeValue::Array(list)) => {
                let mut good = Vec::new();
                for item in list {
                    if let DeValue::String(text) = item.get_ref() {
                        good.extend(self.check(key.name, check, text, &item.span()));
                    } else {
                        self.wrong_type(key.name, item, "texts in quotes");
                    }
                }
                if good.is_empty() && list.is_empty() && key.default == Default::Required {
                    self.fault(
                        Code::ConfigValue,
                        format!("`{}` is empty", key.name),
                        &at,
                        "name at least one",
                    );
                }
                Value::List(good)
            }
            (kind, _) => {
                let wanted = match kind {
                    Kind::Flag => "`true` or `false`".to_owned(),
                    Kind::Text(check) => match check.choices() {
                        Some(choices) => format!("one of {}, in quotes", quoted(&choices)),
                        None => "a text in quotes".to_owned(),
                    },
                    Kind::List(_) => "a list of texts, such as `[\"one\", \"two\"]`".to_owned(),
                    Kind::Day => "a date, such as `2027-01-31`".to_owned(),
                };
                self.wrong_type(key.name, value, &wanted);
                return None;
            }
        };
        Some(Located { value, at })
    }

    fn check(&mut self, name: &str, check: Check, text: &str, at: &Range<usize>) -> Option<String> {
        match check.check(text) {
            Ok(text) => Some(text),
            Err((what, help)) => {
                self.fault(Code::ConfigValue, format!("`{name}`: {what}"), at, help);
                None
            }
        }
    }

    fn day(&mut self, text: &str, at: &Range<usize>) -> Option<Value> {
        if Day::parse(text).is_some() {
            return Some(Value::Text(text.to_owned()));
        }
        self.fault(
            Code::ConfigValue,
            format!("`{text}` is not a day"),
            at,
            "write year, month and day, such as `2027-01-31`",
        );
        None
    }

    fn section(
        &mut self,
        name: &'static str,
        shape: &Shape,
        value: &Spanned<DeValue<'_>>,
        entries: &mut Entries,
    ) {
        match (shape, value.get_ref()) {
            (Shape::Severities, DeValue::Table(table)) => self.severities(table, entries),
            (Shape::Aliases, DeValue::Table(table)) => self.aliases(table, entries),
            (Shape::Entries(keys), DeValue::Array(list)) => {
                for item in list {
                    if let DeValue::Table(table) = item.get_ref() {
                        if let Some(fields) = self.entry(name, keys, table, &item.span()) {
                            self.take(name, fields, item.span(), entries);
                        }
                    } else {
                        self.wrong_type(name, item, &format!("`[[{name}]]` before each entry"));
                    }
                }
            }
            (Shape::Entries(_), _) => {
                self.wrong_type(name, value, &format!("`[[{name}]]` before each entry"));
            }
            (_, _) => self.wrong_type(name, value, &format!("`[{name}]` and a line for each")),
        }
    }

    /// The fields of an entry; none when one that is needed is missing or wrong.
    fn entry(
        &mut self,
        section: &str,
        keys: &'static [Key],
        table: &DeTable<'_>,
        at: &Range<usize>,
    ) -> Option<Fields> {
        let before = self.faults.len();
        let mut fields = Fields::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            if let Some(known) = keys.iter().find(|known| known.name == name) {
                let value = self.value(known, value);
                fields.extend(value.map(|value| (known.name, value)));
            } else {
                let place = format!(" in `[[{section}]]`");
                self.unknown(name, &key.span(), keys.iter().map(|key| key.name), &place);
            }
        }
        for key in keys {
            let needed = key.default == Default::Required;
            if needed && !table.keys().any(|name| name.get_ref() == key.name) {
                self.fault(
                    Code::ConfigValue,
                    format!("an entry of `[[{section}]]` has no `{}`", key.name),
                    at,
                    format!("add `{} = …`", key.name),
                );
            }
        }
        (self.faults.len() == before).then_some(fields)
    }

    fn take(&mut self, section: &str, mut fields: Fields, at: Range<usize>, entries: &mut Entries) {
        let action = match section {
            "suppress" => Action::Suppress,
            "accept" => Action::Accept,
            _ => return self.mapping(&fields, at, entries),
        };
        let mut text = |name| match fields.remove(name) {
            Some(Located {
                value: Value::Text(text),
                at,
            }) => Some(Located { value: text, at }),
            _ => None,
        };
        let (Some(code), Some(reason)) = (text("code"), text("reason")) else {
            return;
        };
        let Some(found) = Code::find(&code.value) else {
            return;
        };
        if action == Action::Suppress && found.floor() > Severity::Info {
            let help = if found.floor() == Severity::Error {
                "leave the file out with `exclude`"
            } else {
                "accept it for one object with `[[accept]]`, which keeps it in the report as an info"
            };
            let message = format!("{found} cannot be suppressed");
            self.fault(Code::ConfigProtected, message, &code.at, help);
            return;
        }
        if action == Action::Accept && found.floor() == Severity::Error {
            let message = format!("{found} cannot be accepted");
            self.fault(
                Code::ConfigProtected,
                message,
                &code.at,
                "leave the file out with `exclude`",
            );
            return;
        }
        let (object, path) = (text("object"), text("path"));
        let expires = text("expires").and_then(|day| Some((Day::parse(&day.value)?, day.value)));
        let base = self.base.clone();
        // Without its pattern an entry would hold for everything.
        let mut bad = |what: String, at: &Range<usize>| {
            self.fault(Code::ConfigValue, what, at, "simplify the pattern");
        };
        // Names that are accepted hold nothing that a pattern would take for special.
        let object = match object.map(|object| (matcher(&object.value), object.at)) {
            None => None,
            Some((Ok(matcher), _)) => Some(matcher),
            Some((Err(error), at)) => return bad(format!("`object`: {error}"), &at),
        };
        let path = match path.map(|path| {
            let patterns = Patterns::new(Some(base.clone()), [path.value.as_str()], "path");
            (patterns, path.at)
        }) {
            None => None,
            Some((Ok(patterns), _)) => Some(patterns),
            Some((Err(fault), at)) => return bad(fault.message, &at),
        };
        entries.exceptions.push(Exception {
            action,
            code: found,
            object,
            path,
            reason: reason.value,
            expires,
            at,
        });
    }

    fn mapping(&mut self, fields: &Fields, at: Range<usize>, entries: &mut Entries) {
        let (Some(from), Some(to)) = (fields.get("from"), fields.get("to")) else {
            return;
        };
        let Some(Ok(target)) = to.value.text().map(Target::parse) else {
            return;
        };
        let emit = fields.get("emit");
        let chosen = emit.and_then(|emit| keys::choice::<EmitArg>(&emit.value));
        if target.is_split() && chosen.is_some_and(|emit| emit != EmitArg::Routes) {
            let at = emit.map_or(at, |emit| emit.at.clone());
            self.fault(
                Code::ConfigValue,
                "the Gateway belongs to no directory".to_owned(),
                &at,
                "write `emit = \"routes\"` here, and the Gateway with a mapping of its own that has the same `from`, a plain `to` and `emit = \"infra\"`",
            );
            return;
        }
        entries.sync.push(Mapping {
            from: from.value.list().to_vec(),
            from_at: from.at.clone(),
            emit: chosen.or(target.is_split().then_some(EmitArg::Routes)),
            target,
            to_at: to.at.clone(),
        });
    }

    fn severities(&mut self, table: &DeTable<'_>, entries: &mut Entries) {
        for (key, value) in table {
            let Some(code) = Code::find(key.get_ref()) else {
                let (what, help) = unknown_code(key.get_ref());
                self.fault(Code::ConfigKey, what, &key.span(), help);
                continue;
            };
            let words = ["error", "warning", "info"];
            let DeValue::String(text) = value.get_ref() else {
                self.wrong_type(key.get_ref(), value, &quoted(&words));
                continue;
            };
            let severity = match &**text {
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                "info" => Severity::Info,
                other => {
                    let help = match (other, nearest(other, words)) {
                        ("off" | "none" | "ignore" | "allow", _) => {
                            "`[[suppress]]` hides findings, for a reason".to_owned()
                        }
                        (_, Some(word)) => format!("did you mean `{word}`?"),
                        (_, None) => format!("write one of {}", quoted(&words)),
                    };
                    let message = format!("`{other}` is not a severity");
                    self.fault(Code::ConfigValue, message, &value.span(), help);
                    continue;
                }
            };
            if severity < code.floor() {
                self.fault(
                    Code::ConfigProtected,
                    format!("{code} cannot be lowered to `{severity}`"),
                    &value.span(),
                    format!("`{}` is as low as it goes", code.floor()),
                );
                continue;
            }
            let at = value.span();
            let before = entries.severity.insert(
                code,
                Located {
                    value: severity,
                    at,
                },
            );
            if before.is_some() {
                let message = format!("{code} is set twice");
                self.fault(Code::ConfigValue, message, &key.span(), "keep one");
            }
        }
    }

    fn aliases(&mut self, table: &DeTable<'_>, entries: &mut Entries) {
        let known = annotation_keys();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let DeValue::String(meant) = value.get_ref() else {
                self.wrong_type(name, value, "an annotation key in quotes");
                continue;
            };
            if known.contains(&name) {
                self.fault(
                    Code::ConfigKey,
                    format!("`{name}` has a meaning of its own in ingress-nginx"),
                    &key.span(),
                    "only keys that ingress-nginx does not know can be aliases",
                );
            } else if name.contains('/') || name.is_empty() {
                let bare = name.rsplit('/').next().unwrap_or_default();
                let message = "an alias is a key without prefix".to_owned();
                self.fault(
                    Code::ConfigKey,
                    message,
                    &key.span(),
                    format!("write `{bare}`"),
                );
            } else if !known.contains(&&**meant) {
                let help = match nearest(meant, known.iter().copied()) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "write an annotation key of ingress-nginx, without prefix".to_owned(),
                };
                let message = format!("`{meant}` is not an ingress-nginx annotation");
                self.fault(Code::ConfigValue, message, &value.span(), help);
            } else {
                let (value, at) = (meant.to_string(), value.span());
                let alias = Located { value, at };
                entries.aliases.insert(name.to_owned(), alias);
            }
        }
    }
}

fn matcher(glob: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(glob).literal_separator(true).build()?;
    Ok(glob.compile_matcher())
}

/// A byte range of the configuration as a place in `file`.
pub(crate) fn span(file: FileId, place: &Range<usize>) -> Span {
    let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(file, byte(place.start), byte(place.end))
}

impl File {
    /// A place of the file as `NAME:LINE:COLUMN`.
    pub(crate) fn place(&self, at: &Range<usize>) -> String {
        let position = self.sources.position(span(FileId(0), at));
        format!("{}:{}:{}", self.name, position.line, position.column)
    }
}

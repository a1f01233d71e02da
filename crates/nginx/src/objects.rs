//! The objects that a conversion reads, from what readers have read.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_diagnostics::{
    Code, Diagnostic, Ledger, LedgerObject, ObjectRef, Outcome, Severity,
};
use gatewright_source::Span;

use crate::IndexMap;
use crate::flags::Flags;
use crate::ingress::Ingress;
use crate::named::{Name, Told};
use crate::reading::{
    Content, Described, Found, Items, Reader, Reading, Says, SecretInfo, ServiceInfo,
};

/// Namespace and name.
pub(crate) type Key = (Arc<str>, Arc<str>);

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// Ingresses in the order of the input, each with its items in the ledger.
    pub ingresses: Vec<(Box<Ingress>, LedgerObject)>,
    /// `spec.controller` of each `IngressClass`.
    pub classes: BTreeMap<Arc<str>, Arc<str>>,
    /// Services by namespace and name.
    pub services: IndexMap<Arc<str>, IndexMap<Arc<str>, ServiceInfo>>,
    /// Secrets, with the names of their keys and what those hold.
    pub secrets: BTreeMap<Key, SecretInfo>,
    /// `ConfigMap`s.
    pub config_maps: BTreeMap<Key, ConfigMapInfo>,
    /// Flags of a controller found in the input.
    pub flags: Flags,
    /// Ingresses of other namespaces than the one that was asked for.
    pub elsewhere: Vec<Ingress>,
    /// Ingresses of which there are copies that say different things, with the places of all
    /// and their digests.
    pub contested: BTreeMap<ObjectRef, Vec<(Span, u128)>>,
    /// What is known of objects that are not among these.
    pub told: BTreeMap<Name, Told>,
}

impl Objects {
    /// A Service that is here.
    pub(crate) fn service(&self, namespace: &str, name: &str) -> Option<&ServiceInfo> {
        self.services.get(namespace)?.get(name)
    }

    /// What is known of an object that is not here.
    pub(crate) fn told(&self, kind: &'static str, namespace: &str, name: &str) -> Option<Told> {
        let key = Name {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        self.told.get(&key).copied()
    }

    /// Why a Secret that is not here does not exist, if that can be said: it was looked for, or
    /// other Secrets of its namespace are here.
    pub(crate) fn secret_is_missing(&self, namespace: &str, name: &str) -> Option<Missing> {
        match self.told("Secret", namespace, name) {
            Some(Told::Absent) => Some(Missing::LookedFor),
            Some(Told::Withheld) => None,
            None => {
                let mut others = self.secrets.keys();
                let other = others.any(|(of, _)| **of == *namespace);
                other.then_some(Missing::AmongOthers)
            }
        }
    }

    /// The digest of an Ingress of which there are copies that say different things.
    pub(crate) fn digest(&self, ingress: &Ingress) -> Option<u128> {
        let copies = self.contested.get(&ingress.object)?;
        let copy = copies.iter().find(|(span, _)| *span == ingress.name_span)?;
        Some(copy.1)
    }
}

/// Why an object is taken not to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Somebody asked the cluster.
    LookedFor,
    /// Others of its kind and namespace are in the input.
    AmongOthers,
}

/// What a `ConfigMap` holds.
#[derive(Clone, Debug)]
pub(crate) struct ConfigMapInfo {
    /// Keys and values with the place of each.
    pub data: Vec<(Arc<str>, Arc<str>, Span)>,
    /// Its items in the ledger.
    pub ledger: LedgerObject,
}

/// Puts together what readers have read, some at a time.
#[derive(Debug, Default)]
pub struct Intake {
    pub(crate) ledger: Ledger,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) objects: Objects,
    pub(crate) seen: IndexMap<ObjectRef, Vec<Copy>>,
}

/// Where an object was read, and what it says.
#[derive(Debug)]
pub(crate) struct Copy {
    span: Span,
    digest: u128,
    /// Where it stands among the Ingresses, if it is one.
    at: usize,
}

/// How a copy of an object stands to the copies before it.
enum Standing {
    /// There is none before it.
    First,
    /// One says the same.
    Same {
        /// Where that one stands among the Ingresses.
        at: usize,
    },
    /// Others say something else.
    Contested,
    /// Others say something else, and this one is read in their place.
    Preferred,
    /// Others say something else, and one of them is read.
    Lesser,
}

impl Intake {
    /// Takes in what was read, in the order of the input.
    pub fn take(&mut self, reading: Reading, reader: &mut Reader) {
        self.diagnostics.extend(reading.diagnostics);
        for found in reading.found {
            match found {
                Found::Object(described) => self.object(described, reader),
                Found::Elsewhere(ingress) => self.objects.elsewhere.push(ingress),
                Found::Workload(workload) => {
                    self.objects.flags.read(&workload);
                }
            }
        }
    }

    fn object(&mut self, described: Described, reader: &mut Reader) {
        let Described {
            object,
            items,
            content,
        } = described;
        let Some(Content { says, span, digest }) = content else {
            self.account(&object, items, reader);
            return;
        };
        let standing = self.standing(&object, span, digest);
        let is_read = matches!(standing, Standing::First | Standing::Preferred);
        let item = self.account(&object, items, reader);
        match says {
            Says::Ingress(ingress) => self.ingress(ingress, &standing, item),
            Says::ConfigMap(_) if !is_read => self.other_is_read(item),
            _ if !is_read => {}
            Says::Class(controller) => {
                let name = Arc::clone(&object.name);
                self.objects.classes.insert(name, controller);
            }
            Says::Service(service) => {
                let (namespace, name) = key(&object);
                let of_namespace = self.objects.services.entry(namespace).or_default();
                of_namespace.insert(name, service);
            }
            Says::Secret(secret) => {
                self.objects.secrets.insert(key(&object), secret);
            }
            Says::ConfigMap(data) => {
                let info = ConfigMapInfo { data, ledger: item };
                if let Some(other) = self.objects.config_maps.insert(key(&object), info) {
                    self.other_is_read(other.ledger);
                }
            }
        }
    }

    fn other_is_read(&mut self, item: LedgerObject) {
        let reason = Outcome::no_effect("another copy of the object is read");
        self.ledger.settle_rest(item, |_| Some(reason.clone()));
    }

    /// Opens the account of an object.
    fn account(&mut self, object: &ObjectRef, items: Items, reader: &mut Reader) -> LedgerObject {
        let ledger = &mut self.ledger;
        match items {
            Items::Whole(span, reason) => {
                let path = ledger.path("");
                let item = ledger.open(object, [(path, span)]);
                ledger.settle(item, span, &Outcome::no_effect(reason));
                item
            }
            Items::Each {
                leaves,
                unknown,
                all,
            } => {
                let leaves = reader.items(leaves, ledger);
                let item = ledger.open(object, leaves);
                for span in unknown {
                    ledger.settle(item, span, &Outcome::Refused(Code::UnknownField));
                }
                if let Some(all) = all {
                    ledger.settle_rest(item, |_| Some(all.clone()));
                }
                item
            }
        }
    }

    fn ingress(&mut self, ingress: Box<Ingress>, standing: &Standing, item: LedgerObject) {
        match *standing {
            Standing::Same { at } => {
                // A manifest has no time of creation, and what `kubectl get` printed has one.
                if let Some((copy, _)) = self.objects.ingresses.get_mut(at) {
                    copy.created = copy.created.take().max(ingress.created);
                }
                let reason = Outcome::no_effect("another copy says the same");
                self.ledger.settle_rest(item, |_| Some(reason.clone()));
                return;
            }
            Standing::Contested => {
                let copies = self.seen.get(&ingress.object).into_iter().flatten();
                let copies = copies.map(|copy| (copy.span, copy.digest));
                let contested = &mut self.objects.contested;
                contested.insert(ingress.object.clone(), copies.collect());
            }
            Standing::First | Standing::Preferred | Standing::Lesser => {}
        }
        self.objects.ingresses.push((ingress, item));
    }

    /// How this copy of an object stands to those read before. Which of them is taken depends
    /// on what they say, never on the order in which they come.
    fn standing(&mut self, object: &ObjectRef, span: Span, digest: u128) -> Standing {
        let at = self.objects.ingresses.len();
        let known = self.seen.entry(object.clone()).or_default();
        let Some(first) = known.first() else {
            // Nearly always the only one.
            known.reserve_exact(1);
            known.push(Copy { span, digest, at });
            return Standing::First;
        };
        let diagnostic = Diagnostic::new(Code::DuplicateObject, "the object occurs twice");
        if let Some(same) = known.iter().find(|copy| copy.digest == digest) {
            self.diagnostics.push(
                diagnostic
                    .severity(Severity::Warning)
                    .object(object)
                    .label(span, "left out")
                    .label(same.span, "says the same")
                    .help("remove one of them"),
            );
            return Standing::Same { at: same.at };
        }
        let ingress = &*object.kind == "Ingress";
        let note = if ingress {
            "nobody can tell which one the cluster holds: none is converted, and the paths of all of them answer 503"
        } else {
            "one of them is read, whatever the order of the files; it may be the wrong one"
        };
        self.diagnostics.push(
            Diagnostic::new(
                Code::DuplicateObject,
                "the object occurs twice, with different contents",
            )
            .object(object)
            .label(span, "one copy")
            .label(first.span, "another one")
            .note(note)
            .help("remove one of them, or convert them apart"),
        );
        let least = known.iter().all(|copy| digest < copy.digest);
        known.push(Copy { span, digest, at });
        if ingress {
            Standing::Contested
        } else if least {
            Standing::Preferred
        } else {
            Standing::Lesser
        }
    }
}

fn key(object: &ObjectRef) -> Key {
    (Arc::clone(&object.namespace), Arc::clone(&object.name))
}

//! Which Ingresses the controller takes (`internal/ingress/controller/store` of ingress-nginx).

use gatewright_diagnostics::{Code, Diagnostic, ObjectRef, Severity};
use gatewright_yaml::closest;

use crate::ingress::Ingress;
use crate::objects::Objects;

/// The annotation that named a class before `spec.ingressClassName`.
pub(crate) const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// What is to be converted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Names of classes; empty for the controller's default `nginx`.
    pub classes: Vec<String>,
    /// Take Ingresses that name no class.
    pub without_class: bool,
    /// Only these, as `NAME` or `NS/NAME`; empty for all.
    pub names: Vec<String>,
}

/// Why an Ingress is left out.
pub(crate) struct Skipped {
    /// For the ledger.
    pub(crate) reason: String,
    /// For the user; none when the user asked for it.
    pub(crate) diagnostic: Option<Diagnostic>,
    /// The user asked for others.
    pub(crate) unasked: bool,
}

fn is_called(object: &ObjectRef, name: &str) -> bool {
    match name.split_once('/') {
        Some((namespace, name)) => *namespace == *object.namespace && *name == *object.name,
        None => *name == *object.name,
    }
}

/// What is asked for by name and not there. Nothing at all is an error, as it is for `kubectl`.
pub(crate) fn unmatched(selection: &Selection, ingresses: &[&ObjectRef]) -> Vec<Diagnostic> {
    let missing: Vec<&String> = selection
        .names
        .iter()
        .filter(|name| !ingresses.iter().any(|object| is_called(object, name)))
        .collect();
    let severity = if missing.len() == selection.names.len() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let one = |name: &String| {
        let full = |object: &&ObjectRef| format!("{}/{}", object.namespace, object.name);
        let known: Vec<String> = if name.contains('/') {
            ingresses.iter().map(full).collect()
        } else {
            ingresses.iter().map(|o| o.name.to_string()).collect()
        };
        let message = format!("`--ingress {name}` matches no Ingress of the input");
        let found = Diagnostic::new(Code::IngressNotFound, message).severity(severity);
        found.help(closest(name, known.iter().map(String::as_str)).map_or_else(
            || "correct the name, or add the file that holds it".to_owned(),
            |likely| format!("did you mean `{likely}`?"),
        ))
    };
    missing.into_iter().map(one).collect()
}

/// Whether an Ingress is taken.
pub(crate) fn select(
    ingress: &Ingress,
    objects: &Objects,
    selection: &Selection,
) -> Result<(), Box<Skipped>> {
    let object = &ingress.object;
    let asked = selection.names.iter().any(|name| is_called(object, name));
    if !asked && !selection.names.is_empty() {
        return Err(Box::new(Skipped {
            reason: "the Ingress was not asked for by name".to_owned(),
            diagnostic: None,
            unasked: true,
        }));
    }
    by_class(ingress, objects, selection)
}

/// Whether the controller takes an Ingress, asked for or not.
pub(crate) fn by_class(
    ingress: &Ingress,
    objects: &Objects,
    selection: &Selection,
) -> Result<(), Box<Skipped>> {
    let object = &ingress.object;
    let flags = &objects.flags;
    let default = flags.class();
    let named_by_user = !selection.classes.is_empty();
    let named = |class: &str| {
        if named_by_user {
            selection.classes.iter().any(|wanted| wanted == class)
        } else {
            class == default
        }
    };
    let controller = flags.controller();
    let skipped = |class: &str, span| {
        let mut found = Diagnostic::new(
            Code::ClassSkipped,
            format!("the class `{class}` is not converted"),
        )
        .object(object)
        .at(span);
        if let Some(serves) = objects.classes.get(class).filter(|_| !named_by_user) {
            found = found.note(format!(
                "the IngressClass in the input belongs to the controller `{serves}`"
            ));
        }
        found = found.help(if class.is_empty() {
            "name a class in `spec.ingressClassName` in place of the annotation".to_owned()
        } else {
            format!("convert it with `--ingress-class {class}`")
        });
        Err(Box::new(Skipped {
            reason: format!("the Ingress belongs to the class `{class}`"),
            diagnostic: Some(found),
            unasked: false,
        }))
    };
    if let Some(class) = &ingress.class_name {
        let taken = match objects.classes.get(&class.value) {
            // Asked for by name, it is converted whatever its controller is called.
            Some(_) if named_by_user && named(&class.value) => true,
            Some(serves) => **serves == *controller,
            None => named(&class.value),
        };
        return if taken {
            Ok(())
        } else {
            skipped(&class.value, class.span)
        };
    }
    let legacy = ingress
        .annotations
        .iter()
        .find(|annotation| &*annotation.key.value == CLASS_ANNOTATION);
    if let Some(annotation) = legacy {
        return if named(&annotation.value.value) {
            Ok(())
        } else {
            skipped(&annotation.value.value, annotation.value.span)
        };
    }
    if selection.without_class || flags.without_class {
        return Ok(());
    }
    Err(Box::new(Skipped {
        reason: "the Ingress names no class".to_owned(),
        diagnostic: Some(
            Diagnostic::new(Code::NoClass, "the Ingress names no class and is left out")
                .object(object)
                .at(ingress.name_span)
                .help("pass `--no-class include`, or set `spec.ingressClassName`"),
        ),
        unasked: false,
    }))
}

//! Which Ingresses the controller takes (`internal/ingress/controller/store` of ingress-nginx).

use gatewright_diagnostics::{Code, Diagnostic};

use crate::ingress::Ingress;
use crate::objects::Objects;

/// `spec.controller` of the classes that ingress-nginx serves unless told otherwise.
const CONTROLLER: &str = "k8s.io/ingress-nginx";
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

/// Whether an Ingress is taken.
pub(crate) fn select(
    ingress: &Ingress,
    objects: &Objects,
    selection: &Selection,
) -> Result<(), Box<Skipped>> {
    let object = &ingress.object;
    if !selection.names.is_empty() {
        let full = format!("{}/{}", object.namespace, object.name);
        if !selection
            .names
            .iter()
            .any(|name| *name == *object.name || *name == full)
        {
            return Err(Box::new(Skipped {
                reason: "the Ingress was not asked for by name".to_owned(),
                diagnostic: None,
                unasked: true,
            }));
        }
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
    let default = flags.ingress_class.as_deref().unwrap_or("nginx");
    let named = |class: &str| {
        if selection.classes.is_empty() {
            class == default
        } else {
            selection.classes.iter().any(|wanted| wanted == class)
        }
    };
    let controller = flags.controller_class.as_deref().unwrap_or(CONTROLLER);
    let skipped = |class: &str, span| {
        Err(Box::new(Skipped {
            reason: format!("the Ingress belongs to the class `{class}`"),
            diagnostic: Some(
                Diagnostic::new(
                    Code::ClassSkipped,
                    format!("the class `{class}` is not converted"),
                )
                .object(object)
                .at(span)
                .help(format!("convert it with `--ingress-class {class}`")),
            ),
            unasked: false,
        }))
    };
    if let Some(class) = &ingress.class_name {
        let taken = match objects.classes.get(&class.value) {
            // Asked for by name, it is converted whatever its controller is called.
            Some(_) if !selection.classes.is_empty() && named(&class.value) => true,
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

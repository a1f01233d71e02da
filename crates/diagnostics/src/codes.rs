use std::fmt;

use serde::{Serialize, Serializer};

use crate::Severity;

/// What the table of codes says of one code.
#[derive(Debug)]
pub struct CodeInfo {
    /// Its number, such as 123 for `GW0123`.
    pub number: u16,
    /// Its name in words, such as `helm-template`.
    pub name: &'static str,
    /// Its severity unless a diagnostic says otherwise.
    pub severity: Severity,
    /// What it means, in one line.
    pub title: &'static str,
    /// The explain page: what happened, why it matters, what to do. Markdown.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $name:literal, $severity:ident, $title:literal, $explanation:literal;)*) => {
        /// The code of a diagnostic. Numbers never change their meaning.
        ///
        /// Ranges: 01xx reading files, 02xx Kubernetes objects, 03xx how ingress-nginx combines
        /// them, 04xx annotation keys and values, 05xx translated with a difference, 06xx refused,
        /// 07xx limits of the target, 08xx patterns, 09xx environment.
        #[expect(clippy::doc_markdown, reason = "the titles are shown on terminals as they are")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant = $number,)*
        }

        /// The table of codes, in ascending order.
        pub static CODES: &[(Code, CodeInfo)] = &[
            $((Code::$variant, CodeInfo {
                number: $number,
                name: $name,
                severity: Severity::$severity,
                title: $title,
                explanation: $explanation,
            }),)*
        ];
    };
}

codes! {
    Syntax = 101, "yaml-syntax", Error, "a document is not valid YAML",
        "The document cannot be read, and neither could kubectl read it. It is skipped; all other documents are converted and the exit code is 3.\n\nMend the document at the place shown.";
    HelmTemplate = 102, "helm-template", Error, "a document is a Helm template",
        "The document holds template actions (`{{ … }}`), so it is not YAML yet. It is skipped; all other documents are converted and the exit code is 3.\n\nRender the chart first: `helm template RELEASE CHART | gatewright convert -`.";
    DuplicateKey = 103, "duplicate-key", Warning, "a key occurs twice in one map",
        "YAML forbids it, but kubectl reads it and silently keeps the last value, and so does Gatewright. Often the first one was meant to count, or the two were to be merged: two `annotations:` blocks in one object lose all annotations of the first.\n\nRemove one of the two. Both places are shown.";
    YamlLimit = 104, "yaml-limit", Error, "a document is nested too deep or aliases blow it up",
        "Limits keep a document from using up memory: maps and lists may be nested 500 levels deep, and aliases (`*name`) may write out no more than kubectl lets them. The document is skipped; all other documents are converted and the exit code is 3.\n\nNo Kubernetes object comes near these limits. Write aliased values out, or check where the file comes from.";
    TextIgnored = 105, "text-ignored", Warning, "text behind the end of a document is ignored",
        "A line `...` ends a document. kubectl reads nothing from there to the next `---`, and neither does Gatewright, so objects that stand there are lost.\n\nReplace `...` by `---`, or remove it.";
    AnnotationRejectsIngress = 400, "annotation-rejects-ingress", Error, "an annotation value makes ingress-nginx drop the Ingress",
        "The value does not pass the controller's validation, and for this annotation the controller then drops the whole Ingress object: none of its hosts and paths is served. (On a running controller the last accepted version of the object stays until a restart, which hides the fault.)\n\nCorrect the value, or remove the annotation. With `--nginx-version pre-1.12` values are judged as controllers before v1.12 did, which did not validate them.";
    AnnotationDeniesIngress = 401, "annotation-denies-ingress", Error, "an annotation value makes ingress-nginx answer 503",
        "The controller accepts the Ingress but cannot use this value, and as the annotation protects something it refuses every request to the paths of the Ingress with 503 rather than serve them without it.\n\nCorrect the value. The output answers 503 too.";
    AnnotationValueIgnored = 402, "annotation-value-ignored", Warning, "an annotation value is ignored",
        "The value does not pass the controller's validation. For this annotation that means it is ignored and its default holds, so the Ingress has never done what it says.\n\nThe output does what ingress-nginx does. Correct the value if you want what it says, or remove the annotation.";
    AnnotationGroupDropped = 403, "annotation-group-dropped", Warning, "an annotation value makes ingress-nginx ignore a group of annotations",
        "The controller reads related annotations together. This value makes it give up on the group, so the other annotations of the group have no effect either.\n\nThe output does what ingress-nginx does. Correct the value.";
    AuthSwitchedOff = 404, "auth-switched-off", Error, "an annotation value switches authentication off",
        "The value makes the controller leave the authentication out instead of refusing requests: the paths look protected in the manifest and are open to everyone. This is a security problem of the Ingress as it is, not of the conversion.\n\nCorrect the value, and check whether somebody has used the opening.";
    AnnotationBreaksNginx = 405, "annotation-breaks-nginx", Error, "an annotation value breaks the nginx configuration",
        "The value passes the controller's validation but nginx refuses the configuration made from it. From then on the controller cannot apply any change to any Ingress; it keeps the last configuration that worked.\n\nCorrect the value. The output is made as if the annotation were not there.";
    AnnotationTooRisky = 406, "annotation-too-risky", Error, "an annotation is above the allowed risk level",
        "Since v1.12 the controller drops every Ingress with an annotation whose risk is above `annotations-risk-level` of its ConfigMap, which is `High` unless set. The five snippet annotations are of risk `Critical`. None of the hosts and paths of the Ingress is served, whatever the value of the annotation.\n\nIf your cluster allows them, hand the controller's ConfigMap to gatewright (`--controller-config`). To judge as older controllers did, use `--nginx-version pre-1.12`.";
    SnippetDropped = 407, "snippet-dropped", Warning, "a snippet is dropped by the controller",
        "The risk level of the controller allows snippets but `allow-snippet-annotations` is false, so the controller serves the Ingress and leaves the text of the snippet out.\n\nThe output leaves it out too. If the cluster allows snippets, hand the controller's ConfigMap to gatewright (`--controller-config`).";
    AnnotationOverridden = 408, "annotation-overridden", Warning, "an annotation is overridden by its other name",
        "The annotation has two names and both are set. The controller reads one of them; the other has no effect, they are not merged.\n\nKeep one.";
    AnnotationNoEffect = 409, "annotation-no-effect", Info, "an annotation has no effect",
        "The controller reads the annotation only together with another one, which is missing or off, or its value is what would happen anyway.\n\nRemove it, or add what it needs.";
    UnknownAnnotation = 410, "unknown-annotation", Warning, "an annotation does not exist",
        "The key stands under the controller's prefix, but no release of ingress-nginx has ever read it: it is a key of the controller's ConfigMap, another controller's name, or an invention. It has had no effect.\n\nThe output leaves it out. If a key is suggested, look whether that was meant.";
    MisspeltAnnotation = 411, "misspelt-annotation", Warning, "an annotation is misspelt",
        "The key stands under the controller's prefix and differs from a real one by a few letters. The controller ignores it in silence, so it has had no effect.\n\nThe output leaves it out. Use the key that is suggested if its effect is wanted.";
    RemovedAnnotation = 412, "removed-annotation", Warning, "an annotation was removed from ingress-nginx",
        "An earlier release of the controller read this key; later ones ignore it in silence. It has had no effect since the controller was upgraded.\n\nThe output leaves it out. The message names what replaced it, if anything did.";
    AnnotationOddValue = 414, "annotation-odd-value", Warning, "an annotation value means something unexpected",
        "The value is accepted, but what the controller makes of it is probably not what its author meant.\n\nThe output does what ingress-nginx does. Read the note and change the value if it is not what you want.";
    ConfigValueIgnored = 420, "controller-setting-ignored", Warning, "a value of the controller's ConfigMap is ignored",
        "The value cannot be read as what the key needs, so the controller keeps the default of the key.\n\nThe output does the same. Correct the value or remove the key.";
    ConfigKeyUnknown = 421, "controller-setting-unknown", Info, "a key of the controller's ConfigMap does not exist",
        "The controller ignores keys that it does not know. It has had no effect.\n\nThe output leaves it out.";
    UnreadableFile = 901, "unreadable-file", Error, "a file or directory cannot be read",
        "The operating system refused to open or read it; the message says why. Everything else is converted, and the exit code is 2, because nobody knows what the file would have added: ingress-nginx merges Ingresses of all files, so the output may lack routes.\n\nGive yourself the right to read it, name other paths, or leave it out with `--exclude`.";
    NotUtf8 = 902, "not-utf-8", Error, "a document is not UTF-8",
        "The document holds bytes that are not UTF-8, so kubectl could not read it either. It is skipped; all other documents are converted and the exit code is 3.\n\nSave the file as UTF-8. Windows PowerShell writes UTF-16 with `>`; use `Out-File -Encoding utf8` there.";
    NoInputFile = 903, "no-input-file", Warning, "the paths hold no file to read",
        "The directories and globs given hold no `.yaml`, `.yml` or `.json` file. Hidden files and those that .gitignore names are passed over.\n\nName a file itself to have it read whatever it is called.";
}

impl Code {
    /// The row of the table.
    pub fn info(self) -> &'static CodeInfo {
        let at = CODES
            .binary_search_by_key(&(self as u16), |(_, info)| info.number)
            .unwrap_or(0);
        &CODES[at].1
    }

    /// Finds `GW0123`, `gw0123`, `0123`, `123` or the name in words.
    pub fn find(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let number = upper.strip_prefix("GW").unwrap_or(&upper).parse::<u16>();
        CODES
            .iter()
            .find(|(_, info)| number.as_ref() == Ok(&info.number) || info.name == text)
            .map(|&(code, _)| code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GW{:04}", *self as u16)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_names_are_unique() {
        assert!(CODES.windows(2).all(|w| w[0].1.number < w[1].1.number));
        let mut names: Vec<_> = CODES.iter().map(|(_, info)| info.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
    }

    #[test]
    fn codes_are_found_by_number_and_name() {
        for text in ["GW0102", "gw0102", "0102", "102", "helm-template"] {
            assert_eq!(Code::find(text), Some(Code::HelmTemplate), "{text}");
        }
        assert_eq!(Code::find("GW9999"), None);
    }
}

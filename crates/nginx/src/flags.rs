//! The command line of the controller, when its Deployment is among the input objects.

use gatewright_yaml::Node;

/// Flags of ingress-nginx (`pkg/flags/flags.go`) that change a conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `--annotations-prefix`.
    pub annotations_prefix: Option<String>,
    /// `--default-ssl-certificate`, as `namespace/name`.
    pub default_ssl_certificate: Option<(String, String)>,
    /// `--configmap`, as `namespace/name`.
    pub config_map: Option<(String, String)>,
    /// `--ingress-class`.
    pub ingress_class: Option<String>,
    /// `--controller-class`.
    pub controller_class: Option<String>,
    /// `--watch-ingress-without-class`.
    pub without_class: bool,
    /// `--enable-ssl-passthrough`.
    pub ssl_passthrough: bool,
    /// `--enable-annotation-validation=false`.
    pub no_validation: bool,
    /// `--default-backend-service`, as `namespace/name`.
    pub default_backend: Option<(String, String)>,
}

impl Flags {
    /// Reads the arguments of a workload's containers, if one of them is the controller.
    /// Returns whether it is.
    pub(crate) fn read(&mut self, workload: &Node) -> bool {
        let containers = workload
            .at("spec.template.spec.containers")
            .and_then(Node::as_sequence)
            .unwrap_or_default();
        let name = workload.at("metadata.name").and_then(Node::as_str);
        // Where the chart puts the controller unless told otherwise.
        let namespace = (workload.at("metadata.namespace").and_then(Node::as_str))
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or("ingress-nginx");
        for container in containers {
            let texts = |key| {
                container
                    .get(key)
                    .and_then(Node::as_sequence)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(Node::as_str)
            };
            let args: Vec<&str> = texts("command").chain(texts("args")).collect();
            let image = container.get("image").and_then(Node::as_str);
            let ours = args
                .iter()
                .any(|arg| arg.ends_with("nginx-ingress-controller"))
                || image.is_some_and(|i| i.contains("ingress-nginx/controller"))
                || name == Some("ingress-nginx-controller");
            if ours {
                for arg in args {
                    self.flag(arg, namespace);
                }
                return true;
            }
        }
        false
    }

    /// The class that the controller serves whatever its `IngressClass` says.
    pub(crate) fn class(&self) -> &str {
        self.ingress_class.as_deref().unwrap_or("nginx")
    }

    /// `spec.controller` of the classes that it serves.
    pub(crate) fn controller(&self) -> &str {
        let default = "k8s.io/ingress-nginx";
        self.controller_class.as_deref().unwrap_or(default)
    }

    /// `own` is the namespace of the controller.
    fn flag(&mut self, arg: &str, own: &str) {
        let Some(arg) = arg.strip_prefix("--") else {
            return;
        };
        let (name, value) = arg.split_once('=').unwrap_or((arg, "true"));
        let pair = || {
            let (namespace, name) = value.split_once('/')?;
            // `$(POD_NAMESPACE)`
            let namespace = if namespace.starts_with("$(") {
                own
            } else {
                namespace
            };
            Some((namespace.to_owned(), name.to_owned()))
        };
        match name {
            "annotations-prefix" => self.annotations_prefix = Some(value.to_owned()),
            "default-ssl-certificate" => self.default_ssl_certificate = pair(),
            "configmap" => self.config_map = pair(),
            "ingress-class" => self.ingress_class = Some(value.to_owned()),
            "controller-class" => self.controller_class = Some(value.to_owned()),
            "watch-ingress-without-class" => self.without_class = value == "true",
            "enable-ssl-passthrough" => self.ssl_passthrough = value == "true",
            "enable-annotation-validation" => self.no_validation = value == "false",
            "default-backend-service" => self.default_backend = pair(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use gatewright_source::FileId;

    use super::*;

    fn flags(metadata: &str) -> Flags {
        let text = format!(
            "kind: Deployment\nmetadata: {{{metadata}}}\nspec: {{template: {{spec: {{containers: [{{image: registry/ingress-nginx/controller, args: [--configmap=$(POD_NAMESPACE)/own]}}]}}}}}}\n"
        );
        let parsed = gatewright_yaml::parse(FileId(0), &text);
        let mut flags = Flags::default();
        assert!(flags.read(&parsed.documents[0].root), "{text}");
        flags
    }

    #[test]
    fn the_own_namespace_is_that_of_the_workload() {
        let map = |metadata| flags(metadata).config_map.unwrap().0;
        assert_eq!(map("name: x, namespace: edge"), "edge");
        assert_eq!(map("name: x"), "ingress-nginx");
    }
}

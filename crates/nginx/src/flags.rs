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
                    self.flag(arg);
                }
                return true;
            }
        }
        false
    }

    fn flag(&mut self, arg: &str) {
        let Some(arg) = arg.strip_prefix("--") else {
            return;
        };
        let (name, value) = arg.split_once('=').unwrap_or((arg, "true"));
        let pair = || {
            let (namespace, name) = value.split_once('/')?;
            // `$(POD_NAMESPACE)` is where the chart puts the controller unless told otherwise.
            let namespace = if namespace.starts_with("$(") {
                "ingress-nginx"
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

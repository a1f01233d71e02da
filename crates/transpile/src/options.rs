use std::collections::BTreeMap;

use gatewright_nginx::{Name, Told};

/// What to do with an Ingress that names no class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoClass {
    /// Convert it, as a controller with `--watch-ingress-without-class` would serve it.
    Include,
    /// Leave it out and say so.
    Skip,
}

/// Which objects to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// What belongs to the platform team: class, Gateway and base policies.
    Infra,
    /// What belongs to the application teams: routes and their policies.
    Routes,
    /// Both.
    All,
}

/// Whose reading of annotation values is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NginxVersion {
    /// Controller 1.12 and later, which validates annotation values.
    V1_15,
    /// Before 1.12, which does not.
    Pre1_12,
}

/// What the output is made to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Whatever Envoy Gateway can say of what ingress-nginx does.
    Faithful,
    /// What somebody would write by hand who knows Gateway API, without quirks of nginx.
    Idiomatic,
}

/// How to convert. The command line states every choice; its own defaults are those of `Default`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Classes that the controller in question serves; empty for what its Deployment in the
    /// input says, or else `nginx`.
    pub ingress_classes: Vec<String>,
    /// What to do with an Ingress that names no class.
    pub no_class: NoClass,
    /// Objects of this namespace only; objects without one are put into it.
    pub namespace: Option<String>,
    /// Only these Ingresses, as `NAME` or `NS/NAME`; empty for all.
    pub ingresses: Vec<String>,
    /// Namespace and name of the controller's own `ConfigMap`.
    pub controller_config: Option<(String, String)>,
    /// Namespace and name of the controller's default certificate.
    pub default_ssl_certificate: Option<(String, String)>,
    /// The controller's annotation prefix, when it is not `nginx.ingress.kubernetes.io`.
    pub annotations_prefix: Option<String>,
    /// The controller runs with `--enable-ssl-passthrough`.
    pub ssl_passthrough: bool,
    /// Namespace and name of an existing Gateway to attach to.
    pub gateway: Option<(String, String)>,
    /// Name of the `GatewayClass`, when it is not ours.
    pub gateway_class: Option<String>,
    /// Names of the listeners of that Gateway, for HTTP and for HTTPS; by port where there is
    /// none.
    pub listeners: (Option<String>, Option<String>),
    /// Write `ListenerSet`s beside the certificates, however few these are.
    pub listener_sets: bool,
    /// The label that namespaces need for their routes; `None` lets in all.
    pub allowed_routes: Option<(String, String)>,
    /// Which objects to write.
    pub emit: Emit,
    /// Whose reading of annotation values is followed.
    pub nginx_version: NginxVersion,
    /// What the output is made to be.
    pub profile: Profile,
    /// Whether the YAML says where each rule comes from.
    pub comments: bool,
    /// Number of threads; `None` for one a processor.
    pub threads: Option<usize>,
    /// Annotation keys without prefix that ingress-nginx does not know, and the known one that
    /// each is read as.
    pub aliases: BTreeMap<String, String>,
    /// Refusals that the user accepts, as `CODE=NS/NAME`.
    pub accept: Vec<String>,
    /// What is known of objects that the input names and does not hold; of others, what else is
    /// in the input tells whether they exist.
    pub told: BTreeMap<Name, Told>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ingress_classes: Vec::new(),
            no_class: NoClass::Skip,
            namespace: None,
            ingresses: Vec::new(),
            controller_config: None,
            default_ssl_certificate: None,
            annotations_prefix: None,
            ssl_passthrough: false,
            gateway: None,
            gateway_class: None,
            listeners: (None, None),
            listener_sets: false,
            allowed_routes: None,
            emit: Emit::All,
            nginx_version: NginxVersion::V1_15,
            profile: Profile::Faithful,
            comments: true,
            threads: None,
            aliases: BTreeMap::new(),
            accept: Vec::new(),
            told: BTreeMap::new(),
        }
    }
}

//! Which cluster, and how to speak to it.

use std::io::ErrorKind;
use std::time::Duration;

use gatewright_diagnostics::Diagnostic;
use gatewright_yaml::closest;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::runtime::{Builder, Runtime};

use crate::fault;
use crate::proxy::is_direct;

/// How to get to a cluster.
#[derive(Clone, Debug)]
pub struct Access {
    /// The context of the kubeconfig; its own choice where there is none.
    pub context: Option<String>,
    /// How long to wait for one answer.
    pub timeout: Duration,
    /// Objects a page of a list.
    pub page: u32,
}

/// A cluster that can be read.
pub struct Cluster {
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
    pub(crate) place: Place,
    pub(crate) timeout: Duration,
    pub(crate) page: u32,
    namespace: String,
}

/// How messages speak of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// The context; none inside of the cluster.
    context: Option<String>,
    pub(crate) server: String,
    /// The program that logs in.
    pub(crate) login: Option<String>,
    /// What the kubeconfig says to those who do not have it.
    pub(crate) hint: Option<String>,
}

impl Place {
    pub(crate) fn name(&self) -> String {
        match &self.context {
            Some(context) => format!("context `{context}`"),
            None => "the service account of the pod".to_owned(),
        }
    }

    pub(crate) fn kubectl(&self) -> String {
        match &self.context {
            Some(context) => format!("kubectl --context {context}"),
            None => "kubectl".to_owned(),
        }
    }
}

impl Cluster {
    /// Finds the cluster as kubectl does: `KUBECONFIG`, `~/.kube/config`, or the pod that this
    /// runs in. Nothing is asked yet, but a login program may run.
    pub fn open(access: &Access) -> Result<Self, Box<Diagnostic>> {
        // Only one provider is meant, but others may be in the same program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| fault::config(format!("no connection can be made: {error}")))?;
        let (mut config, context) = runtime.block_on(find(access))?;
        config.connect_timeout = Some(access.timeout);
        config.read_timeout = Some(access.timeout);
        config.write_timeout = Some(access.timeout);
        let exec = config.auth_info.exec.as_ref();
        let place = Place {
            context,
            server: config
                .cluster_url
                .to_string()
                .trim_end_matches('/')
                .to_owned(),
            login: exec.and_then(|exec| exec.command.clone()),
            hint: exec.and_then(|exec| exec.install_hint.clone()),
        };
        let namespace = config.default_namespace.clone();
        let client = {
            let _inside = runtime.enter();
            Client::try_from(config).map_err(|error| fault::connection(&place, error))?
        };
        Ok(Self {
            runtime,
            client,
            place,
            timeout: access.timeout,
            page: access.page,
            namespace,
        })
    }

    /// The namespace that the context, or the pod, is in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}

async fn find(access: &Access) -> Result<(Config, Option<String>), Box<Diagnostic>> {
    let given = std::env::var_os("KUBECONFIG").is_some_and(|paths| !paths.is_empty());
    let kubeconfig = match Kubeconfig::read() {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => {
            let absent = match &error {
                KubeconfigError::ReadConfig(error, _) => error.kind() == ErrorKind::NotFound,
                KubeconfigError::FindPath => true,
                _ => false,
            };
            if absent && !given && access.context.is_none() {
                return match Config::incluster() {
                    Ok(config) => Ok((config, None)),
                    Err(_) => Err(Box::new(no_kubeconfig())),
                };
            }
            return Err(Box::new(unreadable(&error)));
        }
    };
    let chosen = match (&access.context, &kubeconfig.current_context) {
        (Some(context), _) => context.clone(),
        (None, Some(context)) if !context.is_empty() => context.clone(),
        (None, _) => {
            // A pod may have an empty kubeconfig.
            if let (true, Ok(config)) = (kubeconfig.contexts.is_empty(), Config::incluster()) {
                return Ok((config, None));
            }
            return Err(Box::new(no_context(&kubeconfig)));
        }
    };
    let known = || {
        kubeconfig
            .contexts
            .iter()
            .map(|context| context.name.as_str())
    };
    if !known().any(|name| name == chosen) {
        return Err(Box::new(unknown_context(
            &chosen,
            known(),
            access.context.is_some(),
        )));
    }
    let options = KubeConfigOptions {
        context: Some(chosen.clone()),
        ..KubeConfigOptions::default()
    };
    let own_proxy = has_own_proxy(&kubeconfig, &chosen);
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| {
            fault::config(format!(
                "context `{chosen}` of the kubeconfig cannot be used"
            ))
            .note(plain(&error))
            .help(format!(
                "see whether `kubectl --context {chosen} version` works"
            ))
        })?;
    if !own_proxy && config.proxy_url.is_some() {
        let rules = ["NO_PROXY", "no_proxy"].map(|key| std::env::var(key).ok());
        let rules = rules.into_iter().flatten().find(|rules| !rules.is_empty());
        let host = config.cluster_url.host().unwrap_or_default();
        let port = config.cluster_url.port_u16().unwrap_or(443);
        if is_direct(host, port, rules.as_deref().unwrap_or_default()) {
            config.proxy_url = None;
        }
    }
    Ok((config, Some(chosen)))
}

/// Whether the kubeconfig names the proxy, and not the environment.
fn has_own_proxy(kubeconfig: &Kubeconfig, context: &str) -> bool {
    let mut contexts = kubeconfig.contexts.iter();
    let context = contexts.find(|named| named.name == context);
    let Some(context) = context.and_then(|named| named.context.as_ref()) else {
        return false;
    };
    let mut clusters = kubeconfig.clusters.iter();
    let cluster = clusters.find(|named| named.name == context.cluster);
    let cluster = cluster.and_then(|named| named.cluster.as_ref());
    cluster
        .and_then(|cluster| cluster.proxy_url.as_ref())
        .is_some_and(|proxy| !proxy.is_empty())
}

fn no_kubeconfig() -> Diagnostic {
    fault::config("there is no kubeconfig, and this is not a pod of a cluster")
        .note("looked for are the files of `KUBECONFIG`, `~/.kube/config`, and a service account")
        .help("set `KUBECONFIG` to the file that leads to the cluster")
}

fn unreadable(error: &KubeconfigError) -> Diagnostic {
    fault::config("the kubeconfig cannot be read")
        .note(plain(error))
        .help(
            "`kubectl config view` shows what kubectl makes of it; `KUBECONFIG` names other files",
        )
}

/// What is wrong with a kubeconfig. A parser quotes what it cannot read, which may be a token.
fn plain(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => {
            let place = error.location();
            place.map_or_else(
                || "it is not the YAML of a kubeconfig".to_owned(),
                |place| {
                    format!(
                        "it is not the YAML of a kubeconfig, at line {}",
                        place.line()
                    )
                },
            )
        }
        KubeconfigError::ReadConfig(error, path) => {
            format!("`{}`: {}", path.display(), fault::plain(error))
        }
        other => other.to_string(),
    }
}

fn no_context(kubeconfig: &Kubeconfig) -> Diagnostic {
    let names: Vec<&str> = kubeconfig
        .contexts
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    let found = fault::config("the kubeconfig names no current context");
    if names.is_empty() {
        return found
            .note("it holds no context at all")
            .help("set `KUBECONFIG` to another file");
    }
    found.help(format!("name one with `--context`: {}", list(&names)))
}

fn unknown_context<'a>(
    wanted: &str,
    known: impl Iterator<Item = &'a str>,
    asked: bool,
) -> Diagnostic {
    let names: Vec<&str> = known.collect();
    let found = fault::config(if asked {
        format!("the kubeconfig has no context `{wanted}`")
    } else {
        format!("the kubeconfig has no context `{wanted}`, which it names as the current one")
    });
    match closest(wanted, names.iter().copied()) {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => found.help("set `KUBECONFIG` to another file"),
        None => found.help(format!("it has {}", list(&names))),
    }
}

fn list(names: &[&str]) -> String {
    const MOST: usize = 8;
    let mut words: Vec<String> = (names.iter().take(MOST))
        .map(|name| format!("`{name}`"))
        .collect();
    if let Some(more) = names.len().checked_sub(MOST).filter(|more| *more > 0) {
        words.push(format!("{more} more"));
    }
    words.join(", ")
}

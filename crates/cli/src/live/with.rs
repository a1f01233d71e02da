//! A build that reads clusters.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_cluster::{
    Access, Answer, CERTIFICATES, CONFIG_MAPS, Cluster, DAEMON_SETS, DEPLOYMENTS, Document,
    GATEWAY_KINDS, INGRESS_CLASSES, INGRESSES, Item, Keep, NAMESPACES, Resource, SECRETS, SERVICES,
    SURVEY_KINDS,
};
use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_source::SourceMap;
use gatewright_transpile::{
    Conversion, GATEWAY, Input, Name, Need, Options, Scout, Told, Workload, workload,
};

use super::Gathered;
use crate::args::LiveArgs;
use crate::config::Failure;
use crate::read::ReadFault;

/// Ends a run with findings that have no place in a file.
fn fatal(found: Vec<Diagnostic>) -> Failure {
    Failure::Findings(SourceMap::default(), found)
}

/// Seconds to wait for an answer.
const TIMEOUT: u32 = 30;
/// Objects a page, as many as kubectl asks for.
const PAGE: u32 = 500;
/// The controller's ConfigMap names others, and decides which annotations count.
const ROUNDS: usize = 4;

/// A cluster that is being read.
pub(crate) struct Session {
    cluster: Cluster,
    /// The namespace that is wanted, if not all are.
    namespace: Option<String>,
    /// Whether to read what else a move touches.
    survey: bool,
}

type Listed = Result<Vec<Document>, Box<Diagnostic>>;

impl Session {
    /// `namespace` is the one that flags or the configuration name.
    pub(crate) fn open(
        args: &LiveArgs,
        all: bool,
        namespace: Option<String>,
    ) -> Result<Self, Failure> {
        let access = Access {
            context: args.context.clone(),
            timeout: Duration::from_secs(args.request_timeout.unwrap_or(TIMEOUT).into()),
            page: args.chunk_size.unwrap_or(PAGE),
        };
        let cluster = Cluster::open(&access).map_err(|found| fatal(vec![*found]))?;
        let namespace = if all {
            None
        } else {
            namespace.or_else(|| Some(cluster.namespace().to_owned()))
        };
        Ok(Self {
            cluster,
            namespace,
            survey: false,
        })
    }

    pub(crate) fn namespace(&self) -> Option<String> {
        self.namespace.clone()
    }

    /// Has [`Self::left`] read what else a move touches.
    pub(crate) fn survey(&mut self) {
        self.survey = true;
    }

    /// The Ingresses, and what decides what they do.
    pub(crate) fn left(&self, options: &Options) -> Result<Gathered, Failure> {
        // Who names the controller's ConfigMap may be allowed to look nowhere else.
        let of_controller = options.controller_config.as_ref().map(|(ns, _)| ns.clone());
        let lists = self.cluster.list(&[
            (INGRESSES, self.namespace.clone()),
            (INGRESS_CLASSES, None),
            (SERVICES, self.namespace.clone()),
            (DEPLOYMENTS, of_controller.clone()),
            (DAEMON_SETS, of_controller),
        ]);
        let [ingresses, classes, services, deployments, daemon_sets]: [Listed; 5] = lists
            .try_into()
            .unwrap_or_else(|_| std::array::from_fn(|_| Ok(Vec::new())));
        let mut reading = Reading::new(&self.cluster, options);
        let ingresses = ingresses.map_err(|found| fatal(vec![*found]))?;
        if ingresses.is_empty() {
            reading.told(self.no_ingress());
        }
        let classes = reading.or_told(classes)?;
        let services = reading.or_told(services)?;
        let mut seen = inputs(&ingresses);
        seen.extend(inputs(&classes));
        let workloads = reading.workloads([deployments, daemon_sets])?;
        let chosen = choose(workloads, options, &seen)?;
        match chosen {
            Some(input) => seen.push(input),
            None => reading.told(no_controller()),
        }
        reading.scout.look(&seen);
        reading.inputs = seen;
        reading.inputs.extend(inputs(&services));
        reading.named()?;
        if self.survey {
            let others = std::mem::take(&mut reading.others);
            reading.inputs.extend(others);
            reading.survey()?;
        }
        Ok(reading.finish())
    }

    fn no_ingress(&self) -> Diagnostic {
        match &self.namespace {
            Some(namespace) => Diagnostic::new(
                Code::IngressNotFound,
                format!("the namespace `{namespace}` of the cluster holds no Ingress"),
            )
            .help("name another one with `--namespace`, or read all of them with `-A`"),
            None => Diagnostic::new(Code::IngressNotFound, "the cluster holds no Ingress"),
        }
    }

    /// The objects that decide behind a Gateway, and those that a conversion wrote.
    pub(crate) fn right(
        &self,
        options: &Options,
        conversion: Option<&Conversion>,
    ) -> Result<(Vec<Input>, Vec<ReadFault>), Failure> {
        let one = |found: Box<Diagnostic>| fatal(vec![*found]);
        let kinds = self.cluster.kinds(GATEWAY_KINDS).map_err(one)?;
        let mut faults = Vec::new();
        if !kinds.absent.is_empty() {
            faults.push(ReadFault::told(absent_kinds(&kinds.absent)));
        }
        let wanted: Vec<(Resource, Option<String>)> = kinds
            .present
            .iter()
            .flat_map(|resource| {
                let namespaces = self.namespaces(resource, options, conversion);
                namespaces.into_iter().map(|of| (resource.clone(), of))
            })
            .collect();
        let mut documents = Vec::new();
        let mut refused = Vec::new();
        for list in self.cluster.list(&wanted) {
            match list {
                Ok(list) => documents.extend(list),
                Err(found) => refused.push(*found),
            }
        }
        // With half of the policies, anything could seem to be open.
        if !refused.is_empty() {
            refused.dedup();
            return Err(fatal(refused));
        }
        let mut items: Vec<Item> = Vec::new();
        let mut add = |resource: Resource, namespace: &str, name: &str| {
            let known = |item: &Item| {
                item.resource == resource && item.namespace == namespace && item.name == name
            };
            if !items.iter().any(known) {
                items.push(Item {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    keep: Keep::Whole,
                    resource,
                });
            }
        };
        for (namespace, name) in documents.iter().filter_map(|d| d.users.as_ref()) {
            add(SECRETS, namespace, name);
        }
        for written in conversion.iter().flat_map(|c| &c.written) {
            let resource = match written.kind {
                "Secret" => SECRETS,
                "Namespace" => NAMESPACES,
                "Certificate" => CERTIFICATES,
                _ => continue,
            };
            add(resource, &written.namespace, &written.name);
        }
        let mut failed = Failures::default();
        for (item, answer) in items.iter().zip(self.cluster.get(&items)) {
            match answer {
                Answer::Found(document) => documents.push(document),
                Answer::Absent => {}
                Answer::Failed(found) => failed.add(item, *found)?,
            }
        }
        faults.extend(failed.into_faults());
        Ok((inputs(&documents), faults))
    }

    fn namespaces(
        &self,
        resource: &Resource,
        options: &Options,
        conversion: Option<&Conversion>,
    ) -> Vec<Option<String>> {
        let Some(own) = self.namespace.as_ref().filter(|_| resource.namespaced) else {
            return vec![None];
        };
        let gateway = options.gateway.as_ref().map_or(GATEWAY.0, |(ns, _)| ns);
        let mut namespaces = vec![own.clone(), gateway.to_owned()];
        let written = conversion.iter().flat_map(|c| &c.written);
        namespaces.extend(
            written
                .map(|written| written.namespace.to_string())
                .filter(|namespace| !namespace.is_empty()),
        );
        namespaces.sort();
        namespaces.dedup();
        namespaces.into_iter().map(Some).collect()
    }
}

/// What is read on the left, step by step.
struct Reading<'a> {
    cluster: &'a Cluster,
    options: Options,
    scout: Scout<'a>,
    inputs: Vec<Input>,
    /// Workloads that run no controller.
    others: Vec<Input>,
    faults: Vec<ReadFault>,
}

impl<'a> Reading<'a> {
    fn new(cluster: &'a Cluster, options: &'a Options) -> Self {
        Self {
            cluster,
            options: options.clone(),
            scout: Scout::new(options),
            inputs: Vec::new(),
            others: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn told(&mut self, found: Diagnostic) {
        self.faults.push(ReadFault::told(found));
    }

    /// A list without which the rest is of use.
    fn or_told(&mut self, list: Listed) -> Result<Vec<Document>, Failure> {
        match list {
            Ok(documents) => Ok(documents),
            Err(found) if found.code == Code::ClusterForbidden => {
                self.told(*found);
                Ok(Vec::new())
            }
            Err(found) => Err(fatal(vec![*found])),
        }
    }

    /// The workloads that run a controller.
    fn workloads(&mut self, lists: [Listed; 2]) -> Result<Vec<(Input, Workload)>, Failure> {
        let named = self.options.controller_config.is_some();
        let mut found = Vec::new();
        let mut refused = Vec::new();
        for list in lists {
            match list {
                Ok(documents) => {
                    for input in inputs(&documents) {
                        match workload(&input.text) {
                            Some(workload) => found.push((input, workload)),
                            None => self.others.push(input),
                        }
                    }
                }
                Err(fault) if fault.code == Code::ClusterForbidden => refused.push(*fault),
                Err(fault) => return Err(fatal(vec![*fault])),
            }
        }
        if named {
            for fault in refused {
                let warning = fault.severity(Severity::Warning).note(
                    "the controller's flags are not known; say on the command line which of them it runs with",
                );
                self.told(warning);
            }
        } else if !refused.is_empty() {
            let why = |fault: Diagnostic| {
                fault
                    .note("the controller's ConfigMap and flags are found by its workload; without them nothing is converted")
                    .help("or name the ConfigMap with `--controller-config NAMESPACE/NAME`, and give the flags on the command line")
            };
            return Err(fatal(refused.into_iter().map(why).collect()));
        }
        Ok(found)
    }

    /// Reads what the objects name, until they name no more.
    fn named(&mut self) -> Result<(), Failure> {
        let mut asked: BTreeMap<Name, (Need, Option<Input>)> = BTreeMap::new();
        let mut failed = Failures::default();
        for _ in 0..ROUNDS {
            let named = self.scout.named();
            let config = named.config.clone();
            let all = named.config.map(|name| (name, Need::Content));
            let wanted: Vec<(Name, Need)> = all
                .into_iter()
                .chain(named.others)
                .filter(|(name, need)| asked.get(name).is_none_or(|(had, _)| had < need))
                .collect();
            if wanted.is_empty() {
                break;
            }
            let items: Vec<Item> = wanted
                .iter()
                .map(|(name, need)| item(name, *need))
                .collect();
            let answers = self.cluster.get(&items);
            for (((name, need), item), answer) in wanted.into_iter().zip(&items).zip(answers) {
                let found = match answer {
                    Answer::Found(document) => Some(input(&document)),
                    Answer::Absent => {
                        self.options.told.insert(name.clone(), Told::Absent);
                        None
                    }
                    Answer::Failed(found) if Some(&name) == config.as_ref() => {
                        return Err(fatal(vec![found.note(
                            "it is the controller's own: what it says holds for every Ingress, so nothing is converted without it",
                        )]));
                    }
                    Answer::Failed(found) => {
                        failed.add(item, *found)?;
                        self.options.told.insert(name.clone(), Told::Withheld);
                        None
                    }
                };
                if let (Some(input), "ConfigMap") = (&found, name.kind) {
                    self.scout.look(std::slice::from_ref(input));
                }
                asked.insert(name, (need, found));
            }
        }
        let found = asked.into_values().filter_map(|(_, input)| input);
        self.inputs.extend(found);
        self.faults.extend(failed.into_faults());
        Ok(())
    }

    /// What else a move touches. The report says less without it, and nothing wrong.
    fn survey(&mut self) -> Result<(), Failure> {
        let kinds = self.cluster.kinds(SURVEY_KINDS);
        let kinds = kinds.map_err(|found| fatal(vec![*found]))?;
        let wanted: Vec<(Resource, Option<String>)> = kinds
            .present
            .into_iter()
            .map(|resource| (resource, None))
            .collect();
        for list in self.cluster.list(&wanted) {
            match list {
                Ok(documents) => self.inputs.extend(inputs(&documents)),
                Err(found) if found.code == Code::ClusterForbidden => {
                    self.told(found.severity(Severity::Warning));
                }
                Err(found) => return Err(fatal(vec![*found])),
            }
        }
        Ok(())
    }

    fn finish(self) -> Gathered {
        Gathered {
            inputs: self.inputs,
            faults: self.faults,
            options: self.options,
        }
    }
}

fn item(name: &Name, need: Need) -> Item {
    let secret = name.kind == "Secret";
    Item {
        resource: if secret { SECRETS } else { CONFIG_MAPS },
        namespace: name.namespace.clone(),
        name: name.name.clone(),
        keep: match need {
            Need::Content => Keep::Whole,
            Need::Keys => Keep::Keys,
            Need::Existence => Keep::Existence,
        },
    }
}

/// Single objects that could not be read: one finding for each kind and namespace.
#[derive(Default)]
struct Failures {
    of: BTreeMap<(String, String), (Diagnostic, Vec<String>)>,
}

impl Failures {
    fn add(&mut self, item: &Item, found: Diagnostic) -> Result<(), Failure> {
        if found.code != Code::ClusterForbidden {
            return Err(fatal(vec![found]));
        }
        let key = (item.resource.kind.to_string(), item.namespace.clone());
        match self.of.entry(key) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                known.get_mut().1.push(format!("`{}`", item.name));
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert((found, Vec::new()));
            }
        }
        Ok(())
    }

    fn into_faults(self) -> impl Iterator<Item = ReadFault> {
        self.of.into_values().map(|(found, others)| {
            ReadFault::told(if others.is_empty() {
                found
            } else {
                found.note(format!("nor are {}", others.join(", ")))
            })
        })
    }
}

/// The controller that is meant, if there is one.
fn choose(
    mut workloads: Vec<(Input, Workload)>,
    options: &Options,
    seen: &[Input],
) -> Result<Option<Input>, Failure> {
    if workloads.len() > 1 {
        let own = |found: &Workload| {
            if let Some(config) = &options.controller_config {
                return found.config.as_ref() == Some(config);
            }
            let classes = &options.ingress_classes;
            classes.iter().any(|class| serves(found, class, seen))
        };
        let names: Vec<String> = workloads
            .iter()
            .map(|(input, found)| {
                let place = input.name.trim_start_matches("cluster:");
                match &found.config {
                    Some((namespace, name)) => {
                        format!("{place} with `--controller-config {namespace}/{name}`")
                    }
                    None => place.to_owned(),
                }
            })
            .collect();
        workloads.retain(|(_, found)| own(found));
        if workloads.len() != 1 {
            let found = Diagnostic::new(
                Code::ControllersSeveral,
                format!("{} controllers run in the cluster", names.len()),
            );
            let found = names.into_iter().fold(found, Diagnostic::note);
            return Err(fatal(vec![found.help(
                "name the one that is meant with `--controller-config NAMESPACE/NAME`, or a class that only it serves with `--ingress-class NAME`",
            )]));
        }
    }
    Ok(workloads.pop().map(|(input, _)| input))
}

/// Whether a controller serves a class: by the name in its flags, or because the class names it.
fn serves(found: &Workload, class: &str, seen: &[Input]) -> bool {
    let place = format!("cluster:IngressClass/{class}");
    match seen.iter().find(|input| input.name == place) {
        Some(input) => {
            let mut lines = input.text.lines().map(str::trim);
            lines.any(|line| line == format!("controller: {}", found.controller))
        }
        None => found.class == class,
    }
}

fn no_controller() -> Diagnostic {
    Diagnostic::new(
        Code::ControllerNotFound,
        "no Deployment and no DaemonSet of the cluster runs ingress-nginx",
    )
    .note("its flags are taken to be the default ones")
    .help("name its ConfigMap with `--controller-config`, and give the flags that it runs with")
}

fn absent_kinds(absent: &[(String, String)]) -> Diagnostic {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (group, kind) in absent {
        groups.entry(group).or_default().push(format!("`{kind}`"));
    }
    let found = Diagnostic::new(
        Code::ClusterKinds,
        "the cluster does not have all kinds that are compared",
    );
    groups.into_iter().fold(found, |found, (group, kinds)| {
        found.note(format!("without {} of {group}", kinds.join(", ")))
    })
}

fn inputs(documents: &[Document]) -> Vec<Input> {
    documents.iter().map(input).collect()
}

fn input(document: &Document) -> Input {
    Input {
        name: document.place(),
        text: document.text.clone(),
    }
}

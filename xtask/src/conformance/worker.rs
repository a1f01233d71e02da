//! A worker: one isolated stack that takes cases from standard input, one JSON line each, and
//! answers each with a JSON line on standard output.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use gatewright_transpile::Input;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::admission;
use super::cases::{Case, Exchange, Request};
use super::client;
use super::compare::Observed;
use super::conditions::{Inspection, inspect};
use super::convert::{Diagnostic, convert, options};
use super::dns::NameServer;
use super::echo::{Echo, Hit};
use super::envoy::{self, Envoy, Updates};
use super::ingresses::Ingress;
use super::inputs::{World, missing_services, prepare};
use super::kube::{ObjectRef, documents, readable};
use super::setup::Tools;
use super::stack::Stack;
use super::verdict::{Declaration, Judged, judge};
use super::witnesses::{self, Checked, Outcome, Question};

/// So often a request is sent again whose backend is not there yet; see
/// [`Worker::observe_when_ready`].
const ATTEMPTS: usize = 40;

/// So often a request is sent again where a lot decides who answers: enough to meet a backend
/// that gets one request in a hundred.
const DRAWS: usize = 1000;

/// One line to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) case: Case,
    pub(crate) declaration: Declaration,
    pub(crate) asking: Asking,
}

/// Which requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Asking {
    /// Those that were recorded.
    Recorded,
    /// Those that `verify` speaks of.
    Witnesses,
    /// Both.
    All,
}

/// One line back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CaseResult {
    pub(crate) name: String,
    pub(crate) seconds: f64,
    /// Why the case could not be carried through.
    pub(crate) failure: Option<String>,
    /// The case took the control plane down: the worker is of no more use.
    #[serde(default)]
    pub(crate) has_lost_stack: bool,
    pub(crate) exit_code: i32,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) objects: usize,
    /// Objects that the API server refused, and why.
    pub(crate) refused: Vec<String>,
    /// Conditions that are not as they should be.
    pub(crate) conditions: Vec<String>,
    pub(crate) requests: Vec<Judged>,
    /// What became of the predictions of `verify`.
    pub(crate) witnesses: Vec<Checked>,
}

impl CaseResult {
    /// A result without anything in it yet.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            seconds: 0.0,
            failure: None,
            has_lost_stack: false,
            exit_code: 0,
            diagnostics: Vec::new(),
            objects: 0,
            refused: Vec::new(),
            conditions: Vec::new(),
            requests: Vec::new(),
            witnesses: Vec::new(),
        }
    }

    /// The first failure is the one that tells.
    pub(crate) fn fail(&mut self, error: &anyhow::Error) {
        self.failure.get_or_insert_with(|| format!("{error:#}"));
    }
}

/// What lives as long as the worker.
pub(crate) struct Worker {
    tools: Tools,
    converter: PathBuf,
    directory: PathBuf,
    stack: Stack,
    runtime: Arc<Runtime>,
    echo: Echo,
    names: NameServer,
    envoy: Option<Envoy>,
    /// Objects that outlast a case, so that the next one finds its Gateway running.
    kept: BTreeSet<ObjectRef>,
    keep_last: bool,
}

impl Worker {
    pub(crate) fn start(
        tools: Tools,
        channel: &str,
        converter: PathBuf,
        directory: PathBuf,
        keep_last: bool,
    ) -> Result<Self> {
        let runtime = Arc::new(Runtime::new()?);
        let names = NameServer::start(&runtime)?;
        let stack = Stack::start(&tools, channel, &directory)?;
        let echo = Echo::new(Arc::clone(&runtime))?;
        Ok(Self {
            tools,
            converter,
            directory,
            stack,
            runtime,
            echo,
            names,
            envoy: None,
            kept: BTreeSet::new(),
            keep_last,
        })
    }

    /// Serves orders until standard input ends.
    pub(crate) fn serve(&mut self) -> Result<()> {
        let mut cleanup: Option<Vec<ObjectRef>> = None;
        for line in std::io::stdin().lock().lines() {
            let order: Order = serde_json::from_str(&line?).context("an order of the suite")?;
            if let Some(objects) = cleanup.take() {
                self.clean(&objects)?;
            }
            let begun = Instant::now();
            let mut result = CaseResult::new(&order.case.name);
            let mut objects = Vec::new();
            if let Err(error) = self.run(&order, &mut result, &mut objects) {
                result.fail(&error);
            }
            // With --keep the last case stays; which one is last is not known yet.
            if self.keep_last {
                cleanup = Some(objects);
            } else if let Err(error) = self.clean(&objects) {
                result.fail(&error);
            }
            if let Err(error) = self.stack.check_alive() {
                result.fail(&error);
                result.has_lost_stack = true;
            }
            result.seconds = begun.elapsed().as_secs_f64();
            let mut line = serde_json::to_string(&result)?;
            line.push('\n');
            let mut out = std::io::stdout().lock();
            out.write_all(line.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        order: &Order,
        result: &mut CaseResult,
        objects: &mut Vec<ObjectRef>,
    ) -> Result<()> {
        self.stack.check_alive()?;
        let case = &order.case;
        let directory = self.directory.join("cases").join(&case.name);
        fs::create_dir_all(&directory)?;
        let text = fs::read_to_string(case.input())
            .with_context(|| format!("cannot read {}", case.input().display()))?;
        // What nobody could read is in no cluster; recorded cases have nothing of the kind.
        let found = if case.exchanges.is_empty() {
            readable(&text)
        } else {
            documents(&text).with_context(|| format!("{}", case.input().display()))?
        };
        let input = flatten(found);
        let conversion = convert(&self.converter, case, &input, &directory)?;
        result.exit_code = conversion.exit_code;
        result.diagnostics.clone_from(&conversion.diagnostics);
        result.objects = conversion.output.len();

        let values: Vec<Value> = conversion
            .output
            .iter()
            .map(|(_, value)| value.clone())
            .collect();
        let before = Updates::read().unwrap_or_default();
        let mut given = input.clone();
        if order.asking != Asking::Recorded && case.exchanges.is_empty() {
            given.extend(missing_services(&input, &values));
        }
        let world = prepare(
            &self.stack.kube,
            &mut self.echo,
            &self.names,
            &given,
            &values,
        )?;
        objects.extend(world.objects.iter().cloned());
        let misjudged = admission::misjudged(&self.stack.kube, &input, &conversion.diagnostics)?;
        result.conditions.extend(misjudged);
        let applied = self.apply(&conversion.output, &world, result)?;
        objects.extend(applied.iter().cloned());
        self.prune(&applied)?;

        let inspection = self.await_conditions(&applied, &world)?;
        result.conditions.extend(inspection.pending);
        result.conditions.extend(inspection.bad);
        if self.envoy.is_some() {
            let after = envoy::settle(Duration::from_millis(300), Duration::from_secs(30))?;
            for name in after.refused_since(&before) {
                result
                    .conditions
                    .push(format!("Envoy refused configuration: {name}"));
            }
        }
        let ingresses = Ingress::all(&input);
        let recorded = match order.asking {
            Asking::Witnesses => &[][..],
            Asking::Recorded | Asking::All => &case.exchanges,
        };
        for exchange in recorded {
            let observed = if values.is_empty() {
                nobody()
            } else {
                let observed = self.observe_when_ready(exchange, &world, &ingresses);
                self.draw_again(observed, exchange, &world, &ingresses)
            };
            result.requests.push(judge(
                case,
                exchange,
                observed,
                &conversion.diagnostics,
                &ingresses,
                order.declaration,
            ));
        }
        // Where nothing was converted there is nobody to ask.
        if order.asking != Asking::Recorded && !values.is_empty() {
            let name = case.input().display().to_string();
            let asked =
                witnesses::questions(Input { name, text }, conversion.text, &options(&input));
            for question in &asked {
                result.witnesses.push(self.check(question, case, &world));
            }
        }
        if self.envoy.as_mut().is_some_and(|envoy| !envoy.is_alive()) {
            result
                .conditions
                .push("Envoy ended; see envoy.log".to_owned());
        }
        Ok(())
    }

    /// Applies every object of the output as it is written; returns those that were taken.
    fn apply(
        &self,
        output: &[(String, Value)],
        world: &World,
        result: &mut CaseResult,
    ) -> Result<Vec<ObjectRef>> {
        let mut applied = Vec::new();
        for (text, value) in output {
            let Some(object) = ObjectRef::of(value) else {
                result
                    .refused
                    .push(format!("an object without kind or name: {text}"));
                continue;
            };
            match self.stack.kube.apply(&object, text)? {
                Ok(_) => {
                    self.await_class(&object, world)?;
                    applied.push(object);
                }
                Err(refusal) => result.refused.push(format!("{object}: {refusal}")),
            }
        }
        Ok(applied)
    }

    /// Waits for the first word on a `GatewayClass` before its Gateways come.
    ///
    /// Envoy Gateway 1.9 has two writers of that status; when a Gateway comes at the same moment,
    /// one of them can put the API server's default back and leave it there.
    fn await_class(&self, object: &ObjectRef, world: &World) -> Result<()> {
        if object.kind != "GatewayClass" {
            return Ok(());
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        let class = std::slice::from_ref(object);
        while !inspect(&self.stack.kube, class, &world.names)?
            .pending
            .is_empty()
            && Instant::now() < deadline
        {
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Deletes what an earlier case left for its successor, and this one does not have.
    fn prune(&mut self, applied: &[ObjectRef]) -> Result<()> {
        let kept = std::mem::take(&mut self.kept);
        for object in kept {
            if !applied.contains(&object) {
                self.stack.kube.delete(&object)?;
            }
        }
        Ok(())
    }

    /// Waits until every object has a verdict of Envoy Gateway, playing kubelet meanwhile.
    fn await_conditions(&mut self, objects: &[ObjectRef], world: &World) -> Result<Inspection> {
        let limit =
            Duration::from_secs(30) + Duration::from_millis(20) * u32::try_from(objects.len())?;
        let begun = Instant::now();
        let mut judged_since = None;
        loop {
            if envoy::reconcile(
                &self.stack.kube,
                &self.tools,
                &self.stack.logs,
                &mut self.envoy,
            )? {
                judged_since = None;
            }
            let inspection = inspect(&self.stack.kube, objects, &world.names)?;
            if inspection.pending.is_empty() {
                let since = *judged_since.get_or_insert_with(Instant::now);
                // A complaint may be about something that Envoy Gateway has not seen yet.
                if inspection.bad.is_empty() || since.elapsed() > Duration::from_secs(3) {
                    return Ok(inspection);
                }
            } else {
                judged_since = None;
            }
            if begun.elapsed() > limit {
                return Ok(inspection);
            }
            self.stack.check_alive()?;
            sleep(Duration::from_millis(100));
        }
    }

    /// Envoy learns the endpoints of a new cluster a moment after the cluster: an answer 503
    /// where none is expected is asked for again for a while.
    fn observe_when_ready(
        &self,
        exchange: &Exchange,
        world: &World,
        ingresses: &[Ingress],
    ) -> Observed {
        let mut observed = self.observe(exchange, world, ingresses);
        let single = exchange.request.repeat.unwrap_or(1) == 1;
        let attempts = if exchange.nginx.backend.is_some() {
            ATTEMPTS
        } else {
            4
        };
        for _ in 0..attempts {
            if !single || !is_unready(&observed) || exchange.nginx.status == Some(503) {
                break;
            }
            sleep(Duration::from_millis(700));
            observed = self.observe(exchange, world, ingresses);
        }
        observed
    }

    /// Where the recorded answer was drawn by lot, the same one has to come some time.
    fn draw_again(
        &self,
        mut observed: Observed,
        exchange: &Exchange,
        world: &World,
        ingresses: &[Ingress],
    ) -> Observed {
        let host = &exchange.request.host;
        let Some(recorded) = &exchange.nginx.backend else {
            return observed;
        };
        let is_drawn = exchange.nginx.counts.is_none()
            && ingresses
                .iter()
                .any(|ingress| ingress.has_weight && ingress.concerns(host));
        for _ in 0..if is_drawn { DRAWS } else { 0 } {
            let first = observed.answers.first();
            let Some(hit) = first.and_then(|answered| answered.hit.as_ref()) else {
                break;
            };
            if hit.service == recorded.service {
                break;
            }
            observed = self.observe(exchange, world, ingresses);
        }
        observed
    }

    /// Sends what `verify` predicts the answer of, and compares.
    fn check(&self, question: &Question, case: &Case, world: &World) -> Checked {
        let mut checked = Checked {
            kind: question.kind,
            request: question.line(),
            predicted: question.predicted.to_string(),
            came: String::new(),
            outcome: Outcome::Right,
        };
        let request = match question.request(world) {
            Ok(request) => request,
            Err(why) => {
                checked.outcome = Outcome::Unsendable(why);
                return checked;
            }
        };
        for attempt in question.attempts(&request, world) {
            let observed = self.ask(question, &attempt, world);
            checked.came = observed.summary();
            match question.judge(&attempt, &observed, world) {
                Ok(wrong) if wrong.is_empty() => {}
                Ok(wrong) => {
                    let known = case
                        .wrong
                        .iter()
                        .find(|entry| entry.request == checked.request);
                    checked.outcome = match known {
                        Some(entry) => Outcome::Accepted(wrong, entry.reason.clone()),
                        None => Outcome::Wrong(wrong),
                    };
                    break;
                }
                Err(why) => {
                    checked.outcome = Outcome::Unsendable(why);
                    break;
                }
            }
        }
        checked
    }

    /// See [`Self::observe_when_ready`].
    fn ask(&self, question: &Question, request: &Request, world: &World) -> Observed {
        let is_routed = |hit: &Hit| question.is_routed(world, hit);
        let mut observed = self.send(request, world, question.hits(), is_routed);
        for _ in 0..ATTEMPTS {
            if !question.expects_backend() || !is_unready(&observed) {
                break;
            }
            sleep(Duration::from_millis(700));
            observed = self.send(request, world, question.hits(), is_routed);
        }
        observed
    }

    fn observe(&self, exchange: &Exchange, world: &World, ingresses: &[Ingress]) -> Observed {
        let request = &exchange.request;
        let total = request.repeat.unwrap_or(1);
        // Mirrored requests are not waited for by the proxy: they may come after the answer.
        let late = exchange.nginx.subrequests.as_ref().map_or(0, |others| {
            let own = if exchange.nginx.backend.is_some() {
                total
            } else {
                0
            };
            (others.len() + own).max(1)
        });
        self.send(request, world, late, |hit| {
            ingresses
                .iter()
                .any(|ingress| ingress.routes_to(&hit.namespace, &hit.service))
                || world_routes(world, hit.service.as_str(), ingresses)
        })
    }

    /// Sends a request as often as it says. Where hits may come after the answer, `hits` are
    /// waited for.
    fn send(
        &self,
        request: &Request,
        world: &World,
        hits: usize,
        is_routed: impl Fn(&Hit) -> bool,
    ) -> Observed {
        self.echo.take_hits();
        let certificate = request
            .client_cert
            .as_ref()
            .and_then(|name| world.client_certificates.get(name));
        let total = request.repeat.unwrap_or(1);
        let at_once = request.concurrency.unwrap_or(1).max(1);
        let mut answers = self.runtime.block_on(async {
            let mut answers = Vec::with_capacity(total);
            while answers.len() < total {
                let count = at_once.min(total - answers.len());
                let mut tasks = Vec::new();
                for _ in 0..count {
                    let (request, certificate) = (request.clone(), certificate.cloned());
                    tasks.push(tokio::spawn(async move {
                        client::send(&request, certificate.as_ref()).await
                    }));
                }
                for task in tasks {
                    answers.push(task.await.unwrap_or_else(|error| client::Answer {
                        error: Some(error.to_string()),
                        ..client::Answer::default()
                    }));
                }
            }
            answers
        });
        for answer in &mut answers {
            if let Some(presented) = &mut answer.certificate {
                let known = world.certificates.get(presented);
                *presented = known.map_or("an unknown one", String::as_str).to_owned();
            }
        }
        if hits > 0 {
            self.await_late_hits(hits);
        }
        Observed::new(answers, self.echo.take_hits(), is_routed)
    }

    fn await_late_hits(&self, wanted: usize) {
        let deadline = Instant::now() + Duration::from_millis(500);
        while self.echo.pending() < wanted && Instant::now() < deadline {
            sleep(Duration::from_millis(10));
        }
        // One too many would come now.
        sleep(Duration::from_millis(50));
    }

    /// Removes the objects of a case, but for the Gateway and what it stands on.
    fn clean(&mut self, objects: &[ObjectRef]) -> Result<()> {
        self.echo.close();
        let mut deleted = Vec::new();
        for object in objects.iter().rev() {
            match object.kind.as_str() {
                "Gateway" | "GatewayClass" | "EnvoyProxy" => {
                    self.kept.insert(object.clone());
                }
                // Nothing would finish the deletion of a namespace.
                "Namespace" => {}
                _ => {
                    self.stack.kube.delete(object)?;
                    deleted.push(object);
                }
            }
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        for object in deleted {
            let Ok(path) = self.stack.kube.path(object)? else {
                continue;
            };
            while self.stack.kube.get(&path)?.is_some() && Instant::now() < deadline {
                sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }
}

/// Whether a backend is not there, or not yet: Envoy says so in words, and a direct response has
/// no body.
fn is_unready(observed: &Observed) -> bool {
    observed.answers.iter().any(|answered| {
        answered.hit.is_none()
            && answered.answer.status == 503
            && answered.answer.header("content-length").as_deref() != Some("0")
    })
}

/// What is observed where nothing was converted: there is no Gateway to ask, and one that serves
/// other Ingresses would say that it does not know the host.
fn nobody() -> Observed {
    let answer = client::Answer {
        status: 404,
        ..client::Answer::default()
    };
    Observed::new(vec![answer], Vec::new(), |_| false)
}

/// An `ExternalName` Service leads to another Service of the input, which no rule names.
fn world_routes(world: &World, service: &str, ingresses: &[Ingress]) -> bool {
    world.external_targets.iter().any(|(source, target)| {
        target == service
            && source.split_once('/').is_some_and(|(namespace, name)| {
                ingresses
                    .iter()
                    .any(|ingress| ingress.routes_to(namespace, name))
            })
    })
}

/// Objects of the documents, with `List`s taken apart.
fn flatten(documents: Vec<(String, Value)>) -> Vec<Value> {
    let mut values = Vec::new();
    for (_, mut value) in documents {
        let is_list = value["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"));
        match value.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) if is_list => values.extend(items),
            _ => values.push(value),
        }
    }
    values
}

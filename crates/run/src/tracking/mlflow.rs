//! MLflow's REST interface, version 2.0 (<https://mlflow.org/docs/latest/rest-api.html>): a run there, with settings as
//! parameters and the metrics of epochs and steps.
//!
//! Epochs are told by a thread of their own, so training never waits for a server.

use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Request;
use wellfit_base::hash::sha256;
use wellfit_base::time::seconds;
use wellfit_record::{EpochRecord, RunDir, RunInfo, StepRecord, now};

/// The most metrics and parameters of a request, and the longest value of a parameter, as the server limits them.
const MOST_METRICS: usize = 1000;
const MOST_PARAMETERS: usize = 100;
const LONGEST_VALUE: usize = 500;
/// How long a request may take, and how often one is sent that fails on the way.
const LIMIT: Duration = Duration::from_secs(20);
const TRIES: u32 = 3;
/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 1 << 20;
/// The tag with which a resumed run is found again.
const TAG: &str = "wellfit.run";
/// The variables that MLflow's own client reads, too.
const EXPERIMENT: &str = "MLFLOW_EXPERIMENT_NAME";
const TOKEN: &str = "MLFLOW_TRACKING_TOKEN";
const USER: &str = "MLFLOW_TRACKING_USERNAME";
const PASSWORD: &str = "MLFLOW_TRACKING_PASSWORD";

/// A run at a server.
#[derive(Debug)]
pub(crate) struct Mlflow {
    tell: Sender<Vec<Value>>,
    thread: JoinHandle<Result<Client, String>>,
}

/// What is asked of a server.
#[derive(Debug)]
struct Client {
    agent: Agent,
    url: String,
    run: String,
    authorization: Option<String>,
}

impl Mlflow {
    /// Begin a run there, or go on with the one that was begun before an interruption.
    pub fn begin(url: &str, info: &RunInfo, run: &RunDir) -> Result<Self, String> {
        let config = Agent::config_builder().timeout_global(Some(LIMIT)).http_status_as_error(false);
        let url = url.trim_end_matches('/').to_owned();
        let agent = config.build().into();
        let mut client = Client { agent, url, run: String::new(), authorization: authorization() };
        let id =
            run.id().map_err(|error| error.to_string())?.unwrap_or_else(|| sha256(info.created.as_bytes()));
        client.open(info, &id)?;
        let (tell, told) = channel();
        let thread = std::thread::Builder::new().name("mlflow".to_owned());
        let thread = thread.spawn(move || client.tell_all(&told)).map_err(|error| error.to_string())?;
        Ok(Self { tell, thread })
    }

    /// Tell of an epoch, some time.
    pub fn epoch(&self, epoch: &EpochRecord, steps: &[StepRecord]) {
        let time = milliseconds(&now());
        let metric = |key: &str, value: f64, step: u64| json!({ "key": key, "value": in_json(value), "timestamp": time, "step": step });
        let own = epoch.metrics.iter().map(|(name, value)| metric(name.name(), value, epoch.epoch.into()));
        let others = [("lr", epoch.lr), ("epoch_seconds", epoch.seconds)];
        let others = others.map(|(name, value)| metric(name, value, epoch.epoch.into()));
        let steps =
            steps.iter().flat_map(|row| row.losses.iter().map(move |(name, loss)| (name, *loss, row.step)));
        let steps = steps.map(|(name, loss, step)| metric(&format!("step/{name}"), loss, step));
        // A thread that gave up says why in the end.
        let _ = self.tell.send(own.chain(others).chain(steps).collect());
    }

    /// Tell of the end, and wait until all was told; what did not work.
    pub fn end(self, finished: bool) -> Option<String> {
        drop(self.tell);
        let client = self.thread.join().unwrap_or_else(|_| Err("its thread failed".to_owned()));
        let status = if finished { "FINISHED" } else { "KILLED" };
        client.and_then(|client| client.status(status)).err()
    }
}

impl Client {
    /// The experiment, and in it the run.
    fn open(&mut self, info: &RunInfo, id: &str) -> Result<(), String> {
        let name = std::env::var(EXPERIMENT).unwrap_or_else(|_| info.data.name.clone());
        let experiment = self.experiment(&name)?;
        let filter = format!("tags.`{TAG}` = '{id}'");
        let found = self.post(
            "runs/search",
            &json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1 }),
        )?;
        if let Some(run) = found["runs"][0]["info"]["run_id"].as_str() {
            self.run = run.to_owned();
            return self.status("RUNNING");
        }
        let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
        let tags = [
            tag(TAG, id),
            tag("mlflow.runName", &info.name),
            tag("mlflow.source.name", &info.command),
            tag("wellfit.version", &info.wellfit_version),
        ];
        let made = self.post(
            "runs/create",
            &json!({ "experiment_id": experiment, "run_name": info.name, "start_time": milliseconds(&info.created), "tags": tags }),
        )?;
        self.run = text(&made["run"]["info"]["run_id"], "the id of the run")?;
        let parameters = parameters(info);
        for some in parameters.chunks(MOST_PARAMETERS) {
            self.post("runs/log-batch", &json!({ "run_id": self.run, "params": some }))?;
        }
        Ok(())
    }

    fn experiment(&self, name: &str) -> Result<String, String> {
        match self.post("experiments/create", &json!({ "name": name })) {
            Ok(made) => text(&made["experiment_id"], "the id of the experiment"),
            Err(problem) if problem.contains("RESOURCE_ALREADY_EXISTS") => {
                let filter = format!("name = '{}'", name.replace('\'', ""));
                let found =
                    self.post("experiments/search", &json!({ "filter": filter, "max_results": 1 }))?;
                text(&found["experiments"][0]["experiment_id"], "the id of the experiment")
            }
            Err(problem) => Err(problem),
        }
    }

    fn tell_all(self, told: &Receiver<Vec<Value>>) -> Result<Self, String> {
        for metrics in told {
            for some in metrics.chunks(MOST_METRICS) {
                self.post("runs/log-batch", &json!({ "run_id": self.run, "metrics": some }))?;
            }
        }
        Ok(self)
    }

    fn status(&self, status: &str) -> Result<(), String> {
        let mut update = json!({ "run_id": self.run, "status": status });
        if status != "RUNNING" {
            update["end_time"] = milliseconds(&now()).into();
        }
        self.post("runs/update", &update).map(drop)
    }

    /// Ask, again where the way there failed.
    fn post(&self, what: &str, body: &Value) -> Result<Value, String> {
        let mut last = String::new();
        for attempt in 0..TRIES {
            std::thread::sleep(Duration::from_secs(attempt.into()));
            match self.send(what, body) {
                Ok((status, answer)) if status < 500 => return answered(status, &answer),
                Ok((status, answer)) => last = answered(status, &answer).err().unwrap_or_default(),
                Err(problem) => last = problem,
            }
        }
        Err(format!("{}: {last}", self.url))
    }

    fn send(&self, what: &str, body: &Value) -> Result<(u16, String), String> {
        let url = format!("{}/api/2.0/mlflow/{what}", self.url);
        let mut request = Request::post(url).header("content-type", "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(body.to_string()).map_err(|error| error.to_string())?;
        let mut answer = self.agent.run(request).map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string();
        Ok((status, text.map_err(|error| error.to_string())?))
    }
}

/// The answer, or what the server has against the request.
fn answered(status: u16, answer: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(answer).unwrap_or_default();
    if status == 200 {
        return Ok(value);
    }
    let code = value["error_code"].as_str().unwrap_or("no MLflow server");
    Err(format!("status {status}, {code} {}", value["message"].as_str().unwrap_or_default()))
}

fn text(value: &Value, what: &str) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("the server did not say {what}"))
}

/// Settings as MLflow's parameters, which are text.
fn parameters(info: &RunInfo) -> Vec<Value> {
    let value = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let settings = info.config.as_table().into_iter().flatten();
    let settings = settings.map(|(key, setting)| (key.clone(), value(setting)));
    let others = [("parameters", info.model.parameters.to_string()), ("data", info.data.name.clone())];
    let others = others.map(|(key, value)| (format!("wellfit.{key}"), value));
    let all = settings.chain(others).filter(|(_, value)| !value.is_empty());
    all.map(
        |(key, value)| json!({ "key": key, "value": value.chars().take(LONGEST_VALUE).collect::<String>() }),
    )
    .collect()
}

/// JSON lacks NaN and infinities; the server takes them as these words.
fn in_json(value: f64) -> Value {
    match value {
        value if value.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        value => value.into(),
    }
}

fn milliseconds(time: &str) -> u64 {
    (seconds(time).unwrap_or(0.0) * 1000.0) as u64
}

/// The header of a token, or of a name with a password.
fn authorization() -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(token) = variable(TOKEN) {
        return Some(format!("Bearer {token}"));
    }
    let pair = format!("{}:{}", variable(USER)?, variable(PASSWORD).unwrap_or_default());
    Some(format!("Basic {}", wellfit_report::in_base64(pair.as_bytes())))
}

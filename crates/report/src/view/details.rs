//! What is needed to do the run again.

use crate::read::RunReport;
use std::collections::BTreeMap;
use wellfit_base::figures::{count, duration};
use wellfit_record::{Event, data_wait_share};

/// Data, model, machine, time, settings.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The command that made the run.
    pub command: String,
    /// What the run is: what, and its value.
    pub facts: Vec<(String, String)>,
    /// The settings by name.
    pub settings: Vec<(String, String)>,
    /// How an image becomes the network's input.
    pub transform: String,
}

/// The details of a run.
pub fn details(run: &RunReport) -> Details {
    let info = &run.info;
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |what: &str, value: String| facts.push((what.to_owned(), value));
    fact("directory", run.path.clone());
    fact("begun", info.created.clone());
    fact("data", info.data.name.clone());
    fact("fingerprint of the data", info.data.fingerprint.clone());
    let images = [("train", info.data.train), ("validation", info.data.val), ("test", info.data.test)];
    let parts = images.iter().filter(|(_, images)| *images > 0);
    fact(
        "images",
        parts.map(|(part, images)| format!("{} {part}", count(*images))).collect::<Vec<_>>().join(", "),
    );
    fact("classes", count(info.classes.len() as u64));
    let (all, trained) = (info.model.parameters, info.model.trainable);
    let trained =
        if all == trained { "all trained".to_owned() } else { format!("{} trained", count(trained)) };
    fact("model", format!("{}, {} parameters, {trained}", info.model.name, count(all)));
    fact("seed", info.seed.to_string());
    for event in &run.events {
        if let Event::Start { versions, host, threads, .. } = event {
            fact("machine", format!("{host}, {threads} threads"));
            for (name, version) in versions {
                fact(&format!("version of {name}"), version.clone());
            }
        }
    }
    fact("time of all epochs", duration(run.seconds()));
    let wait = data_wait_share(&run.epochs);
    fact("of the training, waiting for data", wellfit_base::figures::percent(wait));
    if let Some(last) = run.epochs.last().filter(|last| last.images_per_second.is_finite()) {
        fact("speed of the last epoch", wellfit_base::figures::rate(last.images_per_second, "images"));
    }
    Details {
        command: info.command.clone(),
        facts,
        settings: settings(&info.config).into_iter().collect(),
        transform: toml::to_string(&info.transform).unwrap_or_default(),
    }
}

/// The settings as text by name; those in tables as `table.name`.
pub fn settings(config: &toml::Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    add("", config, &mut all);
    all
}

fn add(name: &str, value: &toml::Value, all: &mut BTreeMap<String, String>) {
    let text = match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                add(&name, value, all);
            }
            return;
        }
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    all.insert(name.to_owned(), text);
}

//! What `tune` says.

use super::asked::Asked;
use crate::error::CliError;
use crate::output::{Output, number, path};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::plot::Look;
use wellfit::record::Metric;
use wellfit::report::{REPORT, STUDY, settings, study_page};
use wellfit::run::figures::{self, percent};
use wellfit::tune::pictures::Study;
use wellfit::tune::{Forest, State, Trial, best};

/// How many of the best are listed.
const LISTED: usize = 5;

/// What is about to be done.
pub fn begun(asked: &Asked, trials: &[Trial], out: Output) {
    let names: Vec<&str> = asked.plan.space.parameters.iter().map(|one| one.name.as_str()).collect();
    out.say(format!("Study {} in {}", asked.place.study, asked.place.storage));
    out.say(format!("Searching {} for {}", names.join(", "), asked.plan.metric.name()));
    let finished = trials.iter().filter(|trial| trial.state.is_finished()).count();
    if finished > 0 {
        out.say(format!("Going on: {} finished already", plural(finished, "trial")));
    }
}

fn parameters(trial: &Trial) -> String {
    settings(trial.parameters.iter().map(|(name, one)| (name, one.value())))
}

/// A trial that is finished.
pub fn line(trial: &Trial, best: Option<&Trial>, metric: Metric) -> String {
    let shown = |found| figures::metric(metric.name(), found);
    let result = match (trial.state, trial.value) {
        (State::Complete, Some(found)) => shown(found),
        (State::Pruned, Some(found)) => {
            format!("{}, ended after {}", shown(found), plural(trial.reports.len(), "epoch"))
        }
        (State::Pruned, None) => "diverged".to_owned(),
        _ => match trial.user.get("wellfit:error").and_then(Value::as_str) {
            Some(problem) => format!("failed: {}", crate::settings::in_flags(problem)),
            None => "stopped".to_owned(),
        },
    };
    let best = match best {
        Some(best) if best.id == trial.id => " (best so far)".to_owned(),
        Some(best) => best
            .value
            .map_or_else(String::new, |found| format!(" (best {}, trial {})", shown(found), best.number)),
        None => String::new(),
    };
    format!("Trial {}: {result}{best}; {}", trial.number, parameters(trial))
}

/// The best trials, and the result for programs.
pub fn report(asked: &Asked, trials: &[Trial], forest: &Forest, page: Option<&Path>, out: Output) {
    let (metric, direction) = (asked.plan.metric, asked.plan.direction());
    let count = |state| trials.iter().filter(|trial| trial.state == state).count();
    let [complete, pruned, failed] = [State::Complete, State::Pruned, State::Fail].map(count);
    let found = best(trials, direction);
    out.say(format!(
        "{} trained to the end, {pruned} ended early, {failed} failed or stopped",
        plural(complete, "trial")
    ));
    let mut ranked: Vec<&Trial> =
        trials.iter().filter(|trial| trial.state == State::Complete && trial.value.is_some()).collect();
    ranked.sort_by(|a, b| {
        let cost = |trial: &Trial| trial.value.map_or(f64::INFINITY, |value| direction.cost(value));
        cost(a).total_cmp(&cost(b))
    });
    let head = ["trial", metric.name(), "epochs", "settings"].map(str::to_owned);
    let row = |trial: &&Trial| {
        let found = trial.value.map_or_else(String::new, |found| figures::metric(metric.name(), found));
        [trial.number.to_string(), found, trial.reports.len().to_string(), parameters(trial)]
    };
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(ranked.iter().take(LISTED).map(row)).collect();
    out.table(&rows, 0..3);
    let weighed = forest.importances();
    if !weighed.is_empty() {
        let shares =
            weighed.iter().map(|(name, share)| format!("{} {}", name.replace('_', "-"), percent(*share)));
        out.say(format!("What the result depends on: {}", shares.collect::<Vec<_>>().join(", ")));
    }
    if let Some(found) = found {
        out.say(format!("The best one's run: {}", asked.place.run(found).shown()));
    }
    if let Some(page) = page {
        out.say(format!("Report: {}", page.shown()));
    }
    out.result(&json!({
        "study": asked.place.study,
        "storage": asked.place.storage.to_string(),
        "dir": path(&asked.place.dir),
        "metric": metric.name(),
        "trials": { "complete": complete, "pruned": pruned, "failed": failed },
        "importances": weighed.iter().map(|(name, share)| (name.clone(), number(*share))).collect::<Map<_, _>>(),
        "best": found.map(|trial| best_json(asked, trial)),
        "report": page.map(path),
    }));
}

fn best_json(asked: &Asked, trial: &Trial) -> Value {
    let settings: Map<String, Value> =
        trial.parameters.iter().map(|(name, one)| (name.clone(), one.value())).collect();
    json!({
        "trial": trial.number,
        "value": trial.value.map(number),
        "settings": settings,
        "run": path(&asked.place.run(trial)),
    })
}

/// The study in its directory: what programs read, pictures, and the page unless none is wanted, whose path this is.
pub fn write(asked: &Asked, trials: &[Trial], forest: &Forest) -> Result<Option<PathBuf>, CliError> {
    let (plan, dir) = (&asked.plan, &asked.place.dir);
    let study = Study {
        space: &plan.space,
        trials,
        direction: plan.direction(),
        metric: plan.metric.name(),
        percent: figures::is_share(plan.metric.name()),
    };
    let put = |name: &str, bytes: &[u8]| {
        let file = dir.join(name);
        wellfit::base::atomic::replace(&file, bytes).map_err(CliError::write(file.clone()))
    };
    for (name, chart) in study.charts() {
        put(&format!("{name}.png"), &chart.draw(Look::SCREEN).to_png_bytes()?)?;
    }
    let summary = study.summary(&asked.place.study, forest);
    put(STUDY, summary.to_string().as_bytes())?;
    if plan.fixed.no_report == Some(true) {
        return Ok(None);
    }
    put(REPORT, study_page(dir)?.as_bytes())?;
    Ok(Some(dir.join(REPORT)))
}

//! The page of an improvement: what was tried, proven and adopted.

use crate::error::ReportError;
use crate::page::Frame;
use crate::trial::{Row, amount, required, techniques};
use askama::Template;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_base::figures::percent;

/// The file of an improvement's result.
const RESULT: &str = "improve.json";

/// What the file holds.
#[derive(Debug, Deserialize)]
struct Outcome {
    metric: String,
    budget: String,
    spent: String,
    stop: String,
    repairs: Vec<Repair>,
    rounds: Vec<Round>,
    adopted: Vec<String>,
    findings_left: Vec<Finding>,
    not_tested: Vec<NotTested>,
    settings: BTreeMap<String, String>,
    #[serde(default)]
    test: Option<Test>,
}

#[derive(Debug, Deserialize)]
struct Repair {
    lr: String,
}

#[derive(Debug, Deserialize)]
struct Round {
    looks: Vec<Look>,
    adopted: Option<String>,
    void: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Look {
    name: String,
    findings: Vec<String>,
    difference: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    name: String,
    sentence: String,
}

#[derive(Debug, Deserialize)]
struct NotTested {
    setting: String,
    to: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Test {
    images: usize,
    first: Option<OnTest>,
    last: OnTest,
}

#[derive(Debug, Deserialize)]
struct OnTest {
    accuracy: f64,
    interval: [f64; 2],
}

/// A round on the page.
#[derive(Debug)]
struct RoundView {
    title: String,
    looks: Vec<[String; 3]>,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "improvement.html")]
struct ImprovementPage {
    frame: Frame,
    name: String,
    lead: String,
    adopted: String,
    test: String,
    facts: Vec<(&'static str, String)>,
    links: Vec<(String, String)>,
    rounds: Vec<RoundView>,
    left: Vec<String>,
    settings: String,
}

/// The page of the improvement in a directory: HTML with all that it needs.
///
/// # Errors
/// If there is no result yet, or it cannot be read.
pub fn improvement_page(path: &Path) -> Result<String, ReportError> {
    let found: Outcome =
        required(path, RESULT, "there is no result yet: finish the improvement with wellfit improve")?;
    let rounds = (1..).zip(&found.rounds).map(|(number, one)| round(path, number, one, &found.metric));
    let settings = found.settings.iter().map(|(name, value)| format!("{name} = {value}\n"));
    let page = ImprovementPage {
        frame: Frame::new("[]".to_owned()),
        name: path.file_name().map_or_else(|| path.shown(), |name| name.to_string_lossy().into_owned()),
        lead: format!(
            "Settings improved by experiment, for {} of the validation images: what findings advise and what often helps is \
             tried once, the best of it proven by pairs of runs.",
            found.metric.replace("val_", "").replace('_', " ")
        ),
        adopted: found.adopted.join(", "),
        test: test(found.test.as_ref()),
        facts: facts(&found),
        links: links(path, found.rounds.len()),
        rounds: rounds.collect::<Result<_, _>>()?,
        left: left(&found),
        settings: settings.collect(),
    };
    Ok(page.render()?)
}

fn round(path: &Path, number: usize, round: &Round, metric: &str) -> Result<RoundView, ReportError> {
    let trial = path.join(format!("round-{number}"));
    let rows = if trial.is_dir() { techniques(&trial)? } else { Vec::new() };
    let title = match (&round.adopted, &round.void) {
        (Some(name), _) => format!("{name} is adopted"),
        (None, Some(arm)) => format!("nothing, since the loss of {arm} became no number"),
        (None, None) if rows.is_empty() => "nothing to prove".to_owned(),
        (None, None) => "nothing was proven to help".to_owned(),
    };
    let look = |one: &Look| {
        let difference = one.difference.map_or("its loss became NaN".to_owned(), |by| amount(by, metric));
        [one.name.clone(), one.findings.join(", "), difference]
    };
    Ok(RoundView { title, looks: round.looks.iter().map(look).collect(), rows })
}

fn test(test: Option<&Test>) -> String {
    let share = |of: &OnTest| {
        let [low, high] = of.interval;
        format!("{} ({} to {})", percent(of.accuracy), percent(low), percent(high))
    };
    match test {
        None => {
            "The data have no test part: the figures of the validation images, which chose, are optimistic."
                .to_owned()
        }
        Some(Test { images, first: Some(first), last }) => format!(
            "Of {images} test images the first run answers {} right, the final run {}.",
            share(first),
            share(last)
        ),
        Some(Test { images, first: None, last }) => {
            format!("Of {images} test images the final run answers {} right.", share(last))
        }
    }
}

fn facts(found: &Outcome) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("spent", format!("{} of {}", found.spent, found.budget)),
        ("ended by", found.stop.replace('-', " ")),
    ];
    let repairs: Vec<&str> = found.repairs.iter().map(|one| one.lr.as_str()).collect();
    if !repairs.is_empty() {
        facts.push(("rates taken because the loss became NaN", repairs.join(", ")));
    }
    facts
}

/// The pages of the runs and trials, where they are.
fn links(path: &Path, rounds: usize) -> Vec<(String, String)> {
    let own = [("first", "the first run"), ("final", "the final run")];
    let own = own.map(|(folder, name)| (folder.to_owned(), name.to_owned()));
    let trials =
        (1..=rounds).map(|number| (format!("round-{number}"), format!("the proof of round {number}")));
    let all =
        own.into_iter().chain(trials).map(|(folder, name)| (format!("{folder}/{}", crate::REPORT), name));
    all.filter(|(page, _)| path.join(page).is_file()).collect()
}

fn left(found: &Outcome) -> Vec<String> {
    let findings = found.findings_left.iter().map(|one| format!("{}: {}", one.name, one.sentence));
    let not_tested = found.not_tested.iter().map(|one| {
        let to = if one.to.is_empty() { String::new() } else { format!(" {}", one.to) };
        format!("--{}{to} was not tested: {}", one.setting.replace('_', "-"), one.reason)
    });
    findings.chain(not_tested).collect()
}

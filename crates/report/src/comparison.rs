//! The page that compares runs.

use crate::chart::{Chart, Drawing, Line, Unit, drawn, json};
use crate::error::ReportError;
use crate::page::Frame;
use crate::read::RunReport;
use crate::view::{FindingView, findings, interval, result, settings};
use askama::Template;
use std::collections::{BTreeMap, BTreeSet};
use wellfit_base::figures::{count, duration, loss};
use wellfit_record::EpochRecord;

/// Runs that a page compares at most: with more, no colour tells them apart.
pub const MOST_RUNS: usize = 32;
/// Colours of curves; from there on they begin again.
const COLOURS: usize = 8;
/// The most epochs whose values the charts hold.
const MOST_POINTS: u32 = 600;

/// A run in the table.
#[derive(Debug)]
struct Row {
    class: String,
    name: String,
    model: String,
    accuracy: String,
    interval: String,
    loss: String,
    epochs: String,
    time: String,
    verdict: String,
    best: bool,
}

#[derive(Template)]
#[template(path = "comparison.html")]
struct ComparisonPage {
    frame: Frame,
    title: String,
    lead: String,
    rows: Vec<Row>,
    charts: Vec<Drawing>,
    names: Vec<String>,
    settings: Vec<(String, Vec<String>)>,
    same: usize,
    findings: Vec<(String, Vec<FindingView>)>,
    problems: Vec<String>,
}

/// The page that compares some runs: HTML with all that it needs.
///
/// # Errors
/// If there are more than 32 of them, or if the page cannot be written.
pub fn comparison_page(runs: &[RunReport]) -> Result<String, ReportError> {
    if runs.len() > MOST_RUNS {
        let problem = format!("{} runs are too many for one page: give up to {MOST_RUNS}", runs.len());
        return Err(ReportError::Output(problem));
    }
    let names = names(runs);
    let charts = charts(runs, &names);
    let (settings, same) = differences(runs);
    let page = ComparisonPage {
        frame: Frame::new(json(&charts)),
        title: format!("{} runs compared", runs.len()),
        lead: lead(runs, &names),
        rows: rows(runs, &names),
        charts: charts.iter().map(drawn).collect(),
        settings,
        same,
        findings: names.iter().cloned().zip(runs.iter().map(|run| findings(run).0)).collect(),
        problems: runs
            .iter()
            .zip(&names)
            .flat_map(|(run, name)| run.problems.iter().map(move |problem| format!("{name}: {problem}")))
            .collect(),
        names,
    };
    Ok(page.render()?)
}

/// The names of the runs; where two are the same, as they were given.
fn names(runs: &[RunReport]) -> Vec<String> {
    let unique: BTreeSet<&str> = runs.iter().map(|run| run.info.name.as_str()).collect();
    let name =
        |run: &RunReport| if unique.len() < runs.len() { run.path.clone() } else { run.info.name.clone() };
    runs.iter().map(name).collect()
}

/// The accuracy of a run, as far as it is known, and its interval.
fn accuracy(run: &RunReport) -> (Option<f64>, Option<[f64; 2]>) {
    let judged = run.evaluation.as_ref().and_then(|found| {
        let ends = match found.accuracy_interval_95 {
            Some([Some(low), Some(high)]) => Some([low, high]),
            _ => None,
        };
        Some((found.accuracy?, ends))
    });
    match judged {
        Some((share, ends)) => (Some(share), ends),
        None => (run.best.as_ref().map(EpochRecord::val_accuracy).filter(|share| share.is_finite()), None),
    }
}

/// The place of the run with the highest accuracy.
fn best(runs: &[RunReport]) -> Option<usize> {
    let known = runs.iter().enumerate().filter_map(|(at, run)| Some((at, accuracy(run).0?)));
    known.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(at, _)| at)
}

/// Which is best, and whether that is more than chance may give.
fn lead(runs: &[RunReport], names: &[String]) -> String {
    let Some(at) = best(runs) else { return "No run has a result yet.".to_owned() };
    let mut text = format!("{} answers most images rightly.", names[at]);
    let (_, ends) = accuracy(&runs[at]);
    let overlaps = |other: &RunReport| match (ends, accuracy(other).1) {
        (Some([low, _]), Some([_, high])) => high >= low,
        _ => true,
    };
    let near = runs.iter().enumerate().filter(|(other, run)| *other != at && overlaps(run)).count();
    let fingerprints: BTreeSet<&str> = runs.iter().map(|run| run.info.data.fingerprint.as_str()).collect();
    text += match near {
        0 => " No other interval reaches its own.",
        _ => {
            " Intervals overlap, so one run each does not tell which is better: wellfit prove trains pairs and does."
        }
    };
    if fingerprints.len() > 1 {
        text += " The runs have different data, so their figures are not of the same images.";
    }
    text
}

fn rows(runs: &[RunReport], names: &[String]) -> Vec<Row> {
    let best = best(runs);
    let row = |(at, (run, name)): (usize, (&RunReport, &String))| {
        let view = result(run);
        Row {
            class: class(at),
            name: name.clone(),
            model: run.info.model.name.clone(),
            accuracy: view.accuracy,
            interval: interval(run.evaluation.as_ref().and_then(|found| found.accuracy_interval_95)),
            loss: run.best.as_ref().map_or_else(String::new, |best| loss(best.val_loss())),
            epochs: run.best.as_ref().map_or_else(
                || count(run.epochs.len() as u64),
                |best| format!("{} of {}", best.epoch, run.epochs.len()),
            ),
            time: duration(run.seconds()),
            verdict: view.verdict,
            best: best == Some(at),
        }
    };
    runs.iter().zip(names).enumerate().map(row).collect()
}

fn class(at: usize) -> String {
    format!("c{}", at % COLOURS)
}

/// Curves of validation, a line a run.
fn charts(runs: &[RunReport], names: &[String]) -> Vec<Chart> {
    let last = runs.iter().flat_map(|run| &run.epochs).map(|epoch| epoch.epoch).max().unwrap_or(0);
    if last == 0 {
        return Vec::new();
    }
    let step = last.div_ceil(MOST_POINTS).max(1);
    let epochs: Vec<u32> = (1..=last).filter(|epoch| (last - epoch).is_multiple_of(step)).collect();
    let chart = |id, title: &str, unit, of: fn(&EpochRecord) -> f64| {
        let line = |(at, (run, name)): (usize, (&RunReport, &String))| {
            let known: BTreeMap<u32, f64> = run.epochs.iter().map(|epoch| (epoch.epoch, of(epoch))).collect();
            let value = |epoch: &u32| known.get(epoch).copied().filter(|value| value.is_finite());
            Line { name: name.clone(), class: class(at), values: epochs.iter().map(value).collect() }
        };
        Chart {
            id,
            title: title.to_owned(),
            unit,
            lines: runs.iter().zip(names).enumerate().map(line).collect(),
            marks: Vec::new(),
            chosen: epochs.len() - 1,
            epochs: epochs.clone(),
        }
    };
    vec![
        chart("accuracy", "Validation accuracy", Unit::Percent, EpochRecord::val_accuracy),
        chart("loss", "Validation loss", Unit::Loss, EpochRecord::val_loss),
        chart("train-loss", "Training loss", Unit::Loss, EpochRecord::train_loss),
        chart("rate", "Learning rate", Unit::Rate, |epoch| epoch.lr),
    ]
}

/// The settings that differ, each with its value in every run, and how many are the same.
fn differences(runs: &[RunReport]) -> (Vec<(String, Vec<String>)>, usize) {
    let all: Vec<BTreeMap<String, String>> = runs.iter().map(|run| settings(&run.info.config)).collect();
    let names: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let of = |name: &String| {
        all.iter().map(|settings| settings.get(name).cloned().unwrap_or_default()).collect::<Vec<_>>()
    };
    let (differ, same): (Vec<_>, Vec<_>) = names
        .into_iter()
        .map(|name| (name.clone(), of(name)))
        .partition(|(_, values)| values.iter().any(|value| *value != values[0]));
    (differ, same.len())
}

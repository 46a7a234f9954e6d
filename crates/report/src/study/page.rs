//! The page.

use super::figure::Figure;
use super::file::{MOST_DRAWN, Parameter, STUDY, State, Study, Trial, flag, setting};
use super::history::{curves, history};
use super::parallel::{MOST_AXES, MOST_LINES, parallel};
use super::slices::{MOST_SLICES, slices};
use super::surfaces::surfaces;
use crate::error::ReportError;
use crate::page::Frame;
use crate::trial::required;
use askama::Template;
use std::path::Path;
use wellfit_base::figures::{count, percent};
use wellfit_base::words::plural;

/// So many trials are in the table: the best.
const MOST_ROWS: usize = 50;

#[derive(Template)]
#[template(path = "study.html")]
struct StudyPage {
    frame: Frame,
    name: String,
    about: String,
    best: String,
    try_it: String,
    facts: Vec<(&'static str, String)>,
    importances: Vec<Importance>,
    history: Vec<Figure>,
    parallel: Option<Figure>,
    parallel_shows: String,
    slices: Vec<Figure>,
    slices_show: String,
    surfaces: Vec<Figure>,
    head: Vec<String>,
    rows: Vec<(bool, Vec<String>)>,
    rows_are: String,
}

/// What the result depends on.
#[derive(Debug)]
struct Importance {
    name: String,
    share: String,
    /// From 0 to 100.
    width: String,
}

/// The page of the study in a directory: HTML with all that it needs.
///
/// # Errors
/// If there is no study, or its file cannot be read.
pub fn study_page(path: &Path) -> Result<String, ReportError> {
    let study: Study = required(path, STUDY, "there is no study yet: wellfit tune makes it")?;
    let ranked = study.ranked();
    let best = ranked.first().map(|(trial, value)| (*trial, study.shown(*value)));
    let page = StudyPage {
        frame: Frame::new("[]".to_owned()),
        name: study.name.clone(),
        about: format!("A search over {} for {}.", plural(study.parameters.len(), "setting"), study.metric),
        best: best.as_ref().map_or_else(
            || "No trial has a result yet".to_owned(),
            |(trial, value)| format!("{value} in trial {}", trial.number),
        ),
        try_it: best.as_ref().map_or_else(String::new, |(trial, _)| trial.told()),
        facts: facts(&study),
        importances: importances(&study),
        history: std::iter::once(history(&study)).chain(curves(&study)).collect(),
        parallel: parallel(&study),
        parallel_shows: parallel_shows(&study, ranked.len()),
        slices: slices(&study),
        slices_show: slices_show(&study),
        surfaces: surfaces(&study),
        head: head(&study),
        rows: rows(&study, &ranked),
        rows_are: match ranked.len() {
            all if all > MOST_ROWS => format!("The best {MOST_ROWS} of {} trials", count(all as u64)),
            _ => "All trials that were trained to the end".to_owned(),
        },
    };
    Ok(page.render()?)
}

fn facts(study: &Study) -> Vec<(&'static str, String)> {
    let of = |states: &[State]| {
        count(study.trials.iter().filter(|trial| states.contains(&trial.state)).count() as u64)
    };
    let mut facts = vec![
        ("trials trained to the end", of(&[State::Complete])),
        ("ended early", of(&[State::Pruned])),
        ("failed or stopped", of(&[State::Fail])),
    ];
    let under_way = of(&[State::Running, State::Waiting]);
    if under_way != "0" {
        facts.push(("under way or waiting", under_way));
    }
    let epochs: usize = study.trials.iter().map(|trial| trial.epochs.len()).sum();
    facts.push(("epochs in all", count(epochs as u64)));
    facts
}

fn importances(study: &Study) -> Vec<Importance> {
    let one = |one: &Parameter| {
        let share = one.importance?;
        let width = format!("{:.1}", (100.0 * share).clamp(0.0, 100.0));
        Some(Importance { name: flag(&one.name), share: percent(share), width })
    };
    study.by_importance().into_iter().filter_map(one).collect()
}

fn parallel_shows(study: &Study, results: usize) -> String {
    let mut text = "Each line is a trial; it ends at its result.".to_owned();
    if study.parameters.len() > MOST_AXES {
        text += &format!(" Of the settings the {MOST_AXES} most important are shown.");
    }
    if results > MOST_LINES {
        text += &format!(" Of the trials the best {MOST_LINES} are shown.");
    }
    text
}

fn slices_show(study: &Study) -> String {
    let mut text =
        "The results over the values of each setting. Trials differ in the other settings, too.".to_owned();
    if study.parameters.len() > MOST_SLICES {
        text += &format!(" The {MOST_SLICES} most important settings are shown.");
    }
    if study.trials.len() > MOST_DRAWN as usize {
        text += &format!(
            " This picture and those of the history and of two settings show the latest {} trials.",
            count(MOST_DRAWN.into())
        );
    }
    text
}

fn head(study: &Study) -> Vec<String> {
    let names = study.parameters.iter().map(|one| flag(&one.name));
    ["trial".to_owned(), study.metric.clone(), "epochs".to_owned()].into_iter().chain(names).collect()
}

/// Rows of the table: whether it is the best trial, and its cells.
fn rows(study: &Study, ranked: &[(&Trial, f64)]) -> Vec<(bool, Vec<String>)> {
    let row = |(rank, (trial, value)): (usize, &(&Trial, f64))| {
        let settings = study
            .parameters
            .iter()
            .map(|one| trial.settings.get(&one.name).map_or_else(|| "–".to_owned(), setting));
        let first = [trial.number.to_string(), study.shown(*value), trial.epochs.len().to_string()];
        (rank == 0, first.into_iter().chain(settings).collect())
    };
    ranked.iter().take(MOST_ROWS).enumerate().map(row).collect()
}

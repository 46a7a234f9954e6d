//! `wellfit report`: a page of a run, of several beside each other, of a trial, of an improvement, or of a study.

use crate::error::CliError;
use crate::output::{self, Output};
use crate::report_args::ReportArgs;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit::base::{Shown, atomic, file};
use wellfit::record::{ImprovementDir, RunGroup, TrialDir};
use wellfit::report::{
    REPORT, RunReport, STUDY, comparison_page, improvement_page, run_page, study_page, trial_page,
};
use wellfit::run::folds_in;

/// The page of several runs, in the directory where the command is given.
const COMPARISON: &str = "comparison.html";
/// What a page of ours has near its beginning, and how far to look for it.
const OURS: &[u8] = b"<meta name=\"generator\" content=\"Wellfit\">";
const HEAD: u64 = 4096;

/// Run the command.
pub fn run(args: &ReportArgs, out: Output) -> Result<(), CliError> {
    let (page, default, runs) = match args.runs.as_slice() {
        [one] if TrialDir::find(one).is_some() => (trial_page(one)?, one.join(REPORT), vec![one.clone()]),
        [one] if is_improvement(one) => (improvement_page(one)?, one.join(REPORT), vec![one.clone()]),
        [one] if is_study(one) => (study_page(one)?, one.join(REPORT), vec![one.clone()]),
        [one] if folds_in(one).is_none() => {
            let report = RunReport::read(one)?;
            report.problems.iter().for_each(|problem| out.warn(problem));
            (run_page(&report)?, one.join(REPORT), vec![one.clone()])
        }
        given => {
            let runs = members(given)?;
            let read: Result<Vec<RunReport>, _> = runs.iter().map(|run| RunReport::read(run)).collect();
            let default = match given {
                [folds] => folds.join(REPORT),
                _ => PathBuf::from(COMPARISON),
            };
            (comparison_page(&read?)?, default, runs)
        }
    };
    let path = args.out.clone().unwrap_or(default);
    if !args.force && is_other(&path) {
        return Err(CliError::Output(format!(
            "{} exists and is no page of Wellfit’s: give --force or another --out",
            path.shown()
        )));
    }
    atomic::replace(&path, page.as_bytes()).map_err(CliError::write(path.clone()))?;
    out.say(format!("Report: {}", path.shown()));
    let runs: Vec<Value> = runs.iter().map(|run| output::path(run)).collect();
    out.result(&json!({ "report": output::path(&path), "runs": runs }));
    Ok(())
}

fn is_improvement(path: &Path) -> bool {
    matches!(ImprovementDir::plan_in(path), Ok(Some(_)))
}

fn is_study(path: &Path) -> bool {
    path.join(STUDY).is_file()
}

/// The runs themselves, and those of the folds of cross-validations.
fn members(given: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut runs = Vec::new();
    for path in given {
        let alone = |what| {
            CliError::Usage(format!("{} is {what}, which has a page of its own: give it alone", path.shown()))
        };
        if TrialDir::find(path).is_some() {
            return Err(alone("a trial"));
        }
        if is_improvement(path) {
            return Err(alone("an improvement"));
        }
        if is_study(path) {
            return Err(alone("a study"));
        }
        match folds_in(path) {
            Some(folds) => {
                runs.extend((1..=folds).map(|fold| RunGroup::run(path, fold)).filter(|run| run.is_dir()));
            }
            None => runs.push(path.clone()),
        }
    }
    Ok(runs)
}

/// Whether something is there that is no page of ours. What cannot be read is something else.
fn is_other(path: &Path) -> bool {
    if !path.exists() {
        return false;
    }
    let length = file::length(path).unwrap_or(0).min(HEAD);
    let head = file::read_range(path, 0, length).unwrap_or_default();
    !head.windows(OURS.len()).any(|part| part == OURS)
}

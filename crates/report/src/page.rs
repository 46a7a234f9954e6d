//! The page of a run.

use crate::assets::{LIVE_SCRIPT, SCRIPT, STYLE, policy};
use crate::chart::{Drawing, drawn, json};
use crate::error::ReportError;
use crate::read::RunReport;
use crate::view::{
    Classes, Details, FindingView, Happened, ResultView, ShotView, Table, charts, classes, details, findings,
    history, mistakes, result, seen, table,
};
use askama::Template;

/// A page has at most so many bytes: pictures that do not fit are left out.
pub const MOST_BYTES: usize = 2 << 20;

/// What all pages have.
#[derive(Debug)]
pub struct Frame {
    /// The Content-Security-Policy.
    pub policy: String,
    /// The style.
    pub style: &'static str,
    /// The script.
    pub script: &'static str,
    /// The numbers of the charts, for the script.
    pub data: String,
    /// Whether it follows what it shows.
    pub live: bool,
}

impl Frame {
    /// With these charts' numbers.
    pub fn new(data: String) -> Self {
        Self { policy: policy(SCRIPT, false), style: STYLE, script: SCRIPT, data, live: false }
    }

    /// Of a page that follows what it shows.
    pub fn live(data: String) -> Self {
        Self { policy: policy(LIVE_SCRIPT, true), script: LIVE_SCRIPT, live: true, ..Self::new(data) }
    }
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage<'a> {
    frame: Frame,
    live: Option<Live>,
    name: &'a str,
    model: &'a str,
    data_name: &'a str,
    date: String,
    version: &'a str,
    result: ResultView,
    charts: Vec<Drawing>,
    table: Table,
    mistakes: Vec<ShotView>,
    seen: Vec<ShotView>,
    augmentations: String,
    classes: Option<Classes>,
    findings: Vec<FindingView>,
    unknown: Vec<(String, String)>,
    history: Vec<Happened>,
    details: Details,
    problems: &'a [String],
}

/// The page of a run: HTML in UTF-8 with all that it needs, of at most [`MOST_BYTES`], unless the names in it alone are longer.
///
/// # Errors
/// If it cannot be written.
pub fn run_page(run: &RunReport) -> Result<String, ReportError> {
    fitting(run, None)
}

/// What a page that follows a run has besides.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// How the run stands.
    pub state: String,
    /// Another one when the page says something else.
    pub stamp: String,
    /// Whether it can be asked for something.
    pub steerable: bool,
}

/// The page, within its size.
pub(crate) fn fitting(run: &RunReport, live: Option<&Live>) -> Result<String, ReportError> {
    let mut run = run.clone();
    loop {
        let page = written(&run, live)?;
        if page.len() <= MOST_BYTES {
            return Ok(page);
        }
        // What tells least goes first.
        let shots = &mut run.pictures;
        if shots.mistakes.iter().any(|shot| shot.heat.is_some()) {
            shots.mistakes.iter_mut().for_each(|shot| shot.heat = None);
        } else if shots.seen.pop().is_none() && shots.mistakes.pop().is_none() {
            return Ok(page);
        }
    }
}

fn written(run: &RunReport, live: Option<&Live>) -> Result<String, ReportError> {
    let charts = charts(run);
    let (findings, unknown) = findings(run);
    let page = RunPage {
        frame: if live.is_some() { Frame::live(json(&charts)) } else { Frame::new(json(&charts)) },
        live: live.cloned(),
        name: &run.info.name,
        model: &run.info.model.name,
        data_name: &run.info.data.name,
        date: day(&run.info.created),
        version: &run.info.wellfit_version,
        result: result(run),
        charts: charts.iter().map(drawn).collect(),
        table: table(run),
        mistakes: mistakes(run),
        seen: seen(run),
        augmentations: run.pictures.augmentations.join(", "),
        classes: classes(run),
        findings,
        unknown,
        history: history(run),
        details: details(run),
        problems: &run.problems,
    };
    Ok(page.render()?)
}

/// `2026-11-26` of a time.
pub fn day(time: &str) -> String {
    time.get(..10).unwrap_or(time).to_owned()
}

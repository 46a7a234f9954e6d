//! The page of a trial: what techniques do, by pairs of runs.

use crate::error::ReportError;
use crate::page::Frame;
use askama::Template;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_base::figures::{self, duration, is_share};
use wellfit_proof::{Judged, Verdict};
use wellfit_record::TrialDir;

/// The file of a trial's verdicts.
const RESULT: &str = "trial.json";
/// The longest that is read.
const MOST: u64 = 64 << 20;

/// What the file holds.
#[derive(Debug, Deserialize)]
struct Outcome {
    pairs: usize,
    metric: String,
    techniques: Vec<Technique>,
}

#[derive(Debug, Deserialize)]
struct Technique {
    #[serde(flatten)]
    judged: Judged,
    #[serde(default)]
    results: Vec<Pair>,
    #[serde(default)]
    images: Option<Images>,
}

#[derive(Debug, Deserialize)]
struct Pair {
    baseline: f64,
    treated: f64,
}

/// Images of the validation part whose answers a technique changed, over all pairs.
#[derive(Debug, Deserialize)]
struct Images {
    fixed: u64,
    broken: u64,
}

/// A technique on the page.
#[derive(Debug)]
pub(crate) struct Row {
    pub name: String,
    pub tone: &'static str,
    pub sign: &'static str,
    pub verdict: &'static str,
    pub difference: String,
    pub interval: String,
    pub bar: Option<[String; 3]>,
    pub facts: Vec<(&'static str, String)>,
    pub pairs: Vec<[String; 3]>,
}

#[derive(Template)]
#[template(path = "trial.html")]
struct TrialPage {
    frame: Frame,
    name: String,
    lead: String,
    rows: Vec<Row>,
    /// Whether the intervals hold for several techniques together.
    several: bool,
    plan: String,
}

/// The page of the trial in a directory: HTML with all that it needs.
///
/// # Errors
/// If there is no trial, if it has no result yet, or if that cannot be read.
pub fn trial_page(path: &Path) -> Result<String, ReportError> {
    let Some(trial) = TrialDir::find(path) else {
        return Err(ReportError::Trial(format!("{} is no trial", path.shown())));
    };
    let found: Outcome =
        required(path, RESULT, "there is no result yet: finish the trial with wellfit prove")?;
    let page = TrialPage {
        frame: Frame::new("[]".to_owned()),
        name: path.file_name().map_or_else(|| path.shown(), |name| name.to_string_lossy().into_owned()),
        lead: format!(
            "What techniques do to {} of the validation images, by {} pairs of runs that differ in the technique alone.",
            found.metric.replace("val_", "").replace('_', " "),
            found.pairs
        ),
        rows: rows(&found),
        several: found.techniques.len() > 1,
        plan: trial.plan()?,
    };
    Ok(page.render()?)
}

/// The techniques of a trial; none where it has no result.
pub(crate) fn techniques(path: &Path) -> Result<Vec<Row>, ReportError> {
    Ok(result::<Outcome>(path, RESULT)?.as_ref().map(rows).unwrap_or_default())
}

/// What a file of results in a directory holds; none where there is no such file.
pub(crate) fn result<T: DeserializeOwned>(path: &Path, name: &str) -> Result<Option<T>, ReportError> {
    let bad = |problem: String| ReportError::Trial(format!("{}: {problem}", path.join(name).shown()));
    let dir = wellfit_base::Dir::open(path).map_err(|error| bad(error.to_string()))?;
    if !dir.is_file(name).map_err(|error| bad(error.to_string()))? {
        return Ok(None);
    }
    let bytes = dir.read(name, MOST).map_err(|error| bad(error.to_string()))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| bad(error.to_string()))
}

/// The same, where it must be there: without it `missing` is told.
pub(crate) fn required<T: DeserializeOwned>(
    path: &Path,
    name: &str,
    missing: &str,
) -> Result<T, ReportError> {
    let none = || ReportError::Trial(format!("{}: {missing}", path.join(name).shown()));
    result(path, name)?.ok_or_else(none)
}

fn rows(found: &Outcome) -> Vec<Row> {
    let reach = reach(found);
    found.techniques.iter().map(|one| row(one, &found.metric, reach)).collect()
}

/// The largest difference that is drawn, so that all techniques share an axis.
fn reach(found: &Outcome) -> f64 {
    let ends = found.techniques.iter().flat_map(|one| {
        let [low, high] = one.judged.interval.unwrap_or([one.judged.mean_difference; 2]);
        [low.abs(), high.abs(), one.judged.mean_difference.abs()]
    });
    ends.filter(|end| end.is_finite()).fold(1e-9, f64::max)
}

/// `+1.2 points` of a share in percent, `+0.0123` of another metric.
pub(crate) fn amount(value: f64, metric: &str) -> String {
    if is_share(metric) { format!("{:+.2} points", 100.0 * value) } else { format!("{value:+.4}") }
}

fn row(one: &Technique, metric: &str, reach: f64) -> Row {
    let Technique { judged, results, images } = one;
    let (tone, sign, verdict) = match judged.verdict {
        Verdict::Helps => ("good", "✓", "helps"),
        Verdict::Hurts => ("bad", "✕", "hurts"),
        Verdict::NoDifferenceThatMatters => ("unknown", "=", "no difference that matters"),
        Verdict::NoEvidence => ("fair", "?", "no evidence"),
        Verdict::IdenticalBits => ("unknown", "=", "does nothing: both arms have the same bits"),
    };
    let place = |value: f64| format!("{:.1}", (50.0 + 48.0 * value / reach).clamp(0.0, 100.0));
    let ends = judged.interval.map_or_else(String::new, |[low, high]| {
        format!("{} and {}", amount(low, metric), amount(high, metric))
    });
    let mut facts = vec![
        ("pairs", judged.pairs.to_string()),
        ("better, worse, neither", format!("{}, {}, {}", judged.won, judged.lost, judged.tied)),
        ("e-value", format!("{:.2}", judged.e)),
    ];
    if let Some(p) = judged.adjusted_p.or(judged.p) {
        facts.push(("p-value", format!("{p:.4}")));
    }
    if let Some([low, high]) = judged.interval_new_images {
        facts.push(("with new images too", format!("{} to {}", amount(low, metric), amount(high, metric))));
    }
    if let Some(Images { fixed, broken }) = images {
        facts.push(("answers put right, put wrong", format!("{fixed}, {broken}")));
    }
    if let Some(more) = judged.more_seeds {
        facts.push(("pairs more for a verdict", more.to_string()));
    }
    let seconds = judged.cost.seconds;
    let cost = if seconds < 0.0 { format!("saves {}", duration(-seconds)) } else { duration(seconds) };
    facts.push(("time it costs, a run", cost));
    let value = |value| figures::metric(metric, value);
    let pair = |pair: &Pair| {
        [value(pair.baseline), value(pair.treated), amount(pair.treated - pair.baseline, metric)]
    };
    Row {
        name: judged.name.clone(),
        tone,
        sign,
        verdict,
        difference: amount(judged.mean_difference, metric),
        interval: ends,
        bar: judged.interval.map(|[low, high]| [place(low), place(high), place(judged.mean_difference)]),
        facts,
        pairs: results.iter().map(pair).collect(),
    }
}

//! The beginning of the page: how good the run is, and what is said of it.

use super::findings::{Tone, title};
use crate::read::RunReport;
use wellfit_base::figures::{count, duration, loss, percent};
use wellfit_base::words::plural;
use wellfit_diagnose::Name;
use wellfit_record::{Event, RunState, StopReason};

/// The result.
#[derive(Debug, Clone, Default)]
pub struct ResultView {
    /// The accuracy; empty before there is one.
    pub accuracy: String,
    /// What it is the accuracy of.
    pub of: String,
    /// Where it lies: from, to; empty where the images are not known.
    pub interval: String,
    /// Both ends and the accuracy as places from 0 to 100, for the drawing.
    pub bar: Option<[String; 3]>,
    /// How it stands with the training.
    pub tone: Tone,
    /// That in a few words.
    pub verdict: String,
    /// And in a sentence or two.
    pub sentence: String,
    /// What to try, as options.
    pub advice: String,
    /// Further figures: what, and its value.
    pub facts: Vec<(String, String)>,
}

/// `89.1 % to 94.7 %`; empty if an end is not known.
pub fn interval(ends: Option<[Option<f64>; 2]>) -> String {
    match ends {
        Some([Some(low), Some(high)]) => format!("{} to {}", percent(low), percent(high)),
        _ => String::new(),
    }
}

/// The result of a run.
pub fn result(run: &RunReport) -> ResultView {
    let mut view = verdict(run);
    let judged = run.evaluation.as_ref().filter(|found| found.accuracy.is_some());
    if let Some(found) = judged {
        let part = if found.part == "test" { "test" } else { "validation" };
        let share = found.accuracy.unwrap_or(0.0);
        view.accuracy = percent(share);
        view.of = format!("of {} {part} images answered rightly", count(found.images));
        view.interval = interval(found.accuracy_interval_95);
        if let Some([Some(low), Some(high)]) = found.accuracy_interval_95 {
            view.bar = Some([low, high, share].map(|share| format!("{:.1}", 100.0 * share)));
        }
    } else if let Some(best) = &run.best {
        view.accuracy = percent(best.val_accuracy());
        view.of = format!("of the validation images answered rightly, in epoch {}", best.epoch);
    }
    view.facts = facts(run);
    view
}

fn verdict(run: &RunReport) -> ResultView {
    let none = || ResultView {
        verdict: "Nothing is known yet".to_owned(),
        sentence: "The run has recorded no epoch.".to_owned(),
        ..ResultView::default()
    };
    let Some(diagnosis) = &run.diagnosis else { return none() };
    let Some(weightiest) = diagnosis.findings.first() else {
        return ResultView {
            verdict: "Too short to judge".to_owned(),
            sentence: format!(
                "{} say too little about how the training went.",
                plural(diagnosis.epochs, "epoch")
            ),
            ..ResultView::default()
        };
    };
    let from = match (weightiest.name, weightiest.onset) {
        (Name::Healthy, _) | (_, None) => String::new(),
        (_, Some(epoch)) => format!(" from epoch {epoch}"),
    };
    let others = diagnosis.findings.len() - 1;
    let more = if others == 0 { String::new() } else { format!(", and {}", plural(others, "other finding")) };
    let healthy = weightiest.name == Name::Healthy;
    ResultView {
        tone: Tone::of(weightiest.name),
        verdict: format!("{}{from}{more}", title(weightiest.name)),
        sentence: if healthy {
            "The curves show nothing that is wrong with this training.".to_owned()
        } else {
            weightiest.sentence.clone()
        },
        advice: weightiest.advice.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or "),
        ..ResultView::default()
    }
}

fn facts(run: &RunReport) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |what: &str, value: String| facts.push((what.to_owned(), value));
    if let Some(best) = &run.best {
        fact("best epoch", format!("{} of {}", best.epoch, run.epochs.len()));
        fact("validation loss", loss(best.val_loss()));
    }
    if let Some(found) = &run.evaluation {
        if let Some(f1) = found.macro_f1 {
            let range = interval(found.macro_f1_interval_95);
            let range = if range.is_empty() { range } else { format!(" ({range})") };
            fact("mean F1 of the classes", format!("{}{range}", percent(f1)));
        }
        for (what, value) in
            [("balanced accuracy", found.balanced_accuracy), ("top-5 accuracy", found.top5_accuracy)]
        {
            if let Some(value) = value {
                fact(what, percent(value));
            }
        }
        if let Some(auc) = found.auc {
            fact("area under the ROC curve", format!("{auc:.3}"));
        }
        if let Some(error) = found.calibration.ece {
            fact("calibration error", percent(error));
        }
    }
    for event in &run.events {
        if let Event::Evaluated { part, images, accuracy, .. } = event {
            fact(&format!("on {part}"), format!("{} of {} images", percent(*accuracy), count(*images)));
        }
    }
    fact("time", duration(run.seconds()));
    fact("ended", ended(run));
    facts
}

/// Why it ended, in words.
fn ended(run: &RunReport) -> String {
    match &run.state {
        RunState::Running => "it is running".to_owned(),
        RunState::Interrupted => "not yet: it was interrupted".to_owned(),
        RunState::Stopped(StopReason::Finished) => "all epochs are done".to_owned(),
        RunState::Stopped(reason) => reason.to_string().replace('_', " "),
    }
}

//! Where a trial is: a new directory, or one that goes on.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::resume::RUNS;
use crate::saved::SavedRun;
use crate::training::Destination;
use std::path::Path;
use std::time::Duration;
use wellfit_base::Shown;
use wellfit_proof::Design;
use wellfit_record::{RunDir, TRIAL_TOML, TrialDir, list_runs};

/// How long to wait before looking again at what another process is putting there.
const PAUSE: Duration = Duration::from_millis(100);

/// The directory of the trial, and its plan: that which is there may have grown.
pub(super) fn place(
    asked: &Design,
    baseline: &Experiment,
    out: &Destination,
    resume: bool,
    observer: &mut dyn Observer,
) -> Result<(TrialDir, Design), RunError> {
    let plan = asked.to_toml()?;
    let names: Vec<&str> = asked.techniques.iter().map(|technique| technique.name.as_str()).collect();
    let hint = format!("{}-{}", baseline.parts.name, names.join("-"));
    let there = match (&out.dir, resume) {
        (Some(dir), _) => TrialDir::find(dir),
        (None, true) => newest(asked, baseline),
        (None, false) => None,
    };
    let found = match there {
        Some(there) => there,
        None => {
            if resume {
                let place = out.dir.clone().unwrap_or_else(|| RUNS.into());
                observer.notice(&Notice::NothingToResume { place });
            }
            match TrialDir::create(out.dir.as_deref(), &hint, &plan) {
                Ok(made) => {
                    observer.notice(&Notice::Run { path: made.path().to_owned() });
                    return Ok((made, asked.clone()));
                }
                // Another process may have begun it at the same time.
                Err(error) => match out.dir.as_deref().filter(|_| resume).and_then(begun) {
                    Some(other) => other,
                    None => return Err(error.into()),
                },
            }
        }
    };
    let name = found.path().shown();
    if !resume {
        return Err(RunError::Output(format!(
            "{name} holds a trial already: go on with it by `--resume auto`, or choose another directory"
        )));
    }
    let design = plan_of(&found)?;
    if design == *asked {
        return Ok((found, design));
    }
    match grown(&design, asked) {
        Some(design) => {
            found.write_file(TRIAL_TOML, design.to_toml()?.as_bytes())?;
            Ok((found, design))
        }
        None => Err(RunError::Unusable(format!(
            "{name} is a trial with another plan, see its trial.toml: give the options that it began with, or choose another \
             directory"
        ))),
    }
}

/// The trial that another process is putting there.
fn begun(dir: &Path) -> Option<TrialDir> {
    (0..20).find_map(|attempt| {
        if attempt > 0 {
            std::thread::sleep(PAUSE);
        }
        TrialDir::find(dir)
    })
}

/// The plan in a trial's directory.
pub(crate) fn plan_of(dir: &TrialDir) -> Result<Design, RunError> {
    let plan = dir.plan()?;
    Design::from_toml(&plan)
        .map_err(|error| RunError::Output(format!("{}: {error}", dir.path().join(TRIAL_TOML).shown())))
}

/// A plan with the pairs that are asked for now, if nothing else is asked for and they are no fewer.
fn grown(design: &Design, asked: &Design) -> Option<Design> {
    let same = Design { pairs: asked.pairs, ..design.clone() } == *asked
        && std::mem::discriminant(&design.pairs) == std::mem::discriminant(&asked.pairs);
    let mut grown = design.clone();
    let more = same && grown.grow(asked.last_pair()).is_ok();
    more.then_some(grown)
}

/// The newest trial in `runs/` with that plan and these data.
fn newest(asked: &Design, baseline: &Experiment) -> Option<TrialDir> {
    let fits = |dir: &TrialDir| {
        let Ok(plan) = plan_of(dir) else { return false };
        let run = RunDir::open(dir.run(plan.first_seed, wellfit_proof::BASELINE)).ok();
        let other = run.and_then(|run| SavedRun::read(&run).ok()).is_some_and(|saved| !saved.is_of(baseline));
        (plan == *asked || grown(&plan, asked).is_some()) && !other
    };
    let runs = list_runs(Path::new(RUNS)).ok()?;
    let mut trials: Vec<TrialDir> = runs.iter().filter_map(|run| TrialDir::find(&run.path)).collect();
    trials.sort_by_cached_key(TrialDir::number);
    trials.into_iter().rev().find(fits)
}

//! What a run would have done under other policies: what its record tells is taken over, the rest is trained.

use crate::error::RunError;
use crate::experiment::{Experiment, settle};
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::{Options, RunSpec, SemanticsName};
use crate::resume::{Changes, Unfinished, require_same_data, source_of};
use crate::saved::SavedRun;
use crate::sharing::{Sharing, trained};
use crate::training::{Destination, Outcome};
use std::path::Path;
use wellfit_policy::schedule::ScheduleSpec;
use wellfit_policy::{EarlyStoppingConfig, PlateauConfig};
use wellfit_record::{Metric, RunDir};

/// Policies that a run is to have instead of its own; it keeps those that are `None`. A plateau scheduler takes the place of a
/// schedule, and the other way round.
#[derive(Debug, Clone)]
pub struct Policies {
    /// Early stopping.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// The plateau scheduler.
    pub plateau: Option<PlateauConfig>,
    /// The schedule.
    pub schedule: Option<ScheduleSpec>,
    /// What the first two watch.
    pub metric: Metric,
    /// Whose rules they follow.
    pub semantics: SemanticsName,
}

/// What became of it.
#[derive(Debug)]
pub enum Branched {
    /// The record tells all: under these policies the run has so many epochs, and all of them were trained.
    Known {
        /// The epochs.
        epochs: u32,
    },
    /// A run with these policies was made.
    Trained {
        /// The epochs that it took over.
        common: u32,
        /// The run.
        outcome: Box<Outcome>,
    },
}

/// Make the run that the one in `dir` would have been under other policies. It begins behind the last state that both have in
/// common, or at the beginning if none is left, and has the bits of one that was trained as a whole. `data` says where the data
/// are, if they have moved.
///
/// # Errors
/// If a policy has options that no run of ours has; if the data are not those of the run; and as [`train`](crate::train).
pub fn branch(
    dir: &Path,
    policies: &Policies,
    data: Option<&str>,
    out: &Destination,
    observer: &mut dyn Observer,
) -> Result<Branched, RunError> {
    let run = RunDir::open(dir)?;
    let saved = SavedRun::read(&run)?;
    let before = saved.options(&run)?;
    let changes = Changes { data: data.map(str::to_owned), ..Changes::default() };
    let source = source_of(&saved, &changes);
    let experiment = Experiment::prepare(&policies.options().combine(before.clone()), &source, observer)?;
    require_same_data((&saved, dir), &experiment, "Give its data by `data`")?;
    let (own, _) = settle(before, source.validation, source.kind(&experiment.parts.train))?;
    policies.check(&own, &experiment.spec)?;
    let sharing = Sharing::of(&experiment, (&own, &experiment.spec), None)?;
    let trained = trained(&run)?;
    let parting = sharing.parts(&trained)?;
    let common = parting.map_or(trained.len() as u32, |parting| parting.epoch);
    if parting.is_some_and(|parting| parting.stops) || common >= experiment.spec.epochs {
        return Ok(Branched::Known { epochs: common });
    }
    let Some(found) = sharing.latest_state(&run, [])? else {
        observer.notice(&Notice::NoStateInCommon { run: dir.to_owned(), common });
        let outcome = Box::new(experiment.train(out, observer)?);
        return Ok(Branched::Trained { common: 0, outcome });
    };
    let begun = found.checkpoint.manifest.info.epoch;
    observer.notice(&Notice::BranchedFrom { run: dir.to_owned(), epochs: begun, common });
    let name = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).to_string_lossy().into_owned();
    let fill = |config: &_, new: &mut _| sharing.fill((&run, &name), &found, config, new);
    let (new, info) = experiment.make_branched(out, fill)?;
    let outcome = Box::new(Unfinished::new(new, info).resume(experiment, observer)?);
    Ok(Branched::Trained { common: begun, outcome })
}

impl Policies {
    /// As settings of a run.
    fn options(&self) -> Options {
        let mut options = Options { semantics: Some(self.semantics), ..Options::default() };
        let metric = || Some(self.metric.name().to_owned());
        if let Some(config) = &self.early_stopping {
            options.early_stopping = Some(true);
            options.patience = Some(config.patience);
            options.min_delta = Some(config.min_delta);
            options.monitor = metric();
        }
        if let Some(config) = &self.plateau {
            options.lr_scheduler = Some(true);
            options.lr_patience = Some(config.patience);
            options.lr_factor = Some(config.factor);
            options.min_lr = Some(config.min_lr);
            options.lr_monitor = metric();
        }
        if let Some(schedule) = &self.schedule {
            options.schedule = Some(schedule.clone());
        }
        options
    }

    /// Refuse policies that a run of the settings `new` does not have as they were asked for, and one that would change beside
    /// them.
    fn check(&self, own: &RunSpec, new: &RunSpec) -> Result<(), RunError> {
        let refused = |setting: &'static str, can: &str| {
            let problem = format!("a run of Wellfit has {can} of these options: leave the others out");
            Err(RunError::setting(setting, problem))
        };
        if self.early_stopping.as_ref().is_some_and(|asked| *asked != new.early_stopping()) {
            return refused("early_stopping", "`patience`, `min_delta` and the metric's own mode");
        }
        if self.plateau.as_ref().is_some_and(|asked| *asked != new.plateau()) {
            return refused("lr_scheduler", "`lr_patience`, `lr_factor`, `min_lr` and the metric's own mode");
        }
        let kept = [
            (
                self.early_stopping.is_none() && new.early_stopping,
                own.early_stopping() == new.early_stopping(),
            ),
            (self.plateau.is_none() && new.lr_scheduler, own.plateau() == new.plateau()),
        ];
        if kept.contains(&(true, false)) {
            let problem = format!(
                "`semantics` are those of all policies, and the run has another one, under {}: give these, or that policy as well",
                own.semantics
            );
            return Err(RunError::setting("semantics", problem));
        }
        Ok(())
    }
}

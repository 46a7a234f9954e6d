//! What two runs of other settings have in common: one of them has trained it, and the other begins behind it.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::options::{LrSetting, RunSpec};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use wellfit_models::Engine;
use wellfit_proof::Settings;
use wellfit_proof::trial::{Course, branch, cannot_begin_late, first_other_rate};
use wellfit_record::{
    EpochRecord, LoadedCheckpoint, RunDir, RunWriter, epochs, is_checkpoint, read_checkpoint,
};
use wellfit_train::branch::{Origin, Parting};
use wellfit_train::{FitConfig, LAST, branch as branch_run, parts_after};

/// How long a run, such as a trial's baseline, and one that is treated otherwise are one training.
#[derive(Debug)]
pub(crate) struct Sharing {
    /// As the plan says; fewer if a policy acts before. 0 if they share nothing.
    most: u32,
    own: FitConfig,
    treated: FitConfig,
    stages: usize,
    /// Whether the technique begins late: then its policies do, too.
    late: bool,
}

impl Sharing {
    /// Of runs of the settings `own` and `treated`, both decided, on the data of the `experiment`, where what is treated begins
    /// at the epoch `treat_at`.
    pub fn of(
        experiment: &Experiment,
        (own, treated): (&RunSpec, &RunSpec),
        treat_at: Option<u32>,
    ) -> Result<Self, RunError> {
        let batches = experiment.train.batches();
        let config =
            |spec: &RunSpec| spec.fit(Arc::<dyn Engine>::clone(&experiment.engine), batches, BTreeMap::new());
        let steps = batches.div_ceil(own.accumulate.max(1) as usize) as u64;
        let late = treat_at.is_some_and(|epoch| epoch > 1);
        let apart = is_apart(own, treated);
        if late && apart {
            return Err(RunError::Unusable(
                "a technique cannot begin in the middle of a run where `best` differs, `checkpoint` is set or `lr` is to be \
                 found"
                    .to_owned(),
            ));
        }
        let most = if apart { 0 } else { epochs_in_common(own, treated, treat_at, steps)? };
        let stages = experiment.network.stages();
        Ok(Self { most, own: config(own)?, treated: config(treated)?, stages, late })
    }

    /// Fill the new `run`, treated, with what the run in `from`, called `name`, had trained at that checkpoint.
    pub fn fill(
        &self,
        (from, name): (&RunDir, &str),
        checkpoint: &LoadedCheckpoint,
        config: &FitConfig,
        run: &mut RunWriter,
    ) -> Result<(), RunError> {
        let origin = Origin { run: from, name, checkpoint, late: self.late.then_some(&self.own) };
        Ok(branch_run(origin, (config, self.stages), run)?)
    }

    /// Whether only the last state in common will do.
    pub fn is_late(&self) -> bool {
        self.late && self.most > 0
    }

    /// Whether they have any epoch in common.
    pub fn is_some(&self) -> bool {
        self.most > 0
    }

    /// Where the runs part, if the first one's epochs so far tell: by a policy, or behind the last that the settings have in
    /// common.
    pub fn parts(&self, trained: &[EpochRecord]) -> Result<Option<Parting>, RunError> {
        let first = &trained[..trained.len().min(self.most as usize)];
        let found =
            if self.late { None } else { parts_after(first, (&self.own, &self.treated), self.stages)? };
        let all = Parting { epoch: self.most, stops: false };
        Ok(found.or((first.len() as u32 == self.most).then_some(all)))
    }

    /// How many of these epochs of a run that ended both have in common.
    pub fn common(&self, trained: &[EpochRecord]) -> Result<u32, RunError> {
        Ok(self.parts(trained)?.map_or(trained.len() as u32, |parting| parting.epoch))
    }

    /// The latest state of the run in `from` that the treated one can begin from: among its checkpoints, and those that were
    /// kept elsewhere.
    pub fn latest_state(
        &self,
        from: &RunDir,
        kept: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Option<LoadedCheckpoint>, RunError> {
        let trained = trained(from)?;
        let common = self.common(&trained)?;
        let own = from.checkpoints()?.into_iter().filter(|path| is_checkpoint(path));
        let mut found: Option<LoadedCheckpoint> = None;
        for path in kept.into_iter().chain(own) {
            // One that is damaged, or whose run removed it meanwhile, serves nobody.
            let Ok(loaded) = read_checkpoint(&path) else { continue };
            let info = &loaded.checkpoint.manifest.info;
            let first = if self.is_late() { common } else { 1 };
            let whole = loaded.checkpoint.manifest.name == LAST
                && (first..=common).contains(&info.epoch)
                && trained.get(info.epoch as usize - 1).is_some_and(|record| record.step == info.step);
            if whole && found.as_ref().is_none_or(|best| best.checkpoint.manifest.info.epoch < info.epoch) {
                found = Some(loaded);
            }
        }
        Ok(found)
    }
}

/// Whether more keeps the runs apart than what acts from some step on: a file or a choice that one of them makes on the way, a
/// rate that each looks for.
fn is_apart(own: &RunSpec, treated: &RunSpec) -> bool {
    own.best != treated.best
        || [own, treated].iter().any(|spec| spec.checkpoint.is_some() || spec.lr == LrSetting::Auto)
}

fn epochs_in_common(
    own: &RunSpec,
    treated: &RunSpec,
    treat_at: Option<u32>,
    steps: u64,
) -> Result<u32, RunError> {
    let [before, after] = [settings(own)?, settings(treated)?];
    let rates = |spec: &RunSpec| -> Result<Vec<f64>, RunError> {
        let (lr, total) = (spec.rate(), u64::from(spec.epochs.saturating_sub(spec.freeze_epochs)) * steps);
        let schedule = spec.schedule(steps).map_err(|problem| RunError::setting("schedule", problem))?;
        Ok(match schedule {
            Some(schedule) => schedule.rates(lr).take(total as usize).collect(),
            None => vec![lr; total as usize],
        })
    };
    let head = u64::from(own.freeze_epochs.min(treated.freeze_epochs)) * steps;
    let first = first_other_rate(rates(own)?, rates(treated)?).map(|step| step + head);
    let found = branch(&before, &after, treat_at, Course { steps_per_epoch: steps, first_other_rate: first });
    let longest = own.epochs.min(treated.epochs);
    let whole = found.shared_steps(u64::from(longest) * steps, None) / steps.max(1);
    let before = treat_at.map_or(longest, |epoch| epoch.saturating_sub(1));
    Ok((whole as u32).min(longest).min(before))
}

/// Refuse a technique that is to begin at an epoch but makes the network or chooses the data.
pub(crate) fn refuse_late(own: &RunSpec, treated: &RunSpec, name: &str) -> Result<(), RunError> {
    let early = cannot_begin_late(&settings(own)?, &settings(treated)?);
    match early.first() {
        None => Ok(()),
        Some(setting) => Err(RunError::Unusable(format!(
            "{name} cannot begin in the middle of a run: `{setting}` is settled before the first step"
        ))),
    }
}

/// Decided settings as text.
fn settings(spec: &RunSpec) -> Result<Settings, RunError> {
    let table =
        toml::Table::try_from(spec).map_err(|error| RunError::Output(format!("settings: {error}")))?;
    let text = |value: toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(table.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// The epochs of a run so far.
pub(crate) fn trained(run: &RunDir) -> Result<Vec<EpochRecord>, RunError> {
    Ok(epochs(&run.events()?.rows))
}

//! What a treated run shares with its pair's baseline: that is trained once, and the treated run begins behind it.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::{LrSetting, RunSpec};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_models::Engine;
use wellfit_proof::Settings;
use wellfit_proof::trial::{Course, branch, cannot_begin_late, first_other_rate};
use wellfit_record::{
    Checkpoint, EpochRecord, LoadedCheckpoint, RunDir, RunWriter, TrialDir, epochs, is_checkpoint,
    read_checkpoint,
};
use wellfit_train::branch::Origin;
use wellfit_train::callback::{Callback, Control, EpochReport, Tick};
use wellfit_train::{FitConfig, LAST, branch as branch_run, parts_after};

/// The baseline's directory, seen from a treated run's.
const BESIDE: &str = "../baseline";

/// How long a baseline and a treated run are one training.
#[derive(Debug)]
pub(super) struct Sharing {
    /// As the plan says; fewer if a policy acts before. 0 if they share nothing.
    most: u32,
    own: FitConfig,
    treated: FitConfig,
    stages: usize,
    /// Whether the technique begins late: then its policies do, too.
    late: bool,
}

impl Sharing {
    /// Of a baseline and a treated run of these settings, both decided, where the technique begins at the epoch `treat_at`.
    pub fn of(baseline: &Experiment, treated: &RunSpec, treat_at: Option<u32>) -> Result<Self, RunError> {
        let batches = baseline.train.batches();
        let own = &baseline.spec;
        let config =
            |spec: &RunSpec| spec.fit(Arc::<dyn Engine>::clone(&baseline.engine), batches, BTreeMap::new());
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
        let stages = baseline.network.stages();
        Ok(Self { most, own: config(own)?, treated: config(treated)?, stages, late })
    }

    /// Fill the new `run`, treated, with what the baseline in `from` had trained at that checkpoint.
    pub fn fill(
        &self,
        from: &RunDir,
        checkpoint: &LoadedCheckpoint,
        config: &FitConfig,
        run: &mut RunWriter,
    ) -> Result<(), RunError> {
        let origin = Origin { run: from, name: BESIDE, checkpoint, late: self.late.then_some(&self.own) };
        Ok(branch_run(origin, (config, self.stages), run)?)
    }

    /// Whether only the last state in common will do.
    pub fn is_late(&self) -> bool {
        self.late && self.most > 0
    }

    /// The epoch after which the runs part, if the baseline's epochs so far tell: the first of a policy, or the last that the
    /// settings have in common.
    pub fn parts(&self, trained: &[EpochRecord]) -> Result<Option<u32>, RunError> {
        let first = &trained[..trained.len().min(self.most as usize)];
        let found =
            if self.late { None } else { parts_after(first, (&self.own, &self.treated), self.stages)? };
        Ok(found.or((first.len() as u32 == self.most).then_some(self.most)))
    }

    /// How many of these epochs of a baseline that ended both have in common.
    pub fn common(&self, trained: &[EpochRecord]) -> Result<u32, RunError> {
        Ok(self.parts(trained)?.unwrap_or(trained.len() as u32))
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
        let (lr, total) =
            (spec.lr.number(), u64::from(spec.epochs.saturating_sub(spec.freeze_epochs)) * steps);
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
pub(super) fn refuse_late(own: &RunSpec, treated: &RunSpec, name: &str) -> Result<(), RunError> {
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
pub(super) fn trained(run: &RunDir) -> Result<Vec<EpochRecord>, RunError> {
    Ok(epochs(&run.events()?.rows))
}

/// The latest state of the baseline of the pair with that seed that a treated run can begin from.
pub(super) fn source(
    (dir, seed): (&TrialDir, u64),
    baseline: &RunDir,
    sharing: &Sharing,
) -> Result<Option<LoadedCheckpoint>, RunError> {
    let trained = trained(baseline)?;
    let common = sharing.common(&trained)?;
    let mut places: Vec<PathBuf> = dir.kept(seed).into_iter().map(|(_, path)| path).collect();
    places.extend(baseline.checkpoints()?.into_iter().filter(|path| is_checkpoint(path)));
    let mut found: Option<LoadedCheckpoint> = None;
    for path in places {
        // One that is damaged, or whose run removed it meanwhile, serves nobody.
        let Ok(loaded) = read_checkpoint(&path) else { continue };
        let info = &loaded.checkpoint.manifest.info;
        let first = if sharing.is_late() { common } else { 1 };
        let whole = loaded.checkpoint.manifest.name == LAST
            && (first..=common).contains(&info.epoch)
            && trained.get(info.epoch as usize - 1).is_some_and(|record| record.step == info.step);
        if whole && found.as_ref().is_none_or(|best| best.checkpoint.manifest.info.epoch < info.epoch) {
            found = Some(loaded);
        }
    }
    Ok(found)
}

/// Watches the training of a baseline, and keeps the states that treated runs will begin from.
pub(super) struct Keeper<'a> {
    observer: &'a mut dyn Observer,
    dir: &'a TrialDir,
    /// Of the pair.
    seed: u64,
    sharings: Vec<Sharing>,
    trained: Vec<EpochRecord>,
    /// The epochs at whose end a treated run parts.
    wanted: Vec<u32>,
}

impl<'a> Keeper<'a> {
    /// For the baseline, in the directory `run`, of the pair with that seed, and the treated runs that begin within it. What of
    /// it is there already is looked at.
    pub fn new(
        observer: &'a mut dyn Observer,
        (dir, seed): (&'a TrialDir, u64),
        run: &Path,
        sharings: Vec<Sharing>,
    ) -> Result<Self, RunError> {
        let sharings = sharings.into_iter().filter(|sharing| sharing.most > 0).collect();
        let mut keeper = Self { observer, dir, seed, sharings, trained: Vec::new(), wanted: Vec::new() };
        let Ok(run) = RunDir::open(run) else { return Ok(keeper) };
        keeper.trained = trained(&run)?;
        keeper.look();
        for path in run.checkpoints()? {
            if let Ok(loaded) = read_checkpoint(&path) {
                keeper.keep(&loaded.checkpoint);
            }
        }
        // What comes behind its newest checkpoint is trained again.
        let newest = run.newest_good(Some(LAST))?.found;
        let done = newest.map_or(0, |found| found.checkpoint.manifest.info.epoch);
        keeper.trained.truncate(done as usize);
        Ok(keeper)
    }

    fn look(&mut self) {
        // A policy that cannot be made is reported by the run that has it.
        let found = self.sharings.iter().filter_map(|sharing| sharing.parts(&self.trained).ok().flatten());
        self.wanted = found.collect();
    }

    fn keep(&self, checkpoint: &Checkpoint) {
        let info = &checkpoint.manifest.info;
        let ended = |record: &EpochRecord| record.epoch == info.epoch && record.step == info.step;
        let is_end = self.trained.iter().any(ended);
        if checkpoint.manifest.name == LAST && is_end && self.wanted.contains(&info.epoch) {
            // Without it the treated run trains everything itself.
            let _ = self.dir.keep(self.seed, checkpoint);
        }
    }
}

impl Callback for Keeper<'_> {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        self.observer.epoch_start(epoch, epochs);
    }

    fn tick(&mut self, tick: &Tick) {
        self.observer.tick(tick);
    }

    fn interrupted(&mut self) -> Option<String> {
        self.observer.interrupted()
    }

    fn saved(&mut self, checkpoint: &Checkpoint) {
        self.keep(checkpoint);
        self.observer.saved(checkpoint);
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        self.trained.push(*report.record);
        self.look();
        self.observer.epoch_end(report)
    }
}

impl Observer for Keeper<'_> {
    fn notice(&mut self, notice: &Notice) {
        self.observer.notice(notice);
    }

    fn ready(&mut self, spec: &RunSpec, run: &Path) -> Result<(), RunError> {
        self.observer.ready(spec, run)
    }
}

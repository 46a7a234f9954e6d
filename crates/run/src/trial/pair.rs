//! The two arms of a pair: made as ordinary runs, and measured from their records.

use super::plan::{JUDGED, arm, directory};
use crate::classifier::Classifier;
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::member::{Quiet, State, state};
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::options::RunSpec;
use crate::saved::SavedRun;
use crate::training::Destination;
use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_proof::trial::PairId;
use wellfit_proof::{Cost, Design, Flips, PairResult, judged_by_halves};
use wellfit_record::{Checkpoint, Metric, RunDir, TrialDir, answers, best_epoch, epochs};
use wellfit_train::callback::{Callback, Control, EpochReport, Tick};

/// A trial that is being worked on.
pub(super) struct Trial<'a> {
    pub design: &'a Design,
    pub dir: &'a TrialDir,
    pub source: &'a DataSource,
    pub command: &'a str,
}

/// What a run is worth.
struct Worth {
    value: f64,
    /// Image by image, where the metric is a mean over them.
    per_image: Option<Vec<f64>>,
    cost: Cost,
}

impl Trial<'_> {
    /// The seed of a pair.
    pub fn seed(&self, pair: usize) -> u64 {
        self.design.first_seed + pair as u64
    }

    /// The run of an arm of a pair.
    pub fn run(&self, pair: usize, technique: Option<usize>) -> PathBuf {
        self.dir.run(self.seed(pair), &directory(self.design, technique))
    }

    /// Whether both runs of a pair are whole.
    pub fn is_finished(&self, id: PairId) -> Result<bool, RunError> {
        for technique in [None, Some(id.technique)] {
            let Ok(run) = RunDir::open(self.run(id.pair, technique)) else { return Ok(false) };
            if !SavedRun::read(&run)?.is_finished(&run)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Make what is missing of the runs of a pair. The caller has the pair's lock.
    pub fn make(&self, id: PairId, observer: &mut dyn Observer) -> Result<(), RunError> {
        for technique in [None, Some(id.technique)] {
            self.make_run(id.pair, technique, observer)?;
        }
        Ok(())
    }

    fn make_run(
        &self,
        pair: usize,
        technique: Option<usize>,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let treated = technique.map(|place| &self.design.techniques[place]);
        let options = arm(self.design, treated, self.seed(pair))?;
        let dir = self.run(pair, technique);
        let experiment = Experiment::prepare(&options, self.source, &mut Quiet(observer))?;
        let state = state(&dir, &experiment)?;
        observer.notice(&Notice::Arm {
            pair: pair + 1,
            pairs: self.design.last_pair(),
            arm: treated
                .map_or_else(|| wellfit_proof::BASELINE.to_owned(), |technique| technique.name.clone()),
            finished: matches!(state, State::Finished),
        });
        match state {
            State::Finished => {}
            State::Unfinished(run) => drop(run.resume(experiment, &mut Brief(observer))?),
            State::Absent => {
                // Whatever of a run is there was cut off before it was one.
                let out = Destination { dir: Some(dir), force: true, command: self.command.to_owned() };
                drop(experiment.train(&out, &mut Brief(observer))?);
            }
        }
        Ok(())
    }

    /// The result of a finished pair, and the images that changed sides.
    pub fn measure(&self, id: PairId) -> Result<(PairResult, Option<Flips>), RunError> {
        let metric = Metric::named(&self.design.metric).unwrap_or(JUDGED);
        let [own, other] = [None, Some(id.technique)].map(|technique| self.run(id.pair, technique));
        let (baseline, treated) = (worth(&own, metric)?, worth(&other, metric)?);
        let both = baseline.per_image.as_ref().zip(treated.per_image.as_ref());
        let per_image: Option<Vec<f64>> =
            both.map(|(own, other)| own.iter().zip(other).map(|(own, other)| other - own).collect());
        let right = |values: &[f64]| values.iter().map(|value| *value > 0.5).collect::<Vec<bool>>();
        let flips = both.map(|(own, other)| Flips::count(&right(own), &right(other))).transpose()?;
        let result = PairResult {
            baseline: baseline.value,
            treated: treated.value,
            same_bits: same_bits(&own, &other)?,
            per_image,
            cost: Cost {
                epochs: treated.cost.epochs - baseline.cost.epochs,
                seconds: treated.cost.seconds - baseline.cost.seconds,
                images: treated.cost.images - baseline.cost.images,
            },
        };
        Ok((result, flips))
    }
}

/// Of a trial's many runs passes on how they get on and what they warn of, but not what each of them is.
struct Brief<'a>(&'a mut dyn Observer);

impl Callback for Brief<'_> {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        self.0.epoch_start(epoch, epochs);
    }

    fn tick(&mut self, tick: &Tick) {
        self.0.tick(tick);
    }

    fn interrupted(&mut self) -> Option<String> {
        self.0.interrupted()
    }

    fn saved(&mut self, checkpoint: &Checkpoint) {
        self.0.saved(checkpoint);
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        self.0.epoch_end(report)
    }
}

impl Observer for Brief<'_> {
    fn notice(&mut self, notice: &Notice) {
        if notice.is_warning() {
            self.0.notice(notice);
        }
    }

    fn ready(&mut self, spec: &RunSpec, run: &Path) -> Result<(), RunError> {
        self.0.ready(spec, run)
    }
}

fn worth(dir: &Path, metric: Metric) -> Result<Worth, RunError> {
    let run = RunDir::open(dir)?;
    let (outcome, events) = (run.outcome()?, run.events()?.rows);
    let trained = f64::from(outcome.epochs);
    let cost =
        Cost { epochs: trained, seconds: outcome.seconds, images: trained * outcome.info.data.train as f64 };
    if metric == JUDGED {
        let missing = || {
            RunError::Output(format!(
                "{}: the answers of an epoch are missing: it was resumed without `record_answers`. Remove this run and give the \
                 same command again",
                dir.shown()
            ))
        };
        let found =
            answers(&events, outcome.epochs).into_iter().collect::<Option<Vec<_>>>().ok_or_else(missing)?;
        let values: Vec<Vec<f64>> = found
            .into_iter()
            .map(|right| right.into_iter().map(|right| f64::from(u8::from(right))).collect())
            .collect();
        let per_image = judged_by_halves(&values, metric.mode())?;
        let value = per_image.iter().sum::<f64>() / per_image.len() as f64;
        return Ok(Worth { value, per_image: Some(per_image), cost });
    }
    let value = best_epoch(&epochs(&events), metric).map_or(f64::NAN, |epoch| epoch.value(metric));
    Ok(Worth { value, per_image: None, cost })
}

/// Whether the best weights of two runs are the same.
fn same_bits(own: &Path, other: &Path) -> Result<bool, RunError> {
    let [own, other] =
        [own, other].map(|dir| Classifier::open(dir).map(|classifier| classifier.network.state()));
    let (own, other) = (own?, other?);
    Ok(own.arrays == other.arrays)
}

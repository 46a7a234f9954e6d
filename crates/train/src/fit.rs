//! The loop.

use crate::callback::{Callback, Control, EpochReport, Pass, Tick};
use crate::checkpoint::{self, model_file};
use crate::error::TrainError;
use crate::evaluate::{Average, evaluate};
use crate::metric::Metric;
use crate::policies::{Policies, Verdict};
use std::collections::BTreeMap;
use std::time::Instant;
use wellfit_data::Loader;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::{DropoutKey, Network, Optimizer};
use wellfit_policy::{CheckpointConfig, EarlyStoppingConfig, PlateauConfig, Schedule};
use wellfit_record::{EpochRecord, Event, RecordError, RunWriter, StepRecord, now};
use wellfit_weights::write_safetensors;

/// How to train.
#[derive(Debug, Clone)]
pub struct FitConfig {
    /// Epochs at most.
    pub epochs: u32,
    /// The learning rate at the start.
    pub lr: f64,
    /// The optimiser.
    pub rule: Rule,
    /// The loss.
    pub loss: CrossEntropy,
    /// Gradients are scaled to this common norm at most.
    pub clip_norm: Option<f64>,
    /// The rate of each step, from the rate at the start.
    pub schedule: Option<Schedule>,
    /// ReduceLROnPlateau on the validation loss.
    pub lr_scheduler: Option<PlateauConfig>,
    /// Early stopping and the metric it watches.
    pub early_stopping: Option<(Metric, EarlyStoppingConfig)>,
    /// A Keras-style checkpoint besides `best` and `last`; its path is taken within the run's directory.
    pub checkpoint: Option<CheckpointConfig>,
    /// The seed of dropout.
    pub seed: u64,
    /// Put into every weight file.
    pub metadata: BTreeMap<String, String>,
}

/// What a finished run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Every epoch.
    pub epochs: Vec<EpochRecord>,
    /// Place in `epochs` of the lowest validation loss; none if every one was NaN.
    pub best: Option<usize>,
    /// The kind of end: `finished`, `early_stopping`, `callback`, or `diverged` when no epoch had a usable loss.
    pub stop_kind: &'static str,
    /// The same for people.
    pub stop_reason: String,
    /// The weights of the best epoch, or the last ones without a best.
    pub network: Network,
    /// The whole run.
    pub seconds: f64,
}

/// Train `network` on `train`, choose by `validation`, and write all of it to `run`.
///
/// After each epoch the figures, what the policies say, and the checkpoints `last` and (if the validation
/// loss is the lowest so far; NaN never is) `best` are on the disk before the callback hears of it.
///
/// # Errors
/// On bad data, a full disk, or [`TrainError::Diverged`]; the last checkpoints stay as they are.
pub fn fit(
    mut network: Network,
    (train, validation): (&Loader, &Loader),
    config: &FitConfig,
    run: &mut RunWriter,
    callback: &mut dyn Callback,
) -> Result<Outcome, TrainError> {
    let start = Instant::now();
    let mut policies = Policies::new(config)?;
    let mut optimizer = Optimizer::new(config.rule, &network);
    let mut lr = config.lr;
    let mut rates = config.schedule.as_ref().map(|schedule| schedule.rates(config.lr));
    let mut epochs: Vec<EpochRecord> = Vec::new();
    let mut best: Option<(usize, Network)> = None;
    let mut stop = ("finished", format!("all {} epochs done", config.epochs));
    for epoch in 1..=config.epochs {
        callback.epoch_start(epoch, config.epochs);
        let began = Instant::now();
        let pass = Training { train, config, epoch, best: best.as_ref().map(|(place, _)| *place) };
        let mut step_lr = || rates.as_mut().and_then(Iterator::next).unwrap_or(lr);
        let done = pass.run(&mut network, &mut optimizer, &mut step_lr, run, callback)?;
        let train_seconds = began.elapsed().as_secs_f64();
        let validated = evaluate(&network, validation, &config.loss, epoch, callback, |_, _| {})?;
        let seconds = began.elapsed().as_secs_f64();
        let record = EpochRecord {
            epoch,
            step: optimizer.step,
            train_loss: done.average.loss(),
            train_accuracy: done.average.accuracy(),
            val_loss: validated.loss(),
            val_accuracy: validated.accuracy(),
            lr: done.lr,
            seconds,
            train_seconds,
            val_seconds: seconds - train_seconds,
            data_wait_seconds: done.wait,
            images_per_second: done.average.samples as f64 / train_seconds,
        };
        epochs.push(record);
        let lowest = best.as_ref().map_or(f64::INFINITY, |(place, _)| epochs[*place].val_loss);
        let is_best = record.val_loss < lowest || (best.is_none() && record.val_loss == lowest);
        if is_best {
            best = Some((epochs.len() - 1, network.clone()));
        }
        let verdict = policies.observe(config, &record)?;
        let new_lr = verdict.plateau.as_ref().map_or(lr, |step| step.lr_after);
        write_epoch(run, &record, &verdict, config, (lr, new_lr))?;
        lr = new_lr;
        let state = (&record, lr, is_best);
        checkpoint::commit(run, &network, &optimizer, &policies, &config.metadata, state)?;
        if let Some(decision) = verdict.checkpoint.as_ref().filter(|decision| decision.save) {
            write_safetensors(&run.path().join(&decision.path), &model_file(&network, &config.metadata))?;
        }
        let report = EpochReport {
            record: &record,
            best: is_best,
            early_stopping: verdict.early_stopping.as_ref(),
            plateau: verdict.plateau.as_ref(),
            checkpoint: verdict.checkpoint.as_ref(),
        };
        let control = callback.epoch_end(&report);
        if let Some(reason) = verdict.early_stopping.and_then(|observation| observation.stop) {
            stop = ("early_stopping", reason.to_string());
            break;
        }
        if let Control::Stop(reason) = control {
            stop = ("callback", reason);
            break;
        }
    }
    if best.is_none() {
        stop = ("diverged", "the validation loss was NaN in every epoch".to_owned());
    }
    let best_record = best.as_ref().map(|(place, _)| epochs[*place]);
    run.event(&Event::Stop {
        reason: stop.0.to_owned(),
        message: stop.1.clone(),
        epoch: epochs.len() as u32,
        best_epoch: best_record.map(|record| record.epoch),
        best_value: best_record.map(|record| record.val_loss),
        time: now(),
    })?;
    let (best, network) = match best {
        Some((place, network)) => (Some(place), network),
        None => (None, network),
    };
    let seconds = start.elapsed().as_secs_f64();
    Ok(Outcome { epochs, best, stop_kind: stop.0, stop_reason: stop.1, network, seconds })
}

/// One pass over the training data.
struct Training<'a> {
    train: &'a Loader,
    config: &'a FitConfig,
    epoch: u32,
    best: Option<usize>,
}

/// What it came to.
struct Trained {
    average: Average,
    /// The rate of the last step.
    lr: f64,
    /// Seconds it waited for data.
    wait: f64,
}

impl Training<'_> {
    /// Do it, with the rate of each step from `step_lr`.
    fn run(
        &self,
        network: &mut Network,
        optimizer: &mut Optimizer,
        step_lr: &mut dyn FnMut() -> f64,
        run: &mut RunWriter,
        callback: &mut dyn Callback,
    ) -> Result<Trained, TrainError> {
        let (start, batches, classes) = (Instant::now(), self.train.batches(), network.outputs());
        let (mut average, mut lr) = (Average::default(), self.config.lr);
        let mut loaded = self.train.epoch(self.epoch - 1);
        for batch in 1.. {
            let Some(data) = loaded.next().transpose()? else { break };
            let step = optimizer.step + 1;
            lr = step_lr();
            let key = DropoutKey { seed: self.config.seed, step: step as u32 };
            let tape = network.forward(&data.images, key)?;
            let loss = self.config.loss.loss(tape.outputs(), &data.labels, classes);
            average.add(&loss, data.len());
            run.step(&StepRecord::of_one(self.epoch, step, lr, loss.value))?;
            if !loss.value.is_finite() {
                return Err(self.diverged(run, step, loss.value, lr));
            }
            let mut gradients = network.backward(tape, loss.gradient);
            if let Some(limit) = self.config.clip_norm {
                gradients.clip(limit);
            }
            optimizer.update(network, &gradients, lr);
            let (pass, epoch, elapsed) = (Pass::Train, self.epoch, start.elapsed());
            callback.tick(&Tick { pass, epoch, batch, batches, average, elapsed });
        }
        Ok(Trained { average, lr, wait: loaded.waited().as_secs_f64() })
    }

    fn diverged(&self, run: &mut RunWriter, step: u64, loss: f64, lr: f64) -> TrainError {
        let kept = match self.best {
            Some(place) => format!("epoch {}, the best so far,", place + 1),
            None => "no epoch".to_owned(),
        };
        let error = TrainError::Diverged { epoch: self.epoch, step, loss, lr, kept };
        let written = run.event(&Event::Stop {
            reason: "diverged".to_owned(),
            message: error.to_string(),
            epoch: self.epoch,
            best_epoch: self.best.map(|place| place as u32 + 1),
            best_value: None,
            time: now(),
        });
        written.err().map_or(error, TrainError::from)
    }
}

fn write_epoch(
    run: &mut RunWriter,
    record: &EpochRecord,
    verdict: &Verdict,
    config: &FitConfig,
    (lr, new_lr): (f64, f64),
) -> Result<(), RecordError> {
    let epoch = record.epoch;
    run.event(&Event::Epoch(*record))?;
    let counted = verdict.early_stopping.as_ref().filter(|observation| observation.counter > 0);
    if let (Some(observation), Some((_, options))) = (counted, &config.early_stopping) {
        let (counter, patience) = (observation.counter, options.patience);
        run.event(&Event::EarlyStoppingCounter { epoch, counter, patience })?;
    }
    if new_lr != lr {
        let reason = "the validation loss stalled".to_owned();
        run.event(&Event::LrChange { epoch, from: lr, to: new_lr, reason })?;
    }
    Ok(())
}

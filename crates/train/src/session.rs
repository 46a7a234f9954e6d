//! A run under way: all that changes from step to step, and so all that a checkpoint has to hold.

use crate::callback::{Callback, Pass, Tick};
use crate::checkpoint::frozen_file;
use crate::error::TrainError;
use crate::evaluate::{Average, evaluate_source, heed};
use crate::every::Every;
use crate::features::{Input, Source};
use crate::fit::{FitConfig, Outcome};
use crate::policies::{Policies, Verdict};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use wellfit_models::{DropoutKey, Network, Optimizer};
use wellfit_policy::schedule::Rates;
use wellfit_record::{EpochRecord, Event, FixedFile, RunWriter, StepRecord, now};
use wellfit_weights::Fault;

/// Where a run stands, besides its weights and the optimiser's memory. Everything random is a function of
/// the seed and this position, so no generator has a state to keep.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The epochs done.
    pub epochs: Vec<EpochRecord>,
    /// Place in `epochs` of the lowest validation loss.
    pub best: Option<usize>,
    /// The learning rate, unless a schedule gives it.
    pub lr: f64,
    /// The training pass under way.
    pub pass: PassSoFar,
    /// Why the run is over although epochs are left.
    pub stop: Option<Stop>,
    /// Seconds of computing, over all interruptions.
    pub seconds: f64,
    pub policies: Policies,
}

/// The part of a training pass that is done.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct PassSoFar {
    pub batches: usize,
    pub average: Average,
    /// The rate of the last step.
    pub lr: f64,
    pub seconds: f64,
    /// Seconds it waited for data.
    pub wait: f64,
}

/// The kind of an end, for programs and for people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stop {
    pub kind: String,
    pub reason: String,
}

/// See the module.
pub(crate) struct Session<'a> {
    pub config: &'a FitConfig,
    pub network: Network,
    pub optimizer: Optimizer,
    /// The weights of the best epoch.
    pub best: Option<Network>,
    /// The weights that are frozen, as every checkpoint holds them.
    pub frozen: Option<FixedFile>,
    pub at: Position,
    rates: Option<Rates<'a>>,
    /// When this process began, and after how many seconds of computing.
    began: (Instant, f64),
    /// When the last checkpoint was committed.
    pub saved: Instant,
}

impl<'a> Session<'a> {
    /// At the very beginning.
    pub fn begin(network: Network, config: &'a FitConfig) -> Result<Self, TrainError> {
        let at = Position {
            epochs: Vec::new(),
            best: None,
            lr: config.lr,
            pass: PassSoFar::default(),
            stop: None,
            seconds: 0.0,
            policies: Policies::new(config)?,
        };
        let optimizer = Optimizer::new(config.rule, &network);
        Ok(Self::at(at, network, optimizer, None, config)?)
    }

    /// At some position.
    pub fn at(
        at: Position,
        network: Network,
        optimizer: Optimizer,
        best: Option<Network>,
        config: &'a FitConfig,
    ) -> Result<Self, Fault> {
        let frozen = frozen_file(&network, config)?;
        let mut rates = config.schedule.as_ref().map(|schedule| schedule.rates(config.lr));
        if let Some(rates) = &mut rates {
            (0..optimizer.step).for_each(|_| {
                rates.next();
            });
        }
        let now = Instant::now();
        let began = (now, at.seconds);
        Ok(Self { config, network, optimizer, best, frozen, at, rates, began, saved: now })
    }

    /// The epoch under way, from 1.
    pub fn epoch(&self) -> u32 {
        self.at.epochs.len() as u32 + 1
    }

    /// Whether no epoch is left to train.
    pub fn is_over(&self) -> bool {
        self.at.stop.is_some() || self.at.epochs.len() >= self.config.epochs as usize
    }

    /// The best epoch's figures.
    pub fn best_record(&self) -> Option<&EpochRecord> {
        self.at.best.map(|place| &self.at.epochs[place])
    }

    /// Seconds of computing so far.
    pub fn seconds(&self) -> f64 {
        self.began.1 + self.began.0.elapsed().as_secs_f64()
    }

    /// The training pass of an epoch, or what is left of it.
    pub fn train(
        &mut self,
        train: &Source,
        run: &mut RunWriter,
        callback: &mut dyn Callback,
    ) -> Result<(), TrainError> {
        let (start, before) = (Instant::now(), self.at.pass);
        let (epoch, batches) = (self.epoch(), train.batches());
        let mut loaded = train.epoch(epoch - 1, before.batches);
        while let Some(data) = loaded.next(&self.network)? {
            self.step(&data, run)?;
            let pass = &mut self.at.pass;
            pass.seconds = before.seconds + start.elapsed().as_secs_f64();
            pass.wait = before.wait + loaded.waited().as_secs_f64();
            let (batch, average, elapsed) =
                (pass.batches, pass.average, Duration::from_secs_f64(pass.seconds));
            callback.tick(&Tick { pass: Pass::Train, epoch, batch, batches, average, elapsed });
            heed(callback)?;
            if self.checkpoint_is_due() {
                self.commit(run)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, data: &Input, run: &mut RunWriter) -> Result<(), TrainError> {
        let (epoch, step) = (self.epoch(), self.optimizer.step + 1);
        let lr = self.rates.as_mut().and_then(Iterator::next).unwrap_or(self.at.lr);
        let key = DropoutKey { seed: self.config.seed, step: step as u32 };
        let pass = self.config.engine.forward(&mut self.network, &data.values, data.value, key)?;
        let loss = self.config.loss.loss(pass.outputs(), &data.labels, self.network.outputs());
        self.at.pass.average.add(&loss, data.labels.len());
        run.step(&StepRecord::of_one(epoch, step, lr, loss.value))?;
        if !loss.value.is_finite() {
            return Err(self.diverged(run, step, loss.value, lr));
        }
        let mut gradients = pass.backward(&self.network, loss.gradient)?;
        if let Some(limit) = self.config.clip_norm {
            gradients.clip(limit);
        }
        self.optimizer.update(&mut self.network, &gradients, lr);
        self.at.pass.batches += 1;
        self.at.pass.lr = lr;
        Ok(())
    }

    fn checkpoint_is_due(&self) -> bool {
        match self.config.checkpoint_every {
            None => false,
            Some(Every::Steps(steps)) => self.optimizer.step.is_multiple_of(steps),
            Some(Every::Time(time)) => self.saved.elapsed() >= time,
        }
    }

    fn diverged(&self, run: &mut RunWriter, step: u64, loss: f64, lr: f64) -> TrainError {
        let kept = match self.at.best {
            Some(place) => format!("epoch {}, the best so far,", place + 1),
            None => "no epoch".to_owned(),
        };
        let error = TrainError::Diverged { epoch: self.epoch(), step, loss, lr, kept };
        let stop = Stop { kind: "diverged".to_owned(), reason: error.to_string() };
        self.tell_stop(run, &stop, self.epoch()).err().unwrap_or(error)
    }

    /// The validation pass, and all that follows from it: the epoch's figures, whether they are the best, and
    /// what the policies say.
    pub fn validate(
        &mut self,
        validation: &Source,
        callback: &mut dyn Callback,
    ) -> Result<Verdict, TrainError> {
        let (start, epoch, config) = (Instant::now(), self.epoch(), self.config);
        let engine = &*config.engine;
        let validated =
            evaluate_source(engine, &self.network, validation, &config.loss, epoch, callback, |_, _| {})?;
        let (pass, val_seconds) = (self.at.pass, start.elapsed().as_secs_f64());
        let record = EpochRecord {
            epoch,
            step: self.optimizer.step,
            train_loss: pass.average.loss(),
            train_accuracy: pass.average.accuracy(),
            val_loss: validated.loss(),
            val_accuracy: validated.accuracy(),
            lr: pass.lr,
            seconds: pass.seconds + val_seconds,
            train_seconds: pass.seconds,
            val_seconds,
            data_wait_seconds: pass.wait,
            images_per_second: pass.average.samples as f64 / pass.seconds,
        };
        let lowest = self.best_record().map_or(f64::INFINITY, |best| best.val_loss);
        let best = record.val_loss < lowest || (self.best.is_none() && record.val_loss == lowest);
        if best {
            self.at.best = Some(self.at.epochs.len());
            self.best = Some(self.network.clone());
        }
        self.at.epochs.push(record);
        self.at.pass = PassSoFar::default();
        let verdict = self.at.policies.observe(config, &record, best)?;
        self.at.lr = verdict.plateau.as_ref().map_or(self.at.lr, |step| step.lr_after);
        if let Some(reason) =
            verdict.early_stopping.as_ref().and_then(|observation| observation.stop.as_ref())
        {
            self.at.stop = Some(Stop { kind: "early_stopping".to_owned(), reason: reason.to_string() });
        }
        Ok(verdict)
    }

    /// Save where the run stands, and why it ends here for now.
    pub fn interrupt(&mut self, reason: &str, run: &mut RunWriter) -> Result<(), TrainError> {
        self.commit(run)?;
        let (epoch, step, reason) = (self.epoch() - 1, self.optimizer.step, reason.to_owned());
        Ok(run.event(&Event::Interrupted { epoch, step, reason, time: now() })?)
    }

    /// Tell how the run ended.
    pub fn finish(mut self, run: &mut RunWriter) -> Result<Outcome, TrainError> {
        let finished = || Stop {
            kind: "finished".to_owned(),
            reason: format!("all {} epochs done", self.config.epochs),
        };
        let diverged = || Stop {
            kind: "diverged".to_owned(),
            reason: "the validation loss was NaN in every epoch".to_owned(),
        };
        let stop =
            if self.best.is_none() { diverged() } else { self.at.stop.clone().unwrap_or_else(finished) };
        self.tell_stop(run, &stop, self.epoch() - 1)?;
        let seconds = self.seconds();
        let network = self.best.take().unwrap_or(self.network);
        let Position { epochs, best, .. } = self.at;
        Ok(Outcome { epochs, best, stop_kind: stop.kind, stop_reason: stop.reason, network, seconds })
    }

    fn tell_stop(&self, run: &mut RunWriter, stop: &Stop, epoch: u32) -> Result<(), TrainError> {
        let best = self.best_record();
        Ok(run.event(&Event::Stop {
            reason: stop.kind.clone(),
            message: stop.reason.clone(),
            epoch,
            best_epoch: best.map(|record| record.epoch),
            best_value: best.map(|record| record.val_loss),
            time: now(),
        })?)
    }
}

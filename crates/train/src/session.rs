//! A run under way: all that changes from step to step, and so all that a checkpoint has to hold.

use crate::accumulation::Accumulated;
use crate::callback::{Callback, Tick};
use crate::checkpoint::{Copies, frozen_file, load_trained, trained_file};
use crate::error::TrainError;
use crate::evaluate::{Compute, check_interrupted, evaluate_source};
use crate::every::Every;
use crate::features::{Input, Source};
use crate::fit::{FitConfig, Outcome};
use crate::labels::MixedCrossEntropy;
use crate::metrics::{Answers, Average, Scored};
use crate::policies::{EpochDecisions, Policies};
use crate::position::{PartialPass, Position, Stop};
use crate::step::{StepObserver, Trainer};
use std::iter::Peekable;
use std::time::{Duration, Instant};
use wellfit_kernels::loss::Loss;
use wellfit_models::{AveragedWeights, Network, Optimizer};
use wellfit_policy::schedule::Rates;
use wellfit_record::{
    Blob, EpochRecord, Event, Phase, RunWriter, StepRecord, StopReason, is_better_epoch, now,
};
use wellfit_weights::Fault;

/// A run between its first step and its last: the network, the position, and the results so far. The loop
/// around it shows progress and writes the record.
pub(crate) struct Session<'a> {
    pub config: &'a FitConfig,
    /// The network as it is now, with the optimiser's moments.
    pub trainer: Trainer<MixedCrossEntropy>,
    /// The average of the weights, where one is kept.
    pub average: Option<AveragedWeights>,
    /// What training changes of the best epoch's weights, as checkpoints hold it.
    pub best: Option<Blob>,
    /// The weights that are frozen, as every checkpoint holds them.
    pub frozen: Option<Blob>,
    /// The state that is being committed.
    pub copies: Copies,
    /// Where the run stands.
    pub at: Position,
    /// The gradients of the batches since the last step, where a step learns from several.
    accumulated: Accumulated,
    /// The learning rates of the steps to come, where a schedule gives them.
    rates: Option<Peekable<Rates<'a>>>,
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
            pass: PartialPass::default(),
            averaged: 0,
            stop: None,
            seconds: 0.0,
            policies: Policies::new(config)?,
        };
        let optimizer = Optimizer::new(config.rule, &network);
        let average = config.averaging.map(|_| AveragedWeights::of(&network));
        Ok(Self::at(at, network, (optimizer, average), None, config)?)
    }

    /// At some position.
    pub fn at(
        at: Position,
        network: Network,
        (optimizer, average): (Optimizer, Option<AveragedWeights>),
        best: Option<Blob>,
        config: &'a FitConfig,
    ) -> Result<Self, Fault> {
        let frozen = frozen_file(&network, config)?;
        let mut rates = config.schedule.as_ref().map(|schedule| schedule.rates(config.lr).peekable());
        // The schedule begins behind the steps of the head alone.
        let head = config.freeze_epochs > 0 && frozen.is_some();
        let moved = if head { 0 } else { optimizer.own_steps() };
        if let Some(rates) = &mut rates {
            (0..moved).for_each(|_| {
                rates.next();
            });
        }
        let now = Instant::now();
        let began = (now, at.seconds);
        let trainer = Trainer {
            network,
            optimizer,
            state: None,
            objective: MixedCrossEntropy(config.loss.clone()),
            engine: config.engine.clone(),
            clip_norm: config.clip_norm,
            seed: config.seed,
        };
        Ok(Self {
            config,
            trainer,
            average,
            best,
            frozen,
            copies: Copies::default(),
            at,
            accumulated: Accumulated::default(),
            rates,
            began,
            saved: now,
        })
    }

    /// Whether the epochs that train the head alone are over, and the rest of the network is frozen still.
    pub fn head_is_ready(&self) -> bool {
        self.trains_head() && self.at.epochs.len() >= self.config.freeze_epochs as usize
    }

    /// Whether only the head trains for now.
    fn trains_head(&self) -> bool {
        self.config.freeze_epochs > 0 && self.frozen.is_some()
    }

    /// Train the whole network from here on.
    pub fn unfreeze(&mut self) -> Result<(), TrainError> {
        if let Some(file) = &self.best {
            let mut best = self.trainer.network.clone();
            load_trained(&mut best, file)?;
            best.unfreeze();
            self.best = Some(trained_file(&best, self.config, Vec::new())?);
        }
        let Trainer { network, optimizer, .. } = &mut self.trainer;
        network.unfreeze();
        *optimizer = Optimizer::after(optimizer.step, self.config.rule, network);
        self.average = self.average.take().map(|_| AveragedWeights::of(network));
        self.frozen = None;
        Ok(())
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
        while let Some(data) = loaded.next(&self.trainer.network)? {
            let stepped = self.step(&data, batches, run)?;
            let pass = &mut self.at.pass;
            pass.seconds = before.seconds + start.elapsed().as_secs_f64();
            pass.wait = before.wait + loaded.waited().as_secs_f64();
            let (batch, average, elapsed) =
                (pass.batches, pass.average, Duration::from_secs_f64(pass.seconds));
            callback.tick(&Tick { phase: Phase::Train, epoch, batch, batches, average, elapsed });
            if !stepped {
                continue;
            }
            check_interrupted(callback)?;
            tell(run, callback)?;
            if self.checkpoint_is_due() {
                self.commit(run)?;
            }
        }
        Ok(())
    }

    /// Learn from one of the `batches` of an epoch; whether a step was made.
    fn step(&mut self, data: &Input, batches: usize, run: &mut RunWriter) -> Result<bool, TrainError> {
        let (epoch, step) = (self.epoch(), self.trainer.optimizer.step + 1);
        let lr = self.rate();
        let group = (self.config.accumulate, self.at.pass.batches + 1 == batches);
        let mut measured = Measured { average: &mut self.at.pass.average, labels: data.labels.largest() };
        let learned = self.accumulated.step(&mut self.trainer, data, group, lr, &mut measured)?;
        self.at.pass.batches += 1;
        let Some(outcome) = learned else { return Ok(false) };
        self.next_rate();
        run.step(&StepRecord::of_one(epoch, step, lr, outcome.loss))?;
        if !outcome.updated {
            return Err(self.diverged(run, step, outcome.loss, lr));
        }
        if let (Some(average), Some(weighting)) = (&mut self.average, self.config.averaging) {
            average.take(&self.trainer.network, weighting);
        }
        self.at.pass.lr = lr;
        Ok(true)
    }

    /// `work` with the average in place of the network's weights, if there is one.
    pub fn with_average<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.exchange();
        let result = work(self);
        self.exchange();
        result
    }

    fn exchange(&mut self) {
        if let Some(average) = &mut self.average {
            average.exchange(&mut self.trainer.network);
        }
    }

    /// An error if a device with a memory of its own trains, but something is asked for that is not computed there.
    pub fn refuse_on_device(&self) -> Result<(), TrainError> {
        let asked = [
            (self.config.averaging.is_some(), "weights are averaged"),
            (self.config.accumulate > 1, "gradients are accumulated"),
        ];
        match asked.into_iter().find(|(asked, _)| *asked && self.trainer.state.is_some()) {
            Some((_, what)) => Err(TrainError::ProcessorOnly(what)),
            None => Ok(()),
        }
    }

    fn checkpoint_is_due(&self) -> bool {
        match self.config.checkpoint_every {
            None => false,
            Some(Every::Steps(steps)) => self.trainer.optimizer.step.is_multiple_of(steps),
            Some(Every::Time(time)) => self.saved.elapsed() >= time,
        }
    }

    /// The learning rate of the step to come.
    fn rate(&mut self) -> f64 {
        let rates = if self.trains_head() { None } else { self.rates.as_mut() };
        rates.and_then(Peekable::peek).copied().unwrap_or(self.at.lr)
    }

    /// The schedule moves on, where it moves the rate.
    fn next_rate(&mut self) {
        if !self.trains_head() {
            self.rates.as_mut().and_then(Iterator::next);
        }
    }

    fn diverged(&self, run: &mut RunWriter, step: u64, loss: f64, lr: f64) -> TrainError {
        let kept = match self.at.best {
            Some(place) => format!("epoch {}, the best so far,", place + 1),
            None => "no epoch".to_owned(),
        };
        let error = TrainError::Diverged { epoch: self.epoch(), step, loss, lr, kept };
        let stop = Stop { kind: StopReason::Diverged, reason: error.to_string() };
        self.record_stop(run, &stop, self.epoch()).err().unwrap_or(error)
    }

    /// The validation pass, and all that follows from it: the epoch's figures, whether they are the best, and
    /// what the policies say.
    pub fn validate(
        &mut self,
        validation: &Source,
        callback: &mut dyn Callback,
    ) -> Result<EpochDecisions, TrainError> {
        self.with_average(|session| session.judge(validation, callback))
    }

    fn judge(
        &mut self,
        validation: &Source,
        callback: &mut dyn Callback,
    ) -> Result<EpochDecisions, TrainError> {
        let (start, epoch, config) = (Instant::now(), self.epoch(), self.config);
        let trainer = &self.trainer;
        let compute = |values: &[f32], value| trainer.evaluate((values, value));
        let network = (&trainer.network, &compute as &Compute<'_>);
        let mut answers = Answers::new(&config.measured, trainer.network.outputs());
        let take = |logits: &[f32], labels: &[u32]| answers.add(logits, labels);
        let validated = evaluate_source(network, validation, &config.loss, epoch, callback, take)?;
        // The end of an epoch is when its weights are needed: as the best ones, and for a checkpoint.
        self.trainer.download()?;
        let (pass, val_seconds) = (self.at.pass, start.elapsed().as_secs_f64());
        let record = EpochRecord {
            epoch,
            step: self.trainer.optimizer.step,
            metrics: pass
                .average
                .metrics(Phase::Train)
                .chain(validated.metrics(Phase::Validate))
                .chain(answers.metrics())
                .collect(),
            lr: pass.lr,
            seconds: pass.seconds + val_seconds,
            train_seconds: pass.seconds,
            val_seconds,
            data_wait_seconds: pass.wait,
            images_per_second: pass.average.samples as f64 / pass.seconds,
        };
        let best = is_better_epoch(config.best, &record, self.best_record());
        if best {
            self.at.best = Some(self.at.epochs.len());
        }
        self.at.epochs.push(record);
        self.at.pass = PartialPass::default();
        let whole = !self.trains_head();
        let decisions = self.at.policies.observe(config, &record, (best, whole))?;
        self.at.lr = decisions.plateau.as_ref().map_or(self.at.lr, |step| step.lr_after);
        if let Some(reason) =
            decisions.early_stopping.as_ref().and_then(|observation| observation.stop.as_ref())
        {
            self.at.stop = Some(Stop { kind: StopReason::EarlyStopping, reason: reason.to_string() });
        }
        Ok(decisions)
    }

    /// Save where the run stands, and why it ends here for now.
    pub fn interrupt(&mut self, reason: &str, run: &mut RunWriter) -> Result<(), TrainError> {
        self.commit(run)?;
        run.settle()?;
        let (epoch, step, reason) = (self.epoch() - 1, self.trainer.optimizer.step, reason.to_owned());
        Ok(run.event(&Event::Interrupted { epoch, step, reason, time: now() })?)
    }

    /// Record how the run ended.
    pub fn finish(mut self, run: &mut RunWriter) -> Result<Outcome, TrainError> {
        let finished = || Stop { kind: StopReason::Finished, reason: trained_for(self.config.epochs) };
        let diverged = || Stop {
            kind: StopReason::Diverged,
            reason: "the validation loss was NaN in every epoch".to_owned(),
        };
        let stop =
            if self.best.is_none() { diverged() } else { self.at.stop.clone().unwrap_or_else(finished) };
        self.record_stop(run, &stop, self.epoch() - 1)?;
        let seconds = self.seconds();
        self.exchange();
        let Trainer { mut network, .. } = self.trainer;
        self.best.iter().try_for_each(|best| load_trained(&mut network, best))?;
        let Position { epochs, best, .. } = self.at;
        Ok(Outcome { epochs, best, stop: stop.kind, stop_message: stop.reason, network, seconds })
    }

    fn record_stop(&self, run: &mut RunWriter, stop: &Stop, epoch: u32) -> Result<(), TrainError> {
        let best = self.best_record();
        Ok(run.event(&Event::Stop {
            reason: stop.kind,
            message: stop.reason.clone(),
            epoch,
            best_epoch: best.map(|record| record.epoch),
            best_value: best.map(|record| record.value(self.config.best)),
            time: now(),
        })?)
    }
}

/// Why a run ended that trained for as long as it was to.
fn trained_for(epochs: u32) -> String {
    if epochs == 1 {
        "the one epoch is trained".to_owned()
    } else {
        format!("all {epochs} epochs are trained")
    }
}

/// Tell the callback of the checkpoints that have come to stand.
pub(crate) fn tell(run: &mut RunWriter, callback: &mut dyn Callback) -> Result<(), TrainError> {
    run.take_committed()?.iter().for_each(|checkpoint| callback.saved(checkpoint));
    Ok(())
}

/// Takes a step's outputs into the average of the pass.
struct Measured<'a> {
    average: &'a mut Average,
    labels: &'a [u32],
}

impl StepObserver for Measured<'_> {
    fn scored(&mut self, outputs: &[f32], loss: &Loss) {
        self.average.add(&Scored { outputs, labels: self.labels, loss });
    }
}

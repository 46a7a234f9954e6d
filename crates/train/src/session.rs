//! A run under way: all that changes from step to step, and so all that a checkpoint has to hold.

use crate::accumulation::Accumulated;
use crate::asked::Asked;
use crate::callback::{Callback, Tick};
use crate::checkpoint::{Copies, frozen_file};
use crate::error::TrainError;
use crate::evaluate::{Compute, check_interrupted, evaluate_source};
use crate::every::Every;
use crate::features::{Input, Source};
use crate::fit::FitConfig;
use crate::labels::MixedCrossEntropy;
use crate::measured::Measured;
use crate::metrics::Answers;
use crate::orders::Order;
use crate::policies::{EpochDecisions, Policies, Says};
use crate::position::{PartialPass, Position};
use crate::prepared::{Sources, trainer};
use crate::statistics::{PlainLoss, ValidationAnswers};
use crate::step::Trainer;
use std::iter::{Peekable, Take};
use std::time::{Duration, Instant};
use wellfit_kernels::loss::argmax;
use wellfit_models::{AveragedWeights, Network, Optimizer};
use wellfit_policy::schedule::{Rates, Schedule};
use wellfit_record::{Blob, EpochRecord, EpochStatistics, Phase, RunWriter, StepRecord, is_better_epoch};
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
    /// What was recorded of the epoch that was validated last, until it is written.
    pub line: Option<EpochStatistics>,
    /// The gradients of the batches since the last step, where a step learns from several.
    accumulated: Accumulated,
    /// The learning rates of the steps to come, where a schedule gives them. Before a plateau scheduler these are those of a
    /// warm-up, and come to an end.
    rates: Option<Peekable<Take<Rates<'a>>>>,
    /// What was asked of the run while it was under way.
    pub asked: Asked,
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
            went_on: None,
            stages: (config.freeze_epochs > 0 && network.stages() > 0).then_some(0),
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
        let mut rates = scheduled_rates(config);
        if let Some(rates) = &mut rates {
            (0..scheduled_steps(&at, &optimizer, config)).for_each(|_| {
                rates.next();
            });
        }
        let now = Instant::now();
        let began = (now, at.seconds);
        let trainer = trainer(network, optimizer, config);
        Ok(Self {
            config,
            trainer,
            average,
            best,
            frozen,
            copies: Copies::default(),
            at,
            line: None,
            accumulated: Accumulated::default(),
            rates,
            asked: Asked::default(),
            began,
            saved: now,
        })
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
        self.config.team.tell(Order::Epoch { epoch: epoch - 1, first: before.batches })?;
        while !self.is_told_to_stop() {
            let Some(data) = loaded.next(&self.trainer.network)? else { break };
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
            self.take_request(run)?;
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
        let mut sample = self.sample(step);
        let (records_plain, pass) = (self.records_plain(), &mut self.at.pass);
        let plain = records_plain.then_some(PlainLoss { sum: &mut pass.plain, labels: &data.labels });
        let labels = data.labels.largest();
        let mut measured = Measured { average: &mut pass.average, labels, plain, sample: sample.as_mut() };
        self.config.team.tell(Order::Step { lr })?;
        let learned = self.accumulated.step(&mut self.trainer, data, group, lr, &mut measured)?;
        self.at.pass.batches += 1;
        let Some(outcome) = learned else { return Ok(false) };
        self.next_rate();
        run.step(&StepRecord::of_one(epoch, step, lr, outcome.loss))?;
        if let Some(line) = self.line_of_step(sample.as_ref(), data, outcome)? {
            run.statistics(&line)?;
        }
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

    pub(crate) fn exchange(&mut self) {
        if let Some(average) = &mut self.average {
            average.exchange(&mut self.trainer.network);
        }
    }

    /// An error if a device with a memory of its own trains, but something is asked for that is not computed there.
    pub fn refuse_on_device(&self) -> Result<(), TrainError> {
        let shared = self.config.team.shards().count > 1;
        let asked = [
            (shared, "batches are cut into parts"),
            (self.config.averaging.is_some() || self.config.swa.is_some(), "weights are averaged"),
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
        let rate = rates.and_then(Peekable::peek).copied().unwrap_or(self.at.lr);
        self.swa_rate(rate) * self.asked.factor_after(self.trainer.optimizer.step)
    }

    /// The schedule moves on, where it moves the rate: not while the head trains alone, nor once weights are averaged.
    fn next_rate(&mut self) {
        if !self.trains_head() && self.swa_epoch().is_none() {
            self.rates.as_mut().and_then(Iterator::next);
        }
    }

    /// Whether the epoch that was just trained was one of a warm-up, before a plateau scheduler moves the rate.
    fn warmed_up(&self) -> bool {
        let steps = || scheduled_steps(&self.at, &self.trainer.optimizer, self.config);
        match (&self.config.schedule, &self.config.lr_scheduler) {
            (Some(Schedule::Warmup(warmup)), Some(_)) => steps() <= warmup.steps,
            _ => false,
        }
    }

    /// The validation pass, and all that follows from it: the epoch's figures, whether they are the best, and
    /// what the policies say. An average of weights may need the training data again.
    pub fn validate(
        &mut self,
        data: &Sources,
        callback: &mut dyn Callback,
    ) -> Result<EpochDecisions, TrainError> {
        self.take_epoch();
        self.with_average(|session| {
            session.update_statistics(&data.train, callback)?;
            session.judge(data, callback)
        })
    }

    fn judge(&mut self, data: &Sources, callback: &mut dyn Callback) -> Result<EpochDecisions, TrainError> {
        let (start, epoch, config) = (Instant::now(), self.epoch(), self.config);
        let trainer = &self.trainer;
        let compute = |input: &Input| {
            // What this process judges alone is none of the others' business.
            if input.shards.ranks > 1 {
                config.team.tell(Order::Answer)?;
            }
            trainer.answers(input)
        };
        self.share_validation()?;
        let network = (&trainer.network, &compute as &Compute<'_>);
        let mut answers = Answers::new(&config.measured, trainer.network.outputs());
        let (images, outputs) = (data.validation.loader().dataset().len(), trainer.network.outputs());
        let mut recorded = config.statistics.then(|| ValidationAnswers::new(images, outputs));
        let mut answered = config.answers.then(Vec::new);
        let take = |logits: &[f32], labels: &[u32]| {
            answers.add(logits, labels);
            recorded.iter_mut().for_each(|recorded| recorded.add(logits, labels));
            if let Some(answered) = &mut answered {
                let rows = logits.chunks_exact(outputs.max(1)).zip(labels);
                answered.extend(rows.map(|(row, &label)| argmax(row) == label as usize));
            }
        };
        let validated = evaluate_source(network, &data.validation, &config.loss, epoch, callback, take)?;
        let val_seconds = start.elapsed().as_secs_f64();
        let line =
            recorded.map(|recorded| self.line_of_epoch(recorded, network, data, callback)).transpose()?;
        // The end of an epoch is when its weights are needed: as the best ones, and for a checkpoint.
        self.trainer.download()?;
        let pass = self.at.pass;
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
        let averaged = self.swa_epoch().is_some();
        self.at.epochs.push(record);
        (self.at.pass, self.line) = (PartialPass::default(), line);
        let says = Says { stopping: self.trains_all(), plateau: !averaged && !self.warmed_up() };
        let mut decisions = self.at.policies.observe(config, &record, best, says)?;
        self.at.lr = decisions.plateau.as_ref().map_or(self.at.lr, |step| step.lr_after);
        self.asked.scale(&mut decisions, record.step);
        self.at.stop = decisions.stop();
        Ok(EpochDecisions { answered, ..decisions })
    }
}

/// The rates that the schedule gives, from its first on. A plateau scheduler has the rate from the end of a warm-up on.
fn scheduled_rates(config: &FitConfig) -> Option<Peekable<Take<Rates<'_>>>> {
    let schedule = config.schedule.as_ref()?;
    let steps = match (schedule, &config.lr_scheduler) {
        (Schedule::Warmup(warmup), Some(_)) => warmup.steps,
        _ => u64::MAX,
    };
    Some(schedule.rates(config.lr).take(usize::try_from(steps).unwrap_or(usize::MAX)).peekable())
}

/// Steps by which the schedule has moved: it begins behind those of the head alone, and ends where weights begin to be
/// averaged.
fn scheduled_steps(at: &Position, optimizer: &Optimizer, config: &FitConfig) -> u64 {
    if at.stages == Some(0) {
        return 0;
    }
    let before = optimizer.step - optimizer.own_steps();
    let ends = config.swa.map_or(u64::MAX, |swa| match swa.start.saturating_sub(2) as usize {
        _ if swa.start <= 1 => 0,
        last => at.epochs.get(last).map_or(u64::MAX, |epoch| epoch.step),
    });
    optimizer.own_steps().min(ends.saturating_sub(before))
}

/// Tell the callback of the checkpoints that have come to stand.
pub(crate) fn tell(run: &mut RunWriter, callback: &mut dyn Callback) -> Result<(), TrainError> {
    run.take_committed()?.iter().for_each(|checkpoint| callback.saved(checkpoint));
    Ok(())
}

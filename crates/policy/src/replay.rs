//! Policies applied to recorded metrics: what would they have decided in that run?

use crate::{
    EarlyStopping, EarlyStoppingConfig, EarlyStoppingReason, Observation, PlateauConfig, PlateauStep,
    PolicyError, ReduceLrOnPlateau, Schedule, schedule,
};

/// The policies of a replay.
///
/// The metrics stay as recorded: a replay cannot know how the loss would have moved at another learning rate.
///
/// ```
/// use wellfit_policy::{EarlyStoppingConfig, RateRule, Replay};
/// let early_stopping = EarlyStoppingConfig { patience: 2, ..Default::default() };
/// let replay = Replay { lr: 0.1, rate: RateRule::Constant, early_stopping: Some(early_stopping) };
/// let epochs = replay.run((1..).zip([0.9, 0.5, 0.6, 0.7, 0.1]))?;
/// assert_eq!(epochs.len(), 4); // the fifth would not have been trained
/// assert!(epochs[3].stop().is_some());
/// # Ok::<(), wellfit_policy::PolicyError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The learning rate at the start.
    pub lr: f64,
    /// What moves it.
    pub rate: RateRule,
    /// What ends the run.
    pub early_stopping: Option<EarlyStoppingConfig>,
}

/// What moves the learning rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum RateRule {
    /// Nothing.
    #[default]
    Constant,
    /// The metric, when it stalls.
    Plateau(PlateauConfig),
    /// The epochs: one is one step.
    Schedule(Schedule),
}

/// The decisions of the policies after one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedEpoch {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Its metric.
    pub metric: f64,
    /// The rate during the epoch.
    pub lr: f64,
    /// The rate after the epoch's metric was seen: that of the next epoch.
    pub lr_next: f64,
    /// What early stopping says, when there is one.
    pub early_stopping: Option<Observation>,
    /// What the plateau scheduler did, when there is one.
    pub plateau: Option<PlateauStep>,
}

impl ReplayedEpoch {
    /// Epochs without improvement: early stopping's count, or else the plateau scheduler's.
    #[must_use]
    pub fn counter(&self) -> Option<u32> {
        let stopping = self.early_stopping.as_ref().map(|seen| seen.counter);
        stopping.or(self.plateau.as_ref().map(|step| step.bad_epochs))
    }

    /// The best metric so far: early stopping's, or else the plateau scheduler's.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        match (&self.early_stopping, &self.plateau) {
            (Some(seen), _) => seen.best,
            (None, Some(step)) => step.best,
            (None, None) => None,
        }
    }

    /// Why the run ends here.
    #[must_use]
    pub fn stop(&self) -> Option<&EarlyStoppingReason> {
        self.early_stopping.as_ref().and_then(|seen| seen.stop.as_ref())
    }
}

impl Replay {
    /// Takes the metrics of a run, (epoch from 1, metric), up to the epoch at which early stopping ends it:
    /// those after it would not have been trained.
    ///
    /// # Errors
    /// Names the option of a policy that is out of range, or `lr`.
    pub fn run(
        &self,
        metrics: impl IntoIterator<Item = (u32, f64)>,
    ) -> Result<Vec<ReplayedEpoch>, PolicyError> {
        let mut stopping = self.early_stopping.clone().map(EarlyStopping::new).transpose()?;
        let mut rate = Rate::new(self)?;
        let mut epochs = Vec::new();
        for (epoch, metric) in metrics {
            let early_stopping =
                stopping.as_mut().map(|machine| machine.observe(epoch.saturating_sub(1), metric));
            let lr = rate.now();
            let plateau = rate.step(metric);
            epochs.push(ReplayedEpoch { epoch, metric, lr, lr_next: rate.now(), early_stopping, plateau });
            if epochs.last().is_some_and(|last| last.stop().is_some()) {
                break;
            }
        }
        Ok(epochs)
    }
}

/// The learning rate from epoch to epoch.
enum Rate<'a> {
    Constant(f64),
    Plateau(ReduceLrOnPlateau),
    Schedule(schedule::Rates<'a>),
}

impl<'a> Rate<'a> {
    fn new(replay: &'a Replay) -> Result<Self, PolicyError> {
        Ok(match &replay.rate {
            RateRule::Constant => Self::Constant(replay.lr),
            RateRule::Plateau(config) => Self::Plateau(ReduceLrOnPlateau::new(config.clone(), replay.lr)?),
            RateRule::Schedule(schedule) => {
                schedule.validate()?;
                Self::Schedule(schedule.rates(replay.lr))
            }
        })
    }

    fn now(&self) -> f64 {
        match self {
            Self::Constant(lr) => *lr,
            Self::Plateau(machine) => machine.lr(),
            Self::Schedule(rates) => rates.current(),
        }
    }

    fn step(&mut self, metric: f64) -> Option<PlateauStep> {
        match self {
            Self::Constant(_) => None,
            Self::Plateau(machine) => Some(machine.observe(metric)),
            Self::Schedule(rates) => {
                rates.advance();
                None
            }
        }
    }
}

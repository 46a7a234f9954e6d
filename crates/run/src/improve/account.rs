//! What runs have cost, and what further ones will, in the budget's unit: seconds or epochs.

use super::budget::Budget;
use crate::error::RunError;
use crate::figures::duration;
use std::path::Path;
use wellfit_base::words::plural;
use wellfit_record::{Event, RunDir};

/// What a run trained: what it shares with another one is that one's.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trained {
    pub epochs: f64,
    pub seconds: f64,
    pub runs: u32,
}

impl Trained {
    pub fn of(run: &Path) -> Result<Self, RunError> {
        let run = RunDir::open(run)?;
        let outcome = run.outcome()?;
        let shared = run.events()?.rows.iter().find_map(|event| match event {
            Event::Branched { epoch, .. } => Some(f64::from(*epoch)),
            _ => None,
        });
        let all = f64::from(outcome.epochs);
        let share = shared.map_or(1.0, |shared| (all - shared).max(0.0) / all.max(1.0));
        Ok(Self { epochs: share * all, seconds: share * outcome.seconds, runs: 1 })
    }

    pub fn and(self, other: Self) -> Self {
        Self {
            epochs: self.epochs + other.epochs,
            seconds: self.seconds + other.seconds,
            runs: self.runs + other.runs,
        }
    }

    /// Of several runs together.
    pub fn of_all<'a>(runs: impl IntoIterator<Item = &'a Path>) -> Result<Self, RunError> {
        runs.into_iter().try_fold(Self::default(), |sum, run| Ok(sum.and(Self::of(run)?)))
    }
}

/// The state of the budget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub budget: Budget,
    /// Everything so far.
    pub all: Trained,
    /// The runs of the settings as they are now.
    pub now: Trained,
    /// Seconds by the clock, of all processes that worked on it.
    pub clock: f64,
}

impl Account {
    /// What was spent.
    pub fn spent(&self) -> f64 {
        match self.budget {
            Budget::Time(_) => self.clock.max(self.all.seconds),
            Budget::Epochs(_) => self.all.epochs,
        }
    }

    /// What is left.
    pub fn left(&self) -> f64 {
        let whole = match self.budget {
            Budget::Time(time) => time.seconds(),
            Budget::Epochs(epochs) => f64::from(epochs),
        };
        whole - self.spent()
    }

    /// What a run of so many epochs will cost: as many seconds an epoch as those of these settings took, and what a run took
    /// beside its epochs until now.
    pub fn price(&self, epochs: f64) -> f64 {
        match self.budget {
            Budget::Epochs(_) => epochs,
            Budget::Time(_) => {
                let beside = (self.clock - self.all.seconds).max(0.0) / f64::from(self.all.runs.max(1));
                epochs * self.now.seconds / self.now.epochs.max(1.0) + beside
            }
        }
    }

    /// An amount in words.
    pub fn words(&self, amount: f64) -> String {
        match self.budget {
            Budget::Time(_) => duration(amount.max(0.0)),
            Budget::Epochs(_) => plural(amount.max(0.0).round() as usize, "epoch"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Budget, Trained};

    #[test]
    fn seconds_beside_the_epochs_are_part_of_a_runs_price() {
        let all = Trained { epochs: 40.0, seconds: 60.0, runs: 4 };
        // The settings as they are now take three seconds an epoch; each run had five seconds beside its epochs.
        let now = Trained { epochs: 10.0, seconds: 30.0, runs: 1 };
        let account = Account { budget: "100s".parse().unwrap(), all, now, clock: 80.0 };
        assert_eq!((account.spent(), account.left(), account.price(10.0)), (80.0, 20.0, 35.0));
        let epochs = Account { budget: Budget::Epochs(100), ..account };
        assert_eq!((epochs.spent(), epochs.left(), epochs.price(10.0)), (40.0, 60.0, 10.0));
        // A process that was killed did not write its time; what its runs recorded counts.
        assert_eq!(Account { clock: 10.0, ..account }.spent(), 60.0);
    }
}

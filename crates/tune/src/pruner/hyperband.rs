//! Hyperband (Li et al. 2018) over asynchronous halving.

use super::{Field, Halving, Judgement};
use crate::trial::Trial;

/// Several brackets of [`Halving`]: the first halves from the first epoch on, each further one begins later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hyperband {
    /// The epoch of the first rung.
    pub first: u64,
    /// The epochs of a trial that is trained to its end.
    pub last: u64,
    /// One of so many goes on.
    pub factor: u64,
}

impl Hyperband {
    /// For trials of so many epochs.
    #[must_use]
    pub fn of(epochs: u64) -> Self {
        Self { first: 1, last: epochs.max(1), factor: 3 }
    }

    pub(super) fn judge(&self, field: &Field<'_>, trial: &Trial) -> Judgement {
        let shares = self.shares();
        let bracket = |one: &Trial| bracket(&shares, field.study, one.number);
        let own = bracket(trial);
        let halving = Halving { first: self.first, factor: self.factor, skipped: own };
        let others = field.trials.iter().filter(|one| bracket(one) == own);
        halving.judge(field.direction, &others, trial)
    }

    /// How many of the trials each bracket gets.
    fn shares(&self) -> Vec<u64> {
        let mut brackets = 1;
        let mut reached = self.first.saturating_mul(self.factor);
        while reached <= self.last {
            brackets += 1;
            reached = reached.saturating_mul(self.factor);
        }
        let share = |bracket: u32| {
            let rungs = brackets - 1 - bracket;
            (u64::from(brackets) * self.factor.pow(rungs)).div_ceil(u64::from(rungs) + 1)
        };
        (0..brackets).map(share).collect()
    }
}

/// The bracket of a trial: by a checksum of its name, so that all workers know it.
fn bracket(shares: &[u64], study: &str, number: u32) -> u32 {
    let sum: u64 = shares.iter().sum();
    let mut n = u64::from(crc32fast::hash(format!("{study}_{number}").as_bytes())) % sum;
    for (bracket, share) in shares.iter().enumerate() {
        if n < *share {
            return bracket as u32;
        }
        n -= share;
    }
    0
}

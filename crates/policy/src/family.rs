//! A whole family of policies on one record: what would each early stopping, each plateau scheduler have done?

use crate::{
    EarlyStoppingConfig, Mode, PlateauConfig, PolicyError, RateRule, Replay, ReplayedEpoch, Semantics,
};

/// How much a row of a family says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// What would have happened: the rates up to there are those of the record, so its metrics are what would have been
    /// measured.
    Exact,
    /// The record ends before the policy does anything: at least so many epochs, and at least so good.
    Bound,
    /// After this epoch, from 1, the rate would have been another, and nobody knows the metrics.
    Until(u32),
}

/// A metric, epoch by epoch, and what is known of how it was made.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The epoch, from 1, and the metric; at least one.
    pub epochs: &'a [(u32, f64)],
    /// Which way it should go.
    pub mode: Mode,
    /// The rate of each epoch, where it was recorded.
    pub rates: Option<&'a [f64]>,
    /// Whether the run trained all epochs that it was meant to: a policy that never stops ends where it did.
    pub is_whole: bool,
    /// The unit of the last digit of the metrics, where they were rounded: policies that hang on it are told.
    pub digit: Option<f64>,
}

/// What early stopping of one kind would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct StoppingMember {
    /// Its options.
    pub config: EarlyStoppingConfig,
    /// After which epoch it would have ended the run, if it would.
    pub stop: Option<u32>,
    /// Epochs that would not have been trained; 0 without a stop.
    pub saved: u32,
    /// The best epoch up to the stop, whose weights are kept, and its metric.
    pub best: (u32, f64),
    /// How much worse that is than the best of the record; 0 or more.
    pub given_up: f64,
    /// What this is worth.
    pub known: Known,
    /// Whether a comparison was so close that digits which the record lacks may decide it.
    pub is_tied: bool,
}

/// What a plateau scheduler of one kind would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct RateMember {
    /// Its options.
    pub config: PlateauConfig,
    /// The epochs, from 1, after which it would have lowered the rate, as far as that is known.
    pub lowered: Vec<u32>,
    /// What is known.
    pub known: Known,
}

impl Recorded<'_> {
    /// Whether `a` is better than `b`; nothing is better than another where one is NaN, but anything is better than NaN.
    fn better(&self, a: f64, b: f64) -> bool {
        match self.mode {
            _ if b.is_nan() => !a.is_nan(),
            Mode::Min => a < b,
            Mode::Max => a > b,
        }
    }

    /// The first best epoch up to `last`, and its metric.
    #[must_use]
    pub fn best_until(&self, last: u32) -> (u32, f64) {
        let none = (self.epochs.first().map_or(1, |first| first.0), f64::NAN);
        let until = self.epochs.iter().filter(|(epoch, _)| *epoch <= last);
        until.fold(none, |best, &epoch| if self.better(epoch.1, best.1) { epoch } else { best })
    }

    fn last(&self) -> u32 {
        self.epochs.last().map_or(0, |last| last.0)
    }
}

/// Early stopping under each of `semantics` with each of `min_deltas` and `patiences`, in this order.
///
/// ```
/// use wellfit_policy::{Mode, Semantics};
/// use wellfit_policy::family::{Known, Recorded, stopping_family};
/// let epochs = [(1, 0.9), (2, 0.5), (3, 0.6), (4, 0.4)];
/// let record = Recorded { epochs: &epochs, mode: Mode::Min, rates: None, is_whole: true, digit: None };
/// let family = stopping_family(&record, &[Semantics::Torch], &[0.0], &[1, 2])?;
/// assert_eq!((family[0].stop, family[0].best, family[0].saved), (Some(3), (2, 0.5), 1));
/// assert!((family[0].given_up - 0.1).abs() < 1e-12);
/// assert_eq!((family[1].stop, family[1].known), (None, Known::Exact));
/// # Ok::<(), wellfit_policy::PolicyError>(())
/// ```
///
/// # Errors
/// Names the option that is out of range.
pub fn stopping_family(
    record: &Recorded<'_>,
    semantics: &[Semantics],
    min_deltas: &[f64],
    patiences: &[u32],
) -> Result<Vec<StoppingMember>, PolicyError> {
    let mut members = Vec::new();
    for &semantics in semantics {
        for &min_delta in min_deltas {
            for &patience in patiences {
                let defaults = EarlyStoppingConfig::defaults(semantics);
                let config = EarlyStoppingConfig { patience, min_delta, mode: record.mode, ..defaults };
                members.push(stopping_member(record, config)?);
            }
        }
    }
    Ok(members)
}

fn stopping_member(
    record: &Recorded<'_>,
    config: EarlyStoppingConfig,
) -> Result<StoppingMember, PolicyError> {
    let replay = Replay { lr: 1.0, rate: RateRule::Constant, early_stopping: Some(config.clone()) };
    let replayed = replay.run(record.epochs.iter().copied())?;
    let stop = replayed.last().filter(|last| last.stop().is_some()).map(|last| last.epoch);
    let best = record.best_until(stop.unwrap_or(u32::MAX));
    let lost = (best.1 - record.best_until(u32::MAX).1).abs();
    Ok(StoppingMember {
        stop,
        saved: stop.map_or(0, |stop| record.epochs.iter().filter(|(epoch, _)| *epoch > stop).count() as u32),
        best,
        given_up: if lost.is_nan() { 0.0 } else { lost },
        known: if stop.is_some() || record.is_whole { Known::Exact } else { Known::Bound },
        is_tied: record.digit.is_some_and(|digit| has_tie(&replayed, &config, digit)),
        config,
    })
}

/// Whether an epoch is so near to what counts as an improvement that less than the last digit decides.
fn has_tie(replayed: &[ReplayedEpoch], config: &EarlyStoppingConfig, digit: f64) -> bool {
    let gain = |best: f64, metric: f64| match config.mode {
        Mode::Min => best - metric,
        Mode::Max => metric - best,
    };
    let pairs = replayed.iter().zip(replayed.iter().skip(1));
    let mut near = pairs.filter_map(|(before, epoch)| {
        let best = before.early_stopping.as_ref()?.best?;
        Some(gain(best, epoch.metric) - config.min_delta)
    });
    // Both numbers are rounded, by half a unit each. The margin keeps the rounding of this difference itself out.
    near.any(|distance| distance.abs() < digit * (1.0 - 1e-6))
}

/// A plateau scheduler under each of `semantics` with each of `patiences`, over the options of `base`; none where the rates
/// were not recorded.
///
/// # Errors
/// Names the option that is out of range.
pub fn rate_family(
    record: &Recorded<'_>,
    semantics: &[Semantics],
    base: &PlateauConfig,
    patiences: &[u32],
) -> Result<Vec<RateMember>, PolicyError> {
    let Some(rates) = record.rates else { return Ok(Vec::new()) };
    let mut members = Vec::new();
    for &semantics in semantics {
        for &patience in patiences {
            let package = PlateauConfig::defaults(semantics);
            let config = PlateauConfig {
                patience,
                factor: base.factor,
                min_lr: base.min_lr,
                mode: record.mode,
                ..package
            };
            members.push(rate_member(record, rates, config)?);
        }
    }
    Ok(members)
}

fn rate_member(
    record: &Recorded<'_>,
    rates: &[f64],
    config: PlateauConfig,
) -> Result<RateMember, PolicyError> {
    let lr = rates.first().copied().unwrap_or(1.0);
    let replay = Replay { lr, rate: RateRule::Plateau(config.clone()), early_stopping: None };
    let replayed = replay.run(record.epochs.iter().copied())?;
    // Keras stores rates as f32.
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs();
    let parted = replayed.iter().zip(rates).find(|(epoch, rate)| !same(epoch.lr, **rate));
    let last = parted.map_or(record.last(), |(epoch, _)| epoch.epoch.saturating_sub(1));
    let reduced = |epoch: &&ReplayedEpoch| epoch.plateau.as_ref().is_some_and(|step| step.reduced);
    Ok(RateMember {
        lowered: replayed.iter().filter(|e| e.epoch <= last).filter(reduced).map(|e| e.epoch).collect(),
        known: match parted {
            Some(_) => Known::Until(last),
            None if record.is_whole => Known::Exact,
            None => Known::Bound,
        },
        config,
    })
}

/// The member that gives up least, and of those that which saves most; of equals the first.
#[must_use]
pub fn best_member(members: &[StoppingMember]) -> Option<usize> {
    let key = |member: &StoppingMember| (member.given_up, std::cmp::Reverse(member.saved));
    let less = |a: &StoppingMember, b: &StoppingMember| {
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    };
    (0..members.len()).min_by(|&a, &b| less(&members[a], &members[b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSES: [(u32, f64); 8] =
        [(1, 0.92), (2, 0.75), (3, 0.66), (4, 0.66), (5, 0.67), (6, 0.65), (7, 0.71), (8, 0.70)];

    fn record(rates: Option<&[f64]>) -> Recorded<'_> {
        Recorded { epochs: &LOSSES, mode: Mode::Min, rates, is_whole: false, digit: Some(0.01) }
    }

    fn family(deltas: &[f64], patiences: &[u32]) -> Vec<StoppingMember> {
        stopping_family(&record(None), &[Semantics::Keras], deltas, patiences).unwrap()
    }

    #[test]
    fn every_member_is_what_a_replay_of_it_alone_says() {
        for member in family(&[0.0, 0.05], &[1, 2, 3, 4]) {
            let rate = RateRule::Constant;
            let alone = Replay { lr: 0.1, rate, early_stopping: Some(member.config.clone()) };
            let epochs = alone.run(LOSSES).unwrap();
            let stop = epochs.last().filter(|last| last.stop().is_some()).map(|last| last.epoch);
            assert_eq!(member.stop, stop);
            assert_eq!(member.saved, stop.map_or(0, |stop| 8 - stop));
        }
    }

    #[test]
    fn what_is_given_up_is_against_the_best_of_the_record() {
        let members = family(&[0.0], &[1, 2, 3]);
        // Keras: the tie at epoch 4 is no improvement.
        let found: Vec<_> = members.iter().map(|m| (m.stop, m.best.0, m.saved, m.known)).collect();
        let expected =
            [(Some(4), 3, 4, Known::Exact), (Some(5), 3, 3, Known::Exact), (None, 6, 0, Known::Bound)];
        assert_eq!(found, expected);
        assert!((members[0].given_up - 0.01).abs() < 1e-12 && members[2].given_up == 0.0);
        assert!(members.iter().all(|member| member.is_tied), "epochs 3 and 4 are equal as printed");
        assert_eq!(best_member(&members), Some(2));
        let clear = stopping_family(
            &Recorded { digit: Some(1e-9), ..record(None) },
            &[Semantics::Keras],
            &[0.005],
            &[1],
        );
        assert!(!clear.unwrap()[0].is_tied);
    }

    #[test]
    fn a_higher_metric_is_better_where_it_should_rise() {
        let epochs = [(1, 0.5), (2, 0.8), (3, 0.7), (4, 0.6)];
        let record = Recorded { epochs: &epochs, mode: Mode::Max, rates: None, is_whole: true, digit: None };
        let members = stopping_family(&record, &[Semantics::Torch], &[0.0], &[1, 5]).unwrap();
        assert_eq!((members[0].stop, members[0].best, members[0].given_up), (Some(3), (2, 0.8), 0.0));
        assert_eq!(best_member(&members), Some(0), "of equals the one that saves more");
    }

    #[test]
    fn rates_are_known_until_they_part_from_the_record() {
        let base = PlateauConfig { factor: 0.5, min_lr: 0.0, ..PlateauConfig::defaults(Semantics::Torch) };
        let of = |rates: &[f64], patience| {
            rate_family(&record(Some(rates)), &[Semantics::Torch], &base, &[patience]).unwrap().remove(0)
        };
        // Two bad epochs (4, 5) with patience 1: lowered after epoch 5.
        let constant = of(&[0.1; 8], 1);
        assert_eq!((constant.known, constant.lowered), (Known::Until(5), vec![5]));
        let lowered = of(&[0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05], 1);
        assert_eq!((lowered.known, lowered.lowered), (Known::Bound, vec![5, 8]));
        assert_eq!(of(&[0.1; 8], 7).known, Known::Bound);
        assert_eq!(of(&[0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1, 0.0], 7).known, Known::Until(1));
        assert!(rate_family(&record(None), &[Semantics::Torch], &base, &[1]).unwrap().is_empty());
    }
}

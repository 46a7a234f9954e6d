//! What rules look at.

use super::advice::{Advice, Flag};
use super::finding::Missing;
use crate::log::{Curves, Facts, Points, Series};
use crate::statistics::{median, noise};
use crate::thresholds::{ANNEALED, LAST, LEAST_EPOCHS, WINDOW};
pub use wellfit_base::figures::{percent, short};
use wellfit_base::words::plural;

/// The curves of a training, as rules look at them.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The curves.
    pub curves: &'a Curves,
}

/// What a curve reached: its last [`LAST`] values.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Their mean.
    pub mean: f64,
    /// Their median, which one wild epoch does not move.
    pub median: f64,
}

impl Look<'_> {
    /// What is known beside the curves.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.curves.facts
    }

    /// A series of at least so many epochs.
    ///
    /// # Errors
    /// What is missing.
    pub fn need(&self, series: Series, least: usize) -> Result<Points, Missing> {
        let points = self.curves.points(series);
        match points.len() {
            0 => Err(vec![series.to_string()]),
            count if count < least => Err(vec![format!("{series} of at least {least} epochs, not {count}")]),
            _ => Ok(points),
        }
    }

    /// A fact.
    ///
    /// # Errors
    /// Its name, if it is not known.
    pub fn know<T>(&self, fact: Option<T>, name: &str) -> Result<T, Missing> {
        fact.ok_or_else(|| vec![name.to_owned()])
    }

    /// The epochs of the window at the end.
    #[must_use]
    pub fn window(&self) -> u32 {
        let share = WINDOW * f64::from(self.curves.last_epoch());
        (share.floor() as u32).max(LEAST_EPOCHS as u32)
    }

    /// Advice, with the present value of the setting where the run is ours.
    #[must_use]
    pub fn advise(&self, flag: Flag, to: impl Into<String>) -> Advice {
        Advice { flag, from: self.facts().settings.get(&flag.setting()).cloned(), to: to.into() }
    }

    /// Advice to multiply a number; in words where it is not known.
    #[must_use]
    pub fn scale(&self, flag: Flag, factor: f64, words: &str) -> Advice {
        match self.facts().number(&flag.setting()) {
            Some(now) => self.advise(flag, short(now * factor)),
            None => self.advise(flag, words),
        }
    }

    /// Advice on the rate; its present value may be a series of the log.
    #[must_use]
    pub fn rate(&self, factor: f64) -> Advice {
        let largest = self.curves.points(Series::Lr).into_iter().map(|(_, lr)| lr).fold(0.0, f64::max);
        match self.facts().number(&Flag::Lr.setting()) {
            None if largest > 0.0 => {
                Advice { flag: Flag::Lr, from: Some(short(largest)), to: short(largest * factor) }
            }
            _ => {
                let words = if factor < 1.0 {
                    format!("({:.0} times lower)", 1.0 / factor)
                } else {
                    format!("({factor:.0} times higher)")
                };
                self.scale(Flag::Lr, factor, &words)
            }
        }
    }

    /// Whether the rate has sunk to next to nothing; `false` where it is not known.
    #[must_use]
    pub fn is_annealed(&self) -> bool {
        let rates = self.curves.points(Series::Lr);
        let largest = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        rates.last().is_some_and(|(_, rate)| *rate < ANNEALED * largest)
    }

    /// Whether a setting of a run of ours is on; `false` where it is not known.
    #[must_use]
    pub fn is_on(&self, setting: &str) -> bool {
        let off = ["false", "0", "off", "none", ""];
        self.facts().settings.get(setting).is_some_and(|value| !off.contains(&value.as_str()))
    }
}

/// What the last values reached. There is at least one.
#[must_use]
pub fn level(points: &[(u32, f64)]) -> Level {
    let last: Vec<f64> = points.iter().rev().take(LAST).map(|(_, value)| *value).collect();
    let mean = last.iter().sum::<f64>() / last.len().max(1) as f64;
    Level { mean, median: median(last).unwrap_or(mean) }
}

/// Where a curve began: the median of its first [`LAST`] values. The first epoch alone says little: BatchNorm's running
/// statistics have hardly begun.
#[must_use]
pub fn beginning(points: &[(u32, f64)]) -> f64 {
    median(points.iter().take(LAST).map(|(_, value)| *value)).unwrap_or(f64::NAN)
}

/// The place of the least value, the first of several.
#[must_use]
pub fn least(points: &[(u32, f64)]) -> Option<usize> {
    (0..points.len()).min_by(|&a, &b| points[a].1.total_cmp(&points[b].1).then(a.cmp(&b)))
}

/// The noise of a curve, 0 where it is too short to tell.
#[must_use]
pub fn noise_of(points: &[(u32, f64)]) -> f64 {
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    noise(&values).unwrap_or(0.0)
}

/// The points from an epoch on.
#[must_use]
pub fn from(points: &[(u32, f64)], epoch: u32) -> &[(u32, f64)] {
    &points[points.partition_point(|(at, _)| *at < epoch)..]
}

/// The first epoch of a window that ends with the epoch `last`.
#[must_use]
pub fn window_start(last: u32, window: u32) -> u32 {
    last.saturating_sub(window.saturating_sub(1))
}

/// The last value up to an epoch.
#[must_use]
pub fn at(points: &[(u32, f64)], epoch: u32) -> Option<f64> {
    points.iter().rev().find(|(at, _)| *at <= epoch).map(|(_, value)| *value)
}

/// The distance of epochs that a log usually has, 1 for one that has them all.
#[must_use]
pub fn spacing(points: &[(u32, f64)]) -> f64 {
    median(points.windows(2).map(|pair| f64::from(pair[1].0) - f64::from(pair[0].0))).unwrap_or(1.0)
}

/// `4 epochs`.
#[must_use]
pub fn epochs(count: u32) -> String {
    plural(count as usize, "epoch")
}

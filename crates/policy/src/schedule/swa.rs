//! The rate while weights are averaged with equal shares (Izmailov et al. 2018, arXiv:1803.05407).

use super::Anneal;
use std::f64::consts::PI;

/// torch's `SWALR`: from the rate of the moment to `lr`, which then stays.
///
/// lr(t) = from + (`lr` − from)·a(t/`epochs`), where a rises from 0 to 1 by half a cosine or a line; t counts epochs from 0,
/// the first that is averaged.
///
/// ```
/// use wellfit_policy::schedule::{Anneal, SwaRate};
/// let rate = SwaRate { lr: 0.1, epochs: 2, anneal: Anneal::Linear };
/// let rates: Vec<f64> = (0..4).map(|epoch| rate.at(0.5, epoch)).collect();
/// assert_eq!(rates, [0.5, 0.3, 0.1, 0.1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SwaRate {
    /// Where it leads.
    pub lr: f64,
    /// Epochs on the way; with 0 it is there at once.
    pub epochs: u32,
    /// The curve.
    pub anneal: Anneal,
}

impl SwaRate {
    /// torch's epochs on the way: `anneal_epochs` of `SWALR`.
    pub const EPOCHS: u32 = 10;

    /// The rate of an epoch, `from` being that of the moment before.
    #[must_use]
    pub fn at(&self, from: f64, epoch: u32) -> f64 {
        if epoch >= self.epochs {
            return self.lr;
        }
        let way = f64::from(epoch) / f64::from(self.epochs);
        let share = match self.anneal {
            Anneal::Cos => (1.0 - libm::cos(PI * way)) / 2.0,
            Anneal::Linear => way,
        };
        from + (self.lr - from) * share
    }
}

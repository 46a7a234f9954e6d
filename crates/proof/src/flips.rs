//! Images that the technique fixed or broke.

use crate::distributions::coins_at_most;
use crate::error::ProofError;

/// How many images changed sides between the two networks of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flips {
    /// Wrong without the technique, right with it.
    pub fixed: u64,
    /// Right without the technique, wrong with it.
    pub broken: u64,
}

impl Flips {
    /// Count them from what each network had right, image by image.
    ///
    /// # Errors
    /// If the two lists differ in length.
    pub fn count(baseline: &[bool], treated: &[bool]) -> Result<Self, ProofError> {
        if baseline.len() != treated.len() {
            return Err(ProofError::Length {
                what: "answers of the treated arm".to_owned(),
                expected: baseline.len(),
                found: treated.len(),
            });
        }
        let count = |was: bool, is: bool| {
            baseline.iter().zip(treated).filter(|pair| (*pair.0, *pair.1) == (was, is)).count() as u64
        };
        Ok(Self { fixed: count(false, true), broken: count(true, false) })
    }

    /// The exact McNemar test's two-sided p-value (McNemar 1947; statsmodels' `mcnemar(exact=True)`): images that changed
    /// sides as tosses of a fair coin. It is about these two networks; another seed gives others.
    #[must_use]
    pub fn p(self) -> f64 {
        let changed = self.fixed + self.broken;
        (2.0 * coins_at_most(self.fixed.min(self.broken), changed)).min(1.0)
    }
}

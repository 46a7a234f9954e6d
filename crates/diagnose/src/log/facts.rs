//! What is known of a training beside its curves.

use std::collections::BTreeMap;
use wellfit_policy::{EarlyStoppingConfig, PlateauConfig};
use wellfit_record::StopReason;

/// What is known beside the curves. Each may be unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Images that validate.
    pub n_val: Option<u64>,
    /// Images that are trained on.
    pub n_train: Option<u64>,
    /// Classes.
    pub classes: Option<u64>,
    /// Training images of each class.
    pub class_counts: Option<Vec<u64>>,
    /// Validation answers of each class after the best epoch: (right, images).
    pub class_answers: Option<Vec<(u64, u64)>>,
    /// Images of the validation part that are in the training part as well.
    pub duplicates: Option<u64>,
    /// Images whose label is probably another.
    pub label_suspects: Option<u64>,
    /// Early stopping, where it was on.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// The scheduler that lowers the rate on a plateau, where it was on.
    pub plateau: Option<PlateauConfig>,
    /// Why the training ended.
    pub stop: Option<StopReason>,
    /// The most epochs that it was to have.
    pub most_epochs: Option<u32>,
    /// Whether nothing makes training harder than validation: no augmentation, dropout or mixing. Then figures in training
    /// mode may stand for those in evaluation mode.
    pub trains_as_it_validates: Option<bool>,
    /// Settings of a run of ours by the names of their flags, `lr` and not `--lr`.
    pub settings: BTreeMap<String, String>,
}

impl Facts {
    /// The loss of an answer that knows the shares of the classes only: -Σ p ln p, ln K where the shares are not known.
    #[must_use]
    pub fn entropy(&self) -> Option<f64> {
        let equal = |classes: u64| (classes > 1).then(|| libm::log(classes as f64));
        match &self.class_counts {
            Some(counts) if counts.iter().filter(|&&count| count > 0).count() > 1 => {
                let all = counts.iter().sum::<u64>() as f64;
                let shares = counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / all);
                Some(shares.map(|share| -share * libm::log(share)).sum())
            }
            _ => self.classes.and_then(equal),
        }
    }

    /// The share of the largest class, 1/K where the shares are not known: how often an answer without looking is right.
    #[must_use]
    pub fn largest_share(&self) -> Option<f64> {
        match &self.class_counts {
            Some(counts) if counts.iter().any(|&count| count > 0) => {
                let largest = counts.iter().max().copied().unwrap_or(0);
                Some(largest as f64 / counts.iter().sum::<u64>() as f64)
            }
            _ => self.classes.filter(|classes| *classes > 1).map(|classes| 1.0 / classes as f64),
        }
    }

    /// The number of a setting.
    #[must_use]
    pub fn number(&self, setting: &str) -> Option<f64> {
        self.settings.get(setting)?.parse().ok()
    }
}

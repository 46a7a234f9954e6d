//! The gap between the training and the validation loss, taken apart.

/// Losses of one network on two parts, in nats per image, measured in several ways. What a network without BatchNorm cannot
/// have is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// Of the training images as training saw them: augmented, with dropout, with batch statistics, by the weights of every step
    /// of the epoch. `None` if it was not recorded.
    pub train_recorded: Option<f64>,
    /// Of the training images in evaluation mode, as they are, with the running statistics.
    pub train: f64,
    /// The same with statistics that were estimated anew.
    pub train_reestimated: Option<f64>,
    /// Of the validation images, with the running statistics.
    pub val: f64,
    /// The same with statistics that were estimated anew, on training images.
    pub val_reestimated: Option<f64>,
    /// The same with the statistics of each validation batch.
    pub val_batch: Option<f64>,
}

/// What the gap `val - train` consists of. The parts add up to it, and each may be below zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gap {
    /// All of it.
    pub gap: f64,
    /// How the training loss was measured: training's augmentation, dropout and earlier weights make it another figure than
    /// validation's on the same images. Counted from what was recorded; 0 without.
    pub measurement: f64,
    /// What the running statistics of BatchNorm cost on validation images, against statistics estimated anew (Wu & Johnson
    /// 2021): they lag behind the weights.
    pub batch_norm_lag: f64,
    /// What statistics of training images cost on validation images, against those of the validation batches themselves: other
    /// images, or batches so small that training never saw these statistics.
    pub batch_or_shift: f64,
    /// What is left: the images that training saw are answered better than others.
    pub rest: f64,
}

impl Losses {
    /// The gap and its parts: the steps from the recorded training loss to the validation loss.
    #[must_use]
    pub fn gap(&self) -> Gap {
        let train = self.train_reestimated.unwrap_or(self.train);
        let reestimated = self.val_reestimated.unwrap_or(self.val);
        let batch = self.val_batch.unwrap_or(reestimated);
        let recorded = self.train_recorded.unwrap_or(train);
        Gap {
            gap: self.val - recorded,
            measurement: train - recorded,
            batch_norm_lag: self.val - reestimated,
            batch_or_shift: reestimated - batch,
            rest: batch - train,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_add_up() {
        let losses = Losses {
            train_recorded: Some(0.9),
            train: 0.5,
            train_reestimated: Some(0.4),
            val: 1.5,
            val_reestimated: Some(0.8),
            val_batch: Some(0.7),
        };
        let gap = losses.gap();
        let parts = [gap.measurement, gap.batch_norm_lag, gap.batch_or_shift, gap.rest];
        for (part, expected) in parts.into_iter().zip([-0.5, 0.7, 0.1, 0.3]) {
            assert!((part - expected).abs() < 1e-12, "{gap:?}");
        }
        assert!((parts.iter().sum::<f64>() - gap.gap).abs() < 1e-12);
    }

    #[test]
    fn without_batch_norm_and_record_all_is_the_rest() {
        let gap = Losses { train: 0.5, val: 0.75, ..Losses::default() }.gap();
        assert_eq!(gap, Gap { gap: 0.25, rest: 0.25, ..Gap::default() });
    }
}

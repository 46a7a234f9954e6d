//! The figures of an epoch, each with its name, unit and direction; nothing else restates them.

use wellfit_policy::Mode;
use wellfit_record::EpochRecord;

/// A figure that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Mean training loss, in nats.
    TrainLoss,
    /// Share of right answers in training.
    TrainAccuracy,
    /// Mean validation loss, in nats.
    ValLoss,
    /// Share of right answers in validation.
    ValAccuracy,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TrainLoss, Self::TrainAccuracy, Self::ValLoss, Self::ValAccuracy];

    /// Its name in options, records and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TrainLoss => "train_loss",
            Self::TrainAccuracy => "train_accuracy",
            Self::ValLoss => "val_loss",
            Self::ValAccuracy => "val_accuracy",
        }
    }

    /// Which way is better.
    #[must_use]
    pub fn mode(self) -> Mode {
        match self {
            Self::TrainLoss | Self::ValLoss => Mode::Min,
            Self::TrainAccuracy | Self::ValAccuracy => Mode::Max,
        }
    }

    /// Its value in an epoch.
    #[must_use]
    pub fn of(self, epoch: &EpochRecord) -> f64 {
        match self {
            Self::TrainLoss => epoch.train_loss,
            Self::TrainAccuracy => epoch.train_accuracy,
            Self::ValLoss => epoch.val_loss,
            Self::ValAccuracy => epoch.val_accuracy,
        }
    }

    /// The metric of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

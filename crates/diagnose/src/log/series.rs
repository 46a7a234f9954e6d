//! What can be known of each epoch.

use std::fmt;

/// One line a series: its variant, its name in files, what it is.
macro_rules! series {
    ($($variant:ident, $name:literal, $description:literal;)*) => {
        /// A figure of each epoch. Its name is that of a column of a log, too.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Series {
            $(#[doc = concat!("`", $name, "`: ", $description, ".")] $variant,)*
        }

        impl Series {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, such as `val_loss`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in words.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)* }
            }
        }
    };
}

series! {
    TrainLoss, "train_loss", "the mean loss of the training images, while they are trained on";
    TrainAccuracy, "train_accuracy", "the share of right answers in training, while it goes on";
    ValLoss, "val_loss", "the mean loss of the validation images";
    ValAccuracy, "val_accuracy", "the share of right answers in validation";
    TrainEvalLoss, "train_eval_loss", "the mean loss of training images as in validation: evaluation mode, no augmentation";
    TrainEvalAccuracy, "train_eval_accuracy", "the share of right answers on training images as in validation";
    Lr, "lr", "the learning rate";
    Alpha, "alpha", "how far a step goes: 0 lands in the minimum along it, 1 lands as high on its other side";
    GradNorm, "grad_norm", "the norm of the gradient before it is clipped";
    ClippedShare, "clipped_share", "the share of steps whose gradient was clipped";
    FirstLayerGradient, "first_layer_gradient", "the norm of the first layer's gradient";
    LastLayerGradient, "last_layer_gradient", "the norm of the last layer's gradient";
    DeadUnits, "dead_units", "the share of units that are 0 for every image, in the layer with the most";
    ValLossReestimated, "val_loss_reestimated", "the validation loss with BatchNorm's statistics estimated anew";
    DataWaitShare, "data_wait_share", "the share of the training pass that waited for data";
}

impl Series {
    /// The series of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|series| series.name() == name)
    }

    /// Whether it is a share of right answers.
    #[must_use]
    pub const fn is_accuracy(self) -> bool {
        matches!(self, Self::TrainAccuracy | Self::ValAccuracy | Self::TrainEvalAccuracy)
    }

    /// Whether it is measured after an epoch and not over it, so that the last of several values counts, and not their mean.
    #[must_use]
    pub const fn is_of_the_end(self) -> bool {
        !matches!(
            self,
            Self::TrainLoss | Self::TrainAccuracy | Self::Alpha | Self::GradNorm | Self::ClippedShare
        )
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

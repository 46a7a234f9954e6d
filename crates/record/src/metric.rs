//! What is measured in every epoch: names, units, directions.
//!
//! A [`Quantity`] is what is measured, such as the loss; a [`Metric`] is a quantity in one [`Phase`], such as
//! `val_loss`. A new quantity is one line in [the table below](Quantity) and one file in `train/src/metrics`.

use crate::epoch::EpochRecord;
use serde::{Deserialize, Serialize};
use std::fmt;
use wellfit_policy::Mode;

/// A pass over data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Training.
    Train,
    /// Validation, or any evaluation.
    Validate,
}

/// What a quantity is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Information, by the natural logarithm.
    Nats,
    /// A share, from 0 to 1.
    Share,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nats => "nats",
            Self::Share => "share",
        })
    }
}

/// What is fixed of a quantity.
#[derive(Debug)]
struct Definition {
    /// The names of its metrics, by phase.
    names: [&'static str; 2],
    unit: Unit,
    mode: Mode,
    description: &'static str,
}

/// One line a quantity: its variant, its name, unit, direction and description.
macro_rules! quantities {
    ($($variant:ident, $name:literal, $unit:ident, $mode:ident, $description:literal;)*) => {
        /// What is measured of a model. Those of [`Quantity::MEANS`] are means over samples, in each pass; the others are
        /// figures of all answers together, measured in validation where they are asked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Quantity {
            $(#[doc = concat!("`", $name, "`: ", $description, ".")] $variant,)*
        }

        impl Quantity {
            /// All of them, in the order in which they are recorded.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];
        }

        static DEFINITIONS: [Definition; Quantity::ALL.len()] = [$(Definition {
            names: [concat!("train_", $name), concat!("val_", $name)],
            unit: Unit::$unit,
            mode: Mode::$mode,
            description: $description,
        }),*];
    };
}

quantities! {
    Loss, "loss", Nats, Min, "the mean loss";
    Accuracy, "accuracy", Share, Max, "the share of right answers";
    MacroF1, "macro_f1", Share, Max, "the mean F1 of the classes";
    BalancedAccuracy, "balanced_accuracy", Share, Max, "the mean recall of the classes";
    Auc, "auc", Share, Max, "the area under the ROC curve, each class against the others";
    Top5Accuracy, "top5_accuracy", Share, Max, "the share of answers with the class among the five likeliest";
}

impl Quantity {
    /// Those that every pass measures.
    pub const MEANS: [Self; 2] = [Self::Loss, Self::Accuracy];

    const fn definition(self) -> &'static Definition {
        &DEFINITIONS[self as usize]
    }

    /// Its name without a phase, such as `loss`.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.definition().names[Phase::Train as usize]["train_".len()..]
    }

    /// What it is counted in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Which way is better.
    #[must_use]
    pub const fn mode(self) -> Mode {
        self.definition().mode
    }

    /// What it is, in words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.definition().description
    }
}

/// A quantity in a phase: a figure of an epoch that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric {
    /// The pass in which it is measured.
    pub phase: Phase,
    /// What is measured.
    pub quantity: Quantity,
}

impl Metric {
    /// How many there are.
    pub const COUNT: usize = Quantity::MEANS.len() + Quantity::ALL.len();
    /// Mean training loss, in nats.
    pub const TRAIN_LOSS: Self = Self { phase: Phase::Train, quantity: Quantity::Loss };
    /// Share of right answers in training.
    pub const TRAIN_ACCURACY: Self = Self { phase: Phase::Train, quantity: Quantity::Accuracy };
    /// Mean validation loss, in nats.
    pub const VAL_LOSS: Self = Self { phase: Phase::Validate, quantity: Quantity::Loss };
    /// Share of right answers in validation.
    pub const VAL_ACCURACY: Self = Self { phase: Phase::Validate, quantity: Quantity::Accuracy };

    /// All of them, in the order in which they are recorded: those of training first.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::TRAIN_LOSS; Self::COUNT];
        let mut place = 0;
        while place < Self::COUNT {
            let means = Quantity::MEANS.len();
            all[place] = if place < means {
                Self { phase: Phase::Train, quantity: Quantity::ALL[place] }
            } else {
                Self { phase: Phase::Validate, quantity: Quantity::ALL[place - means] }
            };
            place += 1;
        }
        all
    };

    /// Its name in options, records and file names, such as `val_loss`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.quantity.definition().names[self.phase as usize]
    }

    /// What it is counted in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.quantity.unit()
    }

    /// Which way is better.
    #[must_use]
    pub const fn mode(self) -> Mode {
        self.quantity.mode()
    }

    /// What it is, in words.
    #[must_use]
    pub fn description(self) -> String {
        let data = match self.phase {
            Phase::Train => "training",
            Phase::Validate => "validation",
        };
        format!("{} on the {data} data", self.quantity.description())
    }

    /// Its value in an epoch; none in a record of a version that did not measure it.
    #[must_use]
    pub fn of(self, epoch: &EpochRecord) -> Option<f64> {
        epoch.metrics.get(self)
    }

    /// The metric of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// The names of all as messages list them: `train_loss, train_accuracy, …`.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Whether every epoch has it; the others are measured where they are asked for.
    #[must_use]
    pub fn is_always_measured(self) -> bool {
        Quantity::MEANS.contains(&self.quantity)
    }

    /// Its place in [`Self::ALL`]; none for what training does not measure.
    pub(crate) fn place(self) -> Option<usize> {
        Self::ALL.into_iter().position(|metric| metric == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_name_and_stands_at_its_place() {
        for (place, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!((Metric::named(metric.name()), metric.place()), (Some(metric), Some(place)));
            assert!(metric.name().ends_with(metric.quantity.name()), "{metric:?}");
        }
        let names = "train_loss, train_accuracy, val_loss, val_accuracy, val_macro_f1, val_balanced_accuracy, val_auc, \
                     val_top5_accuracy";
        assert_eq!(Metric::names(), names);
        assert_eq!([Metric::named("f1"), Metric::named("train_macro_f1")], [None; 2]);
        assert_eq!(Metric { phase: Phase::Train, quantity: Quantity::Auc }.place(), None);
        assert_eq!(Metric::ALL.into_iter().filter(|metric| metric.is_always_measured()).count(), 4);
        assert_eq!((Metric::VAL_LOSS.mode(), Metric::VAL_ACCURACY.mode()), (Mode::Min, Mode::Max));
        assert_eq!(Metric::VAL_ACCURACY.description(), "the share of right answers on the validation data");
        assert_eq!(Metric::TRAIN_LOSS.unit().to_string(), "nats");
    }

    /// Early stopping and checkpoints take the direction from here, `replay` from the name alone.
    #[test]
    fn directions_agree_with_what_names_say() {
        for metric in Metric::ALL {
            let name = metric.name();
            assert_eq!(wellfit_policy::direction(name).unwrap(), metric.mode(), "{name}");
        }
    }
}

//! Settings that are one word of a few.

use super::setting::{Kind, Setting, unicode};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;
use wellfit_policy::Semantics;

/// An enum whose values have names: in configuration files, on a command line and in help.
macro_rules! names {
    ($(#[doc = $doc:literal])+ $type:ident { $( $(#[doc = $value_doc:literal])+ $value:ident = $name:literal ),* $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $type {
            $( $(#[doc = $value_doc])+ #[serde(rename = $name)] $value, )*
        }

        impl $type {
            /// All names.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$value => $name, )* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $( $name => Ok(Self::$value), )*
                    _ => Err(format!("there is no `{text}`; known are {}", Self::NAMES.join(", "))),
                }
            }
        }

        impl Setting for $type {
            const KIND: Kind = Kind::Choice(Self::NAMES);

            fn parse(text: &OsStr) -> Result<Self, String> {
                unicode(text)?.parse()
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    };
}

names! {
    /// Where results are kept.
    CacheName {
        /// In memory, for this run.
        Ram = "ram",
        /// In a folder, for later runs too.
        Disk = "disk",
        /// Nowhere.
        Off = "off",
    }
}

names! {
    /// Optimisers.
    OptimizerName {
        /// Adam (Kingma and Ba 2015).
        Adam = "adam",
        /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
        Adamw = "adamw",
        /// Stochastic gradient descent.
        Sgd = "sgd",
    }
}

names! {
    /// Schedules over the steps of the whole run.
    ScheduleName {
        /// The rate stays.
        Constant = "constant",
        /// Up from lr/25 to lr over the first 30 %, then down to nearly nothing (torch's `OneCycleLR`).
        OneCycle = "one-cycle",
        /// Down to 0 along half a cosine.
        Cosine = "cosine",
    }
}

names! {
    /// How pixels become a network's inputs.
    Scaling {
        /// The least pixel of the training images becomes 0, the greatest 1.
        MinMax = "minmax",
        /// Mean 0 and standard deviation 1 over the training images.
        ZScore = "zscore",
        /// The mean and standard deviation of each channel of ImageNet, which pretrained networks expect.
        ImageNet = "imagenet",
    }
}

names! {
    /// Whose rules early stopping and `ReduceLROnPlateau` follow.
    SemanticsName {
        /// torch's scheduler, the textbook's early stopping.
        Torch = "torch",
        /// Keras' callbacks.
        Keras = "keras",
        /// Lightning's early stopping, torch's scheduler.
        Lightning = "lightning",
        /// A PyTorch textbook's early stopping, torch's scheduler.
        Book = "book",
    }
}

names! {
    /// The direction of a checkpoint's metric.
    CheckpointMode {
        /// From the metric's name.
        Auto = "auto",
        /// Lower is better.
        Min = "min",
        /// Higher is better.
        Max = "max",
    }
}

impl From<SemanticsName> for Semantics {
    fn from(name: SemanticsName) -> Self {
        match name {
            SemanticsName::Torch => Self::Torch,
            SemanticsName::Keras => Self::Keras,
            SemanticsName::Lightning => Self::Lightning,
            SemanticsName::Book => Self::Book,
        }
    }
}

//! Settings whose value is one of a few words.

use super::setting::{Kind, Setting, unicode, worded};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;
use wellfit_cluster::Wire;
use wellfit_data::{Depth, Interpolation, Sampler, Scaling};
use wellfit_models::Precision;
use wellfit_policy::Semantics;
use wellfit_policy::schedule::{Anneal, ScheduleSpec};
use wellfit_simd::Bf16Unit;

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
                    $( _ if text.eq_ignore_ascii_case($name) => Ok(Self::$value), )*
                    _ => Err(format!("there is no `{text}`; known are {}", Self::NAMES.join(", "))),
                }
            }
        }

        worded!($type: Kind::Choice(Self::NAMES));
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
    /// The curve by which the learning rate goes to the one of averages.
    AnnealName {
        /// Half a cosine.
        Cos = "cos",
        /// A straight line.
        Linear = "linear",
    }
}

impl From<AnnealName> for Anneal {
    fn from(name: AnnealName) -> Self {
        match name {
            AnnealName::Cos => Self::Cos,
            AnnealName::Linear => Self::Linear,
        }
    }
}

names! {
    /// How much training images are changed at random.
    AugmentName {
        /// Not at all.
        None = "none",
        /// Cropped a little, and mirrored.
        Light = "light",
        /// Cropped, mirrored, changed in form and colour, and partly erased.
        Strong = "strong",
    }
}

names! {
    /// How the processor stores the values of a pass and multiplies them.
    PrecisionName {
        /// IEEE 754 single precision.
        F32 = "f32",
        /// bfloat16, with f32 sums and weights.
        Bf16 = "bf16",
        /// bf16 where the processor has instructions for it, f32 elsewhere.
        Auto = "auto",
    }
}

names! {
    /// How the learning rate follows from the images of a step.
    ScaleLr {
        /// Not at all.
        None = "none",
        /// In proportion (Goyal et al. 2017).
        Linear = "linear",
        /// With their square root (Krizhevsky 2014).
        Sqrt = "sqrt",
    }
}

names! {
    /// How gradients are sent from one process to another.
    ReduceDtype {
        /// IEEE 754 single precision.
        F32 = "f32",
        /// bfloat16, half as many bytes.
        Bf16 = "bf16",
    }
}

impl From<ReduceDtype> for Wire {
    fn from(name: ReduceDtype) -> Self {
        match name {
            ReduceDtype::F32 => Self::F32,
            ReduceDtype::Bf16 => Self::Bf16,
        }
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
    /// What training makes smaller.
    LossName {
        /// Cross-entropy.
        CrossEntropy = "cross-entropy",
        /// Cross-entropy that counts what is answered well already for less.
        Focal = "focal",
    }
}

names! {
    /// Which images an epoch has.
    SamplerName {
        /// Each image once.
        Each = "each",
        /// As many draws with replacement, every class alike.
        Balanced = "balanced",
    }
}

names! {
    /// A list of options that go well together.
    RecipeName {
        /// A pretrained network: its head first, then all of it.
        Finetune = "finetune",
        /// A pretrained network: a new head alone.
        LinearProbe = "linear-probe",
        /// A network from random weights.
        Scratch = "scratch",
        /// What `lab transfer` does.
        Textbook = "textbook",
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
    /// In what numbers a trained network is computed.
    ServingPrecision {
        /// IEEE 754 single precision.
        F32 = "f32",
        /// bfloat16, with f32 sums and weights.
        Bf16 = "bf16",
        /// Products of 8-bit integers, for evaluation only.
        Int8 = "int8",
        /// As for training.
        Auto = "auto",
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

/// The names of `Scaling`s.
const SCALINGS: &[&str] = &["minmax", "zscore", "imagenet", "lite"];

impl Setting for Scaling {
    const KIND: Kind = Kind::Choice(SCALINGS);

    fn parse(text: &OsStr) -> Result<Self, String> {
        unicode(text)?.to_lowercase().parse().map_err(|error| format!("{error}"))
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

worded!(Depth: Kind::Choice(Self::NAMES));
worded!(Interpolation: Kind::Choice(Self::NAMES));

worded!(ScheduleSpec: Kind::Text);

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

impl PrecisionName {
    /// The precision on this machine: `auto` is bf16 where the processor multiplies it by instructions of its own.
    #[must_use]
    pub fn resolve(self) -> Precision {
        match self {
            Self::Auto if Bf16Unit::current() == Bf16Unit::Widened => Precision::F32,
            Self::F32 => Precision::F32,
            Self::Bf16 | Self::Auto => Precision::Bf16,
        }
    }
}

impl From<SamplerName> for Sampler {
    fn from(name: SamplerName) -> Self {
        match name {
            SamplerName::Each => Self::Each,
            SamplerName::Balanced => Self::Balanced,
        }
    }
}

impl From<Precision> for PrecisionName {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}

impl ServingPrecision {
    /// The precision of values on this machine; none for integers.
    #[must_use]
    pub fn resolve(self) -> Option<Precision> {
        match self {
            Self::F32 => Some(Precision::F32),
            Self::Bf16 => Some(Precision::Bf16),
            Self::Auto => Some(PrecisionName::Auto.resolve()),
            Self::Int8 => None,
        }
    }
}

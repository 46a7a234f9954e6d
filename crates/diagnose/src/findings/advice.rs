//! What to change: options of `wellfit train`.

use serde::{Serialize, Serializer};
use std::fmt;

/// One line an option.
macro_rules! flags {
    ($($variant:ident = $name:literal,)*) => {
        /// An option of `wellfit train` that some advice names. A test of the command line requires that each exists.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Flag {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Flag {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As it is typed, such as `--weight-decay`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

flags! {
    Augment = "--augment",
    BatchSize = "--batch-size",
    Cache = "--cache",
    ClassWeights = "--class-weights",
    ClipNorm = "--clip-norm",
    EarlyStopping = "--early-stopping",
    Epochs = "--epochs",
    Folds = "--folds",
    Freeze = "--freeze",
    Hflip = "--hflip",
    LabelSmoothing = "--label-smoothing",
    Lr = "--lr",
    LrPatience = "--lr-patience",
    LrScheduler = "--lr-scheduler",
    Model = "--model",
    Patience = "--patience",
    Schedule = "--schedule",
    ValSplit = "--val-split",
    WeightDecay = "--weight-decay",
    Workers = "--workers",
}

impl Flag {
    /// The setting that it sets, such as `weight_decay`.
    #[must_use]
    pub fn setting(self) -> String {
        self.name().trim_start_matches('-').replace('-', "_")
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// The option.
    pub flag: Flag,
    /// What it was, where that is known.
    pub from: Option<String>,
    /// What to try; empty for a switch, which has no value.
    pub to: String,
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.flag.name())?;
        if self.to.is_empty() { Ok(()) } else { write!(f, " {}", self.to) }
    }
}

//! Every setting of a training run, once: name, help, group, default, check.
//!
//! A setting is one entry in the file of its group. From all entries the macro `define!` makes
//!
//! * [`RunSpec`]: all settings, each with a value; what `[config]` of a `run.toml` holds,
//! * [`Options`]: the settings that the user gave, possibly none; what a configuration file holds,
//! * [`entries`]: the table from which a command line is built and values are checked.
//!
//! An entry has the form
//!
//! ```text
//! /// One line of help
//! ///
//! /// More of it, where one line is not enough
//! batch_size: usize {
//!     default: |given| 32,                                   // `given` knows the data and the other options
//!     value_name: "N",
//!     check: |spec| batch_size(spec.batch_size),             // optional: may compare with other settings
//!     default_text: "as many as fit",                        // optional: in place of the value itself
//!     names: || MODELS.join(", "),                           // optional: what help lists, from a registry
//!     common: true,                                          // optional: short help lists it too
//!     immaterial: true,                                      // optional: results have the same bits
//! }
//! ```
//!
//! A setting that may be absent has the type `Option<…>`.

pub mod checks;
mod class_weights;
mod entry;
mod file;
mod jitter;
mod names;
mod rate;
mod recipes;
mod setting;
pub mod synonyms;
mod time_limit;

pub use class_weights::ClassWeights;
pub use entry::{Entry, Group};
pub use jitter::JitterSetting;
pub use names::{
    AnnealName, AugmentName, CacheName, CheckpointMode, LossName, OptimizerName, PrecisionName, RecipeName,
    ReduceDtype, SamplerName, ScaleLr, SemanticsName, ServingPrecision,
};
pub use rate::LrSetting;
pub use setting::{Kind, Setting};
pub use swa::SwaStart;
pub use time_limit::TimeLimit;

use crate::embedded::EMBEDDED_MODEL;
use crate::error::RunError;
use crate::pretrained::interpolation;
use crate::weights_name;
use checks::{
    at_least_one, batch_size, degrees, image_size, positive, probability, require, share, zero_or_more,
};
use entry::text_of;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::PathBuf;
use wellfit_data::augment::BINS;
use wellfit_data::{Depth, Interpolation, Scaling};
use wellfit_gpu::Device;
use wellfit_models::{Architecture, architecture};
use wellfit_policy::schedule::{ScheduleSpec, SwaRate};
use wellfit_train::Metric;

/// What the data are: defaults follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// A folder of images.
    Folder,
    /// IDX files, such as MNIST's.
    Idx {
        /// The longer side of an image, in pixels.
        pixels: usize,
    },
    /// The built-in sample: IDX images, but few.
    Sample {
        /// The longer side of an image, in pixels.
        pixels: usize,
    },
}

/// What a default may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The data.
    pub data: DataKind,
    /// The options that the user gave.
    pub options: &'a Options,
}

impl Given<'_> {
    /// Whether the data are IDX images.
    #[must_use]
    pub fn is_idx(&self) -> bool {
        self.data != DataKind::Folder
    }

    /// The architecture that was asked for, or else the default one.
    #[must_use]
    pub fn architecture(&self) -> Option<&'static Architecture> {
        let model = self.options.model.as_deref().unwrap_or(self.folder_or_idx("resnet50", "resnet20"));
        architecture(model).ok()
    }

    /// How the pixels were scaled that the architecture's published weights were trained with.
    #[must_use]
    pub fn pretrained_scaling(&self) -> Scaling {
        match self.architecture() {
            Some(known) if known.name == EMBEDDED_MODEL => Scaling::Lite,
            _ => Scaling::ImageNet,
        }
    }

    /// How pictures were resized that the architecture's published weights were trained with, where weights are given.
    fn pretrained_interpolation(&self) -> Interpolation {
        interpolation(self.architecture().filter(|_| matches!(self.options.weights, Some(Some(_)))))
    }

    /// The first for light augmentation, the second for strong one, if one of them was asked for.
    fn by_augment<T>(&self, light: T, strong: T) -> Option<T> {
        match self.options.augment.flatten()? {
            AugmentName::None => None,
            AugmentName::Light => Some(light),
            AugmentName::Strong => Some(strong),
        }
    }

    /// The first for a folder of images, the second for IDX images.
    pub fn folder_or_idx<T>(&self, folder: T, idx: T) -> T {
        if self.is_idx() { idx } else { folder }
    }
}

/// Make the two structs and the table from all entries (see the module).
macro_rules! define {
    ($($group:ident { $(
        $(#[doc = $help:literal])+
        $name:ident: $type:ty { default: $default:expr, $($key:ident: $value:expr),* $(,)? }
    )* })*) => {
        /// Every setting of a training run, decided. Defaults come from [`RunSpec::for_folder`] and
        /// [`RunSpec::for_idx`].
        ///
        /// ```
        /// use wellfit_run::RunSpec;
        /// let spec = RunSpec { model: "resnet18".to_owned(), epochs: 3, ..RunSpec::for_folder() };
        /// spec.validate()?;
        /// # Ok::<(), wellfit_run::RunError>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct RunSpec {
            $($( $(#[doc = $help])+ pub $name: $type, )*)*
        }

        /// The settings that the user gave; the others are `None` and get their defaults by
        /// [`decide`](Self::decide). A setting that may be absent from a run is `Some(None)` when it was decided
        /// that it is.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Options {
            $($( $(#[doc = $help])+ pub $name: Option<$type>, )*)*
        }

        impl Options {
            /// These settings; where one is not given, that of `below`.
            #[must_use]
            pub fn combine(self, below: Self) -> Self {
                let above = self.with_implied();
                Self { $($( $name: above.$name.or(below.$name), )*)* }
            }

            /// Fill in the defaults for data of that kind, without a check.
            pub(crate) fn fill(&self, data: DataKind) -> RunSpec {
                let options = self.clone().with_implied();
                let given = Given { data, options: &options };
                $($(
                    let default: fn(&Given<'_>) -> $type = $default;
                    let $name = options.$name.clone().unwrap_or_else(|| default(&given));
                )*)*
                RunSpec { $($( $name, )*)* }
            }
        }

        impl From<&RunSpec> for Options {
            /// All settings given.
            fn from(spec: &RunSpec) -> Self {
                Self { $($( $name: Some(spec.$name.clone()), )*)* }
            }
        }

        /// The entry of every setting, in the order of the groups.
        static ENTRIES: &[Entry] = &[$($(
            Entry {
                $($key: $value,)*
                ..Entry::new(
                    stringify!($name),
                    Group::$group,
                    &[$($help),+],
                    <$type as Setting>::KIND,
                    |options, text| {
                        options.$name = Some(Setting::parse(text)?);
                        Ok(())
                    },
                    |given| {
                        let default: fn(&Given<'_>) -> $type = $default;
                        text_of(&default(given))
                    },
                    |spec| text_of(&spec.$name),
                )
            },
        )*)*];
    };
}

/// Take the entries of one file after the other, then [`define!`].
macro_rules! collect {
    ([$next:ident $($rest:ident)*] $($entries:tt)*) => { $next! { [$($rest)*] $($entries)* } };
    ([] $($entries:tt)*) => { define! { $($entries)* } };
}

#[macro_use]
mod data;
#[macro_use]
mod model;
#[macro_use]
mod optimiser;
#[macro_use]
mod averaging;
#[macro_use]
mod stopping;
#[macro_use]
mod augmentation;
#[macro_use]
mod regularisation;
#[macro_use]
mod checkpoints;
#[macro_use]
mod speed;
#[macro_use]
mod swa;
#[macro_use]
mod unfreezing;
#[macro_use]
mod dropout;
#[macro_use]
mod warmup;

collect! { [
    data_options model_options optimiser_options averaging_options stopping_options augmentation_options
    regularisation_options checkpoint_options speed_options swa_options unfreezing_options
    dropout_options warmup_options
] }

/// The entry of every setting, in the order of the groups.
#[must_use]
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

impl Options {
    /// Give the setting of that name a value as text, as a command line does.
    ///
    /// # Errors
    /// If there is no such setting, or the text is not of its type.
    pub fn set(&mut self, name: &str, text: &OsStr) -> Result<(), RunError> {
        let entry = entries().iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| RunError::Unusable(format!("there is no setting `{name}`")))?;
        (entry.set)(self, text).map_err(|problem| {
            RunError::setting(entry.name, format!("`{name}` {}: {problem}", text.to_string_lossy()))
        })
    }

    /// What follows from the settings that were given: an option of early stopping or of the scheduler turns it on, and
    /// a schedule and the scheduler take each other's place.
    pub(crate) fn with_implied(mut self) -> Self {
        let stops = self.patience.is_some() || self.min_delta.is_some();
        let lowers = self.lr_patience.is_some()
            || self.lr_factor.is_some()
            || self.min_lr.is_some()
            || self.lr_monitor.is_some();
        self.early_stopping = self.early_stopping.or(stops.then_some(true));
        self.lr_scheduler = self.lr_scheduler.or(lowers.then_some(true));
        if self.lr_scheduler == Some(true) {
            self.schedule.get_or_insert_default();
        } else if self.schedule.as_ref().is_some_and(|schedule| !schedule.is_constant()) {
            self.lr_scheduler.get_or_insert(false);
        }
        self
    }

    /// These settings as `lab transfer` takes them: the textbook's recipe, unless they name another.
    #[must_use]
    pub(crate) fn for_lab_transfer(mut self) -> Self {
        self.recipe.get_or_insert(Some(RecipeName::Textbook));
        self
    }

    /// Decide all settings for data of that kind: what was given, else the default.
    ///
    /// # Errors
    /// If the settings make no sense, alone or together.
    pub fn decide(&self, data: DataKind) -> Result<RunSpec, RunError> {
        let mut spec = self.clone().with_recipe(data).fill(data);
        // A run can be resumed from any folder.
        spec.weights = spec.weights.map(weights_name::absolute);
        spec.validate()?;
        Ok(spec)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

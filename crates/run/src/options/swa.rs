//! Settings about averages of the weights that epochs end with.

use super::setting::{Kind, Setting, unicode};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;

/// From which epoch on weights are averaged, as Lightning's `swa_epoch_start`.
///
/// ```
/// use wellfit_run::SwaStart;
/// assert_eq!(SwaStart::Share(0.75).epoch(10), 7);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SwaStart {
    /// This one, from 1.
    Epoch(u32),
    /// After this share of all epochs, from 0 to 1.
    Share(f64),
}

impl SwaStart {
    /// The epoch, from 1, of a run with that many.
    #[must_use]
    pub fn epoch(self, epochs: u32) -> u32 {
        match self {
            Self::Epoch(epoch) => epoch,
            Self::Share(share) => ((share * f64::from(epochs)) as u32).max(1),
        }
    }

    /// The same for a run whose number of epochs may still change.
    #[must_use]
    pub(crate) fn pinned(self, epochs: u32) -> Self {
        Self::Epoch(self.epoch(epochs))
    }
}

impl Setting for SwaStart {
    const KIND: Kind = Kind::Number;

    fn parse(text: &OsStr) -> Result<Self, String> {
        let text = unicode(text)?;
        if let Ok(epoch) = text.parse() {
            return Ok(Self::Epoch(epoch));
        }
        let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share) && *share > 0.0);
        let wanted = "give an epoch, from 1, or a share of all epochs, such as 0.75";
        share.map(Self::Share).ok_or_else(|| wanted.to_owned())
    }

    fn show(&self) -> Option<String> {
        match self {
            Self::Epoch(epoch) => epoch.show(),
            Self::Share(share) => share.show(),
        }
    }
}

/// Adds these settings to the list (see `super::collect`).
macro_rules! swa_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Optimiser {
        /// Average the weights that epochs end with from this epoch on, or after this share of them, such as 0.75
        ///
        /// Stochastic weight averaging (SWA): all count the same. From there on the average is what is validated, what `best`
        /// chooses from and what is kept; BatchNorm's statistics are computed for it by a pass over the training images.
        /// The schedule ends there: the rate stays, or goes to `swa_lr`.
        swa_start: Option<SwaStart> {
            default: |_| None,
            default_text: "off",
            value_name: "EPOCH",
            check: |spec| {
                let Some(start) = spec.swa_start.map(|start| start.epoch(spec.epochs)) else { return Ok(()) };
                require((1..=spec.epochs).contains(&start), || {
                    format!("`swa_start` {start} must be one of the {} `epochs`, from 1", spec.epochs)
                })?;
                require(start > spec.freeze_epochs, || {
                    format!(
                        "`swa_start` {start} must be after the {} `freeze_epochs`, in which the head trains alone",
                        spec.freeze_epochs
                    )
                })?;
                require(spec.ema.is_none(), || "`ema` and `swa_start` both average weights: choose one".to_owned())?;
                checks::on_processor("swa_start", &spec.device)
            },
        }

        /// The rate at which weights are averaged
        ///
        /// As torch's `SWALR`: the rate of the moment goes there in `swa_anneal_epochs`, and stays.
        swa_lr: Option<f64> {
            default: |_| None,
            default_text: "that of the epoch in which it begins",
            value_name: "RATE",
            check: |spec| {
                let Some(lr) = spec.swa_lr else { return Ok(()) };
                require(spec.swa_start.is_some(), || "`swa_lr` belongs to `swa_start`".to_owned())?;
                positive("swa_lr", lr)
            },
        }

        /// Epochs in which the rate goes to `swa_lr`; 0 for at once
        swa_anneal_epochs: u32 {
            default: |_| SwaRate::EPOCHS,
            value_name: "N",
            check: |spec| require(spec.swa_lr.is_some() || spec.swa_anneal_epochs == SwaRate::EPOCHS, || {
                "`swa_anneal_epochs` belongs to `swa_lr`".to_owned()
            }),
        }

        /// The curve by which the rate goes to `swa_lr`
        swa_anneal_strategy: AnnealName {
            default: |_| AnnealName::Cos,
            value_name: "NAME",
            check: |spec| require(spec.swa_lr.is_some() || spec.swa_anneal_strategy == AnnealName::Cos, || {
                "`swa_anneal_strategy` belongs to `swa_lr`".to_owned()
            }),
        }
    } } };
}

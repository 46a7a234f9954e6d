//! How much training two arms have in common.
//!
//! Runs are the same to the bit as long as nothing that they do differs, and a run goes on from a checkpoint to the same
//! bits. So what both arms do alike is trained once.

use crate::design::Settings;
use std::collections::BTreeSet;

/// What a setting changes in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// No result: speed, memory, what is shown.
    Nothing,
    /// Which epoch's weights are kept, or under which name: chosen afterwards from one training.
    Choice,
    /// When training ends: the longer training holds the shorter one.
    Stop,
    /// When training ends, and the rates of a schedule that covers the whole run.
    Length,
    /// The scheduled rates.
    Rates,
    /// The rate after `lr_scheduler` first lowers it.
    Reduction,
    /// For how many of the first epochs the backbone is fixed.
    FrozenEpochs,
    /// The rules of early stopping and of `lr_scheduler`.
    Rules,
    /// The steps, from the first on.
    Training,
    /// The network or the data, before the first step; cannot begin in the middle of a run.
    Start,
}

/// What each setting of a run touches. A setting that is not here is taken for [`Touches::Start`]: then nothing is shared, which
/// costs time but is never wrong.
const SETTINGS: [(Touches, &[&str]); 10] = [
    (
        Touches::Nothing,
        &[
            "offline",
            "workers",
            "cache",
            "cache_size",
            "cache_dir",
            "keep",
            "checkpoint_every",
            "memory",
            "no_statistics",
            "no_report",
            "tensorboard",
            "mlflow",
            "train_eval",
            "record_answers",
            "recipe",
        ],
    ),
    (Touches::Choice, &["best", "checkpoint", "checkpoint_monitor", "checkpoint_mode", "save_best_only"]),
    (Touches::Stop, &["early_stopping", "patience", "min_delta", "monitor"]),
    (Touches::Length, &["epochs"]),
    (Touches::Rates, &["schedule", "warmup"]),
    (Touches::Reduction, &["lr_scheduler", "lr_patience", "lr_monitor", "lr_factor", "min_lr"]),
    (Touches::FrozenEpochs, &["freeze_epochs"]),
    (Touches::Rules, &["semantics"]),
    (
        Touches::Training,
        &[
            "accumulate",
            "augment",
            "backbone_lr_factor",
            "batch_size",
            "class_weights",
            "clip_norm",
            "color_jitter",
            "cutmix",
            "dropout",
            "ema",
            "erasing",
            "exact_conv",
            "focal_gamma",
            "freeze",
            "freeze_batch_norm",
            "grayscale",
            "hflip",
            "label_smoothing",
            "loss",
            "lr",
            "mixup",
            "momentum",
            "optimizer",
            "perspective",
            "randaugment",
            "random_resized_crop",
            "reduce_dtype",
            "rotation",
            "sampler",
            "scale_lr",
            "shards",
            "shear",
            "stochastic_depth",
            "sync_bn",
            "swa_anneal_epochs",
            "swa_anneal_strategy",
            "swa_lr",
            "swa_start",
            "translate",
            "trivial_augment",
            "unfreeze_every",
            "vflip",
            "weight_decay",
            "zoom",
        ],
    ),
    (
        Touches::Start,
        &[
            "depth",
            "device",
            "fold",
            "folds",
            "image_size",
            "interpolation",
            "model",
            "precision",
            "resize",
            "scaling",
            "seed",
            "skip_bad",
            "split_seed",
            "time",
            "val_split",
            "weights",
        ],
    ),
];

/// What a setting of this name touches; None if it is not known here.
#[must_use]
pub fn touches(setting: &str) -> Option<Touches> {
    SETTINGS.iter().find(|(_, names)| names.contains(&setting)).map(|(touches, _)| *touches)
}

/// What the caller knows of the runs' course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// The first step, counted from 1, at which the arms' schedules give other rates, if they ever do
    /// ([`first_other_rate`]).
    pub first_other_rate: Option<u64>,
}

/// Until where the two arms of a pair are one training.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Branch {
    /// The first step, counted from 1, that may differ; all before it are the same.
    pub step: Option<u64>,
    /// The arms also part where `lr_scheduler` lowers the rate in one of them, if that is before [`Self::step`].
    pub at_reduction: bool,
    /// The arms may end at other epochs: both are read off the longer training.
    pub ends: bool,
    /// The arms may keep other epochs' weights: both choose from the same training.
    pub chooses: bool,
    /// The first step, counted from 1, that the technique may touch at all.
    pub not_before: u64,
    /// The settings that make the difference, by name.
    pub because: BTreeSet<String>,
}

impl Branch {
    /// Whether no step of the arms differs: one training serves both.
    #[must_use]
    pub fn is_one_training(&self) -> bool {
        self.step.is_none() && !self.at_reduction
    }

    /// The steps that both arms share, in a training of `total` steps whose rate is first lowered at the step
    /// `first_reduction` in one of the arms.
    #[must_use]
    pub fn shared_steps(&self, total: u64, first_reduction: Option<u64>) -> u64 {
        let reduction = first_reduction.filter(|_| self.at_reduction).map(|step| step.max(self.not_before));
        let first = [self.step, reduction].into_iter().flatten().min();
        first.map_or(total, |step| step.saturating_sub(1).min(total))
    }
}

/// Until where a run with the settings `baseline` and one with `treated` are the same training. Settings are decided ones: one
/// that only one arm has differs. Settings of a policy that neither arm uses change nothing, such as the patience of an early
/// stopping that is off. Where the technique begins at an epoch ([`Design::treat_at`](crate::Design::treat_at)), no step before
/// it differs.
#[must_use]
pub fn branch(baseline: &Settings, treated: &Settings, treat_at: Option<u32>, course: Course) -> Branch {
    let used =
        |policy| [baseline, treated].iter().any(|arm| arm.get(policy).is_some_and(|value| value != "false"));
    let mut branch = Branch { not_before: 1, ..Branch::default() };
    if let Some(epoch) = treat_at {
        branch.not_before = u64::from(epoch.max(1) - 1) * course.steps_per_epoch + 1;
    }
    for name in differing(baseline, treated) {
        let touched = touches(name).unwrap_or(Touches::Start);
        let ends = match touched {
            Touches::Stop | Touches::Rules => used("early_stopping"),
            other => other == Touches::Length,
        };
        let reduces = matches!(touched, Touches::Reduction | Touches::Rules) && used("lr_scheduler");
        let step = match touched {
            Touches::Length | Touches::Rates => course.first_other_rate,
            Touches::FrozenEpochs => Some(after_frozen(baseline.get(name), treated.get(name), course)),
            Touches::Training | Touches::Start => Some(1),
            _ => None,
        };
        let chooses = touched == Touches::Choice;
        if ends || reduces || chooses || step.is_some() {
            branch.because.insert(name.clone());
        }
        branch.ends |= ends;
        branch.at_reduction |= reduces;
        branch.chooses |= chooses;
        branch.step = [branch.step, step].into_iter().flatten().min();
    }
    branch.step = branch.step.map(|step| step.max(branch.not_before));
    branch
}

/// The settings that differ and cannot begin in the middle of a run, as they make the network or choose the data; a plan whose
/// technique begins at an epoch must have none.
#[must_use]
pub fn cannot_begin_late(baseline: &Settings, treated: &Settings) -> Vec<String> {
    let names = differing(baseline, treated).into_iter();
    names.filter(|name| touches(name).unwrap_or(Touches::Start) == Touches::Start).cloned().collect()
}

/// The settings that differ, by name.
fn differing<'a>(baseline: &'a Settings, treated: &'a Settings) -> BTreeSet<&'a String> {
    let names = baseline.keys().chain(treated.keys());
    names.filter(|name| baseline.get(*name) != treated.get(*name)).collect()
}

/// The step after the epochs that both arms train with a fixed backbone; the first if either number cannot be read.
fn after_frozen(baseline: Option<&String>, treated: Option<&String>, course: Course) -> u64 {
    let epochs = |value: Option<&String>| value.map_or(Some(0), |text| text.parse::<u32>().ok());
    let shared = epochs(baseline).zip(epochs(treated)).map_or(0, |(a, b)| a.min(b));
    u64::from(shared) * course.steps_per_epoch + 1
}

/// The first step, counted from 1, at which two schedules give other rates, as far as both go. Rates are compared to the bit.
pub fn first_other_rate(
    baseline: impl IntoIterator<Item = f64>,
    treated: impl IntoIterator<Item = f64>,
) -> Option<u64> {
    let place = baseline.into_iter().zip(treated).position(|(a, b)| a.to_bits() != b.to_bits())?;
    Some(place as u64 + 1)
}

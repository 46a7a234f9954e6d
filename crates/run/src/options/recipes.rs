//! Recipes: lists of ordinary options that go well together. Any option that is given overrides the recipe's.

use super::names::RecipeName;
use super::{DataKind, Options, RunSpec, entries};
use std::ffi::OsStr;
use wellfit_train::Metric;

/// Epochs of `finetune` that train the head alone, and all of them.
const HEAD_EPOCHS: u32 = 4;
const FINETUNE_EPOCHS: u32 = 12;

impl RecipeName {
    /// The settings of the recipe, each as a name and its value as text, where `given` are the user's.
    ///
    /// * `finetune`: a new head first, on features that are computed once (Kumar et al. 2022, arXiv:2202.10054), then all
    ///   layers, the pretrained ones at a tenth of the rate (Howard and Ruder 2018, arXiv:1801.06146), which warms up
    ///   and falls by a cosine. BatchNorm keeps the statistics of the large data set: those of a few hundred images are
    ///   worse, and the change costs epochs. The average of the weights is what is kept: it gained a point over five
    ///   kinds of pictures (docs/recipes.md).
    /// * `linear-probe`: the head alone, on features that are computed once an image. The loss chooses the epoch, which
    ///   tells epochs apart that are right on the same few images, and a tenth of the images is enough for that.
    /// * `scratch`: a network without pretrained weights: strong augmentation, a long warm-up and cosine, decoupled decay,
    ///   smoothed labels.
    /// * `textbook`: Adam at a constant rate, flips both ways, the weights with the lowest validation loss.
    #[must_use]
    pub fn settings(self, given: &Options, data: DataKind) -> Vec<(&'static str, String)> {
        let fixed: &[(&str, &str)] = match self {
            Self::Finetune => &[
                ("optimizer", "adamw"),
                ("lr", "0.003"),
                ("weight_decay", "0.01"),
                ("backbone_lr_factor", "0.1"),
                ("freeze_batch_norm", "true"),
                ("schedule", "one-cycle"),
                ("label_smoothing", "0.1"),
            ],
            Self::LinearProbe => &[
                ("freeze", "true"),
                ("augment", "none"),
                ("val_split", "0.1"),
                ("epochs", "30"),
                ("optimizer", "adamw"),
                ("lr", "0.003"),
                ("weight_decay", "0.01"),
                ("schedule", "cosine"),
            ],
            Self::Scratch => &[
                ("epochs", "40"),
                ("augment", "strong"),
                ("optimizer", "adamw"),
                ("lr", "0.002"),
                ("weight_decay", "0.05"),
                ("schedule", "one-cycle"),
                ("label_smoothing", "0.1"),
            ],
            Self::Textbook => &[],
        };
        let mut settings: Vec<(&'static str, String)> =
            fixed.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        if given.warmup.is_some_and(|epochs| epochs > 0) {
            // One-cycle has a warm-up of its own; what it does after that is a cosine.
            let moving = settings.iter_mut().filter(|(_, value)| value == "one-cycle");
            moving.for_each(|(_, value)| *value = "cosine".to_owned());
        }
        match self {
            Self::Finetune => {
                let epochs = given.epochs.unwrap_or(FINETUNE_EPOCHS);
                let alone = if given.freeze == Some(true) { 0 } else { HEAD_EPOCHS.min(epochs / 3) };
                settings.push(("epochs", epochs.to_string()));
                settings.push(("freeze_epochs", alone.to_string()));
                // A GPU keeps no average.
                if given.device.as_ref().is_none_or(|device| device == "cpu") {
                    settings.push(("ema", "0.99".to_owned()));
                }
            }
            Self::Textbook => settings.push(("vflip", (data == DataKind::Folder).to_string())),
            Self::LinearProbe | Self::Scratch => {}
        }
        if matches!(self, Self::Textbook | Self::LinearProbe) {
            let best = given.monitor.clone().unwrap_or_else(|| Metric::VAL_LOSS.name().to_owned());
            settings.push(("best", best));
        }
        settings
    }
}

impl Options {
    /// The recipe that is asked for, or for photographs that which goes with pretrained weights, if the backbone is not
    /// to stay as it is.
    fn recipe_name(&self, data: DataKind) -> Option<RecipeName> {
        let pretrained = self.weights.as_ref().is_some_and(Option::is_some) && self.freeze != Some(true);
        let finetune = (pretrained && data == DataKind::Folder).then_some(RecipeName::Finetune);
        self.recipe.unwrap_or(finetune)
    }

    /// These settings, and those of their recipe, if they name one, where they do not say otherwise.
    #[must_use]
    pub fn with_recipe(self, data: DataKind) -> Self {
        let Some(recipe) = self.recipe_name(data) else { return self };
        let mut below = Self { recipe: Some(Some(recipe)), ..Self::default() };
        for (name, value) in recipe.settings(&self, data) {
            // A test sets every value of every recipe.
            let set = below.set(name, OsStr::new(&value));
            debug_assert!(set.is_ok(), "{recipe}: {name} {value}: {set:?}");
        }
        self.combine(below)
    }
}

impl RunSpec {
    /// The recipe's name and its settings as this run has them, such as `linear-probe: freeze true, epochs 30, …`.
    pub(crate) fn recipe_settings(&self, recipe: RecipeName, data: DataKind) -> String {
        let own = Options::from(self);
        let names = recipe.settings(&own, data).into_iter().map(|(name, _)| name);
        let values = names.filter_map(|name| {
            let entry = entries().iter().find(|entry| entry.name == name)?;
            Some(format!("{} {}", entry.option(), (entry.shown)(self)?))
        });
        format!("{recipe}: {}", values.collect::<Vec<_>>().join(", "))
    }
}

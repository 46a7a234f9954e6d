//! A space that is ready for each recipe: what its result depends on most, around the recipe's own values.

use super::Space;
use wellfit_run::options::RecipeName;

const FINETUNE: &str = "
lr = { low = 3e-4, high = 3e-2, log = true }
weight_decay = { low = 1e-4, high = 1e-1, log = true }
backbone_lr_factor = { low = 0.01, high = 1.0, log = true }
label_smoothing = { choices = [0.0, 0.1, 0.2] }
augment = { choices = [\"light\", \"strong\"] }
batch_size = { choices = [16, 32, 64] }
";

const LINEAR_PROBE: &str = "
lr = { low = 1e-4, high = 1e-1, log = true }
weight_decay = { low = 1e-4, high = 1e-1, log = true }
batch_size = { choices = [16, 32, 64] }
";

const SCRATCH: &str = "
lr = { low = 3e-4, high = 3e-2, log = true }
weight_decay = { low = 1e-3, high = 3e-1, log = true }
label_smoothing = { choices = [0.0, 0.1, 0.2] }
augment = { choices = [\"light\", \"strong\"] }
batch_size = { choices = [16, 32, 64, 128] }
schedule = { choices = [\"one-cycle\", \"cosine\"] }
";

const TEXTBOOK: &str = "
lr = { low = 1e-5, high = 1e-2, log = true }
batch_size = { choices = [16, 32, 64] }
weight_decay = { low = 1e-6, high = 1e-2, log = true }
";

const WITHOUT: &str = "
lr = { low = 1e-4, high = 1e-1, log = true }
batch_size = { choices = [16, 32, 64, 128] }
optimizer = { choices = [\"adam\", \"sgd\"] }
momentum = { low = 0.8, high = 0.98, when = { optimizer = \"sgd\" } }
weight_decay = { low = 1e-6, high = 1e-2, log = true }
label_smoothing = { choices = [0.0, 0.1] }
";

impl Space {
    /// The text of the space for a recipe, or for no recipe.
    #[must_use]
    pub fn ready(recipe: Option<RecipeName>) -> &'static str {
        let text = match recipe {
            Some(RecipeName::Finetune) => FINETUNE,
            Some(RecipeName::LinearProbe) => LINEAR_PROBE,
            Some(RecipeName::Scratch) => SCRATCH,
            Some(RecipeName::Textbook) => TEXTBOOK,
            None => WITHOUT,
        };
        text.trim_start()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_has_a_space_that_can_be_read() {
        let recipes = RecipeName::NAMES.iter().map(|name| Some(name.parse().unwrap())).chain([None]);
        for recipe in recipes {
            let (space, _) = Space::parse(Space::ready(recipe)).unwrap();
            assert!(space.parameters.len() >= 3, "{recipe:?}");
        }
    }
}

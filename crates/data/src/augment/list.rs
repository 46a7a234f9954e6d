//! The augmentations of a run, and the random choices for an image.

use std::sync::Arc;

use wellfit_rng::Rng;

use super::{ALL, Augmentation, Effect, Flips, RandomHorizontalFlip, RandomVerticalFlip};
use crate::error::DataError;
use crate::loader::{Batch, Sample};

/// The most steps of a list: an epoch's plan holds a number for each step and image.
pub const MOST_STEPS: usize = 4;

/// Augmentations in the order in which they happen; an empty list, the default, changes nothing.
///
/// ```
/// use wellfit_data::Augmentations;
/// let list = Augmentations::named(["horizontal_flip", "vertical_flip"])?;
/// assert_eq!(list.variants(), Some(4));
/// # Ok::<(), wellfit_data::DataError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Augmentations(Vec<Arc<dyn Augmentation>>);

/// The random choices for one image: a drawn number for each step. The default leaves the image as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Choice([u32; MOST_STEPS]);

impl Augmentations {
    /// These steps in this order.
    ///
    /// # Errors
    /// If there are more than [`MOST_STEPS`].
    pub fn new(steps: Vec<Arc<dyn Augmentation>>) -> Result<Self, DataError> {
        if steps.len() > MOST_STEPS {
            let problem = format!("{} augmentations are more than {MOST_STEPS}", steps.len());
            return Err(DataError::Invalid(problem));
        }
        Ok(Self(steps))
    }

    /// No augmentation, as in evaluation.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The steps of these names.
    ///
    /// # Errors
    /// If a name is unknown, or there are too many.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, DataError> {
        let step = |name: &str| {
            let all = || ALL.iter().map(|make| make());
            all().find(|step| step.name() == name).ok_or_else(|| {
                let known: Vec<&str> = all().map(|step| step.name()).collect();
                DataError::Invalid(format!("‘{name}’ is no augmentation: there are {}", known.join(", ")))
            })
        };
        Self::new(names.into_iter().map(step).collect::<Result<_, _>>()?)
    }

    /// Flips half of the time: the horizontal one first, if asked for, then the vertical one.
    #[must_use]
    pub fn flips(horizontal: bool, vertical: bool) -> Self {
        let mut steps: Vec<Arc<dyn Augmentation>> = Vec::new();
        if horizontal {
            steps.push(Arc::new(RandomHorizontalFlip));
        }
        if vertical {
            steps.push(Arc::new(RandomVerticalFlip));
        }
        Self(steps)
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[Arc<dyn Augmentation>] {
        &self.0
    }

    /// How many different inputs an image can become; none if one of the steps cannot be counted.
    #[must_use]
    pub fn variants(&self) -> Option<u32> {
        self.0.iter().try_fold(1_u32, |product, step| product.checked_mul(step.variants()?))
    }

    /// Draw what happens to an image, each step in turn from the same generator.
    pub fn draw(&self, rng: &mut Rng) -> Choice {
        let mut choice = Choice::default();
        for (drawn, step) in choice.0.iter_mut().zip(&self.0) {
            *drawn = step.draw(rng);
        }
        choice
    }

    /// The flips of a choice, all steps together.
    #[must_use]
    pub fn flips_of(&self, choice: Choice) -> Flips {
        let effects = self.0.iter().zip(choice.0).map(|(step, drawn)| step.effect(drawn));
        effects.fold(Flips::default(), |flips, effect| match effect {
            Effect::Nothing => flips,
            Effect::Flip(more) => flips.followed_by(more),
        })
    }

    /// A part of a cache's key: equal for two choices exactly if they make the same input of an image.
    #[must_use]
    pub fn key_of(&self, choice: Choice) -> [u8; 2] {
        let flips = self.flips_of(choice);
        [u8::from(flips.horizontal), u8::from(flips.vertical)]
    }

    /// Let the steps that work on batches change one, which was made of `samples`.
    pub(crate) fn change_batch(&self, samples: &[Sample], batch: &mut Batch) {
        for (place, step) in self.0.iter().enumerate() {
            let drawn: Vec<u32> = samples.iter().map(|sample| sample.choice.0[place]).collect();
            step.change_batch(&drawn, batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_rng::Stream;

    /// A step that does not say how many results it has.
    #[derive(Debug)]
    struct Uncounted;

    impl Augmentation for Uncounted {
        fn name(&self) -> &'static str {
            "uncounted"
        }

        fn variants(&self) -> Option<u32> {
            None
        }

        fn draw(&self, rng: &mut Rng) -> u32 {
            rng.below(1000)
        }

        fn effect(&self, _: u32) -> Effect {
            Effect::Nothing
        }
    }

    #[test]
    fn each_flip_is_its_own_coin_and_a_missing_one_draws_nothing() {
        for (horizontal, vertical) in [(true, true), (true, false), (false, true), (false, false)] {
            let list = Augmentations::flips(horizontal, vertical);
            for index in 0..50 {
                let mut coins = Rng::new(0, Stream::Augment, 0, index);
                let want = (horizontal && coins.coin(), vertical && coins.coin());
                let got = list.flips_of(list.draw(&mut Rng::new(0, Stream::Augment, 0, index)));
                assert_eq!((got.horizontal, got.vertical), want);
            }
        }
    }

    #[test]
    fn a_list_counts_its_variants_unless_a_step_cannot() {
        assert_eq!(Augmentations::none().variants(), Some(1));
        assert_eq!(Augmentations::flips(true, false).variants(), Some(2));
        let list = Augmentations::new(vec![Arc::new(RandomVerticalFlip), Arc::new(Uncounted)]).unwrap();
        assert_eq!(list.variants(), None);
    }

    #[test]
    fn names_make_a_list_and_nonsense_is_refused() {
        let list = Augmentations::named(["vertical_flip", "horizontal_flip"]).unwrap();
        let names: Vec<_> = list.steps().iter().map(|step| step.name()).collect();
        assert_eq!(names, ["vertical_flip", "horizontal_flip"]);
        let error = Augmentations::named(["hflip"]).unwrap_err().to_string();
        assert!(error.contains("‘hflip’") && error.contains("horizontal_flip, vertical_flip"), "{error}");
        let error = Augmentations::named(["vertical_flip"; 5]).unwrap_err().to_string();
        assert!(error.contains("more than 4"), "{error}");
    }

    #[test]
    fn the_same_flip_twice_is_none_and_has_the_key_of_none() {
        let list = Augmentations::named(["horizontal_flip"; 2]).unwrap();
        assert_eq!(list.flips_of(Choice([1, 1, 0, 0])), Flips::default());
        assert_eq!(list.key_of(Choice([1, 1, 0, 0])), list.key_of(Choice::default()));
        assert_ne!(list.key_of(Choice([1, 0, 0, 0])), list.key_of(Choice::default()));
    }
}

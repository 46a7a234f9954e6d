//! The augmentations of a run, and the random choices for an image.

use std::sync::Arc;

use wellfit_rng::Rng;

use super::all::ALL;
use super::augmentation::{Augmentation, Effect, Rectangle, Size};
use super::flips::Flips;
use super::horizontal_flip::RandomHorizontalFlip;
use super::vertical_flip::RandomVerticalFlip;
use crate::error::DataError;
use crate::loader::{Batch, Sample};

/// The most steps of a list: an epoch's plan holds a number for each step and image.
pub const MOST_STEPS: usize = 12;

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

    /// What each step does to an image that is an input of `size`, in order.
    pub fn effects(&self, choice: Choice, size: Size) -> impl Iterator<Item = Effect> {
        self.0.iter().zip(choice.0).map(move |(step, drawn)| step.effect(drawn, size))
    }

    /// The smallest share of an image's area that is left of it, if a step crops.
    #[must_use]
    pub fn smallest_crop(&self) -> Option<f64> {
        self.0.iter().find_map(|step| step.smallest_crop())
    }

    /// Which part of an image of `size`, as it was before the resize, becomes the input; none for all of it.
    #[must_use]
    pub fn crop(&self, choice: Choice, size: Size) -> Option<Rectangle> {
        self.0.iter().zip(choice.0).find_map(|(step, drawn)| step.crop(drawn, size))
    }

    /// A part of a cache's key: equal for two choices only if they make the same input of an image.
    #[must_use]
    pub fn key_of(&self, choice: Choice) -> Vec<u8> {
        let (mut flips, mut others) = (Flips::default(), Vec::new());
        for (step, drawn) in self.0.iter().zip(choice.0) {
            // What can be counted is the same for inputs of every size.
            match step.effect(drawn, (1, 1)) {
                Effect::Flip(more) => flips = flips.followed_by(more),
                _ => others.extend(drawn.to_le_bytes()),
            }
        }
        [vec![u8::from(flips.horizontal), u8::from(flips.vertical)], others].concat()
    }

    /// Whether a step works on batches.
    pub(crate) fn change_batches(&self) -> bool {
        self.0.iter().any(|step| step.changes_batches())
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
    }

    #[test]
    fn each_flip_is_its_own_coin_and_a_missing_one_draws_nothing() {
        for (horizontal, vertical) in [(true, true), (true, false), (false, true), (false, false)] {
            let list = Augmentations::flips(horizontal, vertical);
            for index in 0..50 {
                let mut coins = Rng::new(0, Stream::Augment, 0, index);
                let want = (horizontal && coins.coin(), vertical && coins.coin());
                let got = list.key_of(list.draw(&mut Rng::new(0, Stream::Augment, 0, index)));
                assert_eq!(got, [u8::from(want.0), u8::from(want.1)]);
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
        let error = Augmentations::named(["vertical_flip"; 13]).unwrap_err().to_string();
        assert!(error.contains("more than 12"), "{error}");
    }

    #[test]
    fn the_same_flip_twice_is_none_and_has_the_key_of_none() {
        let list = Augmentations::named(["horizontal_flip"; 2]).unwrap();
        let choice = |first, second| {
            let mut choice = Choice::default();
            choice.0[..2].copy_from_slice(&[first, second]);
            choice
        };
        assert_eq!(list.key_of(choice(1, 1)), list.key_of(Choice::default()));
        assert_ne!(list.key_of(choice(1, 0)), list.key_of(Choice::default()));
    }

    /// The flips of an image without its colours are other inputs than those of the image.
    #[test]
    fn a_counted_step_is_in_the_key() {
        let list = Augmentations::named(["horizontal_flip", "grayscale"]).unwrap();
        assert_eq!(list.variants(), Some(4));
        let draw = |index| list.key_of(list.draw(&mut Rng::new(0, Stream::Augment, 0, index)));
        let keys: std::collections::HashSet<_> = (0..200).map(draw).collect();
        assert_eq!(keys.len(), 4);
    }
}

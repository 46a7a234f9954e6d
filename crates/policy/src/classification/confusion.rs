//! The confusion matrix, and what follows from its counts.

use std::collections::BTreeMap;

/// How often samples of each class were taken for each class.
///
/// Only pairs that occur are kept, so thousands of classes take no more memory than there are samples.
///
/// ```
/// use wellfit_policy::classification::Confusion;
/// let confusion = Confusion::of(3, [(0, 0), (0, 1), (1, 1), (2, 1)]);
/// assert_eq!(confusion.accuracy(), 0.5);
/// assert_eq!(confusion.confused()[0], (0, 1, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: BTreeMap<(u32, u32), u64>,
}

/// How well one class is recognised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// The share of right ones among the samples taken for the class; 0 if there are none, as in scikit-learn.
    pub precision: f64,
    /// The share of the class's samples taken for it; 0 if there are none.
    pub recall: f64,
    /// The harmonic mean of both, `2·right / (support + predicted)`; 0 if the class does not occur at all.
    pub f1: f64,
    /// Samples of the class.
    pub support: u64,
    /// Samples taken for the class.
    pub predicted: u64,
    /// Samples of the class taken for it.
    pub right: u64,
}

impl ClassScores {
    pub(super) fn new(support: u64, predicted: u64, right: u64) -> Self {
        let share = |of: u64| if of > 0 { right as f64 / of as f64 } else { 0.0 };
        let both = support + predicted;
        let f1 = if both > 0 { 2.0 * right as f64 / both as f64 } else { 0.0 };
        Self { precision: share(predicted), recall: share(support), f1, support, predicted, right }
    }

    /// Whether a sample is of the class or was taken for it.
    fn occurs(&self) -> bool {
        self.support + self.predicted > 0
    }
}

impl Confusion {
    /// An empty one for this many classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: BTreeMap::new() }
    }

    /// That of pairs (class, what the sample was taken for).
    #[must_use]
    pub fn of(classes: usize, pairs: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut confusion = Self::new(classes);
        pairs.into_iter().for_each(|(class, predicted)| confusion.add(class, predicted));
        confusion
    }

    /// Count a sample of `class` that was taken for `predicted`. Numbers beyond the classes make room for themselves.
    pub fn add(&mut self, class: u32, predicted: u32) {
        self.classes = self.classes.max(class.max(predicted) as usize + 1);
        *self.counts.entry((class, predicted)).or_default() += 1;
    }

    /// How many classes there are.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Samples of `class` that were taken for `predicted`.
    #[must_use]
    pub fn count(&self, class: u32, predicted: u32) -> u64 {
        self.counts.get(&(class, predicted)).copied().unwrap_or(0)
    }

    /// Pairs that occur, with their counts: by class, then by what it was taken for.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        self.counts.iter().map(|(&(class, predicted), &count)| (class, predicted, count))
    }

    /// All samples.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Samples that were taken for what they are.
    #[must_use]
    pub fn right(&self) -> u64 {
        self.pairs().filter(|(class, predicted, _)| class == predicted).map(|(_, _, count)| count).sum()
    }

    /// The share of right answers; NaN without samples.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.samples() as f64
    }

    /// The scores of each class, in order.
    #[must_use]
    pub fn scores(&self) -> Vec<ClassScores> {
        let mut tallies = vec![[0_u64; 3]; self.classes];
        for (class, predicted, count) in self.pairs() {
            tallies[class as usize][0] += count;
            tallies[predicted as usize][1] += count;
            tallies[class as usize][2] += if class == predicted { count } else { 0 };
        }
        tallies
            .into_iter()
            .map(|[support, predicted, right]| ClassScores::new(support, predicted, right))
            .collect()
    }

    /// The mean F1 of the classes that occur, in the labels or in the answers (scikit-learn's `average="macro"`); NaN
    /// without samples.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        macro_f1(&self.scores())
    }

    /// The mean F1 over the classes, each counting by its samples (`average="weighted"`); NaN without samples.
    #[must_use]
    pub fn weighted_f1(&self) -> f64 {
        let scores = self.scores();
        let total: f64 = scores.iter().map(|class| class.support as f64).sum();
        scores.iter().map(|class| class.f1 * class.support as f64).sum::<f64>() / total
    }

    /// The mean recall of the classes that have samples; NaN without samples.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        mean(self.scores().iter().filter(|class| class.support > 0).map(|class| class.recall))
    }

    /// What is mistaken for what, the most frequent first: (class, taken for, samples). Equal ones stand in the order of
    /// the classes.
    #[must_use]
    pub fn confused(&self) -> Vec<(u32, u32, u64)> {
        let mut wrong: Vec<_> = self.pairs().filter(|(class, predicted, _)| class != predicted).collect();
        wrong.sort_by_key(|&(_, _, count)| std::cmp::Reverse(count));
        wrong
    }
}

/// The mean F1 of the classes that occur.
pub(super) fn macro_f1(scores: &[ClassScores]) -> f64 {
    mean(scores.iter().filter(|class| class.occurs()).map(|class| class.f1))
}

/// The mean; NaN of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

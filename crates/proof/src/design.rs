//! What a trial is to find out, decided before its first pair.

use crate::boundary::largest_e_value;
use crate::error::ProofError;
use crate::factorial::MOST_FACTORS;
use crate::several::bonferroni;
use crate::sign_flip::fewest_pairs;
use std::collections::BTreeMap;
use wellfit_policy::Mode;

/// The settings of an arm: name to value, both as text.
pub type Settings = BTreeMap<String, String>;

/// The name under which the arm without any technique is known.
pub const BASELINE: &str = "baseline";
/// The most pairs a design may ask for.
const MOST_SEEDS: usize = 10_000;
/// Where a trial that runs until it is sure looks first: earlier the deviation is anyone's guess.
pub const FIRST_LOOK: usize = 5;

/// From how many pairs on a technique that races can fall behind: with a true effect of one standard deviation the mean of three
/// differences is not above 0 in 4 % of trials.
pub(crate) const FALLS_BEHIND: usize = 3;

/// A technique: what the treated arm of its pairs does otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technique {
    /// Its name, such as `dropout`.
    pub name: String,
    /// The settings in which it differs from the baseline.
    pub settings: Settings,
}

/// How many pairs there will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// This many; one verdict, when all are there.
    Fixed {
        /// The number.
        seeds: usize,
        /// The number it grew to after a look. More pairs than planned are judged as of a trial until sure.
        grown_to: Option<usize>,
    },
    /// Until the verdict is sure, at most this many.
    UntilSure {
        /// The number.
        at_most: usize,
    },
}

/// The plan of a trial. As text it is a `trial.toml` ([`Design::from_toml`], [`Design::to_toml`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// What is compared, such as `val_accuracy`.
    pub metric: String,
    /// Whether more or less of it is better.
    pub mode: Mode,
    /// The least difference that matters, in the metric's unit.
    pub delta: f64,
    /// The chance to find any technique that does nothing.
    pub alpha: f64,
    /// How many pairs.
    pub pairs: Pairs,
    /// The seed of the first pair; the next pair has the next seed.
    pub first_seed: u64,
    /// The epoch, counted from 1, from which on the treated arms differ; from the start if none.
    pub treat_at: Option<u32>,
    /// Whether the techniques race, in a trial until sure: one that falls behind the baseline gets no more pairs, and the first
    /// that is proven to help ends the trial. Ending early claims nothing, so it costs no errors.
    pub race: bool,
    /// The settings that all arms have.
    pub baseline: Settings,
    /// What is compared with the baseline.
    pub techniques: Vec<Technique>,
    /// In a factorial trial, the effects that will be judged, each as the names of its techniques: one name is a main effect,
    /// several their interaction. Otherwise none.
    pub contrasts: Option<Vec<Vec<String>>>,
}

impl Design {
    /// A trial of these techniques with the usual plan: half a point, α = .05, as few pairs as can show anything, at least 6.
    #[must_use]
    pub fn new(metric: &str, mode: Mode, techniques: Vec<Technique>) -> Self {
        let mut design = Self {
            metric: metric.to_owned(),
            mode,
            delta: 0.005,
            alpha: 0.05,
            pairs: Pairs::UntilSure { at_most: MOST_SEEDS },
            first_seed: 0,
            treat_at: None,
            race: false,
            baseline: Settings::new(),
            techniques,
            contrasts: None,
        };
        let seeds = fewest_pairs(design.share()).unwrap_or(MOST_SEEDS);
        design.pairs = Pairs::Fixed { seeds, grown_to: None };
        design
    }

    /// The names of what is judged: the techniques, or in a factorial trial the declared contrasts.
    #[must_use]
    pub fn judged(&self) -> Vec<String> {
        match &self.contrasts {
            None => self.techniques.iter().map(|technique| technique.name.clone()).collect(),
            Some(contrasts) => contrasts.iter().map(|names| names.join(" × ")).collect(),
        }
    }

    /// The α of each thing that is judged: α/k.
    #[must_use]
    pub fn share(&self) -> f64 {
        bonferroni(self.alpha, self.judged().len())
    }

    /// The fewest pairs that can show anything: so many that the exact test, or in a trial until sure the e-value, can reach
    /// α/k.
    #[must_use]
    pub fn fewest_pairs(&self) -> usize {
        match self.pairs {
            Pairs::Fixed { .. } => fewest_pairs(self.share()).unwrap_or(MOST_SEEDS),
            Pairs::UntilSure { .. } => {
                let reaches = |pairs: &usize| largest_e_value(*pairs) >= 1.0 / self.share();
                (FIRST_LOOK..MOST_SEEDS).find(reaches).unwrap_or(MOST_SEEDS)
            }
        }
    }

    /// The pairs after which nothing more is trained.
    #[must_use]
    pub fn last_pair(&self) -> usize {
        match self.pairs {
            Pairs::Fixed { seeds, grown_to } => grown_to.unwrap_or(seeds),
            Pairs::UntilSure { at_most } => at_most,
        }
    }

    /// The fewest pairs at which a sequential verdict may be given; none if the trial has a fixed number that it has not
    /// outgrown.
    #[must_use]
    pub fn first_look(&self) -> Option<usize> {
        match self.pairs {
            Pairs::Fixed { grown_to: None, .. } => None,
            Pairs::Fixed { seeds, .. } => Some(seeds + 1),
            Pairs::UntilSure { .. } => Some(FIRST_LOOK),
        }
    }

    /// Let a trial go on to `seeds` pairs in all. What is then judged is judged as of a trial until sure, as adding pairs
    /// after a look at a fixed number would find something in 12 to 19 trials of 100 where nothing is.
    ///
    /// # Errors
    /// If that is fewer than there were to be.
    pub fn grow(&mut self, seeds: usize) -> Result<(), ProofError> {
        let last = self.last_pair();
        require(seeds >= last, "seeds", seeds, || {
            format!("no fewer than the {last} this trial is planned with")
        })?;
        match &mut self.pairs {
            Pairs::Fixed { seeds: planned, grown_to } if seeds > *planned => *grown_to = Some(seeds),
            Pairs::Fixed { .. } => {}
            Pairs::UntilSure { at_most } => *at_most = seeds,
        }
        self.validate()
    }

    /// Check that the plan can be carried out.
    ///
    /// # Errors
    /// [`ProofError::Invalid`] naming the key.
    pub fn validate(&self) -> Result<(), ProofError> {
        require(!self.metric.trim().is_empty(), "metric", "\"\"", || {
            "a name, such as val_accuracy".to_owned()
        })?;
        require(self.delta.is_finite() && self.delta > 0.0, "delta", self.delta, || {
            "the least difference that matters, above 0, such as 0.005 for half a point of accuracy"
                .to_owned()
        })?;
        require(self.alpha > 0.0 && self.alpha < 0.5, "alpha", self.alpha, || {
            "a number above 0 and below 0.5, such as 0.05".to_owned()
        })?;
        self.validate_techniques()?;
        self.validate_contrasts()?;
        self.validate_pairs()?;
        let sequential = matches!(self.pairs, Pairs::UntilSure { .. }) && self.contrasts.is_none();
        require(!self.race || sequential, "race", true, || {
            "only beside `until_sure`, without `contrasts`".to_owned()
        })?;
        require(self.treat_at != Some(0), "treat_at", 0, || "an epoch, counted from 1".to_owned())
    }

    fn validate_techniques(&self) -> Result<(), ProofError> {
        let key = "techniques.name";
        require(!self.techniques.is_empty(), "techniques", "none", || "at least one technique".to_owned())?;
        for (place, Technique { name, .. }) in self.techniques.iter().enumerate() {
            let usable = !name.trim().is_empty() && !name.chars().any(char::is_control) && name != BASELINE;
            require(usable, key, format!("{name:?}"), || format!("a name other than \"{BASELINE}\""))?;
            let twice = self.techniques[..place].iter().any(|other| other.name == *name);
            require(!twice, key, format!("{name:?}"), || "a name no other technique has".to_owned())?;
        }
        Ok(())
    }

    fn validate_contrasts(&self) -> Result<(), ProofError> {
        let Some(contrasts) = &self.contrasts else { return Ok(()) };
        let count = self.techniques.len();
        require((2..=MOST_FACTORS).contains(&count), "techniques", count, || {
            format!("2 to {MOST_FACTORS} techniques for `contrasts`: all their combinations are trained")
        })?;
        require(!contrasts.is_empty(), "contrasts", "[]", || "at least one effect".to_owned())?;
        let mut seen = Vec::new();
        for names in contrasts {
            let mask = self.contrast_mask(names);
            require(mask.is_some(), "contrasts", format!("{names:?}"), || {
                let known: Vec<&str> =
                    self.techniques.iter().map(|technique| technique.name.as_str()).collect();
                format!("different ones of {}", known.join(", "))
            })?;
            require(!seen.contains(&mask), "contrasts", format!("{names:?}"), || {
                "each effect once".to_owned()
            })?;
            seen.push(mask);
        }
        Ok(())
    }

    /// The number of a contrast: a bit for each of its techniques. None if one is unknown or named twice, or there is none.
    pub(crate) fn contrast_mask(&self, names: &[String]) -> Option<usize> {
        let mut mask = 0;
        for name in names {
            let bit = 1 << self.techniques.iter().position(|technique| technique.name == *name)?;
            if mask & bit != 0 {
                return None;
            }
            mask |= bit;
        }
        (mask != 0).then_some(mask)
    }

    fn validate_pairs(&self) -> Result<(), ProofError> {
        let fewest = self.fewest_pairs();
        let (key, pairs) = match self.pairs {
            Pairs::Fixed { seeds, .. } => ("seeds", seeds),
            Pairs::UntilSure { at_most } => ("until_sure", at_most),
        };
        require((fewest..=MOST_SEEDS).contains(&pairs), key, pairs, || {
            let judged = self.judged().len();
            let several = if judged > 1 { format!(" for {judged} verdicts together") } else { String::new() };
            format!(
                "{fewest} to {MOST_SEEDS}: fewer pairs cannot show anything at α = {}{several}",
                self.alpha
            )
        })?;
        if let Pairs::Fixed { seeds, grown_to: Some(grown) } = self.pairs {
            require(grown > seeds && grown <= MOST_SEEDS, "grown_to", grown, || {
                format!("more than `seeds` {seeds}, at most {MOST_SEEDS}")
            })?;
        }
        let last = self.first_seed.checked_add(self.last_pair() as u64);
        // TOML's whole numbers are signed.
        require(last.is_some_and(|last| i64::try_from(last).is_ok()), "first_seed", self.first_seed, || {
            "a number that leaves room for the other seeds".to_owned()
        })
    }
}

fn require(
    holds: bool,
    key: &str,
    value: impl std::fmt::Display,
    expected: impl FnOnce() -> String,
) -> Result<(), ProofError> {
    if holds {
        return Ok(());
    }
    Err(ProofError::Invalid { key: key.to_owned(), value: value.to_string(), expected: expected() })
}

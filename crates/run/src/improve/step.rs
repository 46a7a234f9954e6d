//! What an improvement does next, in words.

use std::fmt;
use wellfit_base::words::plural;

/// Why no further round is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nothing wrong is found any more.
    NoFindingLeft,
    /// All that is advised was tested.
    AllTested,
    /// What is left of the budget is not enough for a round.
    Budget,
}

impl Stop {
    const ALL: [Self; 3] = [Self::NoFindingLeft, Self::AllTested, Self::Budget];

    /// Its name, such as `budget`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFindingLeft => "no-finding-left",
            Self::AllTested => "all-tested",
            Self::Budget => "budget",
        }
    }

    /// The one of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stop| stop.name() == name)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFindingLeft => "nothing wrong is found any more",
            Self::AllTested => "all that the findings advise was tested",
            Self::Budget => "what is left of the budget is not enough for another round",
        })
    }
}

/// A step of an improvement. `Display` is the sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The first run of the settings begins.
    First,
    /// Its loss became NaN, so the rate is lowered without a test: there is no network to compare with.
    Repair {
        /// The rate that is taken.
        lr: String,
    },
    /// What is wrong with the settings as they are.
    Found {
        /// The findings, each with its sentence.
        findings: Vec<(&'static str, String)>,
    },
    /// A round begins: each of these techniques is trained once.
    Looks {
        /// Which round, from 1.
        number: usize,
        /// The techniques; those that are left out when the budget is short are the last.
        techniques: Vec<String>,
    },
    /// What one run of a technique showed.
    Looked {
        /// Which.
        technique: String,
        /// By how much the metric differs from that of the settings as they are; none where the loss became NaN.
        difference: Option<f64>,
    },
    /// No technique of the round was ahead.
    NothingAhead,
    /// The best of them is tested.
    Round {
        /// Which, from 1.
        number: usize,
        /// What is tested.
        techniques: Vec<String>,
        /// The most pairs.
        pairs: usize,
        /// What was spent of the budget, and what is left of it.
        spent: (String, String),
    },
    /// A technique was proven and is adopted.
    Adopted {
        /// Which.
        technique: String,
        /// By how much it changes the metric.
        difference: f64,
        /// In so many pairs.
        pairs: usize,
    },
    /// Nothing was proven in a round.
    NoWinner,
    /// A round came to nothing: a run of that arm had no network.
    Void {
        /// The arm.
        arm: String,
    },
    /// No further round.
    Ends(Stop),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("The settings as they are:"),
            Self::Repair { lr } => {
                write!(
                    f,
                    "The loss became NaN, so there is nothing to compare with: `lr` {lr} is taken without a test"
                )
            }
            Self::Found { findings } if findings.is_empty() => f.write_str("Findings: none"),
            Self::Found { findings } => {
                f.write_str("Findings:")?;
                findings.iter().try_for_each(|(name, sentence)| write!(f, "\n  {name}: {sentence}"))
            }
            Self::Looks { number, techniques } => {
                write!(f, "Round {number}, a run of each: {}", techniques.join(", "))
            }
            Self::Looked { technique, difference: Some(difference) } => {
                write!(f, "  {technique}: {difference:+.4}")
            }
            Self::Looked { technique, difference: None } => write!(f, "  {technique}: its loss became NaN"),
            Self::NothingAhead => f.write_str("None is ahead of the settings as they are: nothing to prove"),
            Self::Round { number, techniques, pairs, spent: (spent, left) } => write!(
                f,
                "Round {number}, proof: {} against the settings as they are, at most {}; spent {spent}, left {left}",
                techniques.join(", "),
                plural(*pairs, "pair")
            ),
            Self::Adopted { technique, difference, pairs } => {
                write!(
                    f,
                    "{technique} is adopted: it changed the metric by {difference:+.4} in {}",
                    plural(*pairs, "pair")
                )
            }
            Self::NoWinner => {
                f.write_str("Nothing is adopted: no technique of this round was proven to help")
            }
            Self::Void { arm } => {
                write!(f, "The loss of a run of {arm} became NaN: this round shows nothing more")
            }
            Self::Ends(stop) => write!(f, "No further round: {stop}"),
        }
    }
}

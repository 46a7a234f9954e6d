//! The rule that gives verdicts.
//!
//! | pairs | helps or hurts | no difference that matters |
//! |---|---|---|
//! | all of a fixed number | sign-flip test and t test both at most α by Holm | 90 % interval inside ±δ |
//! | until sure, or more than planned | e ≥ k/α | confidence sequence inside ±δ |
//! | fewer than planned | never | never |

use super::outcome::{Cost, Judged, Measured, Outcome, PairResult, Verdict};
use crate::boundary::{Boundary, e_value, equivalent};
use crate::crossed::Crossed;
use crate::design::{Design, FALLS_BEHIND, Pairs};
use crate::error::ProofError;
use crate::paired::{Paired, correlation, saving};
use crate::power::more_pairs;
use crate::several::holm;
use crate::sign_flip::sign_flip_p;
use wellfit_policy::Mode;
use wellfit_policy::classification::Interval;

/// How a technique's pairs are to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A fixed number is not there yet: so many are missing.
    Unfinished(usize),
    /// A fixed number is there.
    Complete,
    /// One may look at any time.
    Sequential,
}

/// A technique's pairs on the way to its verdict.
struct Case<'a> {
    name: &'a str,
    stage: Stage,
    /// The pairs that the verdict is of.
    pairs: &'a [PairResult],
    paired: Paired,
    sign_flip: Option<f64>,
}

/// The verdicts on all techniques. `measured` has the finished pairs of each name that [`Design::judged`] gives, in its order.
///
/// # Errors
/// If the design is not valid, the names are others, a technique has no pair yet, or a result is not finite.
pub fn judge(trial: &str, design: &Design, measured: &[Measured]) -> Result<Outcome, ProofError> {
    design.validate()?;
    let names = design.judged();
    if measured.len() != names.len() {
        let what = "techniques with results".to_owned();
        return Err(ProofError::Length { what, expected: names.len(), found: measured.len() });
    }
    for (name, one) in names.iter().zip(measured) {
        if *name != one.name {
            let (key, value, expected) =
                ("name".to_owned(), one.name.clone(), format!("{name}, as in the design"));
            return Err(ProofError::Invalid { key, value, expected });
        }
    }
    let cases: Vec<Case<'_>> = measured.iter().map(|one| Case::new(design, one)).collect::<Result<_, _>>()?;
    // Pairs that are judged otherwise count among the k with a p-value of 1.
    let p: Vec<f64> =
        cases.iter().map(|case| case.sign_flip.map_or(1.0, |p| p.max(case.paired.t_p()))).collect();
    let judged = cases.iter().zip(holm(&p)).map(|(case, adjusted)| case.judge(design, adjusted));
    Ok(Outcome {
        trial: trial.to_owned(),
        pairs: measured.iter().map(|one| one.pairs.len()).max().unwrap_or(0),
        techniques: judged.collect::<Result<_, _>>()?,
    })
}

/// The number of pairs after which a technique's verdict stands, if they are there: all of a fixed number; otherwise the first
/// number, from [`Design::first_look`] on, at which the pairs up to it decide; in a race also the first at which it is behind.
/// Pairs after it, which another process may have finished early, change nothing.
///
/// # Errors
/// If a result is not finite.
pub fn settled_after(design: &Design, pairs: &[PairResult]) -> Result<Option<usize>, ProofError> {
    let Some(from) = design.first_look() else {
        let last = design.last_pair();
        return Ok((pairs.len() >= last).then_some(last));
    };
    let least = if design.race { FALLS_BEHIND.min(from) } else { from };
    if pairs.len() < least {
        return Ok(None);
    }
    let paired = paired(pairs)?;
    for count in least..=pairs.len().min(design.last_pair()) {
        let first = paired.first(count)?;
        if design.race && !is_ahead(design, &first) {
            return Ok(Some(count));
        }
        if count < from {
            continue;
        }
        let identical = pairs[..count].iter().all(PairResult::is_identical);
        let equal = equivalent(&first, Boundary::Anytime, design.delta, design.share());
        if identical || equal || e_value(&first) >= 1.0 / design.share() {
            return Ok(Some(count));
        }
    }
    Ok(None)
}

/// The number of pairs after which a race is won, if one is: those after which the first technique was proven to help.
///
/// # Errors
/// If a result is not finite.
pub(crate) fn won_after(design: &Design, measured: &[Measured]) -> Result<Option<usize>, ProofError> {
    let mut won = None;
    for one in measured.iter().filter(|_| design.race) {
        let Some(count) = settled_after(design, &one.pairs)? else { continue };
        let first = paired(&one.pairs)?.first(count)?;
        if is_ahead(design, &first) && e_value(&first) >= 1.0 / design.share() {
            won = Some(won.map_or(count, |won: usize| won.min(count)));
        }
    }
    Ok(won)
}

fn is_ahead(design: &Design, paired: &Paired) -> bool {
    if design.mode == Mode::Max { paired.mean() > 0.0 } else { paired.mean() < 0.0 }
}

fn paired(pairs: &[PairResult]) -> Result<Paired, ProofError> {
    let arm = |of: fn(&PairResult) -> f64| pairs.iter().map(of).collect::<Vec<_>>();
    Paired::of_arms(&arm(|pair| pair.baseline), &arm(|pair| pair.treated))
}

impl<'a> Case<'a> {
    fn new(design: &Design, measured: &'a Measured) -> Result<Self, ProofError> {
        let there = measured.pairs.len().min(design.last_pair());
        if there == 0 {
            return Err(ProofError::NoPairs { what: measured.name.clone() });
        }
        let stage = match design.pairs {
            Pairs::Fixed { seeds, .. } if there < seeds => Stage::Unfinished(seeds - there),
            Pairs::Fixed { seeds, .. } if there == seeds => Stage::Complete,
            Pairs::Fixed { .. } | Pairs::UntilSure { .. } => Stage::Sequential,
        };
        let count = match stage {
            Stage::Sequential => settled_after(design, &measured.pairs)?.unwrap_or(there),
            Stage::Unfinished(_) | Stage::Complete => there,
        };
        let pairs = &measured.pairs[..count];
        let paired = paired(pairs)?;
        let sign_flip = (stage == Stage::Complete).then(|| sign_flip_p(&paired));
        Ok(Self { name: &measured.name, stage, pairs, paired, sign_flip })
    }

    fn judge(&self, design: &Design, adjusted: f64) -> Result<Judged, ProofError> {
        let (share, paired) = (design.share(), &self.paired);
        let boundary = if self.stage == Stage::Complete { Boundary::Fixed } else { Boundary::Anytime };
        let verdict = self.verdict(design, adjusted);
        let seeds = paired.seeds();
        let (won, lost) = match design.mode {
            Mode::Max => (seeds.above, seeds.below),
            Mode::Min => (seeds.below, seeds.above),
        };
        let arm = |of: fn(&PairResult) -> f64| self.pairs.iter().map(of).collect::<Vec<_>>();
        let correlation = correlation(&arm(|pair| pair.baseline), &arm(|pair| pair.treated));
        let new_images = self.crossed()?.map(|crossed| match boundary {
            Boundary::Fixed => crossed.interval(share),
            // The sequence's factor covers the looks over seeds; that images vary, too, is in the standard error.
            Boundary::Anytime => crossed.at_least(boundary.critical(self.pairs.len(), share), share),
        });
        Ok(Judged {
            name: self.name.to_owned(),
            verdict,
            mean_difference: paired.mean(),
            interval: ends(boundary.interval(paired, share)),
            interval_new_images: new_images.and_then(ends),
            p: self.sign_flip,
            // JSON has no infinity.
            e: e_value(paired).min(f64::MAX),
            more_seeds: match (verdict, self.stage) {
                (Verdict::NoEvidence, Stage::Unfinished(missing)) => Some(missing),
                (Verdict::NoEvidence, _) => more_pairs(paired, design.delta, share),
                _ => None,
            },
            cost: self.cost(),
            adjusted_p: self.sign_flip.map(|_| adjusted),
            pairs: self.pairs.len(),
            won,
            lost,
            tied: seeds.tied,
            correlation,
            saving: correlation.map(saving).filter(|saving| saving.is_finite()),
        })
    }

    fn verdict(&self, design: &Design, adjusted: f64) -> Verdict {
        let (paired, share) = (&self.paired, design.share());
        let (found, boundary) = match self.stage {
            Stage::Unfinished(_) => return Verdict::NoEvidence,
            Stage::Complete => (adjusted <= design.alpha, Boundary::Fixed),
            Stage::Sequential if design.first_look().is_some_and(|from| self.pairs.len() < from) => {
                return Verdict::NoEvidence;
            }
            Stage::Sequential => (e_value(paired) >= 1.0 / share, Boundary::Anytime),
        };
        let better = (paired.mean() > 0.0) == (design.mode == Mode::Max);
        if self.pairs.iter().all(PairResult::is_identical) {
            Verdict::IdenticalBits
        } else if found {
            if better { Verdict::Helps } else { Verdict::Hurts }
        } else if equivalent(paired, boundary, design.delta, share) {
            Verdict::NoDifferenceThatMatters
        } else {
            Verdict::NoEvidence
        }
    }

    /// The table of seeds and images, where every pair has its row and there are at least two of each.
    fn crossed(&self) -> Result<Option<Crossed>, ProofError> {
        let rows: Option<Vec<&[f64]>> = self.pairs.iter().map(|pair| pair.per_image.as_deref()).collect();
        match rows {
            Some(rows) if rows.len() > 1 && rows[0].len() > 1 => Crossed::new(&rows).map(Some),
            _ => Ok(None),
        }
    }

    fn cost(&self) -> Cost {
        let mean = |of: fn(&Cost) -> f64| {
            self.pairs.iter().map(|pair| of(&pair.cost)).sum::<f64>() / self.pairs.len() as f64
        };
        Cost {
            epochs: mean(|cost| cost.epochs),
            seconds: mean(|cost| cost.seconds),
            images: mean(|cost| cost.images),
        }
    }
}

/// The ends, if they are anywhere.
fn ends(interval: Interval) -> Option<[f64; 2]> {
    (interval.low.is_finite() && interval.high.is_finite()).then_some([interval.low, interval.high])
}

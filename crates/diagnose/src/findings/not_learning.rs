//! `not-learning`: the loss stays that of an answer without looking.

use super::finding::{Finding, Ruled};
use super::look::{Look, short};
use super::name::Name;
use crate::log::Series;
use crate::thresholds::{LEAST_EPOCHS, NOT_LEARNING, THROWN};

/// The rule: in the whole second half the training loss is not 2 % below the entropy of the classes. A warm-up is over by
/// then. Above it there is no limit: a rate that is too high keeps the loss there, or throws it there.
pub fn not_learning(look: &Look<'_>) -> Ruled {
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS)?;
    let entropy = look.know(look.facts().entropy(), "the number of classes (--classes)")?;
    let below = |value: f64| (entropy - value) / entropy;
    let half = &u[u.len() / 2..];
    let farthest = half.iter().map(|(_, value)| below(*value)).fold(f64::NEG_INFINITY, f64::max);
    if farthest > NOT_LEARNING.value {
        return Ok(None);
    }
    let since =
        u.iter().rposition(|(_, value)| below(*value) > NOT_LEARNING.value).map_or(0, |place| place + 1);
    // A rate that is too low leaves the loss where a fresh network has it; one that is too high throws it up first, or
    // loses what was learnt.
    let thrown = u.iter().map(|(_, value)| -below(*value)).fold(0.0, f64::max);
    let rate = if thrown > THROWN.value || since > 0 { 0.1 } else { 10.0 };
    let sentence = format!(
        "The network learns nothing: the training loss stays at {}, that of an answer without looking (ln of the classes: {}). \
         Look whether the labels belong to the images; else the rate does not fit.",
        short(u[u.len() - 1].1),
        short(entropy)
    );
    Ok(Some(
        Finding::new(Name::NotLearning, Some(u[since].0), sentence)
            .evident(
                "train_loss, most below the entropy of the classes in the second half",
                farthest,
                NOT_LEARNING,
            )
            .excluding("not a warm-up: it lasts through the second half")
            .evident("train_loss, most above the entropy of the classes", thrown, THROWN)
            .advise([look.rate(rate)]),
    ))
}

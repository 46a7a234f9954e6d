//! `not-learning`: the loss stays that of an answer without looking.

use super::decay::usual_decay;
use super::finding::{Finding, Ruled};
use super::look::{Look, level, short};
use super::name::Name;
use crate::log::Series;
use crate::statistics::share_error;
use crate::thresholds::{ERRORS, LEAST_EPOCHS, NOT_LEARNING, NOT_LEARNING_ANSWERS, THROWN};

/// The rule: in the whole second half the training loss is not 2 % below the entropy of the classes. A warm-up is over by
/// then. Above it there is no limit: a rate that is too high keeps the loss there, or throws it there. Training answers that are
/// clearly better than those of an answer without looking are learnt, whatever the loss.
pub fn not_learning(look: &Look<'_>) -> Ruled {
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS)?;
    let entropy = look.know(look.facts().entropy(), "the number of classes (--classes)")?;
    let below = |value: f64| (entropy - value) / entropy;
    let half = &u[u.len() / 2..];
    let farthest = half.iter().map(|(_, value)| below(*value)).fold(f64::NEG_INFINITY, f64::max);
    if farthest > NOT_LEARNING.value || answers(look) {
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
            .advise(usual_decay(look))
            .advise([look.rate(rate)]),
    ))
}

/// Whether the training accuracy at the end is above the share of the largest class, by 3 points and two standard errors.
fn answers(look: &Look<'_>) -> bool {
    let accuracy = look.curves.points(Series::TrainAccuracy);
    let Some(largest) = look.facts().largest_share().filter(|_| !accuracy.is_empty()) else { return false };
    let error = look.facts().n_train.map_or(0.0, |images| share_error(largest, images));
    level(&accuracy).median > largest + NOT_LEARNING_ANSWERS.value.max(ERRORS * error)
}

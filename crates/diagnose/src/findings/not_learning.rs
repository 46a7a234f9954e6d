//! `not-learning`: the loss stays that of an answer without looking.

use super::finding::{Finding, Ruled};
use super::look::{Look, short};
use super::name::Name;
use crate::log::Series;
use crate::thresholds::{LEAST_EPOCHS, NOT_LEARNING};

/// The rule: in the whole second half the training loss is within 2 % of the entropy of the classes. A warm-up is over by
/// then.
pub fn not_learning(look: &Look<'_>) -> Ruled {
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS)?;
    let entropy = look.know(look.facts().entropy(), "the number of classes (--classes)")?;
    let far = |value: f64| (value - entropy).abs() / entropy;
    let half = &u[u.len() / 2..];
    let farthest = half.iter().map(|(_, value)| far(*value)).fold(0.0, f64::max);
    if farthest > NOT_LEARNING.value {
        return Ok(None);
    }
    let since =
        u.iter().rposition(|(_, value)| far(*value) > NOT_LEARNING.value).map_or(0, |place| place + 1);
    let sentence = format!(
        "The network learns nothing: the training loss stays at {}, that of an answer without looking (ln of the classes: {}). \
         Look whether the labels belong to the images; else the rate does not fit.",
        short(u[u.len() - 1].1),
        short(entropy)
    );
    Ok(Some(
        Finding::new(Name::NotLearning, Some(u[since].0), sentence)
            .evident(
                "train_loss, farthest from the entropy of the classes in the second half",
                farthest,
                NOT_LEARNING,
            )
            .excluding("not a warm-up: it lasts through the second half")
            .advise([look.rate(10.0)]),
    ))
}

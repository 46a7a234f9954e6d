//! Validation loss that rises while training loss falls: `overfitting`, or `overconfident` where the answers hold.

use super::advice::Flag;
use super::finding::{Finding, Missing, Ruled};
use super::look::{Level, Look, at, beginning, from, least, level, noise_of, short, spacing};
use super::name::Name;
use crate::log::{Points, Series};
use crate::statistics::{difference_error, median, share_error};
use crate::thresholds::{
    ERRORS, LAST, LEAST_EPOCHS, OURS, OVERFITTING_ABOVE, OVERFITTING_EPOCHS, OVERFITTING_IMAGES,
    OVERFITTING_IMAGES_ANNEALED, OVERFITTING_LONG, OVERFITTING_OF_GAIN, OVERFITTING_RISE, OVERFITTING_SHARE,
    OVERFITTING_TRAIN,
};

/// The variance of the median of three values over that of one (of normal ones: 0.449).
const MEDIAN_OF_THREE: f64 = 0.449;
/// Epochs further apart than so many usual distances: the log leaves some out.
const LEFT_OUT: f64 = 3.0;

/// A rise of the validation loss after its least value.
struct Rise {
    /// The epoch of the least value.
    epoch: u32,
    least: f64,
    /// The median of the three values around it.
    around: f64,
    level: Level,
    /// The median of the last third of the epochs after the least of the medians of three, over that least.
    over: f64,
    /// What that must be at least.
    needed: f64,
    /// Two standard errors of the rise.
    errors: f64,
    /// The training loss at the end over that at the least validation loss.
    train: f64,
    /// The first epoch after the least value that the log has, where it leaves some out there.
    left_out_until: Option<u32>,
}

/// Generalisation loss (Prechelt 1998), with noise: the validation loss lies 8 % above its least value, and more where few
/// images could do that alone, for four epochs at least, while the training loss went on falling; and the rise is larger than
/// two standard errors, or has lasted for nine epochs.
fn rise(look: &Look<'_>) -> Result<Option<Rise>, Missing> {
    let v = look.need(Series::ValLoss, LEAST_EPOCHS)?;
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS)?;
    let Some(place) = least(&v) else { return Ok(None) };
    let (epoch, least) = v[place];
    let level = level(&v);
    let errors = ERRORS * noise_of(&v[place..]) * (1.0 + MEDIAN_OF_THREE).sqrt();
    let gained = beginning(&v) - least;
    let (over, lasted) = risen(&v);
    // The least of many noisy values is lower than the curve there; its neighbours are not chosen.
    let near = &v[place.saturating_sub(1)..(place + 2).min(v.len())];
    let around = median(near.iter().map(|(_, value)| *value)).unwrap_or(least);
    let needed = OVERFITTING_RISE.value.max(1.0 + by_chance(look));
    let rose = over >= needed
        && (level.median - around > errors || (lasted && v.len() - 1 - place >= OVERFITTING_LONG))
        && level.mean - least >= OVERFITTING_OF_GAIN.value * gained
        && v.len() - 1 - place >= OVERFITTING_EPOCHS;
    let train = at(&u, epoch).map_or(f64::NAN, |then| super::look::level(&u).median / then);
    if !rose || train.is_nan() || train > OVERFITTING_TRAIN.value {
        return Ok(None);
    }
    let next = v.get(place + 1).map(|(next, _)| *next);
    let gap = next.filter(|next| f64::from(next - epoch) > LEFT_OUT * spacing(&v));
    Ok(Some(Rise { epoch, least, around, level, over, needed, errors, train, left_out_until: gap }))
}

/// The curve of medians of three, which single wild epochs do not move: the median of the last third of the epochs after its
/// least value (three at least) over that value, and whether most epochs since lie above it.
fn risen(v: &Points) -> (f64, bool) {
    let middle = |values: &[(u32, f64)]| median(values.iter().map(|(_, value)| *value)).unwrap_or(f64::NAN);
    let smooth: Points = (0..v.len())
        .map(|place| (v[place].0, middle(&v[place.saturating_sub(1)..(place + 2).min(v.len())])))
        .collect();
    let Some(place) = least(&smooth) else { return (f64::NAN, false) };
    let low = smooth[place].1;
    let window = ((v.len() - place) / 3).max(LAST).min(v.len());
    let since = &v[(place + 2).min(v.len())..];
    let above = since.iter().filter(|(_, value)| *value > OVERFITTING_ABOVE * low).count();
    (middle(&v[v.len() - window..]) / low, above as f64 >= OVERFITTING_SHARE * since.len() as f64)
}

/// The relative rise that the choice of the validation images may make: 1/√m with m wrong answers among them, which have nearly
/// all of the loss (the relative error of a sum of m terms of like size).
fn by_chance(look: &Look<'_>) -> f64 {
    let accuracy = look.curves.points(Series::ValAccuracy);
    let Some(images) = look.facts().n_val.filter(|_| !accuracy.is_empty()) else { return 0.0 };
    let wrong = (1.0 - level(&accuracy).median) * images as f64;
    let share = if look.is_annealed() { OVERFITTING_IMAGES_ANNEALED } else { OVERFITTING_IMAGES };
    share.value / wrong.max(1.0).sqrt()
}

/// Whether the accuracy held: that of the last epochs is not below that at the least validation loss by more than two
/// standard errors. `None` where it cannot be told.
fn accuracy_held(look: &Look<'_>, rise: &Rise) -> Option<(bool, f64, f64)> {
    let accuracy = look.curves.points(Series::ValAccuracy);
    let then = at(&accuracy, rise.epoch)
        .filter(|_| accuracy.len() >= LEAST_EPOCHS && rise.left_out_until.is_none())?;
    let now = level(&accuracy).mean;
    let error = match look.facts().n_val {
        Some(images) => share_error(then, images),
        None => difference_error(1.0, (1.0 / LAST as f64).sqrt()) * noise_of(from(&accuracy, rise.epoch)),
    };
    Some((now >= then - ERRORS * error, then, now))
}

/// The rule of `overfitting`.
pub fn overfitting(look: &Look<'_>) -> Ruled {
    let Some(rise) = rise(look)? else { return Ok(None) };
    let held = accuracy_held(look, &rise);
    if held.is_some_and(|(held, _, _)| held) {
        return Ok(None);
    }
    let Rise { epoch, least, level, train, .. } = rise;
    let mut finding = evidence(
        Finding::new(
            Name::Overfitting,
            Some(epoch),
            format!(
                "The network learns the training images by heart: the validation loss rose from {} at epoch {epoch} to {} \
                 (mean of the last {LAST}), while the training loss fell to {} of what it was then.",
                short(least),
                short(level.mean),
                super::look::percent(train)
            ),
        ),
        &rise,
    );
    finding = match (held, rise.left_out_until) {
        (Some((_, then, now)), _) => finding
            .evident_by("val_accuracy, mean of the last 3", now, then, OURS)
            .excluding("not only overconfident: the accuracy fell as well"),
        (None, Some(next)) => finding.without(format!(
            "the epochs {} to {}: whether the accuracy still rose after the least loss",
            epoch + 1,
            next - 1
        )),
        (None, None) => finding.without("val_accuracy: whether only the probabilities are too extreme"),
    };
    let stopping = (!look.is_on("early_stopping")).then(|| look.advise(Flag::EarlyStopping, ""));
    let decay = look.facts().number("weight_decay").unwrap_or(0.0).max(1e-5) * 10.0;
    let flips = (!look.is_on("hflip")).then(|| look.advise(Flag::Hflip, ""));
    Ok(Some(finding.advise(stopping).advise([look.advise(Flag::WeightDecay, short(decay))]).advise(flips)))
}

/// The rule of `overconfident`.
pub fn overconfident(look: &Look<'_>) -> Ruled {
    let Some(rise) = rise(look)? else { return Ok(None) };
    if rise.left_out_until.is_some() {
        return Err(vec!["the epochs after the least validation loss".to_owned()]);
    }
    if !look.curves.has(Series::ValAccuracy) {
        return Err(vec![Series::ValAccuracy.to_string()]);
    }
    let Some((true, then, now)) = accuracy_held(look, &rise) else { return Ok(None) };
    let Rise { epoch, least, level, .. } = rise;
    let finding = Finding::new(
        Name::Overconfident,
        Some(epoch),
        format!(
            "The answers stay right, but their probabilities become too extreme: since epoch {epoch} the validation loss \
             rose from {} to {}, while the accuracy went from {} to {}.",
            short(least),
            short(level.mean),
            super::look::percent(then),
            super::look::percent(now)
        ),
    );
    let smoothing = look.facts().number("label_smoothing").unwrap_or(0.0);
    let to = if smoothing < 0.1 { 0.1 } else { smoothing + 0.05 };
    Ok(Some(
        evidence(finding, &rise)
            .evident_by("val_accuracy, mean of the last 3", now, then, OURS)
            .excluding("not overfitting: the accuracy did not fall")
            .advise([look.advise(Flag::LabelSmoothing, short(to))]),
    ))
}

fn evidence(finding: Finding, rise: &Rise) -> Finding {
    let Rise { around, level, over, needed, errors, train, .. } = rise;
    finding
        .evident_by(
            "val_loss, median of the last third since its least, over that",
            *over,
            *needed,
            OVERFITTING_RISE.source,
        )
        .evident_by(
            "val_loss, median of the last 3 less that of the 3 around the least",
            level.median - around,
            *errors,
            "two standard errors",
        )
        .evident("train_loss, now over then", *train, OVERFITTING_TRAIN)
        .excluding("not noise: the rise is larger than two standard errors, or has lasted for nine epochs")
}

//! `stopped-too-early`: early stopping ended what would have gone on.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, at, epochs, least, percent, short};
use super::name::Name;
use crate::log::{Points, Series};
use crate::thresholds::{
    LEAST_EPOCHS_FLAT, OURS, STOPPED_AHEAD, STOPPED_BEFORE, STOPPED_BEHIND, STOPPED_FALL, STOPPED_GAINED,
    STOPPED_RISE,
};
use wellfit_policy::early_stopping_precludes_plateau;
use wellfit_record::StopReason;

/// Epochs that this rule needs: early stopping may come soon.
const LEAST: usize = 4;

/// The rule: early stopping ended the training, and the scheduler that was on as well could never have acted; or the
/// validation loss had gone a way ([`gained`]) and was still on it ([`fall`]), training was not far ahead of it, and the epochs
/// since its least value do not show that the way has ended: they are fewer than ten, or no more than the run once went without
/// a better value before it found one, and they do not rise one after the other.
pub fn too_early(look: &Look<'_>) -> Ruled {
    let stop = look.know(look.facts().stop, "whether early stopping ended it (--early-stopping)")?;
    let (StopReason::EarlyStopping, Some(config)) = (stop, &look.facts().early_stopping) else {
        return Ok(None);
    };
    let v = look.need(Series::ValLoss, LEAST)?;
    let Some(best) = least(&v) else { return Ok(None) };
    let (epoch, lowest) = v[best];
    let patience = config.patience;
    let finding = |why: String| {
        let sentence = format!(
            "Early stopping (patience {patience}) ended it after epoch {}, perhaps too early: {why}",
            look.curves.last_epoch()
        );
        Finding::new(Name::StoppedTooEarly, Some(epoch), sentence)
    };
    if let Some(plateau) =
        look.facts().plateau.as_ref().filter(|plateau| early_stopping_precludes_plateau(config, plateau))
    {
        let wait = plateau.patience;
        let why = format!("with a patience of {wait} for the learning rate, the scheduler can never act.");
        return Ok(Some(
            finding(why)
                .evident_by(
                    "patience of early stopping",
                    f64::from(patience),
                    f64::from(wait),
                    "the rules of both",
                )
                .advise([look.advise(Flag::Patience, wait.saturating_mul(2).saturating_add(2).to_string())])
                .advise([look.advise(Flag::LrPatience, (patience / 3).max(1).to_string())]),
        ));
    }
    let u = look.need(Series::TrainLoss, LEAST)?;
    let (fall, before) = fall(&v, best);
    let ahead = lowest / at(&u, epoch).unwrap_or(f64::NAN);
    let (since, broken) = (&v[best + 1..], longest_broken_streak(&v[..=best]));
    let streak = broken > 0 && broken >= patience.max(1);
    let rises = since.len() >= STOPPED_RISE && v[best..].windows(2).all(|two| two[0].1 < two[1].1);
    let goes_on = fall >= STOPPED_FALL.value && gained(look, &v, best) && ahead <= STOPPED_AHEAD.value;
    if !goes_on || rises || !(streak || since.len() < LEAST_EPOCHS_FLAT) {
        return Ok(None);
    }
    let why = if streak {
        format!("it had once gone {} without a better value, and then found one.", epochs(broken))
    } else {
        format!(
            "the validation loss had lost {} of itself in the {} up to epoch {epoch}, its best, and training is not far ahead of \
             it ({} against {}).",
            percent(fall),
            epochs(before),
            short(lowest / ahead),
            short(lowest)
        )
    };
    let finding = finding(why)
        .evident(
            "val_loss, share of itself lost on the last third of the way to its least",
            fall,
            STOPPED_FALL,
        )
        .evident("val_loss over train_loss there", ahead, STOPPED_AHEAD);
    let finding = if streak {
        let series = "val_loss, epochs without a better value";
        finding.evident_by(series, f64::from(broken), f64::from(patience), OURS)
    } else {
        finding.excluding("not overfitting: the loss does not rise epoch by epoch since")
    };
    let patience = patience.saturating_mul(2).max(5).to_string();
    Ok(Some(finding.advise([look.advise(Flag::Patience, patience)])))
}

/// The share of itself that the validation loss lost in the last epochs up to its least value, a third of all up to there, and how
/// many these are.
fn fall(v: &Points, best: usize) -> (f64, u32) {
    let first = best.saturating_sub((best / STOPPED_BEFORE).max(2));
    (1.0 - v[best].1 / v[first].1, v[best].0 - v[first].0)
}

/// Whether validation had gone a way, or answered better than training by five points. Where the least value comes soon and
/// training is ahead, more epochs overfit.
fn gained(look: &Look<'_>, v: &Points, best: usize) -> bool {
    let (epoch, lowest) = v[best];
    let [train, val] =
        [Series::TrainAccuracy, Series::ValAccuracy].map(|series| at(&look.curves.points(series), epoch));
    let behind = train.zip(val).is_some_and(|(train, val)| val - train > STOPPED_BEHIND.value);
    1.0 - lowest / v[0].1 >= STOPPED_GAINED.value || behind
}

/// The most epochs without a better value that were followed by one.
fn longest_broken_streak(v: &[(u32, f64)]) -> u32 {
    let (mut longest, mut best, mut since) = (0, f64::INFINITY, 0);
    for &(epoch, value) in v {
        if value < best {
            if best.is_finite() {
                longest = longest.max(epoch - since - 1);
            }
            (best, since) = (value, epoch);
        }
    }
    longest
}

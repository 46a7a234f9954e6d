//! `stopped-too-early`: early stopping ended what would have gone on.

use super::advice::Flag;
use super::convergence::is_flat;
use super::finding::{Finding, Ruled};
use super::look::{Look, at, epochs, from, least, level, noise_of, short};
use super::name::Name;
use crate::log::{Points, Series};
use crate::statistics::median;
use crate::thresholds::{
    ERRORS, LEAST_EPOCHS_FLAT, OURS, STOPPED_BEFORE, STOPPED_FALL, STOPPED_GAINED, STOPPED_GAP,
};
use wellfit_policy::early_stopping_precludes_plateau;
use wellfit_record::StopReason;

/// Epochs that this rule needs: early stopping may come soon.
const LEAST: usize = 4;

/// The rule: early stopping ended the training, and the scheduler that was on as well could never have acted; or the
/// validation loss was still falling up to its least ([`was_falling`]), and
/// * the run had once before gone as many epochs without a better value as the patience allows, and then found one, or
/// * the values since the best one are fewer than ten and within noise of it, by their median, while the training loss still
///   fell. More of them show that the loss stands still.
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
    if !was_falling(look, &v, best) {
        return Ok(None);
    }
    let more = [look.advise(Flag::Patience, patience.saturating_mul(2).max(5).to_string())];
    let broken = longest_broken_streak(&v[..=best]);
    if broken > 0 && broken >= patience.max(1) {
        let why = format!("it had once gone {} without a better value, and then found one.", epochs(broken));
        let finding = finding(why).evident_by(
            "val_loss, epochs without a better value",
            f64::from(broken),
            f64::from(patience),
            OURS,
        );
        return Ok(Some(finding.advise(more)));
    }
    let since = &v[best + 1..];
    let few = since.iter().take(LEAST_EPOCHS_FLAT).map(|(_, value)| *value);
    let Some(typical) = median(few).filter(|_| since.len() < LEAST_EPOCHS_FLAT) else { return Ok(None) };
    // The variance of a median of m normal values is about 1.57/m of theirs.
    let sigma = noise_of(if since.len() > 4 { since } else { from(&v, v[v.len() / 4].0) });
    let errors = ERRORS * sigma * (1.0 + 1.57 / since.len() as f64).sqrt();
    if typical - lowest > errors || !train_fell(look, &look.curves.points(Series::TrainLoss), epoch) {
        return Ok(None);
    }
    let why = format!(
        "the validation loss since the best epoch {epoch} is within noise of it (median {}, best {}), and the training loss \
         still fell.",
        short(typical),
        short(lowest)
    );
    let delta = look.advise(Flag::MinDelta, short(sigma));
    Ok(Some(
        finding(why)
            .evident_by(
                "val_loss since the best epoch, median less the best",
                typical - lowest,
                errors,
                "two standard errors",
            )
            .excluding("not overfitting: the rise is within noise")
            .advise(more)
            .advise((sigma > 0.0).then_some(delta)),
    ))
}

/// Whether the validation loss was on its way down until its least value: 6 % in the three epochs before. It must have gone a
/// way, too, or the training answers be no better than those of validation: where the least value comes soon and training is
/// far ahead, more epochs overfit. Without accuracies there is nothing against it.
fn was_falling(look: &Look<'_>, v: &Points, best: usize) -> bool {
    let lowest = v[best].1;
    let before = v[best.saturating_sub(STOPPED_BEFORE)].1;
    let gained = 1.0 - lowest / v[0].1;
    let accuracies = [Series::TrainAccuracy, Series::ValAccuracy].map(|series| look.curves.points(series));
    let near = match &accuracies {
        [train, val] if !train.is_empty() && !val.is_empty() => {
            level(train).median - level(val).median <= STOPPED_GAP.value
        }
        _ => true,
    };
    before >= STOPPED_FALL.value * lowest && (gained >= STOPPED_GAINED.value || near)
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

/// Whether the training loss fell since that epoch and does not stand still. Without one there is nothing against it.
fn train_fell(look: &Look<'_>, u: &Points, epoch: u32) -> bool {
    let Some(then) = at(u, epoch) else { return true };
    level(u).median < then && (u.len() < 10 || !is_flat(look, u))
}

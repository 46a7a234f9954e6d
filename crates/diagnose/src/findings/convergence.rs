//! Whether a training was over when it ended: `plateau`, `still-improving`.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, beginning, epochs, from, least, level, noise_of, short, window_start};
use super::name::Name;
use crate::log::{Points, Series};
use crate::statistics::{is_flat_after, theil_sen};
use crate::thresholds::{
    ANNEALED, CONVERGED_ACCURACY, CONVERGED_WINDOW, ERRORS, LEAST_EPOCHS, LEAST_EPOCHS_FLAT, OURS, PLATEAU,
    PLATEAU_CONVERGED, SAME_RATE, STILL_IMPROVING, STILL_IMPROVING_LATE, STILL_LEVEL, STILL_MOST,
};
use wellfit_record::StopReason;

/// How far a curve may move over a window and stand still: two standard errors, or 1 % of what it gained. The noise is that of
/// the second half, where that has enough epochs: at the beginning the fall itself changes from epoch to epoch.
fn still(points: &[(u32, f64)]) -> f64 {
    let late = &points[points.len() / 2..];
    let noise =
        if late.len() < LEAST_EPOCHS { noise_of(points) } else { noise_of(late).min(noise_of(points)) };
    (ERRORS * noise).max(PLATEAU.value * gained(points).0)
}

/// The same, but at most 5 % of what it gained, or 2 % of the loss: with more noise nobody can tell.
fn certainly_still(points: &[(u32, f64)]) -> f64 {
    let (gained, lowest) = gained(points);
    still(points).min((STILL_MOST.value * gained).max(STILL_LEVEL.value * lowest))
}

/// What a curve gained, and its least value.
fn gained(points: &[(u32, f64)]) -> (f64, f64) {
    let lowest = least(points).map_or(f64::NAN, |place| points[place].1);
    (beginning(points) - lowest, lowest)
}

/// Whether a curve stands still in the window at the end.
pub fn is_flat(look: &Look<'_>, points: &[(u32, f64)]) -> bool {
    is_flat_within(points, look.curves.last_epoch(), look.window(), certainly_still(points))
}

fn is_flat_within(points: &[(u32, f64)], last: u32, window: u32, most: f64) -> bool {
    let tail = from(points, window_start(last, window));
    tail.len() > 2 && is_flat_after(tail, window, most)
}

/// Whether the rate was the same over the window; `None` where it is not known.
fn same_rate(look: &Look<'_>, window: u32) -> Option<bool> {
    let rates = look.curves.points(Series::Lr);
    let tail = from(&rates, window_start(look.curves.last_epoch(), window));
    let last = tail.last()?.1;
    Some(tail.iter().all(|(_, rate)| (rate - last).abs() <= SAME_RATE * last.abs()))
}

/// The rule of `plateau`: validation stands still over the window, at one rate, and there is still something to learn from
/// the training images. Where the rate is not known, it must stand still twice as long: a rate that sinks to zero makes a
/// shorter stop. Where nothing is left to learn, standing still for ten epochs or more is a plateau, too: it only costs time.
pub fn plateau(look: &Look<'_>) -> Ruled {
    let v = look.need(Series::ValLoss, LEAST_EPOCHS)?;
    if (look.curves.last_epoch() as usize) < LEAST_EPOCHS_FLAT {
        return Err(vec![format!("at least {LEAST_EPOCHS_FLAT} epochs, not {}", look.curves.last_epoch())]);
    }
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS)?;
    let left = level(&u).median / u[0].1;
    // A few epochs without a better value are what early stopping waits for: they alone show no standing still.
    let early = look.facts().stop == Some(StopReason::EarlyStopping);
    let window = if early { look.window().max(LEAST_EPOCHS_FLAT as u32) } else { look.window() };
    let last = look.curves.last_epoch();
    let finding = if left < PLATEAU_CONVERGED.value {
        converged(look, &v, left, window)
    } else {
        let same = same_rate(look, window);
        let window = if same.is_none() { 2 * window } else { window };
        let flat = same != Some(false)
            && v.len() >= LEAST_EPOCHS_FLAT
            && is_flat_within(&v, last, window, certainly_still(&v));
        flat.then(|| stalled(look, &v, window, same.is_some()))
    };
    let turn = least(&v).map_or(last, |place| v[place].0);
    let onset = window_start(last, window).min(turn).max(1);
    Ok(finding.map(|finding| Finding {
        onset: Some(onset),
        ..finding.evident_by(
            "val_loss, Theil-Sen slope over the window",
            change(&v, last, window),
            still(&v),
            "two standard errors, or 1 % of the gain; ours",
        )
    }))
}

fn change(v: &Points, last: u32, window: u32) -> f64 {
    theil_sen(from(v, window_start(last, window))).unwrap_or(0.0) * f64::from(window)
}

fn stalled(look: &Look<'_>, v: &Points, window: u32, knows_rate: bool) -> Finding {
    let sentence = format!(
        "The validation loss stands still: it moved by {} in the last {}. A lower rate may let it go on.",
        short(change(v, look.curves.last_epoch(), window).abs()),
        epochs(window)
    );
    let finding = Finding::new(Name::Plateau, None, sentence)
        .excluding("not converged: the training loss is not near 0")
        .advise((!look.is_on("lr_scheduler")).then(|| look.advise(Flag::LrScheduler, "")))
        .advise([look.advise(Flag::Schedule, "cosine")]);
    if knows_rate {
        finding.excluding("not a rate that sinks to zero: it was the same all the while")
    } else {
        finding.without("lr: whether the rate was the same all the while")
    }
}

fn converged(look: &Look<'_>, v: &Points, left: f64, window: u32) -> Option<Finding> {
    let accuracy = look.curves.points(Series::TrainAccuracy);
    let learnt = accuracy.is_empty() || level(&accuracy).median >= CONVERGED_ACCURACY.value;
    let flat = is_flat_within(v, look.curves.last_epoch(), window, still(v));
    let all = look.facts().stop != Some(StopReason::EarlyStopping);
    if window < CONVERGED_WINDOW || !learnt || !flat || !all {
        return None;
    }
    let sentence = format!(
        "It has converged: the training loss is down to {} of its first, and the validation loss moved by {} in the last {}. \
         Fewer epochs would do.",
        super::look::percent(left),
        short(change(v, look.curves.last_epoch(), window).abs()),
        epochs(window)
    );
    Some(
        Finding::new(Name::Plateau, None, sentence)
            .evident("train_loss, now over the first", left, PLATEAU_CONVERGED)
            .excluding("not overfitting: the validation loss does not rise")
            .advise([look.advise(Flag::EarlyStopping, "")]),
    )
}

/// The rule of `still-improving`: the validation loss fell in the window by more than noise and by 2 % of all it gained, its
/// least value is the last or the one before, and the training ended because its epochs did.
pub fn still_improving(look: &Look<'_>) -> Ruled {
    let v = look.need(Series::ValLoss, LEAST_EPOCHS)?;
    let ended = look.facts().stop.is_none_or(|stop| stop == StopReason::Finished);
    let Some(place) = least(&v).filter(|place| place + 2 >= v.len() && ended) else { return Ok(None) };
    let (last, window) = (v[v.len() - 1], look.window());
    let tail = from(&v, last.0.saturating_sub(window));
    let (first, middle) = (tail[0].1, tail[tail.len() / 2].1);
    let gained = first - last.1;
    let errors = ERRORS * 2f64.sqrt() * noise_of(from(&v, v[v.len() / 3].0));
    let share = gained / (beginning(&v) - v[place].1).max(f64::MIN_POSITIVE);
    if gained <= errors || share < STILL_IMPROVING.value {
        return Ok(None);
    }
    let rates = look.curves.points(Series::Lr);
    let annealed = look.is_annealed();
    let late = (middle - last.1) / gained;
    if annealed || (rates.is_empty() && late < STILL_IMPROVING_LATE.value) {
        return Ok(None);
    }
    let sentence = format!(
        "It was not over: the validation loss still fell by {} in the last {}, {} of all that it gained.",
        short(gained),
        epochs(last.0 - tail[0].0),
        super::look::percent(share)
    );
    let mut finding = Finding::new(Name::StillImproving, Some(tail[0].0), sentence)
        .evident_by("val_loss, fall over the window", gained, errors, "two standard errors")
        .evident("val_loss, fall over the window as a share of all", share, STILL_IMPROVING)
        .excluding("not early stopping: the epochs ended it");
    finding = if rates.is_empty() {
        finding
            .evident("val_loss, share of the fall in the window's second half", late, STILL_IMPROVING_LATE)
            .without("lr")
    } else {
        finding
            .evident_by("lr, last over the largest", last_rate(&rates), ANNEALED, OURS)
            .excluding("not a rate that sinks to zero")
    };
    let twice = look.facts().most_epochs.unwrap_or(look.curves.last_epoch()).saturating_mul(2);
    let from = Some(look.curves.last_epoch().to_string());
    Ok(Some(finding.advise([super::advice::Advice { flag: Flag::Epochs, from, to: twice.to_string() }])))
}

fn last_rate(rates: &Points) -> f64 {
    let largest = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    rates.last().map_or(f64::NAN, |(_, rate)| rate / largest)
}

//! `lr-too-high` and `lr-too-low`.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, beginning, level, percent, short};
use super::name::Name;
use crate::log::{Points, Series};
use crate::statistics::{difference_error, median, share_error, theil_sen};
use crate::thresholds::{
    ALPHA_HIGH, ALPHA_LEAST, ALPHA_LOW, CLIPPED, ERRORS, FALLING, LEAST_EPOCHS, LEAST_EPOCHS_FLAT, LEFT,
    RISE_LARGEST, RISE_SECOND, RISES, RISES_CONFIRM, RISES_EACH, STRAIGHT, STRAIGHT_AT_LEAST, SURGE,
    SURGE_OF_GAIN, SURGE_SHARE, SWING, SWING_SHARE, SWINGS, Threshold,
};

/// The rule of `lr-too-high`, by the first of these that fires:
/// * α, the place where a step lands: its median is beyond the minimum;
/// * the share of steps whose gradient is clipped: more than half;
/// * training accuracy that falls by 3 points and rises again, in a fifth of the epochs;
/// * training loss that rises by a fifth from one epoch to the next, in a fifth of the epochs;
/// * training loss whose rises sum up to a fifth of all that it gained, one of them a tenth of it.
///
/// Swings of validation alone do not count: a small validation part does that at any rate.
pub fn too_high(look: &Look<'_>) -> Ruled {
    let alpha = alpha(look);
    if let Some(typical) = alpha.filter(|typical| *typical > ALPHA_HIGH.value) {
        let sentence = format!(
            "The learning rate is too high: a step lands beyond the minimum along its line (median of α {}).",
            short(typical)
        );
        let finding =
            Finding::new(Name::LrTooHigh, None, sentence).evident("alpha, median", typical, ALPHA_HIGH);
        return Ok(Some(finding.advise([look.rate(1.0 / 3.0)])));
    }
    let clipped = median(look.curves.points(Series::ClippedShare).into_iter().map(|(_, share)| share));
    if let Some(share) = clipped.filter(|share| *share > CLIPPED.value) {
        let sentence = format!(
            "The learning rate is too high: {} of the steps had their gradient clipped.",
            percent(share)
        );
        let finding =
            Finding::new(Name::LrTooHigh, None, sentence).evident("clipped_share, median", share, CLIPPED);
        return Ok(Some(finding.advise([look.rate(1.0 / 3.0)])));
    }
    unstable(look)
}

/// The median of α, where enough epochs have one to tell its noise from a habit.
fn alpha(look: &Look<'_>) -> Option<f64> {
    let points = look.curves.points(Series::Alpha);
    (points.len() >= LEAST_EPOCHS).then(|| median(points.into_iter().map(|(_, alpha)| alpha)))?
}

fn unstable(look: &Look<'_>) -> Ruled {
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS)?;
    let accuracy = look.curves.points(Series::TrainAccuracy);
    let by_accuracy = swings(&accuracy, swing(look, &accuracy));
    let by_loss = surges(&u);
    let rises = Rises::of(&u);
    let certain = look.facts().n_train.is_some() || rises.sum >= RISES_CONFIRM;
    let (of, places, count, threshold, least) =
        if certain && is_often(by_accuracy.len(), accuracy.len(), SWING_SHARE) {
            (
                "train_accuracy, share of the epochs with a swing of 3 points",
                by_accuracy,
                accuracy.len(),
                SWING,
                SWING_SHARE,
            )
        } else if is_often(by_loss.len(), u.len(), SURGE_SHARE) {
            ("train_loss, share of the epochs with a rise by a fifth", by_loss, u.len(), SURGE, SURGE_SHARE)
        } else {
            return Ok(rises.finding(look));
        };
    let share = places.len() as f64 / count as f64;
    let what = if threshold == SWING { "the training accuracy swings" } else { "the training loss jumps up" };
    let sentence = format!("The learning rate is too high: {what} in {} of {count} epochs.", places.len());
    let finding = Finding::new(Name::LrTooHigh, places.first().copied(), sentence)
        .evident(of, share, least)
        .evident_by("what counts as one", threshold.value, threshold.value, threshold.source)
        .excluding("not a small validation part: training itself swings")
        .without("alpha");
    Ok(Some(
        finding
            .advise([look.rate(1.0 / 3.0)])
            .advise((!look.is_on("lr_scheduler")).then(|| look.advise(Flag::LrScheduler, ""))),
    ))
}

/// How far the training loss rises again from epoch to epoch, in shares of all that it gained.
struct Rises {
    /// All together.
    sum: f64,
    largest: f64,
    second: f64,
    /// The epoch of the largest.
    at: u32,
    /// All together by the epochs.
    each: f64,
}

impl Rises {
    fn of(u: &Points) -> Self {
        let gained = gained(u);
        let mut rises = Self { sum: 0.0, largest: 0.0, second: 0.0, at: 0, each: 0.0 };
        for pair in u.windows(2) {
            let rise = ((pair[1].1 - pair[0].1) / gained).max(0.0);
            rises.sum += rise;
            if rise > rises.largest {
                (rises.second, rises.largest, rises.at) = (rises.largest, rise, pair[1].0);
            } else {
                rises.second = rises.second.max(rise);
            }
        }
        rises.each = rises.sum / u.len() as f64;
        rises
    }

    fn finding(&self, look: &Look<'_>) -> Option<Finding> {
        let large = self.largest >= RISE_LARGEST.value && self.second >= RISE_SECOND;
        let many = self.sum >= RISES.value && self.each >= RISES_EACH;
        let sentence = format!(
            "The learning rate is too high: the training loss rises again and again, in all by {} of what it gained, at epoch \
             {} by {}.",
            percent(self.sum),
            self.at,
            percent(self.largest)
        );
        (large && many).then(|| {
            Finding::new(Name::LrTooHigh, Some(self.at), sentence)
                .evident("train_loss, all rises as a share of the gain", self.sum, RISES)
                .evident("train_loss, largest rise as a share of the gain", self.largest, RISE_LARGEST)
                .excluding("not a small validation part: the training loss itself rises")
                .advise([look.rate(1.0 / 3.0)])
        })
    }
}

/// All that the training loss gained.
fn gained(u: &Points) -> f64 {
    let least = u.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    beginning(u).max(u.first().map_or(0.0, |(_, value)| *value)) - least
}

fn is_often(swings: usize, epochs: usize, share: Threshold) -> bool {
    epochs >= LEAST_EPOCHS && swings >= SWINGS && swings as f64 >= share.value * epochs as f64
}

/// What counts as a swing: 3 points, and more than two standard errors of the difference of two accuracies.
fn swing(look: &Look<'_>, accuracy: &Points) -> f64 {
    let typical = median(accuracy.iter().map(|(_, share)| *share)).unwrap_or(0.5);
    let error = look.facts().n_train.map_or(0.0, |images| share_error(typical, images));
    SWING.value.max(ERRORS * difference_error(error, error))
}

/// The epochs at which the accuracy turned after a way of 3 points or more against or after a fall: each fall of that size
/// between a peak and the valley after it counts, and so does the climb back.
fn swings(accuracy: &Points, swing: f64) -> Vec<u32> {
    let turns = turns(accuracy);
    let mut found = Vec::new();
    let mut fell = false;
    for pair in turns.windows(2) {
        let way = pair[1].1 - pair[0].1;
        if -way >= swing {
            (fell, _) = (true, found.push(pair[1].0));
        } else if way >= swing && fell {
            found.push(pair[1].0);
        } else {
            fell = false;
        }
    }
    found
}

/// The first and last point of a curve and those between at which it turns.
fn turns(points: &Points) -> Points {
    let mut turns: Points = Vec::new();
    for &point in points {
        let goes_on = matches!(turns.as_slice(), [.., a, b] if (b.1 - a.1) * (point.1 - b.1) >= 0.0);
        if goes_on {
            turns.pop();
        }
        turns.push(point);
    }
    turns
}

/// The epochs whose training loss is a fifth above that of the epoch before, by more than 2 % of all that it gained.
fn surges(u: &Points) -> Vec<u32> {
    let gained = gained(u);
    let surge = |pair: &&[(u32, f64)]| {
        pair[1].1 > SURGE.value * pair[0].1 && pair[1].1 - pair[0].1 > SURGE_OF_GAIN.value * gained
    };
    u.windows(2).filter(surge).map(|pair| pair[1].0).collect()
}

/// The rule of `lr-too-low`: the training loss falls in nine of ten epochs, in a nearly straight line, and still is above
/// half of its first value; where α is known, steps stay far before the minimum. α alone says little: with small batches it
/// is near -1 at rates that learn well, too.
pub fn too_low(look: &Look<'_>) -> Ruled {
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS_FLAT)?;
    let falls = u.windows(2).filter(|pair| pair[1].1 < pair[0].1).count() as f64 / (u.len() - 1) as f64;
    let left = level(&u).median / u[0].1;
    let half = u.len() / 2;
    let (Some(early), Some(late)) = (theil_sen(&u[..=half]), theil_sen(&u[half..])) else { return Ok(None) };
    let straight = late / early;
    let alpha = alpha(look);
    let least =
        if alpha.is_some_and(|alpha| alpha <= ALPHA_LEAST.value) { STRAIGHT_AT_LEAST } else { STRAIGHT };
    let is_low = falls >= FALLING.value && left > LEFT.value && early < 0.0 && straight >= least.value;
    if !is_low || alpha.is_some_and(|alpha| alpha >= ALPHA_LOW.value) {
        return Ok(None);
    }
    let sentence = format!(
        "The learning rate is too low: the training loss falls slowly and evenly, and still is at {} of its first.",
        percent(left)
    );
    let finding = Finding::new(Name::LrTooLow, None, sentence)
        .evident("train_loss, share of the epochs in which it falls", falls, FALLING)
        .evident("train_loss, now over the first", left, LEFT)
        .evident("train_loss, slope of the second half over that of the first", straight, least)
        .excluding("not a plateau: the loss still falls")
        .excluding("not a converged head: the fall does not get slower")
        .advise([look.rate(5.0)]);
    Ok(Some(match alpha {
        Some(alpha) => finding.evident("alpha, median", alpha, ALPHA_LOW),
        None => finding.without("alpha"),
    }))
}

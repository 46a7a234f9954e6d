//! What is true of a case: by the provocation, by pictures that no rule sees, by what came after a cut, and by the same
//! training without the fault. Nothing here looks at what rules look at.

use crate::curve::{Case, Line, Values};
use std::collections::BTreeMap;
use wellfit_diagnose::Name;

/// Whether a finding is true of a case; `None` where it is neither clearly so nor clearly not: such cases do not count.
pub type Verdict = Option<bool>;

/// All trainings by their ids.
pub type ById<'a> = BTreeMap<&'a str, &'a Line>;

/// A rule on hidden figures: true from `yes` on, false up to `no`.
fn between(value: f64, no: f64, yes: f64) -> Verdict {
    if value.is_nan() {
        None
    } else if value >= yes {
        Some(true)
    } else if value <= no {
        Some(false)
    } else {
        None
    }
}

/// The hidden figures of a case.
struct Hidden {
    /// Test loss and accuracy, training loss and accuracy in evaluation mode, epoch by epoch.
    test_loss: Vec<f64>,
    test_accuracy: Vec<f64>,
    train_loss: Vec<f64>,
    train_accuracy: Vec<f64>,
    /// The test loss after the cut.
    rest: Vec<f64>,
}

fn plain(values: &Values) -> Vec<f64> {
    values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 0 => f64::midpoint(sorted[half - 1], sorted[half]),
        _ => sorted[half],
    }
}

/// What was reached: the median of the last three. Networks with BatchNorm have single wild epochs in evaluation mode.
fn end(values: &[f64]) -> f64 {
    median(&values[values.len().saturating_sub(3)..])
}

/// Medians of three neighbours.
fn smooth(values: &[f64]) -> Vec<f64> {
    (0..values.len())
        .map(|place| median(&values[place.saturating_sub(1)..(place + 2).min(values.len())]))
        .collect()
}

fn lowest(values: &[f64]) -> (usize, f64) {
    values.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, f64::NAN))
}

impl Hidden {
    fn of(case: &Case<'_>) -> Self {
        let cut = |values: &Values| plain(values)[..case.epochs].to_vec();
        let line = case.line;
        Self {
            test_loss: cut(&line.test_loss),
            test_accuracy: cut(&line.test_accuracy),
            train_loss: cut(&line.train_eval_loss),
            train_accuracy: cut(&line.train_eval_accuracy),
            rest: plain(&line.test_loss)[case.epochs..].to_vec(),
        }
    }
}

fn entropy(counts: &[u64]) -> f64 {
    let all = counts.iter().sum::<u64>() as f64;
    counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / all).map(|p| -p * p.ln()).sum()
}

fn is(case: &Case<'_>, provocations: &[&str]) -> bool {
    provocations.contains(&&*case.line.provocation)
}

/// Provocations that leave the rate, the weights and the labels as they should be.
const SOUND: [&str; 5] = ["healthy", "good", "little-data", "small-val", "easy-val"];

/// The verdicts on a case. A finding that is not in it cannot be judged on such a case.
pub fn truth(case: &Case<'_>, all: &ById<'_>) -> BTreeMap<Name, Verdict> {
    let hidden = Hidden::of(case);
    let twin = case.line.twin.as_ref().and_then(|id| all.get(id.as_str()));
    let at = |values: &Values| {
        let values = plain(values);
        end(&values[..values.len().min(case.epochs)])
    };
    // By how much the twin is better, in accuracy on the test pictures.
    let cured = twin.map_or(f64::NAN, |twin| at(&twin.test_accuracy) - end(&hidden.test_accuracy));
    let diverged = diverged(case, &hidden);
    let idle = not_learning(case, &hidden);
    let broken = diverged != Some(false) || idle != Some(false);
    // A network that ends like a guess has learnt nothing, or has lost it all: by what it had reached on the way.
    let (diverged, idle) = match (diverged, idle) {
        (Some(true), Some(true)) if case.line.diverged => (Some(true), None),
        (Some(true), Some(true)) => {
            let reached = lowest(&smooth(&hidden.train_loss)).1 / entropy(&case.line.train_images);
            if reached > 0.5 { (None, Some(true)) } else { (Some(true), None) }
        }
        both => both,
    };
    let (overfitting, overconfident) = if broken { (None, None) } else { overfitting(case, &hidden) };
    let sound = is(case, &SOUND);
    // A provoked fault counts where its cure helps; in a sound training it is not there; else it is not known.
    let provoked = |by: &[&str], helps: f64| {
        if is(case, by) {
            if cured >= helps { Some(true) } else { None }
        } else if sound {
            Some(false)
        } else {
            None
        }
    };
    // Whether a higher rate had been better in so few epochs is not known.
    let cut = !hidden.rest.is_empty();
    let unless_broken = |verdict: Verdict| if broken && verdict == Some(true) { None } else { verdict };
    BTreeMap::from([
        (Name::Diverged, diverged),
        (Name::NotLearning, idle),
        (Name::Overfitting, overfitting),
        (Name::Overconfident, overconfident),
        (Name::GeneralizationGap, gap(case, &hidden)),
        (Name::Underfitting, if broken { None } else { underfitting(case, &hidden, cured) }),
        (Name::LrTooHigh, unless_broken(too_high(case, twin.copied(), sound))),
        (Name::LrTooLow, if cut && sound { None } else { unless_broken(provoked(&["low-rate"], 0.05)) }),
        (Name::Plateau, plateau(case, &hidden, twin.copied())),
        (Name::StillImproving, still_improving(case, &hidden)),
        (Name::StoppedTooEarly, stopped_too_early(case)),
        (Name::LossSpikes, spikes(case, sound)),
        (Name::VanishingGradients, deep(case, sound, cured, |scale| scale < 1.0)),
        (Name::ExplodingGradients, deep(case, sound, cured, |scale| scale > 1.0)),
        (Name::DeadUnits, unless_broken(provoked(&["silent"], 0.02))),
        (Name::ValidationTooSmall, if broken { None } else { too_small(case, &hidden) }),
        (Name::ClassImbalance, imbalance(case)),
        (Name::ValidationAboveTrain, above_train(case, &hidden)),
    ])
}

/// A lower rate, all the while or later on, gets 2 points more right on the test pictures, or a test loss that is an eighth lower
/// at no fewer right answers.
fn too_high(case: &Case<'_>, twin: Option<&Line>, sound: bool) -> Verdict {
    if sound {
        return Some(false);
    }
    let twin = twin.filter(|_| is(case, &["high-rate", "constant-high"]))?;
    if case.epochs < case.line.test_loss.len() {
        return None;
    }
    let whole = |values: &Values| plain(values)[..values.len().min(case.epochs)].to_vec();
    let cured = end(&whole(&twin.test_accuracy)) - end(&whole(&case.line.test_accuracy));
    let loss = lowest(&whole(&twin.test_loss)).1 / lowest(&whole(&case.line.test_loss)).1;
    (cured >= 0.02 || (loss <= 0.88 && cured > -0.01)).then_some(true)
}

/// Half of what had been gained, of the loss and of the right answers, was lost for good, on training images in evaluation mode
/// and on test pictures. What comes back after a cut was not lost.
fn diverged(case: &Case<'_>, hidden: &Hidden) -> Verdict {
    if case.line.diverged && case.epochs == case.line.train_loss.len() {
        return Some(true);
    }
    let late = |values: &[f64]| median(&values[values.len().saturating_sub(5)..]);
    let lost = |values: &[f64]| {
        let (first, low) = (values[0], lowest(&smooth(values)).1);
        if late(values) > 2.0 * first { 1.0 } else { (late(values) - low) / (first - low).max(0.1 * first) }
    };
    let (train, test) = (lost(&hidden.train_loss), lost(&hidden.test_loss));
    if train.is_nan() || test.is_nan() {
        return Some(true);
    }
    let chance = 1.0 / case.line.classes as f64;
    let kept = |values: &[f64]| {
        let best = smooth(values).into_iter().fold(chance, f64::max);
        (late(values) - chance) / (best - chance).max(1e-9)
    };
    let answers = kept(&hidden.train_accuracy).max(kept(&hidden.test_accuracy));
    let verdicts = [between(train, 0.3, 0.6), between(test, 0.3, 0.6), between(-answers, -0.85, -0.6)];
    // A test loss that rises alone is overfitting.
    if verdicts.contains(&Some(false)) {
        return Some(false);
    }
    let before = lowest(&smooth(&hidden.test_loss)).1;
    let comes_back = lowest(&smooth(&hidden.rest)).1 < 1.2 * before;
    (verdicts == [Some(true); 3] && !comes_back).then_some(true)
}

/// Test answers no better than those without looking, and a training loss that is not below theirs.
fn not_learning(case: &Case<'_>, hidden: &Hidden) -> Verdict {
    let counts = &case.line.test_images;
    let all = counts.iter().sum::<u64>() as f64;
    let chance = counts.iter().copied().max().unwrap_or(0) as f64 / all;
    let error = (chance * (1.0 - chance) / all).sqrt();
    let entropy = entropy(&case.line.train_images);
    // The best of the second half: a network with BatchNorm may be worse in evaluation mode in some epochs.
    let half = |values: &[f64]| smooth(values).split_off(values.len() / 2);
    let below = (entropy - lowest(&half(&hidden.train_loss)).1) / entropy;
    let best = |values: &[f64]| half(values).into_iter().fold(0.0, f64::max);
    let accuracy = best(&hidden.test_accuracy).max(best(&hidden.train_accuracy) - 0.03);
    if accuracy <= chance + 2.0 * error && below < 0.03 {
        Some(true)
    } else if accuracy > chance + 0.05 || below > 0.1 {
        Some(false)
    } else {
        None
    }
}

/// The test loss rose while the training loss fell, with and without loss of right answers.
fn overfitting(case: &Case<'_>, hidden: &Hidden) -> (Verdict, Verdict) {
    let (place, low) = lowest(&smooth(&hidden.test_loss));
    let rise = end(&hidden.test_loss) / low;
    let late = hidden.test_loss.len() - 1 - place < 4;
    match between(rise, 1.03, 1.08) {
        Some(false) => (Some(false), Some(false)),
        Some(true) if !late && end(&hidden.train_loss) < 0.97 * smooth(&hidden.train_loss)[place] => {
            let lost = smooth(&hidden.test_accuracy)[place] - end(&hidden.test_accuracy);
            // A small validation part cannot show a small loss of accuracy.
            let visible = 3.0 * share_error(end(&hidden.test_accuracy), case.line.n_val);
            match between(lost, 0.003, visible.max(0.01)) {
                Some(true) => (Some(true), Some(false)),
                Some(false) => (Some(false), Some(true)),
                None => (None, None),
            }
        }
        _ => (None, None),
    }
}

fn share_error(share: f64, count: u64) -> f64 {
    (share * (1.0 - share) / count as f64).sqrt()
}

/// Training less test accuracy, both in evaluation mode. Where validation is too small to tell it is not asked.
fn gap(case: &Case<'_>, hidden: &Hidden) -> Verdict {
    let test = end(&hidden.test_accuracy);
    let least = if test >= 0.9 { 0.07 } else { 0.1 };
    let gap = end(&hidden.train_accuracy) - test;
    let noise = 2.0 * share_error(test, case.line.n_val);
    match between(gap, least - 0.02, least + 0.02) {
        Some(true) if gap - 2.0 * noise < least => None,
        verdict => verdict,
    }
}

/// Training images are not learnt either, no longer, and the twin without the fault learns them.
fn underfitting(case: &Case<'_>, hidden: &Hidden, cured: f64) -> Verdict {
    let entropy = entropy(&case.line.train_images);
    let loss = end(&hidden.train_loss) / entropy;
    let window = (hidden.train_loss.len() / 5).max(5);
    let before = smooth(&hidden.train_loss)[hidden.train_loss.len().saturating_sub(window + 1)];
    let falls = (before - end(&hidden.train_loss)) / entropy;
    if is(case, &["frozen", "decay"]) && loss > 0.5 && cured >= 0.05 && falls < 0.01 {
        Some(true)
    } else if loss < 0.45 || falls > 0.03 || (is(case, &SOUND) && loss < 0.5) {
        Some(false)
    } else {
        None
    }
}

/// At the same rate it does not go on, at a tenth it does; or it goes on.
fn plateau(case: &Case<'_>, hidden: &Hidden, lowered: Option<&Line>) -> Verdict {
    if is(case, &["healthy"]) {
        return Some(false);
    }
    let here = lowest(&smooth(&hidden.test_loss)).1;
    let goes_on = hidden.rest.len() >= 5 && lowest(&smooth(&hidden.rest)).1 < 0.93 * here;
    match lowered {
        _ if goes_on => Some(false),
        Some(lowered) if is(case, &["constant-high"]) && !hidden.rest.is_empty() => {
            let cured = lowest(&smooth(&plain(&lowered.test_loss)[case.epochs..])).1;
            let alone = lowest(&smooth(&hidden.rest)).1;
            (alone > 0.97 * lowest(&smooth(&hidden.test_loss)).1 && cured < 0.97 * alone).then_some(true)
        }
        _ => None,
    }
}

/// What came after the cut, up to as many epochs again, was better than the best before.
fn still_improving(case: &Case<'_>, hidden: &Hidden) -> Verdict {
    if case.patience.is_some() {
        return None;
    }
    if is(case, &["healthy"]) {
        return Some(false);
    }
    if hidden.rest.is_empty() {
        let (place, low) = lowest(&smooth(&hidden.test_loss));
        let over = end(&hidden.test_loss) > 1.03 * low && place + 4 < hidden.test_loss.len();
        return over.then_some(false);
    }
    let more = &hidden.rest[..hidden.rest.len().min(case.epochs)];
    between(1.0 - lowest(&smooth(more)).1 / lowest(&smooth(&hidden.test_loss)).1, 0.01, 0.05)
}

/// The epoch that validation would choose later is better on the test pictures than the one chosen when it stopped.
fn stopped_too_early(case: &Case<'_>) -> Verdict {
    case.patience?;
    let (val, test) = (plain(&case.line.val_loss), plain(&case.line.test_loss));
    let chosen = lowest(&val[..case.epochs]).0;
    let more = (2 * case.epochs).max(case.epochs + 10).min(val.len());
    // Without a few epochs more nothing is known.
    if more < case.epochs + 5 {
        return None;
    }
    let later = lowest(&val[..more]).0;
    between(1.0 - test[later] / test[chosen], 0.01, 0.05)
}

/// Noise with wrong labels is among the images, and single batches show it: by as much as an answer without looking costs.
fn spikes(case: &Case<'_>, sound: bool) -> Verdict {
    if !is(case, &["corrupt"]) {
        return sound.then_some(false);
    }
    let losses = &case.line.step_losses;
    let jumps = (losses.len() / 5..losses.len().saturating_sub(25)).any(|step| {
        let mut near = losses[step - 25.min(step)..step + 25].to_vec();
        near.sort_by(f64::total_cmp);
        losses[step] - near[near.len() / 2] > entropy(&case.line.train_images)
    });
    jumps.then_some(true)
}

/// Twenty layers with weights that are so much too small or too large, which BatchNorm cures.
fn deep(case: &Case<'_>, sound: bool, cured: f64, scaled: fn(f64) -> bool) -> Verdict {
    if !is(case, &["scaled-weights"]) {
        return sound.then_some(false);
    }
    let scale = case.line.strength.rsplit('-').next().and_then(|scale| scale.parse().ok()).unwrap_or(1.0);
    if scaled(scale) { (cured >= 0.1).then_some(true) } else { Some(false) }
}

/// The interval of an accuracy like that on the test pictures would be wider than ten points.
fn too_small(case: &Case<'_>, hidden: &Hidden) -> Verdict {
    let accuracy = hidden.test_accuracy.iter().copied().fold(0.0, f64::max);
    between(3.92 * share_error(accuracy, case.line.n_val), 0.09, 0.11)
}

/// A class was made rare, and its test pictures are answered worse than others.
fn imbalance(case: &Case<'_>) -> Verdict {
    if !is(case, &["rare-classes"]) {
        return Some(false);
    }
    let pairs = || case.line.test_right.iter().zip(&case.line.test_images).filter(|(_, images)| **images > 0);
    let recalls: Vec<f64> = pairs().map(|(right, images)| *right as f64 / *images as f64).collect();
    let rarest = (0..recalls.len()).min_by_key(|&class| case.line.train_images[class])?;
    between(mean(&recalls) - recalls[rarest], 0.02, 0.1)
}

/// Validation has the easy classes only; it is better than training, the test pictures are not.
fn above_train(case: &Case<'_>, hidden: &Hidden) -> Verdict {
    let (val, train) = (end(&plain(&case.line.val_accuracy)[..case.epochs]), end(&hidden.train_accuracy));
    let test = end(&hidden.test_accuracy);
    if !is(case, &["easy-val"]) {
        // Right labels are easier than wrong ones: with these in training it may be so indeed.
        return (test < train).then_some(false);
    }
    (val - 4.0 * share_error(val, case.line.n_val) > train && test < val).then_some(true)
}

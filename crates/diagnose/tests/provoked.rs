//! Curves as trainings with one fault have them, and near misses: what nearly is one. Each rule is asked both.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use wellfit_diagnose::{Asked, Curves, Diagnosis, Facts, Format, Name, Series, diagnose, log};
use wellfit_policy::EarlyStoppingConfig;
use wellfit_record::StopReason;

const CLASSES: u64 = 10;

fn facts() -> Facts {
    Facts { n_val: Some(5000), n_train: Some(20_000), classes: Some(CLASSES), ..Facts::default() }
}

/// So many epochs of training and validation loss, as functions of the epoch from 1.
fn losses(count: u32, train: impl Fn(f64) -> f64, val: impl Fn(f64) -> f64) -> Curves {
    let of =
        |curve: &dyn Fn(f64) -> f64| (1..=count).map(|epoch| curve(f64::from(epoch))).collect::<Vec<_>>();
    let mut curves = Curves::new("made", Format::Table, (1..=count).collect());
    curves.facts = facts();
    curves.with(Series::TrainLoss, &of(&train)).with(Series::ValLoss, &of(&val))
}

fn with(curves: Curves, series: Series, curve: impl Fn(f64) -> f64) -> Curves {
    let values: Vec<f64> = curves.epochs.iter().map(|epoch| curve(f64::from(*epoch))).collect();
    curves.with(series, &values)
}

fn names(curves: &Curves) -> Vec<Name> {
    diagnose(curves).findings.iter().map(|finding| finding.name).collect()
}

#[track_caller]
fn has(curves: &Curves, name: Name) -> Diagnosis {
    let diagnosis = diagnose(curves);
    assert!(
        diagnosis.findings.iter().any(|finding| finding.name == name),
        "{name} in {:#?}",
        diagnosis.findings
    );
    diagnosis
}

#[track_caller]
fn lacks(curves: &Curves, name: Name) {
    let found = diagnose(curves).findings;
    assert!(found.iter().all(|finding| finding.name != name), "no {name} in {found:#?}");
}

/// A fixed noise from -1 to 1.
fn wobble(epoch: f64) -> f64 {
    (epoch * 12.9898).sin() * 0.6 + (epoch * 78.233).cos() * 0.4
}

fn falling(epoch: f64) -> f64 {
    0.05 + 2.0 * 0.75_f64.powf(epoch)
}

/// A cosine run: validation falls until the rate is 0, training is not far below.
fn sound() -> Curves {
    let curves = losses(30, |e| 0.25 + falling(e), |e| 0.3 + falling(e) + 0.002 * wobble(e));
    let curves = with(curves, Series::TrainAccuracy, |e| 0.93 - 0.4 * 0.75_f64.powf(e));
    let curves = with(curves, Series::ValAccuracy, |e| 0.91 - 0.4 * 0.75_f64.powf(e) + 0.002 * wobble(e));
    with(curves, Series::Lr, |e| 0.05 * (1.0 + (std::f64::consts::PI * (e - 1.0) / 29.0).cos()))
}

#[test]
fn a_sound_training_is_healthy_and_says_what_was_looked_at() {
    let diagnosis = diagnose(&sound());
    assert_eq!(names(&sound()), [Name::Healthy]);
    let sentence = &diagnosis.findings[0].sentence;
    assert!(sentence.contains("overfitting") && sentence.contains("Could not be looked for: "), "{sentence}");
    assert!(diagnosis.not_looked_at.iter().any(|unknown| unknown.name == Name::DeadUnits));
}

#[test]
fn too_few_epochs_are_no_health() {
    let diagnosis = diagnose(&losses(3, falling, falling));
    let looked: Vec<Name> = diagnosis.findings.iter().map(|finding| finding.name).collect();
    assert!(looked.is_empty(), "{looked:?}");
    assert!(diagnosis.not_looked_at.iter().any(|unknown| unknown.name == Name::Overfitting));
}

#[test]
fn overfitting_and_what_only_looks_like_it() {
    let rising = |slope: f64| move |e: f64| 0.4 + falling(e) + slope * (e - 8.0).max(0.0) + 0.004 * wobble(e);
    let accuracy = |slope: f64| move |e: f64| 0.85 - 0.4 * 0.7_f64.powf(e) + slope * (e - 8.0).max(0.0);
    let overfit = with(losses(20, falling, rising(0.04)), Series::ValAccuracy, accuracy(-0.01));
    let found = has(&overfit, Name::Overfitting);
    assert!((8..=11).contains(&found.findings[0].onset.unwrap()), "{:?}", found.findings[0].onset);
    assert!(found.findings[0].evidence.iter().any(|evidence| evidence.threshold == 1.08));
    lacks(&overfit, Name::Overconfident);
    // The answers hold: their probabilities are what is wrong.
    let confident = with(losses(20, falling, rising(0.04)), Series::ValAccuracy, accuracy(0.001));
    has(&confident, Name::Overconfident);
    lacks(&confident, Name::Overfitting);
    // Without accuracy nobody can tell the two apart.
    has(&losses(20, falling, rising(0.04)), Name::Overfitting);
    // Near misses: a rise of 3 %, a rise within noise, training that does not fall, one wild epoch at the end.
    lacks(&losses(20, falling, rising(0.001)), Name::Overfitting);
    lacks(&losses(20, falling, |e| 0.4 + falling(e) + 0.1 * wobble(e)), Name::Overfitting);
    lacks(&losses(20, |_| 0.5, rising(0.04)), Name::Overfitting);
    lacks(
        &losses(20, falling, |e| 0.4 + falling(e) + if e > 19.0 { 2.0 } else { 0.004 * wobble(e) }),
        Name::Overfitting,
    );
}

#[test]
fn a_gap_needs_more_than_chance() {
    let of = |train: f64, val: f64, images: u64| {
        let curves = with(sound(), Series::TrainAccuracy, move |_| train);
        let mut curves = with(curves, Series::ValAccuracy, move |_| val);
        curves.facts.n_val = Some(images);
        curves
    };
    has(&of(0.99, 0.70, 5000), Name::GeneralizationGap);
    lacks(&of(0.99, 0.90, 5000), Name::GeneralizationGap);
    lacks(&of(0.85, 0.70, 60), Name::GeneralizationGap);
    // In evaluation mode 7 points count where validation is above 90 %.
    let evaluated = with(of(0.95, 0.91, 50_000), Series::TrainEvalAccuracy, |_| 0.995);
    has(&evaluated, Name::GeneralizationGap);
}

#[test]
fn underfitting_is_flat_and_high_on_both_sides() {
    let high = |e: f64| 1.5 + 0.6 * 0.5_f64.powf(e) + 0.002 * wobble(e);
    has(&losses(20, high, |e| high(e) + 0.01), Name::Underfitting);
    // Still falling; validation far worse; a loss that is low.
    lacks(&losses(20, |e| 2.2 - 0.02 * e, |e| 2.2 - 0.02 * e), Name::Underfitting);
    lacks(&losses(20, high, |e| high(e) + 0.5), Name::Underfitting);
    lacks(&losses(20, |e| high(e) - 1.0, |e| high(e) - 1.0), Name::Underfitting);
    // Most of the answers are right: a hard task keeps the loss up, or smoothed labels do.
    let curves = losses(20, high, |e| high(e) + 0.01);
    lacks(&with(curves.clone(), Series::TrainAccuracy, |_| 0.8), Name::Underfitting);
    has(&with(curves, Series::TrainAccuracy, |_| 0.4), Name::Underfitting);
}

#[test]
fn a_weight_decay_far_above_the_usual_is_to_be_changed_first() {
    let high = |e: f64| 1.5 + 0.6 * 0.5_f64.powf(e) + 0.002 * wobble(e);
    let chance = (CLASSES as f64).ln();
    let stuck = losses(12, |e| chance + 0.01 * wobble(e), |e| chance + 0.01 * wobble(e + 5.0));
    let advised = |curves: &Curves, optimizer: &str, decay: &str| {
        let mut curves = curves.clone();
        for (name, value) in [("optimizer", optimizer), ("weight_decay", decay)] {
            curves.facts.settings.insert(name.to_owned(), value.to_owned());
        }
        diagnose(&curves).findings[0].advice.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let flat = losses(20, high, |e| high(e) + 0.01);
    assert_eq!(advised(&flat, "adam", "0.3"), ["--weight-decay 1e-4", "--model (a larger one)"]);
    assert_eq!(advised(&flat, "adam", "0.001"), ["--model (a larger one)", "--weight-decay 1e-4"]);
    assert_eq!(advised(&flat, "adam", "0"), ["--model (a larger one)"]);
    for (optimizer, decay, first) in [
        ("adam", "0.3", "--weight-decay 1e-4"),
        ("sgd", "0.05", "--weight-decay 1e-4"),
        ("sgd", "0.001", "--lr"),
        // A decoupled decay of so much is usual (Vision Transformers have 0.3).
        ("adamw", "0.3", "--lr"),
        ("adamw", "2", "--weight-decay 0.01"),
    ] {
        let advice = advised(&stuck, optimizer, decay);
        assert!(advice[0].starts_with(first), "{optimizer} {decay}: {advice:?}");
    }
}

#[test]
fn a_loss_that_stays_at_ln_k_is_not_learning() {
    let chance = (CLASSES as f64).ln();
    let stuck = losses(12, |e| chance + 0.01 * wobble(e), |e| chance + 0.01 * wobble(e + 5.0));
    assert_eq!(has(&stuck, Name::NotLearning).findings[0].name, Name::NotLearning);
    lacks(&stuck, Name::Underfitting);
    lacks(&stuck, Name::Plateau);
    // Above ln K it is the rate that keeps it there: a lower one is advised, and a higher one where the loss lies still.
    let thrown = losses(12, |e| if e < 2.0 { 9.0 } else { chance + 0.2 + 0.02 * wobble(e) }, |_| chance);
    let advised = |curves: &Curves| {
        let found = has(curves, Name::NotLearning);
        found.findings[0].advice[0].to.clone()
    };
    assert!(advised(&thrown).contains("lower"), "{}", advised(&thrown));
    assert!(advised(&stuck).contains("higher"), "{}", advised(&stuck));
    // A warm-up learns in the second half; a loss that sinks by 6 % learns.
    lacks(
        &losses(12, |e| if e < 7.0 { chance } else { chance - 0.3 * (e - 6.0) }, |_| 2.0),
        Name::NotLearning,
    );
    lacks(&losses(12, |e| chance * (1.0 - 0.01 * e), |_| chance), Name::NotLearning);
    let mut unknown = losses(12, |_| chance, |_| chance);
    unknown.facts.classes = None;
    lacks(&unknown, Name::NotLearning);
    assert!(diagnose(&unknown).not_looked_at.iter().any(|unknown| unknown.name == Name::NotLearning));
}

#[test]
fn two_softmaxes_have_a_floor() {
    let floor = (9.0 / std::f64::consts::E).ln_1p();
    let of = |loss: f64, accuracy: f64| {
        with(losses(12, move |_| loss, move |_| loss), Series::ValAccuracy, move |_| accuracy)
    };
    has(&of(floor * 1.005, 0.99), Name::DoubleSoftmax);
    lacks(&of(floor * 1.03, 0.99), Name::DoubleSoftmax);
    lacks(&of(floor, 0.90), Name::DoubleSoftmax);
    // Label smoothing has a floor as well; where both are the same, it is the reason.
    let mut smoothed = of(floor, 0.99);
    smoothed.facts.settings.insert("label_smoothing".to_owned(), "0.407".to_owned());
    let smoothed_floor = |s: f64| {
        let own = 1.0 - s + s / 10.0;
        -own * own.ln() - 9.0 * (s / 10.0) * (s / 10.0).ln()
    };
    assert!((smoothed_floor(0.407) - floor).abs() / floor < 0.05, "{}", smoothed_floor(0.407));
    lacks(&smoothed, Name::DoubleSoftmax);
}

#[test]
fn a_plateau_is_flat_at_one_rate() {
    let val = |e: f64| 0.6 + 1.5 * 0.5_f64.powf(e) + 0.003 * wobble(e);
    let train = |e: f64| 0.5 + 1.5 * 0.6_f64.powf(e);
    let constant = with(losses(25, train, val), Series::Lr, |_| 0.1);
    has(&constant, Name::Plateau);
    // The rate sank; the loss still falls; the training set is learnt; it overfits.
    lacks(&with(losses(25, train, val), Series::Lr, |e| 0.1 / e), Name::Plateau);
    lacks(&with(losses(25, train, |e| 2.0 - 0.04 * e), Series::Lr, |_| 0.1), Name::Plateau);
    lacks(&with(losses(25, |e| 2.0 * 0.5_f64.powf(e), val), Series::Lr, |_| 0.1), Name::Plateau);
    lacks(
        &with(losses(25, falling, |e| val(e) + 0.05 * (e - 5.0).max(0.0)), Series::Lr, |_| 0.1),
        Name::Plateau,
    );
    // Without a rate it must stand still twice as long.
    has(&losses(25, train, val), Name::Plateau);
    lacks(&losses(25, train, |e| 0.6 + if e < 20.0 { 0.05 * (20.0 - e) } else { 0.0 }), Name::Plateau);
}

#[test]
fn what_still_improves_wanted_more_epochs() {
    let straight = |e: f64| 2.0 - 0.1 * e + 0.005 * wobble(e);
    let curves = losses(12, straight, straight);
    let found = has(&curves, Name::StillImproving);
    let finding = found.findings.iter().find(|finding| finding.name == Name::StillImproving).unwrap();
    assert_eq!(finding.advice[0].to_string(), "--epochs 24");
    // A rate that sank to 0; early stopping; the best epoch is long ago; it hardly moves.
    lacks(&with(curves.clone(), Series::Lr, |e| 0.1 * (12.0 - e)), Name::StillImproving);
    let mut stopped = curves;
    stopped.facts.stop = Some(StopReason::EarlyStopping);
    lacks(&stopped, Name::StillImproving);
    lacks(&losses(12, straight, |e| 0.5 + (e - 8.0).abs() * 0.1), Name::StillImproving);
    lacks(&losses(12, straight, |e| 0.5 + 1.5 * 0.3_f64.powf(e)), Name::StillImproving);
}

#[test]
fn early_stopping_is_too_early_on_the_way_down() {
    let stopped = |patience: u32, curves: Curves| {
        let mut curves = curves;
        curves.facts.stop = Some(StopReason::EarlyStopping);
        curves.facts.early_stopping =
            Some(EarlyStoppingConfig { patience, ..EarlyStoppingConfig::default() });
        curves
    };
    let train = |e: f64| 1.5 - 0.1 * e;
    let noisy = |e: f64| if e == 8.0 { 0.8 } else { 1.5 - 0.11 * e };
    has(&stopped(0, losses(8, train, noisy)), Name::StoppedTooEarly);
    // It rises epoch by epoch; it has hardly moved in the last epochs before its least; it has gained little; training is far ahead.
    let clear = |e: f64| 0.5 + 0.1 * (e - 6.0).abs();
    lacks(&stopped(4, losses(10, train, clear)), Name::StoppedTooEarly);
    has(&stopped(2, losses(8, train, clear)), Name::StoppedTooEarly);
    let slow = |e: f64| if e < 3.0 { 2.0 } else { 0.8 - 0.01 * e + if e > 7.0 { 0.1 } else { 0.0 } };
    lacks(&stopped(0, losses(8, train, slow)), Name::StoppedTooEarly);
    let little = |e: f64| if e == 8.0 { 1.5 } else { 1.5 - 0.05 * e };
    lacks(&stopped(0, losses(8, train, little)), Name::StoppedTooEarly);
    lacks(&stopped(0, losses(8, |e| 0.2 - 0.01 * e, noisy)), Name::StoppedTooEarly);
    // Little is gained, but validation is ahead of training.
    let curves = with(losses(8, train, little), Series::TrainAccuracy, |_| 0.4);
    has(&stopped(0, with(curves.clone(), Series::ValAccuracy, |_| 0.5)), Name::StoppedTooEarly);
    lacks(&stopped(0, with(curves, Series::ValAccuracy, |_| 0.42)), Name::StoppedTooEarly);
    // Twelve epochs without a better value show that it stands still.
    let still = |e: f64| if e < 5.0 { 2.0 - 0.3 * e } else { 0.8 + 0.02 * wobble(e) };
    lacks(
        &stopped(12, losses(16, |e| 1.5 - 0.05 * e, |e| if e == 4.0 { 0.77 } else { still(e) })),
        Name::StoppedTooEarly,
    );
    // Three epochs without a better value, then one: a patience of 3 is no longer than what this run once broke.
    let streak = [1.3, 0.8, 0.9, 0.9, 0.9, 0.7, 0.95, 0.95, 0.95];
    let curves = losses(9, |e| 1.5 - 0.1 * e, |e| streak[e as usize - 1]);
    let found = has(&stopped(3, curves.clone()), Name::StoppedTooEarly);
    assert!(found.findings.iter().any(|finding| finding.sentence.contains("it had once gone 3 epochs")));
    let found = has(&stopped(5, curves), Name::StoppedTooEarly);
    assert!(found.findings.iter().all(|finding| !finding.sentence.contains("it had once gone")));
}

#[test]
fn a_rate_too_high_shows_in_training() {
    let swinging =
        with(losses(20, falling, falling), Series::TrainAccuracy, |e| 0.8 + 0.04 * (-1.0_f64).powf(e));
    has(&swinging, Name::LrTooHigh);
    let quiet =
        with(losses(20, falling, falling), Series::TrainAccuracy, |e| 0.8 + 0.012 * (-1.0_f64).powf(e));
    lacks(&quiet, Name::LrTooHigh);
    // Of 100 training images accuracy swings by chance.
    let mut few = swinging.clone();
    few.facts.n_train = Some(100);
    lacks(&few, Name::LrTooHigh);
    // Validation alone: a small part swings at any rate.
    let small =
        with(losses(20, falling, |e| 0.5 + 0.2 * wobble(e)), Series::ValAccuracy, |e| 0.8 + 0.1 * wobble(e));
    lacks(&small, Name::LrTooHigh);
    has(&with(sound(), Series::Alpha, |_| 0.8), Name::LrTooHigh);
    lacks(&with(sound(), Series::Alpha, |_| 0.2), Name::LrTooHigh);
    has(&with(sound(), Series::ClippedShare, |_| 0.9), Name::LrTooHigh);
    lacks(&with(sound(), Series::ClippedShare, |_| 0.3), Name::LrTooHigh);
}

#[test]
fn a_rate_too_low_falls_slowly_and_evenly() {
    let slow = |e: f64| 2.3 - 0.02 * e;
    has(&losses(20, slow, slow), Name::LrTooLow);
    // A short training falls evenly whatever its rate.
    lacks(&losses(6, |e| 2.3 - 0.1 * e, slow), Name::LrTooLow);
    // A head on trained features is slow because it is done.
    lacks(&losses(20, |e| 0.6 + 0.3 * 0.6_f64.powf(e), slow), Name::LrTooLow);
    lacks(&losses(20, |e| 2.3 - 0.1 * e, slow), Name::LrTooLow);
    has(&with(losses(20, slow, slow), Series::Alpha, |_| -0.95), Name::LrTooLow);
    lacks(&with(losses(20, slow, slow), Series::Alpha, |_| -0.3), Name::LrTooLow);
}

#[test]
fn divergence_is_no_spike() {
    has(&losses(10, |e| if e > 6.0 { f64::NAN } else { falling(e) }, falling), Name::Diverged);
    let back = losses(12, |e| if e > 6.0 { 0.3 * (e - 5.0) } else { falling(e) }, falling);
    assert_eq!(has(&back, Name::Diverged).findings[0].name, Name::Diverged);
    has(&losses(8, |e| 2.0_f64.powf(e), |_| 2.0), Name::Diverged);
    lacks(&losses(20, |e| if e == 12.0 { 2.5 } else { falling(e) }, falling), Name::Diverged);
    lacks(&losses(20, falling, falling), Name::Diverged);
}

#[test]
fn a_spike_stands_out_and_comes_back() {
    let curve = |e: f64| 0.3 + falling(e) + 0.01 * wobble(e);
    has(&losses(30, |e| if e == 20.0 { 1.2 } else { curve(e) }, falling), Name::LossSpikes);
    lacks(&losses(30, curve, falling), Name::LossSpikes);
    lacks(&losses(30, |e| if e == 20.0 { 0.4 } else { curve(e) }, falling), Name::LossSpikes);
    let mut steps = losses(5, falling, falling);
    steps.step_losses = (0..500).map(|step| 1.0 + 0.3 * wobble(f64::from(step))).collect();
    lacks(&steps, Name::LossSpikes);
    steps.step_losses[300] = 9.0;
    has(&steps, Name::LossSpikes);
    // Late in a training most batches have next to no loss, and a few have some.
    steps.step_losses =
        (0..500).map(|step| 2.0 * 0.98_f64.powi(step) + if step % 37 == 0 { 0.3 } else { 0.0 }).collect();
    lacks(&steps, Name::LossSpikes);
    has(&with(sound(), Series::GradNorm, |e| if e == 15.0 { 50.0 } else { 2.0 }), Name::LossSpikes);
}

#[test]
fn what_other_records_will_have_is_looked_at() {
    has(
        &with(with(sound(), Series::FirstLayerGradient, |_| 1e-6), Series::LastLayerGradient, |_| 0.1),
        Name::VanishingGradients,
    );
    lacks(
        &with(with(sound(), Series::FirstLayerGradient, |_| 0.0), Series::LastLayerGradient, |_| 0.1),
        Name::VanishingGradients,
    );
    has(
        &with(with(sound(), Series::FirstLayerGradient, |_| 90.0), Series::LastLayerGradient, |_| 1.0),
        Name::ExplodingGradients,
    );
    lacks(
        &with(with(sound(), Series::FirstLayerGradient, |_| 60.0), Series::LastLayerGradient, |_| 1.0),
        Name::ExplodingGradients,
    );
    has(&with(sound(), Series::DeadUnits, |e| e / 40.0), Name::DeadUnits);
    lacks(&with(sound(), Series::DeadUnits, |_| 0.4), Name::DeadUnits);
    has(&with(sound(), Series::ValLossReestimated, |_| 0.2), Name::BatchNormStatistics);
    lacks(&with(sound(), Series::ValLossReestimated, |_| 0.34), Name::BatchNormStatistics);
    has(&with(sound(), Series::DataWaitShare, |_| 0.3), Name::WaitingForData);
    lacks(&with(sound(), Series::DataWaitShare, |e| if e == 1.0 { 0.9 } else { 0.1 }), Name::WaitingForData);
    has(&with(sound(), Series::TrainEvalAccuracy, |_| 0.85), Name::ValidationAboveTrain);
    lacks(&with(sound(), Series::TrainEvalAccuracy, |_| 0.93), Name::ValidationAboveTrain);
    // In training mode dropout and augmentation are reason enough, unless there is none.
    let mut curves = with(sound(), Series::TrainAccuracy, |_| 0.80);
    lacks(&curves, Name::ValidationAboveTrain);
    curves.facts.trains_as_it_validates = Some(true);
    has(&curves, Name::ValidationAboveTrain);
    // What was learned during an epoch is no reason: training is the mean over the epoch, validation its end.
    let learned = |e: f64| 0.9 - 0.4 * 0.75_f64.powf(e);
    let mut falling =
        with(with(sound(), Series::TrainAccuracy, move |e| learned(e - 0.5)), Series::ValAccuracy, learned);
    falling.facts.trains_as_it_validates = Some(true);
    falling.facts.n_val = Some(1_000_000);
    lacks(&falling, Name::ValidationAboveTrain);
}

#[test]
fn facts_about_images_are_looked_at() {
    let of = |change: &dyn Fn(&mut Facts)| {
        let mut curves = sound();
        change(&mut curves.facts);
        curves
    };
    has(&of(&|facts| facts.n_val = Some(60)), Name::ValidationTooSmall);
    lacks(&of(&|facts| facts.n_val = Some(1000)), Name::ValidationTooSmall);
    has(&of(&|facts| facts.duplicates = Some(250)), Name::Duplicates);
    lacks(&of(&|facts| facts.duplicates = Some(2)), Name::Duplicates);
    has(&of(&|facts| facts.label_suspects = Some(300)), Name::LabelErrors);
    lacks(&of(&|facts| facts.label_suspects = Some(20)), Name::LabelErrors);
    let imbalanced = |rare: u64| {
        of(&|facts| {
            facts.class_counts = Some(vec![5000, 5000, 50]);
            facts.class_answers = Some(vec![(900, 1000), (900, 1000), (rare, 50)]);
        })
    };
    has(&imbalanced(10), Name::ClassImbalance);
    lacks(&imbalanced(44), Name::ClassImbalance);
}

/// The curves of a table, and of the same with other units, order of columns and noise below the digits that matter.
fn table(columns: &[(&str, Vec<f64>)]) -> Curves {
    let head: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let row = |place: usize| {
        columns.iter().map(|(_, values)| format!("{:e}", values[place])).collect::<Vec<_>>().join(",")
    };
    let rows: Vec<String> = (0..columns[0].1.len()).map(row).collect();
    let text = format!("{}\n{}\n", head.join(","), rows.join("\n"));
    let asked = Asked { n_val: Some(5000), ..Asked::default() };
    log::of_bytes(text.into(), "f", &asked).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Without classes no rule knows the size of a loss: losses in other units give the same findings, and so do
    /// accuracies in percent and columns in another order.
    #[test]
    fn units_and_order_do_not_matter(
        losses in prop::collection::vec((0.01..3.0_f64, 0.01..3.0_f64, 0.05..0.99_f64, 0.05..0.99_f64), 5..40),
        power in -6_i32..6,
        turn in 0_usize..5,
    ) {
        let of = |pick: fn(&(f64, f64, f64, f64)) -> f64| losses.iter().map(pick).collect::<Vec<f64>>();
        let mut columns = vec![
            ("epoch", (1..=losses.len()).map(|epoch| epoch as f64).collect()),
            ("train_loss", of(|row| row.0)),
            ("val_loss", of(|row| row.1)),
            ("train_acc", of(|row| row.2)),
            ("val_acc", of(|row| row.3)),
        ];
        let before = names(&table(&columns));
        // A power of two changes no digit of a product.
        let scale = 2.0_f64.powi(power);
        for (name, values) in &mut columns {
            let factor = if name.ends_with("loss") { scale } else { 1.0 };
            values.iter_mut().for_each(|value| *value *= factor);
        }
        columns.rotate_left(turn);
        prop_assert_eq!(names(&table(&columns)), before);
    }

    /// Noise of a thousandth of the curve changes no finding of a clear case.
    #[test]
    fn little_noise_changes_nothing(noise in prop::collection::vec(-1.0..1.0_f64, 20)) {
        let shaken = |size: f64| {
            let noise = noise.clone();
            move |e: f64| size * noise[e as usize - 1]
        };
        let (a, b) = (shaken(0.001), shaken(0.001));
        let overfit = losses(20, falling, move |e| 0.4 + falling(e) + 0.04 * (e - 8.0).max(0.0) + a(e));
        prop_assert!(names(&overfit).contains(&Name::Overfitting));
        let sound = losses(20, |e| 0.3 + falling(e), move |e| 0.35 + falling(e) + b(e));
        prop_assert!(!names(&sound).contains(&Name::Overfitting));
    }

    /// Whatever a log holds, there is an answer, and every finding has a sentence.
    #[test]
    fn any_numbers_get_an_answer(
        rows in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>(), 0.0..1.0_f64), 1..30),
        n_val in 1_u64..1000, classes in 0_u64..20,
    ) {
        let columns: Vec<Vec<f64>> = (0..4).map(|place| {
            rows.iter().map(|row| [row.0, row.1, row.2, row.3][place]).collect()
        }).collect();
        let mut curves = Curves::new("f", Format::Table, (1..=rows.len() as u32).collect());
        for (series, values) in [Series::TrainLoss, Series::ValLoss, Series::TrainAccuracy, Series::ValAccuracy].into_iter().zip(&columns) {
            curves = curves.with(series, values);
        }
        curves.facts = Facts { n_val: Some(n_val), classes: Some(classes), ..Facts::default() };
        for finding in diagnose(&curves).findings {
            prop_assert!(!finding.sentence.is_empty());
        }
    }
}

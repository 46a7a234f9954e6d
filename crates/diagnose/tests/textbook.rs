//! The epochs that a textbook's chapter on overfitting prints of its three trainings (a ResNet-50 on 498 photographs of two
//! classes, 500 validate), and what its author says of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use wellfit_diagnose::{Asked, Curves, Finding, Name, diagnose, log};
use wellfit_policy::{EarlyStoppingConfig, PlateauConfig, Semantics};

const HEAD: &str = "epoch,train_loss,train_acc,val_loss,val_acc\n";
/// Nothing is on. The chapter leaves epochs 4 to 96 out.
const PLAIN: &str = "1,2.2272,58.84,7.0938,43.60\n2,0.5848,71.69,2.0658,54.80\n3,0.4854,76.51,0.7689,66.60\n\
    97,0.0410,98.19,0.8700,75.20\n98,0.1077,95.98,0.9775,80.60\n99,0.1609,94.38,1.9502,68.40\n100,0.0995,96.59,1.5691,72.00\n";
/// The rate is lowered on a plateau.
const SCHEDULER: &str = "1,2.1396,61.04,6.2706,37.80\n2,0.5996,69.68,1.3892,51.20\n3,0.5297,74.50,0.7101,67.00\n\
    97,0.0017,100.00,0.5876,83.40\n98,0.0017,100.00,0.5880,84.00\n99,0.0019,100.00,0.5919,83.80\n100,0.0023,100.00,0.5959,83.60\n";
/// Early stopping with a patience of 5 ended it after epoch 9, whose values are not printed.
const STOPPED: &str = "1,2.1789,58.23,64.6766,14.60\n2,0.6728,65.66,1.6799,64.60\n3,0.5560,70.28,0.5631,71.40\n\
    4,0.5004,79.92,0.5125,77.40\n5,0.3710,83.53,0.6830,72.20\n6,0.4656,78.11,0.7071,70.40\n7,0.4010,83.33,0.5996,74.80\n\
    8,0.3679,83.94,1.4061,58.00\n";

fn read(rows: &str, asked: &Asked) -> Curves {
    log::of_bytes(format!("{HEAD}{rows}").into(), "chapter.csv", asked).unwrap()
}

fn named(curves: &Curves, name: Name) -> Option<Finding> {
    diagnose(curves).findings.into_iter().find(|finding| finding.name == name)
}

/// With and without what a table cannot tell.
fn both() -> [Asked; 2] {
    [Asked::default(), Asked { n_val: Some(500), classes: Some(2), ..Asked::default() }]
}

#[test]
fn without_anything_it_overfits_and_the_rate_is_too_high() {
    for asked in both() {
        let curves = read(PLAIN, &asked);
        let overfitting = named(&curves, Name::Overfitting).unwrap();
        assert_eq!(overfitting.onset, Some(3));
        // Whether accuracy rose after the least loss is in the epochs that are left out.
        assert!(overfitting.missing[0].starts_with("the epochs 4 to 96"), "{overfitting:?}");
        let rate = named(&curves, Name::LrTooHigh).unwrap();
        assert!(rate.advice[0].to_string().starts_with("--lr "), "{rate:?}");
        assert!(named(&curves, Name::Healthy).is_none());
    }
}

#[test]
fn with_the_scheduler_it_converges_early_and_does_not_overfit() {
    for asked in both() {
        let curves = read(SCHEDULER, &asked);
        let plateau = named(&curves, Name::Plateau).unwrap();
        assert!(plateau.sentence.contains("Fewer epochs would do"), "{plateau:?}");
        for not in
            [Name::Overfitting, Name::Overconfident, Name::LrTooHigh, Name::StillImproving, Name::Diverged]
        {
            assert_eq!(named(&curves, not), None);
        }
    }
}

#[test]
fn with_early_stopping_it_may_have_stopped_too_early() {
    let stopping = EarlyStoppingConfig::default();
    for asked in both() {
        // The ninth epoch as a row without values, too.
        for rows in [STOPPED.to_owned(), format!("{STOPPED}9,,,,\n")] {
            let told = Asked { early_stopping: Some(stopping.clone()), ..asked.clone() };
            let finding = named(&read(&rows, &told), Name::StoppedTooEarly).unwrap();
            assert_eq!(finding.onset, Some(4));
            assert!(finding.advice.iter().any(|advice| advice.to_string() == "--patience 10"), "{finding:?}");
            assert_eq!(named(&read(&rows, &told), Name::Overfitting), None);
            // Unless it is said, nobody knows what ended the training.
            let unknown = diagnose(&read(&rows, &asked)).not_looked_at;
            assert!(unknown.iter().any(|unknown| unknown.name == Name::StoppedTooEarly), "{unknown:?}");
        }
    }
}

#[test]
fn with_both_and_a_patience_of_five_the_scheduler_can_never_act() {
    let plateau = |patience| PlateauConfig { patience, ..PlateauConfig::textbook(Semantics::Torch) };
    let told = |patience| Asked {
        early_stopping: Some(EarlyStoppingConfig::default()),
        plateau: Some(plateau(patience)),
        ..Asked::default()
    };
    let finding = named(&read(STOPPED, &told(5)), Name::StoppedTooEarly).unwrap();
    assert!(finding.sentence.contains("the scheduler can never act"), "{finding:?}");
    let earlier = named(&read(STOPPED, &told(2)), Name::StoppedTooEarly).unwrap();
    assert!(!earlier.sentence.contains("never"), "{earlier:?}");
}

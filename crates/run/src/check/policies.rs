//! Early stopping and the plateau scheduler: whether they can act at all.

use super::Concern;
use crate::options::RunSpec;
use wellfit_base::words::plural;
use wellfit_policy::{earliest_reduction, earliest_stop};

/// When the policies of a run that never improves after its first epoch act, in epochs from 1.
struct Times {
    /// The last epoch before early stopping ends the run.
    stop: u64,
    /// The last epoch before the rate is first lowered.
    lowered: u64,
    /// All epochs.
    epochs: u64,
}

impl Times {
    fn of(spec: &RunSpec) -> Self {
        let (head, warmup) = (u64::from(spec.freeze_epochs), u64::from(spec.warmup));
        // Early stopping begins with the whole network, the scheduler behind a warm-up.
        let quiet = if warmup > 0 { head + warmup } else { 0 };
        Self {
            stop: head + earliest_stop(&spec.early_stopping()) + 1,
            lowered: quiet + earliest_reduction(&spec.plateau()) + 1,
            epochs: spec.epochs.into(),
        }
    }
}

/// What is wrong with the policies that are on.
pub(super) fn concerns(spec: &RunSpec) -> Vec<Concern> {
    let times = Times::of(spec);
    let mut concerns = Vec::new();
    if spec.early_stopping && spec.lr_scheduler {
        concerns.extend(interplay(spec, &times));
    }
    if spec.early_stopping && times.stop >= times.epochs {
        concerns.push(too_long(spec, &times, "early stopping cannot end the run early", "patience"));
    }
    if spec.lr_scheduler && times.lowered >= times.epochs {
        let effect = "the scheduler can never act: no epoch is left to train at a lower rate";
        concerns.push(too_long(spec, &times, effect, "lr_patience"));
    }
    concerns
}

fn interplay(spec: &RunSpec, times: &Times) -> Option<Concern> {
    let (patience, lr_patience) = (spec.patience, spec.lr_patience);
    let warm = if spec.warmup > 0 { format!(" and `warmup` {}", spec.warmup) } else { String::new() };
    let given = format!("with `patience` {patience} and `lr_patience` {lr_patience}{warm}");
    // Time for a second stall at the lowered rate.
    let more = times.lowered + u64::from(lr_patience);
    let values = [
        ("patience", f64::from(patience)),
        ("lr_patience", f64::from(lr_patience)),
        ("stop_epoch", times.stop as f64),
        ("lowered_epoch", times.lowered as f64),
    ];
    if times.stop < times.lowered {
        let sentence = format!(
            "{given}, early stopping ends a stalled run before the scheduler can lower the rate: the scheduler can never act"
        );
        let advice = format!("give early stopping more patience, such as `patience` {more}");
        Some(Concern::new("early-stopping-precludes-plateau", sentence).of(&values).advise(advice))
    } else if times.stop == times.lowered {
        let sentence = format!(
            "{given}, early stopping ends a stalled run at the very epoch in which the rate is first lowered"
        );
        let advice = format!("give early stopping more patience, such as `patience` {more}");
        Some(Concern::new("plateau-too-late", sentence).of(&values).advise(advice))
    } else {
        None
    }
}

fn too_long(spec: &RunSpec, times: &Times, effect: &str, setting: &'static str) -> Concern {
    let stopping = setting == "patience";
    let (name, value, first) = if stopping {
        ("patience-too-long", spec.patience, times.stop)
    } else {
        ("lr-patience-too-long", spec.lr_patience, times.lowered)
    };
    let when = if stopping { "the earliest stop is after" } else { "the rate is lowered after" };
    let sentence = format!(
        "with `{setting}` {value} and {} {effect} ({when} epoch {first} at the soonest)",
        plural(spec.epochs as usize, "epoch")
    );
    // The largest that leaves half of the epochs to act in.
    let fitting = (spec.epochs.saturating_sub(spec.freeze_epochs).saturating_sub(spec.warmup) / 2).max(1);
    let advice = if fitting < value && first - u64::from(value) + u64::from(fitting) < times.epochs {
        format!("give `{setting}` {fitting}, or more `epochs`")
    } else {
        "give more `epochs`".to_owned()
    };
    let values = [
        (setting, f64::from(value)),
        ("epochs", f64::from(spec.epochs)),
        (if stopping { "stop_epoch" } else { "lowered_epoch" }, first as f64),
    ];
    Concern::new(name, sentence).of(&values).advise(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(change: impl Fn(&mut RunSpec)) -> Vec<&'static str> {
        let mut spec = RunSpec { epochs: 40, ..RunSpec::for_folder() };
        change(&mut spec);
        concerns(&spec).into_iter().map(|concern| concern.name).collect()
    }

    #[test]
    fn the_textbooks_two_patiences_never_lower_the_rate() {
        let both = |spec: &mut RunSpec| (spec.early_stopping, spec.lr_scheduler) = (true, true);
        assert_eq!(names(both), ["early-stopping-precludes-plateau"]);
        let with = |patience| names(|spec| (both(spec), spec.patience = patience).1);
        assert_eq!(with(6), ["plateau-too-late"]);
        assert!(with(7).is_empty());
        // A scheduler that begins to count later acts later.
        assert_eq!(
            names(|spec| (both(spec), (spec.patience, spec.warmup) = (7, 3)).1),
            ["early-stopping-precludes-plateau"]
        );
        assert!(names(|spec| (both(spec), (spec.patience, spec.warmup) = (10, 3)).1).is_empty());
    }

    #[test]
    fn a_patience_as_long_as_the_run_does_nothing() {
        let stop = |patience, epochs| {
            names(|spec| (spec.early_stopping, spec.patience, spec.epochs) = (true, patience, epochs))
        };
        assert!(stop(5, 7).is_empty(), "the sixth epoch can be the last of seven");
        assert_eq!(stop(5, 6), ["patience-too-long"]);
        assert_eq!(stop(50, 6), ["patience-too-long"]);
        let lower = |epochs| names(|spec| (spec.lr_scheduler, spec.epochs) = (true, epochs));
        assert!(lower(8).is_empty(), "lowered after the seventh epoch, for the eighth");
        assert_eq!(lower(7), ["lr-patience-too-long"]);
        let off = names(|spec| (spec.patience, spec.epochs) = (50, 6));
        assert!(off.is_empty(), "early stopping is off");
    }
}

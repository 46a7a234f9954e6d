//! Good trials and the others.

use crate::trial::{Direction, State, Trial};

/// How many of `n` finished trials are good ones.
pub fn good_of(n: usize) -> usize {
    n.div_ceil(10).min(25)
}

/// The `good` best trials and the others, running ones among these, each in the order of their numbers. Those that were
/// trained to the end come before pruned ones, and of these those that came farther.
pub fn split<'a>(
    trials: &[&'a Trial],
    direction: Direction,
    good: usize,
) -> (Vec<&'a Trial>, Vec<&'a Trial>) {
    let of = |state| trials.iter().copied().filter(move |trial| trial.state == state);
    let mut complete: Vec<&Trial> = of(State::Complete).collect();
    complete.sort_by(|a, b| cost(a, direction).total_cmp(&cost(b, direction)));
    let mut pruned: Vec<&Trial> = of(State::Pruned).collect();
    pruned.sort_by(|a, b| {
        progress(a).cmp(&progress(b)).then(last(a, direction).total_cmp(&last(b, direction)))
    });
    let mut ranked = complete;
    ranked.extend(pruned);
    let mut others = ranked.split_off(good.min(ranked.len()));
    others.extend(of(State::Running));
    ranked.sort_by_key(|trial| trial.number);
    others.sort_by_key(|trial| trial.number);
    (ranked, others)
}

fn cost(trial: &Trial, direction: Direction) -> f64 {
    // -0 and 0 are equal.
    trial.value.map_or(f64::INFINITY, |value| direction.cost(value) + 0.0)
}

/// Less is farther; without any report, last of all.
fn progress(trial: &Trial) -> i64 {
    trial.last_step().map_or(1, |step| -step)
}

fn last(trial: &Trial, direction: Direction) -> f64 {
    let Some((_, value)) = trial.reports.last_key_value() else { return 0.0 };
    if value.is_nan() { f64::INFINITY } else { direction.cost(*value) + 0.0 }
}

//! Good trials and the others.

use crate::trial::{Direction, State, Trial};

/// How many of `n` finished trials are good ones.
pub fn good_of(n: usize) -> usize {
    n.div_ceil(10).min(25)
}

/// Which are the `good` best trials, and which the others, running ones among these, each in the order of their numbers. Those
/// that were trained to the end come before pruned ones, and of these those that came farther.
pub fn split(trials: &[&Trial], direction: Direction, good: usize) -> [Vec<usize>; 2] {
    let rank = |trial: &Trial| match trial.state {
        State::Complete => Some((0, 0, ordered(cost(trial, direction)))),
        State::Pruned => Some((1, progress(trial), ordered(last(trial, direction)))),
        _ => None,
    };
    // Where two are equal, the earlier one is better.
    let mut ranked: Vec<_> =
        trials.iter().enumerate().filter_map(|(place, trial)| Some((rank(trial)?, place))).collect();
    let good = good.min(ranked.len());
    if good < ranked.len() {
        ranked.select_nth_unstable(good);
    }
    let mut is_good = vec![false; trials.len()];
    ranked[..good].iter().for_each(|(_, place)| is_good[*place] = true);
    [true, false].map(|wanted| {
        let mut places: Vec<usize> = (0..trials.len()).filter(|place| is_good[*place] == wanted).collect();
        places.sort_by_key(|place| trials[*place].number);
        places
    })
}

/// An integer that is in the same order as the number, as `total_cmp` has it.
pub fn ordered(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_in_the_order_of_numbers() {
        let numbers =
            [-f64::NAN, f64::NEG_INFINITY, -1.5, -1e-300, -0.0, 0.0, 1e-300, 1.5, f64::INFINITY, f64::NAN];
        assert!(numbers.is_sorted_by(|a, b| ordered(*a) < ordered(*b)), "{:?}", numbers.map(ordered));
    }
}

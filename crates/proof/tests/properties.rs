//! What must hold for any numbers.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use proptest::prelude::*;
use wellfit_policy::Mode;
use wellfit_proof::{
    Boundary, Crossed, Flips, Paired, contrast_arms, contrasts, correlation, e_value, equivalent, holm,
    judged_by_halves, more_pairs, pairs_needed, power, sign_flip_p,
};
use wellfit_rng::{Rng, Stream};

/// Differences of a few points, some of them equal or zero.
fn differences() -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![3 => -0.2..0.2_f64, 1 => (-5..5_i32).prop_map(|points| f64::from(points) / 100.0)];
    prop::collection::vec(one, 3..14)
}

fn paired(values: &[f64]) -> Paired {
    Paired::new(values.to_vec()).unwrap()
}

/// Equal up to rounding, relative to `scale`.
fn near(a: f64, b: f64, scale: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * scale.abs()
}

/// What is said of differences that does not depend on their unit: p-values, e-value, t.
fn unitless(paired: &Paired) -> [f64; 4] {
    [sign_flip_p(paired), paired.t_p(), e_value(paired), paired.t().abs()]
}

/// A mean that is zero in one unit is rounding in another.
fn same(a: &Paired, b: &Paired) -> bool {
    unitless(a).into_iter().zip(unitless(b)).all(|(x, y)| near(x, y, x.abs().max(y.abs()).max(1e-3)))
}

proptest! {
    #[test]
    fn sides_are_alike(values in differences()) {
        let minus: Vec<f64> = values.iter().map(|value| -value).collect();
        let (plus, minus) = (paired(&values), paired(&minus));
        prop_assert_eq!(unitless(&plus), unitless(&minus));
        for boundary in [Boundary::Fixed, Boundary::Anytime] {
            let (up, down) = (boundary.interval(&plus, 0.05), boundary.interval(&minus, 0.05));
            prop_assert_eq!((up.low, up.high), (-down.high, -down.low));
        }
        prop_assert_eq!(plus.seeds().above, minus.seeds().below);
        prop_assert_eq!(plus.seeds().tied, minus.seeds().tied);
    }

    #[test]
    fn the_unit_does_not_matter(values in differences(), factor in 1e-6..1e6_f64) {
        let one = paired(&values);
        let scaled: Vec<f64> = values.iter().map(|value| value * factor).collect();
        let other = paired(&scaled);
        prop_assert!(same(&one, &other), "{:?} {:?}", unitless(&one), unitless(&other));
        let (a, b) = (one.t_interval(0.05), other.t_interval(0.05));
        let width = b.high - b.low + other.mean().abs();
        prop_assert!(near(a.low * factor, b.low, width) && near(a.high * factor, b.high, width));
        prop_assert_eq!(more_pairs(&one, 0.05, 0.05), more_pairs(&other, 0.05 * factor, 0.05));
    }

    #[test]
    fn what_is_added_moves_the_interval(values in differences(), shift in -1.0..1.0_f64) {
        let moved: Vec<f64> = values.iter().map(|value| value + shift).collect();
        for boundary in [Boundary::Fixed, Boundary::Anytime] {
            let (a, b) = (boundary.interval(&paired(&values), 0.05), boundary.interval(&paired(&moved), 0.05));
            prop_assert!(near(a.low + shift, b.low, 1.0) && near(a.high + shift, b.high, 1.0), "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_order_does_not_matter(values in differences(), turn in 0..13_usize) {
        let mut other = values.clone();
        other.rotate_left(turn % values.len());
        other.swap(0, 1);
        let (a, b) = (paired(&values), paired(&other));
        prop_assert_eq!(sign_flip_p(&a), sign_flip_p(&b));
        prop_assert!(same(&a, &b));
        prop_assert_eq!(a.seeds(), b.seeds());
    }

    #[test]
    fn a_smaller_alpha_asks_for_more(values in differences(), a in 0.001..0.4_f64, b in 0.001..0.4_f64) {
        let (strict, lax) = (a.min(b), a.max(b));
        let pairs = paired(&values);
        for boundary in [Boundary::Fixed, Boundary::Anytime] {
            prop_assert!(boundary.critical(pairs.count(), strict) >= boundary.critical(pairs.count(), lax));
            let (wide, narrow) = (boundary.interval(&pairs, strict), boundary.interval(&pairs, lax));
            prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
            prop_assert!(!equivalent(&pairs, boundary, 0.05, strict) || equivalent(&pairs, boundary, 0.05, lax));
            prop_assert!(power(boundary, pairs.count(), 1.0, strict) <= power(boundary, pairs.count(), 1.0, lax) + 1e-9);
        }
    }

    /// The interval excludes 0 where the test finds something, for both kinds.
    #[test]
    fn intervals_and_tests_agree(values in differences(), alpha in 0.001..0.4_f64) {
        let pairs = paired(&values);
        let excludes = |boundary: Boundary| {
            let interval = boundary.interval(&pairs, alpha);
            interval.low > 0.0 || interval.high < 0.0
        };
        let clear = |value: f64, bound: f64| (value / bound - 1.0).abs() > 1e-9;
        if clear(pairs.t_p(), alpha) {
            prop_assert_eq!(excludes(Boundary::Fixed), pairs.t_p() < alpha);
        }
        if clear(e_value(&pairs), 1.0 / alpha) {
            prop_assert_eq!(excludes(Boundary::Anytime), e_value(&pairs) > 1.0 / alpha);
        }
    }

    /// One may look at any time at the price of a longer interval.
    #[test]
    fn looking_at_any_time_costs(pairs in 2..60_usize, alpha in 0.001..0.2_f64) {
        prop_assert!(Boundary::Anytime.critical(pairs, alpha) > Boundary::Fixed.critical(pairs, alpha));
    }

    #[test]
    fn signs_have_a_least_p(values in differences()) {
        let p = sign_flip_p(&paired(&values));
        prop_assert!((2.0_f64.powi(1 - values.len() as i32)..=1.0).contains(&p));
    }

    /// Counted by hand, one way to sign them after the other.
    #[test]
    fn all_signs_are_counted(points in prop::collection::vec(-9..10_i32, 1..10)) {
        let seen = points.iter().sum::<i32>().abs();
        let ways = 1_u32 << points.len();
        let sum = |way: u32| -> i32 {
            points.iter().enumerate().map(|(at, value)| if way >> at & 1 == 1 { -value } else { *value }).sum()
        };
        let reached = (0..ways).filter(|&way| sum(way).abs() >= seen).count();
        let values: Vec<f64> = points.iter().map(|&value| f64::from(value) / 7.0).collect();
        prop_assert_eq!(sign_flip_p(&paired(&values)), reached as f64 / f64::from(ways));
    }

    #[test]
    fn holm_adjusts_upwards_and_in_order(p in prop::collection::vec(0.0..1.0_f64, 1..8)) {
        let adjusted = holm(&p);
        for (one, up) in p.iter().zip(&adjusted) {
            prop_assert!(one <= up && *up <= 1.0);
            for (other, other_up) in p.iter().zip(&adjusted) {
                prop_assert!(one > other || up <= other_up);
            }
        }
        let mut backwards = p.clone();
        backwards.reverse();
        let mut again = holm(&backwards);
        again.reverse();
        prop_assert_eq!(again, adjusted);
    }

    #[test]
    fn new_images_never_shorten_the_interval(rows in prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, 7), 2..6), shift in -1.0..1.0_f64) {
        let crossed = Crossed::new(&rows).unwrap();
        let means = |rows: &[Vec<f64>]| rows.iter().map(|row| row.iter().sum::<f64>() / 7.0).collect::<Vec<_>>();
        let seeds = paired(&means(&rows));
        prop_assert!(near(crossed.mean, seeds.mean(), 1.0));
        prop_assert!(crossed.variance >= seeds.standard_error().powi(2) * (1.0 - 1e-9));
        // Seeds and images play the same part.
        let turned: Vec<Vec<f64>> = (0..7).map(|image| rows.iter().map(|row| row[image]).collect()).collect();
        let turned = Crossed::new(&turned).unwrap();
        prop_assert!(near(turned.variance, crossed.variance, crossed.variance));
        prop_assert!(near(turned.freedom, crossed.freedom, crossed.freedom));
        let moved: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|value| value + shift).collect()).collect();
        let moved = Crossed::new(&moved).unwrap();
        prop_assert!(near(moved.variance, crossed.variance, 1.0) && near(moved.mean, crossed.mean + shift, 1.0));
    }

    #[test]
    fn fixed_and_broken_are_alike(fixed in 0..500_u64, broken in 0..500_u64) {
        let p = Flips { fixed, broken }.p();
        prop_assert_eq!(p, Flips { fixed: broken, broken: fixed }.p());
        prop_assert!((0.0..=1.0).contains(&p));
        prop_assert!(fixed != broken || p == 1.0);
    }

    #[test]
    fn effects_that_add_up_do_not_interact(effects in prop::collection::vec(-1.0..1.0_f64, 1..6), base in -1.0..1.0_f64) {
        let cell = |cell: usize| base + effects.iter().enumerate().filter(|(at, _)| cell >> at & 1 == 1).map(|(_, effect)| effect).sum::<f64>();
        let cells: Vec<f64> = (0..1 << effects.len()).map(cell).collect();
        for (contrast, found) in contrasts(&cells).unwrap().into_iter().enumerate().skip(1) {
            let expected = if contrast.is_power_of_two() { effects[contrast.trailing_zeros() as usize] } else { 0.0 };
            prop_assert!((found - expected).abs() < 1e-12, "{contrast}: {found}, not {expected}");
            let (off, on) = contrast_arms(&cells, contrast).unwrap().unwrap();
            prop_assert!((on - off - found).abs() < 1e-12);
        }
    }

    #[test]
    fn the_number_of_pairs_is_the_least(effect in 0.1..4.0_f64, alpha in 0.001..0.3_f64) {
        for boundary in [Boundary::Fixed, Boundary::Anytime] {
            let pairs = pairs_needed(boundary, effect, alpha).unwrap();
            prop_assert!(power(boundary, pairs, effect, alpha) >= 0.8);
            prop_assert!(power(boundary, pairs - 1, effect, alpha) < 0.8, "{pairs}");
        }
    }
}

/// Above the number of pairs that is counted, drawn signs come to the same within five standard errors.
#[test]
fn drawn_signs_agree_with_counted_ones() {
    // Irregular, so that no two sums are equal and a tiny difference more changes nothing.
    let mut values: Vec<f64> = (0..32).map(|at| (f64::from(at).sqrt() * 7.31).fract() - 0.4).collect();
    let counted = sign_flip_p(&paired(&values));
    values.push(1e-6);
    let drawn = sign_flip_p(&paired(&values));
    assert_ne!(drawn, counted);
    assert!((drawn - counted).abs() < 5.0 * (counted * (1.0 - counted) / 1e5).sqrt(), "{drawn} {counted}");
    assert_eq!(drawn, sign_flip_p(&paired(&values)), "the same draws each time");
}

#[test]
fn the_best_epoch_is_judged_by_the_other_half() {
    // The even images prefer the first epoch, the odd ones the second.
    let epochs = [[1.0, 0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.5, 1.0, 0.0]];
    let judged = |mode| judged_by_halves(&epochs, mode).unwrap();
    assert_eq!(judged(Mode::Max), [0.0, 0.0, 0.5, 0.0, 0.0]);
    assert_eq!(judged(Mode::Min), [1.0, 1.0, 1.0, 1.0, 1.0]);
    // Of pure luck nothing is left, while the best epoch seems to be better than a coin.
    let luck: Vec<Vec<f64>> = (0..50)
        .map(|epoch| {
            let mut rng = Rng::new(1, Stream::Noise, epoch, 0);
            (0..400).map(|_| f64::from(u8::from(rng.coin()))).collect()
        })
        .collect();
    let share = |values: &[f64]| values.iter().sum::<f64>() / 400.0;
    let best = luck.iter().map(|values| share(values)).fold(0.0, f64::max);
    let honest = share(&judged_by_halves(&luck, Mode::Max).unwrap());
    assert!(best > 0.54 && (honest - 0.5).abs() < 0.075, "{best} {honest}");
    // A single epoch is what it is.
    assert_eq!(judged_by_halves(&luck[..1], Mode::Max).unwrap(), luck[0]);
    assert!(judged_by_halves(&[vec![1.0, 2.0], vec![1.0]], Mode::Max).is_err());
    assert!(judged_by_halves::<Vec<f64>>(&[], Mode::Max).is_err());
}

#[test]
fn ends_are_no_accidents() {
    let one = paired(&[0.3]);
    assert_eq!((one.t(), one.t_p(), e_value(&one)), (0.0, 1.0, 1.0));
    assert_eq!(one.t_interval(0.05).high, f64::INFINITY);
    let equal = paired(&[0.1; 6]);
    assert_eq!((equal.mean(), equal.deviation(), equal.t_p(), sign_flip_p(&equal)), (0.1, 0.0, 0.0, 0.03125));
    assert_eq!(e_value(&equal), 25.0_f64.powf(2.5));
    assert_eq!((equal.t_interval(0.05).low, equal.t_interval(0.05).high), (0.1, 0.1));
    let none = paired(&[0.0; 6]);
    assert_eq!((none.t(), none.t_p(), sign_flip_p(&none)), (0.0, 1.0, 1.0));
    assert!(e_value(&none) < 1.0);
    let huge = paired(&[1e300, 2e300, 1.5e300]);
    assert_eq!(sign_flip_p(&huge), 0.25);
    assert_eq!(correlation(&[1.0, 1.0], &[0.0, 1.0]), None);
    assert_eq!(correlation(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), Some(1.0));
    for (result, message) in [
        (Paired::new(vec![]), "differences: there are no pairs yet"),
        (
            Paired::of_arms(&[0.5, f64::NAN], &[0.5, 0.5]),
            "the baseline's result of pair 2 is NaN: a trial needs a number from every run (did this one diverge?)",
        ),
        (Paired::of_arms(&[0.5], &[]), "results of the treated arm: expected 1 values, found 0"),
    ] {
        assert_eq!(result.unwrap_err().to_string(), message);
    }
    assert!(Crossed::new(&[vec![1.0, 2.0], vec![1.0]]).is_err());
    assert!(Crossed::new(&[vec![1.0, 2.0]]).is_err());
    assert!(contrasts(&[1.0, 2.0, 3.0]).is_err());
}

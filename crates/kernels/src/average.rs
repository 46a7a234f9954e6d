//! Moving a running average of weights towards the weights as they are now.

use crate::elementwise::BLOCK;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::vectorized;

/// `average` ← `average` + `share` · (`current` − `average`), as `torch.lerp`: from the nearer end, so that a share of 1
/// gives `current` to the bit.
///
/// # Panics
/// When `current` is shorter.
pub fn move_towards(average: &mut [f32], current: &[f32], share: f32) {
    row_blocks(average, 1, BLOCK, |first, part| {
        let current = &current[first..first + part.len()];
        if share < 0.5 {
            from_average(part, current, share);
        } else {
            from_current(part, current, 1.0 - share);
        }
    });
}

vectorized! {
    fn from_average(average: &mut [f32], current: &[f32], share: f32) {
        for (average, &current) in average.iter_mut().zip(current) {
            *average += share * (current - *average);
        }
    }
}

vectorized! {
    fn from_current(average: &mut [f32], current: &[f32], rest: f32) {
        for (average, &current) in average.iter_mut().zip(current) {
            *average = current - rest * (current - *average);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_the_share_of_the_way_in_every_place() {
        // Longer than a block, and no multiple of a vector.
        let from: Vec<f32> = (0..2 * BLOCK + 5).map(|place| place as f32).collect();
        let to: Vec<f32> = from.iter().map(|x| 3.0 * x - 7.0).collect();
        for share in [0.0_f32, 0.001, 0.3, 0.5, 0.9, 1.0] {
            let mut average = from.clone();
            move_towards(&mut average, &to, share);
            for ((&found, &from), &to) in average.iter().zip(&from).zip(&to) {
                let expected = f64::from(from) + f64::from(share) * (f64::from(to) - f64::from(from));
                // Three roundings of numbers that are no larger than the larger end.
                let bound = 2e-7 * f64::from(from.abs().max(to.abs())) + 1e-12;
                assert!((f64::from(found) - expected).abs() <= bound, "{share}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn all_the_way_is_a_copy() {
        let (mut average, current) = ([1e30_f32, -2.0, 0.0], [1e-30_f32, 3.0, -0.0]);
        move_towards(&mut average, &current, 1.0);
        assert_eq!(average, current);
    }
}

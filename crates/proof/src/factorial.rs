//! Several switches at once, all 2ᵏ ways to set them: main effects and interactions from the same runs.

use crate::error::{ProofError, require_finite};

/// The most switches: 2⁶ runs a seed.
pub const MOST_FACTORS: usize = 6;

/// The contrasts of one seed from its 2ᵏ results (Yates 1937; Fisher 1935, chapter VI). Cell and contrast are numbered alike: bit
/// j is switch j. `results[0b101]` has the switches 0 and 2 on. Contrast `0b001` is the main effect of switch 0, the mean with it
/// minus the mean without it; `0b011` the interaction of 0 and 1, half of what 0 does more with 1 on than with 1 off; contrast 0
/// is the mean of all. Each is the sum of the cells, signed, over 2ᵏ⁻¹ (over 2ᵏ for the mean).
///
/// Over the seeds, each contrast is a list of differences like any other ([`Paired`](crate::Paired)). Which ones are judged
/// is declared beforehand; their number is the k of [`holm`](crate::holm).
///
/// # Errors
/// If the number of results is not 2ᵏ with 1 ≤ k ≤ [`MOST_FACTORS`], or one is not finite.
pub fn contrasts(results: &[f64]) -> Result<Vec<f64>, ProofError> {
    let cells = results.len();
    if !cells.is_power_of_two() || !(2..=1 << MOST_FACTORS).contains(&cells) {
        return Err(ProofError::Length {
            what: format!("results of a factorial seed (a power of two, 2 to {})", 1 << MOST_FACTORS),
            expected: cells.next_power_of_two().clamp(2, 1 << MOST_FACTORS),
            found: cells,
        });
    }
    require_finite("the result of cell", results)?;
    // Yates's algorithm: one switch after the other, sums in front and differences behind.
    let mut values = results.to_vec();
    let mut step = 1;
    while step < cells {
        for block in values.chunks_mut(2 * step) {
            let (off, on) = block.split_at_mut(step);
            for (off, on) in off.iter_mut().zip(on) {
                (*off, *on) = (*off + *on, *on - *off);
            }
        }
        step *= 2;
    }
    let half = cells as f64 / 2.0;
    let share = |(contrast, sum): (usize, f64)| if contrast == 0 { sum / cells as f64 } else { sum / half };
    Ok(values.into_iter().enumerate().map(share).collect())
}

/// The two arms of a contrast, numbered as in [`contrasts`], as of any pair: the mean of the cells that it takes off and of those
/// that it adds, so that their difference is the contrast. None for contrast 0, or one that there is not.
///
/// # Errors
/// As [`contrasts`].
pub fn contrast_arms(results: &[f64], contrast: usize) -> Result<Option<(f64, f64)>, ProofError> {
    let values = contrasts(results)?;
    let Some(difference) = values.get(contrast).filter(|_| contrast != 0) else { return Ok(None) };
    // Both halves have as many cells: their middle is the mean of all.
    Ok(Some((values[0] - difference / 2.0, values[0] + difference / 2.0)))
}

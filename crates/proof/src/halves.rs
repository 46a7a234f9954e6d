//! The best epoch, judged on images that did not choose it.

use crate::error::{ProofError, require_finite};
use wellfit_policy::Mode;

/// What a run with the best epoch's weights is worth, image by image: the epoch that is best on the images at even places is
/// judged on those at odd places, and the other way round. The mean of the answer is the run's result.
///
/// The best of many epochs is partly luck on the very images that chose it, more so the more epochs there are: a technique
/// that only trains longer would win by that alone. Judged on other images the luck is gone (cross-fitting; Cawley & Talbot
/// 2010, JMLR 11, on the bias of selection).
///
/// `epochs[epoch][image]` is the metric on one image, such as 1 where the answer is right. Of equally good epochs the first
/// is taken.
///
/// # Errors
/// If there is no epoch, there are fewer than two images, epochs have not the same images, or a value is not finite.
pub fn judged_by_halves<R: AsRef<[f64]>>(epochs: &[R], mode: Mode) -> Result<Vec<f64>, ProofError> {
    let Some(first) = epochs.first() else {
        return Err(ProofError::Length { what: "epochs of a run".to_owned(), expected: 1, found: 0 });
    };
    let images = first.as_ref().len();
    if images < 2 {
        return Err(ProofError::Length { what: "images of an epoch".to_owned(), expected: 2, found: images });
    }
    for (epoch, values) in epochs.iter().map(AsRef::as_ref).enumerate() {
        if values.len() != images {
            let what = format!("images of epoch {}", epoch + 1);
            return Err(ProofError::Length { what, expected: images, found: values.len() });
        }
        require_finite(&format!("epoch {}: image", epoch + 1), values)?;
    }
    let sum = |epoch: &R, half: usize| epoch.as_ref().iter().skip(half).step_by(2).sum::<f64>();
    let chosen_on = |half: usize| {
        let better = |best: usize, next: usize| {
            if mode.is_better(sum(&epochs[next], half), sum(&epochs[best], half)) { next } else { best }
        };
        (1..epochs.len()).fold(0, better)
    };
    let chosen = [chosen_on(0), chosen_on(1)];
    Ok((0..images).map(|image| epochs[chosen[1 - image % 2]].as_ref()[image]).collect())
}

//! Means of probabilities.

use wellfit_policy::classification::log_softmax;

/// The logarithms of the mean of the probabilities of some rows of outputs. They are added as logarithms, so that small
/// ones stay numbers.
pub(super) fn mean_of_probabilities(rows: &[&[f32]]) -> Vec<f32> {
    let logs: Vec<Vec<f64>> = rows.iter().map(|row| log_softmax(row, 1.0)).collect();
    let mean = |class: usize| {
        let largest = logs.iter().map(|row| row[class]).fold(f64::NEG_INFINITY, f64::max);
        if !largest.is_finite() {
            return largest;
        }
        let sum: f64 = logs.iter().map(|row| (row[class] - largest).exp()).sum();
        largest + (sum / logs.len() as f64).ln()
    };
    (0..logs.first().map_or(0, Vec::len)).map(|class| mean(class) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_averaged() {
        let logs = |shares: [f32; 2]| shares.map(f32::ln);
        let (one, other) = (logs([0.25, 0.75]), logs([0.75, 0.25]));
        let mean = mean_of_probabilities(&[&one, &other]);
        assert!(mean.iter().all(|log| (log.exp() - 0.5).abs() < 1e-6), "{mean:?}");
        let mean = mean_of_probabilities(&[&one, &other, &logs([0.8, 0.2])]);
        assert!((mean[0].exp() - 0.6).abs() < 1e-6, "{mean:?}");
        // Far too small for a probability, but a number.
        let mean = mean_of_probabilities(&[&[0.0, -800.0], &[0.0, -900.0]]);
        assert!(mean[0].abs() < 1e-6 && (mean[1] + 800.0 + 2.0_f32.ln()).abs() < 1e-3, "{mean:?}");
    }
}

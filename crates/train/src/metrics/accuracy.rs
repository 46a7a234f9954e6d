//! The share of right answers.

use super::Scored;
use wellfit_kernels::loss::argmax;

/// The number of samples whose largest output is that of their class.
pub(super) fn sum(batch: &Scored<'_>) -> f64 {
    let right = batch.rows().zip(batch.labels).filter(|(row, label)| argmax(row) == **label as usize);
    right.count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_kernels::loss::CrossEntropy;

    #[test]
    fn it_counts_as_the_loss_does() {
        let outputs = [0.1, 0.9, 0.0, f32::NAN, 2.0, 1.0, 3.0, 3.0, 1.0, 0.0, 0.0, 5.0];
        let labels = [1, 1, 0, 2];
        let loss = CrossEntropy::default().loss(&outputs, &labels, 3);
        assert_eq!(sum(&Scored { outputs: &outputs, labels: &labels, loss: &loss }), 3.0);
        assert_eq!(loss.correct, 3);
    }
}

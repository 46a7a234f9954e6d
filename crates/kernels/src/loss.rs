//! Losses with their gradients.

use wellfit_simd::Buffer;

/// A batch's loss, what it was averaged over, and its gradient.
#[derive(Debug)]
pub struct Loss {
    /// The mean loss of the batch, as torch's `reduction="mean"`.
    pub value: f64,
    /// Rows whose largest output is at the label (for classification).
    pub correct: usize,
    /// The gradient of the mean loss, same shape as the outputs.
    pub gradient: Buffer,
}

/// Softmax cross-entropy, as `torch.nn.CrossEntropyLoss`.
///
/// With class weights w, smoothing ε and K classes, sample i with label y has the target
/// a_c = (1 − ε)·w_y·[c = y] + ε·w_c/K and the loss −Σ_c a_c·log p_c; the mean divides by Σ_i w_{y_i}.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrossEntropy {
    /// ε in [0, 1): the share of the target spread over all classes.
    pub label_smoothing: f32,
    /// One weight a class; all 1 when empty.
    pub class_weights: Vec<f32>,
    /// γ of the focal loss (Lin et al. 2017, arXiv:1708.02002), in its softmax form: each term −a_c·log p_c is
    /// multiplied by (1 − p_c)^γ. 0 is cross-entropy.
    pub focal_gamma: f32,
}

impl CrossEntropy {
    /// The loss of `logits` `[N, classes]` for `labels` `[N]`.
    ///
    /// # Panics
    /// When a label is not below `classes`.
    #[must_use]
    pub fn loss(&self, logits: &[f32], labels: &[u32], classes: usize) -> Loss {
        let weight = |class: usize| self.class_weights.get(class).map_or(1.0, |&w| f64::from(w));
        let total: f64 = labels.iter().map(|&y| weight(y as usize)).sum();
        let epsilon = f64::from(self.label_smoothing);
        let mut gradient = Buffer::scratch(logits.len());
        let (mut value, mut correct) = (0.0, 0);
        let mut powers = vec![0.0; classes];
        let rows = logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes));
        for ((row, gradient), &label) in rows.zip(labels) {
            let label = label as usize;
            assert!(label < classes, "label {label} of {classes} classes");
            correct += usize::from(argmax(row) == label);
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            powers.iter_mut().zip(row).for_each(|(power, &x)| *power = libm::exp(f64::from(x - largest)));
            let sum: f64 = powers.iter().sum();
            let log_sum = libm::log(sum);
            let target = |class: usize| {
                let own = if class == label { (1.0 - epsilon) * weight(label) } else { 0.0 };
                own + epsilon * weight(class) / classes as f64
            };
            if self.focal_gamma > 0.0 {
                let log = |class: usize| f64::from(row[class] - largest) - log_sum;
                value += self.focal((target, log, total), gradient);
                continue;
            }
            let mass: f64 = (0..classes).map(target).sum();
            for (class, (&x, gradient)) in row.iter().zip(gradient).enumerate() {
                let a = target(class);
                if a != 0.0 {
                    value -= a * (f64::from(x - largest) - log_sum) / total;
                }
                *gradient = ((mass * powers[class] / sum - a) / total) as f32;
            }
        }
        Loss { value, correct, gradient }
    }

    /// The sum of the weights of the samples, which the mean divides by.
    #[must_use]
    pub fn total(&self, labels: &[u32]) -> f64 {
        let weight = |&y: &u32| self.class_weights.get(y as usize).map_or(1.0, |&w| f64::from(w));
        labels.iter().map(weight).sum()
    }

    /// The focal loss of one sample, divided by `total`, from its target and log p; its gradient is written.
    ///
    /// With q = 1 − p, d(−q^γ·log p)/dz_j = (γ·p·q^γ·log p/q − q^γ)·([c = j] − p_j).
    fn focal(
        &self,
        (target, log, total): (impl Fn(usize) -> f64, impl Fn(usize) -> f64, f64),
        gradient: &mut [f32],
    ) -> f64 {
        let gamma = f64::from(self.focal_gamma);
        // Not 1 − exp(log p), which loses all digits of a small q.
        let q = |class: usize| -libm::expm1(log(class));
        let slope = |class: usize| {
            let (a, log_p, q) = (target(class), log(class), q(class));
            if a == 0.0 || q <= 0.0 {
                0.0
            } else {
                a * libm::pow(q, gamma) * (gamma * libm::exp(log_p) * log_p / q - 1.0)
            }
        };
        let classes = gradient.len();
        let slopes: f64 = (0..classes).map(&slope).sum();
        let mut value = 0.0;
        for (class, gradient) in gradient.iter_mut().enumerate() {
            let a = target(class);
            if a != 0.0 {
                value -= a * libm::pow(q(class).max(0.0), gamma) * log(class) / total;
            }
            *gradient = ((slope(class) - libm::exp(log(class)) * slopes) / total) as f32;
        }
        value
    }
}

/// The plain cross-entropy of one row of logits: the negative logarithm of the label's softmax.
#[must_use]
pub fn cross_entropy(row: &[f32], label: u32) -> f64 {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&x| libm::exp(f64::from(x - largest))).sum();
    libm::log(sum) - f64::from(row[label as usize] - largest)
}

/// The place of the largest value, the first of equal ones (as `torch.max`); a NaN counts as largest.
#[must_use]
pub fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (place, &x) in row.iter().enumerate() {
        if x > row[best] || (x.is_nan() && !row[best].is_nan()) {
            best = place;
        }
    }
    best
}

/// Softmax of one row of logits.
#[must_use]
pub fn softmax(row: &[f32]) -> Vec<f32> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&x| libm::exp(f64::from(x - largest))).sum();
    row.iter().map(|&x| (libm::exp(f64::from(x - largest)) / sum) as f32).collect()
}

/// Mean squared error over all elements, as `torch.nn.MSELoss`.
#[must_use]
pub fn mean_squared_error(outputs: &[f32], targets: &[f32]) -> Loss {
    let n = outputs.len() as f64;
    let mut gradient = Buffer::scratch(outputs.len());
    let mut value = 0.0;
    for ((&y, &t), gradient) in outputs.iter().zip(targets).zip(gradient.iter_mut()) {
        let difference = f64::from(y) - f64::from(t);
        value += difference * difference / n;
        *gradient = (2.0 * difference / n) as f32;
    }
    Loss { value, correct: 0, gradient }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `parity/losses.py`: torch 2.15's autograd in double precision.
    #[test]
    fn the_focal_loss_is_torchs() {
        let logits = [1.0, -0.5, 0.25, 0.5, 2.0, -1.0, -3.0, 8.0, 0.0];
        let gradients = [
            [-0.057939581, 0.018588252, 0.039351329, 0.007435751, -0.009094891, 0.00165914, 0.0, 0.0, 0.0],
            [
                -0.120814444,
                0.038759847,
                0.082054597,
                0.039016334,
                -0.047722055,
                0.008705721,
                1.57e-7,
                -3.302e-6,
                3.146e-6,
            ],
            [
                -0.020837609,
                -0.003235568,
                0.024073178,
                0.00250234,
                -0.000931545,
                -0.001570796,
                -0.006668726,
                0.010014344,
                -0.003345618,
            ],
        ];
        let cases = [
            (2.0, vec![], 0.0, 0.033311031),
            (0.5, vec![], 0.0, 0.149965142),
            (2.0, vec![1.0, 2.0, 0.5], 0.1, 0.161187357),
        ];
        for ((focal_gamma, class_weights, label_smoothing, value), gradient) in
            cases.into_iter().zip(gradients)
        {
            let loss =
                CrossEntropy { label_smoothing, class_weights, focal_gamma }.loss(&logits, &[0, 1, 1], 3);
            assert!((loss.value - value).abs() < 1e-8, "{focal_gamma}: {} {value}", loss.value);
            for (got, want) in loss.gradient.iter().zip(gradient) {
                // The label smoothing is a float of 32 bits: 0.1 has an error of 1e-9 there.
                assert!((f64::from(*got) - want).abs() < 5e-9, "{focal_gamma}: {got} {want}");
            }
        }
    }

    #[test]
    fn the_plain_cross_entropy_of_rows_is_that_of_the_loss() {
        let (logits, labels) = ([1.0, -0.5, 0.25, 0.5, 2.0, -1.0], [2, 1]);
        let mean =
            logits.chunks(3).zip(labels).map(|(row, label)| cross_entropy(row, label)).sum::<f64>() / 2.0;
        let loss = CrossEntropy::default().loss(&logits, &labels, 3).value;
        assert!((mean - loss).abs() < 1e-15, "{mean} {loss}");
    }

    #[test]
    fn a_certain_answer_has_no_focal_loss_and_its_gradient_is_a_number() {
        for focal_gamma in [0.5, 1.0, 2.0] {
            let loss = CrossEntropy { focal_gamma, ..CrossEntropy::default() };
            let right = loss.loss(&[1000.0, 0.0], &[0], 2);
            let wrong = loss.loss(&[1000.0, 0.0], &[1], 2);
            assert!(right.value == 0.0 && right.gradient.iter().all(|g| *g == 0.0));
            assert!(
                (wrong.value - 1000.0).abs() < 1e-9 && (wrong.gradient[0] - 1.0).abs() < 1e-6,
                "{wrong:?}"
            );
        }
    }
}

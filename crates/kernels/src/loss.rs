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
            powers.iter_mut().zip(row).for_each(|(power, &x)| *power = f64::from(x - largest).exp());
            let sum: f64 = powers.iter().sum();
            let log_sum = sum.ln();
            let target = |class: usize| {
                let own = if class == label { (1.0 - epsilon) * weight(label) } else { 0.0 };
                own + epsilon * weight(class) / classes as f64
            };
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
    let sum: f64 = row.iter().map(|&x| f64::from(x - largest).exp()).sum();
    row.iter().map(|&x| (f64::from(x - largest).exp() / sum) as f32).collect()
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

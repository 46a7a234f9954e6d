//! Figures of all answers of a validation pass together.

use wellfit_kernels::loss::argmax;
use wellfit_policy::classification::{Confusion, auc_one_vs_rest, in_top};
use wellfit_record::{Metric, Quantity};

/// The answers of a validation pass, as far as the figures need them that were asked for: with none, nothing is kept or
/// computed.
#[derive(Debug)]
pub(crate) struct Answers<'a> {
    wanted: &'a [Metric],
    outputs: usize,
    confusion: Confusion,
    /// Samples whose class is among the five likeliest, and all.
    top5: (usize, usize),
    /// For the area under the curve, which needs the order of all samples: outputs `[N, classes]`.
    logits: Vec<f32>,
    /// The classes of these, `[N]`.
    labels: Vec<u32>,
}

impl<'a> Answers<'a> {
    /// Nothing yet, of a network with this many outputs.
    pub fn new(wanted: &'a [Metric], outputs: usize) -> Self {
        let (confusion, logits, labels) = (Confusion::new(outputs), Vec::new(), Vec::new());
        Self { wanted, outputs, confusion, top5: (0, 0), logits, labels }
    }

    fn wants(&self, quantities: &[Quantity]) -> bool {
        self.wanted.iter().any(|metric| quantities.contains(&metric.quantity))
    }

    /// Add a batch: outputs `[N, classes]` and the class of each sample.
    pub fn add(&mut self, logits: &[f32], labels: &[u32]) {
        let rows = || logits.chunks_exact(self.outputs.max(1)).zip(labels);
        if self.wants(&[Quantity::MacroF1, Quantity::BalancedAccuracy]) {
            let pairs: Vec<(u32, u32)> = rows().map(|(row, &label)| (label, argmax(row) as u32)).collect();
            pairs.into_iter().for_each(|(label, answer)| self.confusion.add(label, answer));
        }
        if self.wants(&[Quantity::Top5Accuracy]) {
            let hits = rows().filter(|(row, label)| in_top(row, **label, 5)).count();
            self.top5 = (self.top5.0 + hits, self.top5.1 + labels.len());
        }
        if self.wants(&[Quantity::Auc]) {
            self.logits.extend_from_slice(logits);
            self.labels.extend_from_slice(labels);
        }
    }

    /// What was asked for.
    pub fn metrics(&self) -> impl Iterator<Item = (Metric, f64)> {
        self.wanted.iter().filter_map(|&metric| Some((metric, self.value(metric.quantity)?)))
    }

    fn value(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Loss | Quantity::Accuracy => None,
            Quantity::MacroF1 => Some(self.confusion.macro_f1()),
            Quantity::BalancedAccuracy => Some(self.confusion.balanced_accuracy()),
            Quantity::Auc => Some(auc_one_vs_rest(&self.logits, &self.labels, self.outputs)),
            Quantity::Top5Accuracy => Some(self.top5.0 as f64 / self.top5.1 as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_record::Phase;

    #[test]
    fn what_is_asked_for_is_that_of_all_batches_together() {
        let wanted = [Quantity::MacroF1, Quantity::Auc, Quantity::Top5Accuracy, Quantity::BalancedAccuracy]
            .map(|quantity| Metric { phase: Phase::Validate, quantity });
        let (logits, labels) = ([2.0, 1.0, 0.5, 1.5, 3.0, 0.0, 0.1, 0.2], [0, 0, 1, 1]);
        let mut answers = Answers::new(&wanted, 2);
        answers.add(&logits[..2], &labels[..1]);
        answers.add(&logits[2..], &labels[1..]);
        let found: Vec<f64> = answers.metrics().map(|(_, value)| value).collect();
        // Answers 0 1 0 1 to 0 0 1 1; of the four pairs of a 1 and a 0, one is in the right order by z1 − z0.
        assert_eq!(found, [0.5, 0.25, 1.0, 0.5]);
        let mut nothing = Answers::new(&[], 2);
        nothing.add(&logits, &labels);
        assert_eq!((nothing.metrics().count(), nothing.logits.len(), nothing.confusion.samples()), (0, 0, 0));
    }
}

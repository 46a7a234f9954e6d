//! The printed table of layers.

use crate::network::{NORM_EPS, NORM_MOMENTUM, Network, Node, Op};
use std::fmt::Write;

impl Network {
    /// A table of the layers with their settings in torch's words, the shape each gives (channels first,
    /// without the batch) and its parameters; the totals below.
    #[must_use]
    pub fn summary(&self) -> String {
        let rows: Vec<[String; 4]> = self
            .nodes
            .iter()
            .map(|node| {
                let count: usize =
                    self.node_parameters(node).iter().map(|&p| self.parameters[p].value.len()).sum();
                let count = if count == 0 { String::new() } else { thousands(count) };
                [node.name.clone(), self.describe(node), node.shape.to_string(), count]
            })
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let (name, layer, shape, count) = (width(0), width(1), width(2), width(3));
        let mut text = format!("{} for images {}\n", self.name, self.input);
        for [a, b, c, d] in &rows {
            let _ = writeln!(text, "  {a:name$}  {b:layer$}  {c:shape$}  {d:>count$}");
        }
        let _ = writeln!(text, "{} total parameters.", thousands(self.parameter_count()));
        let _ = write!(text, "{} training parameters.", thousands(self.trainable_count()));
        text
    }

    fn describe(&self, node: &Node) -> String {
        let from = self.shape(node.input);
        match &node.op {
            Op::Conv { kernel, stride, padding, .. } => format!(
                "Conv2d({}, {}, kernel_size={kernel}, stride={stride}, padding={padding}, bias=False)",
                from.channels, node.shape.channels
            ),
            Op::Linear { .. } => {
                format!("Linear(in_features={}, out_features={}, bias=True)", from.len(), node.shape.channels)
            }
            Op::BatchNorm { residual, relu, norm, .. } => format!(
                "BatchNorm{}d({}, eps={NORM_EPS:e}, momentum={NORM_MOMENTUM}, affine=True, \
                 track_running_stats=True){}{}{}",
                if from.pixels() == 1 { 1 } else { 2 },
                node.shape.channels,
                if self.norms[*norm].frozen { " frozen" } else { "" },
                if residual.is_some() { " + shortcut" } else { "" },
                if *relu { ", ReLU" } else { "" },
            ),
            Op::Relu => "ReLU()".to_owned(),
            Op::Dropout { p } => format!("Dropout(p={p})"),
            Op::MaxPool { kernel, stride, padding } => {
                format!("MaxPool2d(kernel_size={kernel}, stride={stride}, padding={padding})")
            }
            Op::GlobalAveragePool => "AdaptiveAvgPool2d(output_size=1)".to_owned(),
        }
    }
}

/// 25557032 as `25,557,032`.
#[must_use]
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! The printed table of layers.

use super::{Network, Shape};
use std::fmt::Write;
use wellfit_base::figures;

impl Network {
    /// Three lines of at most 80 columns: what it is for, how large it is, what of it is trained.
    #[must_use]
    pub fn short_summary(&self) -> String {
        let (all, trained) = (self.parameter_count(), self.trainable_count());
        let layers = self.nodes.iter().filter(|node| !node.parameters.is_empty()).count();
        let mib = (size_of::<f32>() * all) as f64 / f64::from(1 << 20);
        let share = match trained {
            _ if trained == all => "All of them are trained".to_owned(),
            0 => "None of them are trained".to_owned(),
            _ => {
                format!("{} of them are trained, the others stay as they are", figures::count(trained as u64))
            }
        };
        let (name, input, outputs) = (&self.name, self.input, self.outputs());
        format!(
            "Network: {name} for inputs {input}, {outputs} outputs\n  {layers} layers with weights, {} parameters \
             ({mib:.1} MiB in f32)\n  {share}",
            figures::count(all as u64)
        )
    }

    /// A table of the layers with their settings in torch's words, the shape each gives (channels first,
    /// without the batch) and its parameters; the totals below.
    #[must_use]
    pub fn summary(&self) -> String {
        let rows: Vec<[String; 4]> = self
            .nodes
            .iter()
            .map(|node| {
                let inputs: Vec<Shape> = node.inputs.iter().map(|&value| self.shape(value)).collect();
                let frozen = if self.norm(node).is_some_and(|norm| norm.frozen) { " frozen" } else { "" };
                let layer = node.op.describe(&inputs, node.shape) + frozen;
                let count: usize = node.parameters.iter().map(|&p| self.parameters[p].count()).sum();
                let count = if count == 0 { String::new() } else { figures::count(count as u64) };
                [node.name.clone(), layer, node.shape.to_string(), count]
            })
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let (name, layer, shape, count) = (width(0), width(1), width(2), width(3));
        let mut text = format!("{} for images {}\n", self.name, self.input);
        for [a, b, c, d] in &rows {
            let _ = writeln!(text, "  {a:name$}  {b:layer$}  {c:shape$}  {d:>count$}");
        }
        let _ = writeln!(text, "{} total parameters.", figures::count(self.parameter_count() as u64));
        let _ = write!(text, "{} training parameters.", figures::count(self.trainable_count() as u64));
        text
    }
}

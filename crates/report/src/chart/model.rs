//! What a chart shows.

use wellfit_base::figures::{loss, percent, short};

/// Curves over epochs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// Its name on the page, such as `loss`.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// How its values are written.
    pub unit: Unit,
    /// The epochs, rising.
    pub epochs: Vec<u32>,
    /// The curves.
    pub lines: Vec<Line>,
    /// What happened at which epoch.
    pub marks: Vec<Mark>,
    /// The place among `epochs` whose values are shown before anybody asks for others.
    pub chosen: usize,
}

/// A curve.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// The class that gives it its colour, such as `train`.
    pub class: String,
    /// Its value at each epoch; none where there is no finite one.
    pub values: Vec<Option<f64>>,
}

/// Something that happened at an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The epoch.
    pub epoch: u32,
    /// What.
    pub kind: MarkKind,
    /// A word or number beside it; empty for none.
    pub label: String,
    /// What happened, as a sentence.
    pub text: String,
}

/// Kinds of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// The epoch whose weights are kept.
    Best,
    /// The learning rate changed by a rule.
    Rate,
    /// From here on something is wrong.
    Finding,
    /// The run was resumed.
    Resumed,
    /// A checkpoint stands.
    Checkpoint,
}

impl MarkKind {
    /// The name of its class on the page.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Rate => "rate",
            Self::Finding => "finding",
            Self::Resumed => "resumed",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// Whether it is a line through the chart; the others are ticks on its lower edge.
    pub const fn is_line(self) -> bool {
        matches!(self, Self::Best | Self::Finding)
    }
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// A share in percent.
    Percent,
    /// A loss.
    #[default]
    Loss,
    /// A learning rate.
    Rate,
}

impl Unit {
    /// Its name for the script.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Loss => "loss",
            Self::Rate => "rate",
        }
    }

    /// A value as it is read off.
    pub fn value(self, value: f64) -> String {
        match self {
            Self::Percent => percent(value),
            Self::Loss => loss(value),
            Self::Rate => short(value),
        }
    }

    /// A number on an axis whose ticks are `step` apart.
    pub fn tick(self, value: f64, step: f64) -> String {
        let digits = |step: f64| (-libm::floor(libm::log10(step.max(1e-12)) + 1e-9)).clamp(0.0, 8.0) as usize;
        match self {
            Self::Percent => format!("{:.*} %", digits(100.0 * step), 100.0 * value),
            Self::Loss => format!("{:.*}", digits(step), value),
            Self::Rate => short(value),
        }
    }
}

impl Chart {
    /// What is read off at the place `at` of `epochs`: `epoch 3: training 95.1 %, validation 91.2 %`.
    pub fn readout(&self, at: usize) -> String {
        let Some(epoch) = self.epochs.get(at) else { return String::new() };
        let value = |line: &Line| {
            let value = line.values.get(at).copied().flatten();
            value.map(|value| format!("{} {}", line.name, self.unit.value(value)))
        };
        format!("epoch {epoch}: {}", self.lines.iter().filter_map(value).collect::<Vec<_>>().join(", "))
    }

    /// What the chart shows, for who cannot see it.
    pub fn description(&self) -> String {
        let ends = |line: &Line| {
            let mut values = line.values.iter().copied().flatten();
            let first = values.next()?;
            let last = values.next_back().unwrap_or(first);
            Some(format!("{} from {} to {}", line.name, self.unit.value(first), self.unit.value(last)))
        };
        let curves: Vec<String> = self.lines.iter().filter_map(ends).collect();
        let (first, last) = (self.epochs.first().unwrap_or(&0), self.epochs.last().unwrap_or(&0));
        format!("{} over epochs {first} to {last}: {}.", self.title, curves.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_everywhere() {
        assert_eq!(Unit::Percent.value(0.9134), "91.3 %");
        assert_eq!(Unit::Loss.value(0.25), "0.2500");
        assert_eq!(
            [0.01, 0.001, 0.000_123_4].map(|value| Unit::Rate.value(value)),
            ["0.01", "0.001", "1.23e-4"]
        );
        assert_eq!([0.2, 0.05].map(|step| Unit::Percent.tick(0.5, step)), ["50 %", "50 %"]);
        assert_eq!(Unit::Percent.tick(0.995, 0.005), "99.5 %");
        assert_eq!([0.5, 0.05].map(|step| Unit::Loss.tick(0.5, step)), ["0.5", "0.50"]);
    }

    #[test]
    fn what_is_read_off_leaves_out_what_is_not_there() {
        let line = |name: &str, values| Line { name: name.to_owned(), values, ..Line::default() };
        let lines =
            vec![line("training", vec![Some(0.5), None]), line("validation", vec![Some(0.25), Some(0.75)])];
        let chart = Chart { unit: Unit::Percent, epochs: vec![1, 2], lines, ..Chart::default() };
        assert_eq!(chart.readout(0), "epoch 1: training 50.0 %, validation 25.0 %");
        assert_eq!(chart.readout(1), "epoch 2: validation 75.0 %");
        assert_eq!(chart.readout(2), "");
    }
}

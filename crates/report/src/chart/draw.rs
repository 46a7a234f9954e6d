//! A chart as a drawing: where its lines, ticks and marks are. The script draws the same anew for the width at hand.

use super::model::{Chart, Line, Mark, Unit};
use std::fmt::Write;
use wellfit_plot::ticks;

/// Width and height in pixels of the layout.
const SIZE: (f64, f64) = (720.0, 270.0);
/// What is left around the curves: left, right, above, below.
const ROOM: (f64, f64, f64, f64) = (54.0, 14.0, 30.0, 26.0);
/// Labels of marks that are nearer than this stand in different rows.
const NEAR: f64 = 34.0;

/// A chart, ready to be written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Its name on the page.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// What it shows, for who cannot see it.
    pub description: String,
    /// Whether a logarithmic axis makes sense.
    pub has_log: bool,
    /// The names of the curves with their classes.
    pub legend: Vec<(String, String)>,
    /// What is read off before anybody asks.
    pub readout: String,
    /// Ticks of values: place and label.
    pub values: Vec<(String, String)>,
    /// Ticks of epochs: place and label.
    pub epochs: Vec<(String, String)>,
    /// The curves: class and path.
    pub paths: Vec<(String, String)>,
    /// The marks.
    pub marks: Vec<Placed>,
    /// The frame: width, height, and where the curves are: left, right, top, bottom.
    pub frame: [f64; 6],
}

/// A mark in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Its class.
    pub class: &'static str,
    /// Whether it is a line through the chart.
    pub is_line: bool,
    /// Where it is.
    pub x: String,
    /// The height of its label.
    pub y: String,
    /// Its label.
    pub label: String,
    /// What happened.
    pub text: String,
}

/// An axis: the values at its ends and their places.
#[derive(Debug, Clone, Copy)]
struct Axis {
    from: (f64, f64),
    to: (f64, f64),
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let share = (value - self.from.0) / (self.to.0 - self.from.0);
        self.from.1 + share * (self.to.1 - self.from.1)
    }
}

/// Where everything of a chart is.
pub fn drawn(chart: &Chart) -> Drawing {
    let (left, right) = (ROOM.0, SIZE.0 - ROOM.1);
    let (top, bottom) = (ROOM.2, SIZE.1 - ROOM.3);
    let (first, last) = epochs_of(&chart.epochs);
    let x = Axis { from: (first, left), to: (last, right) };
    let (low, high) = range(&chart.lines);
    let y = Axis { from: (low, bottom), to: (high, top) };
    let value_ticks = ticks(low, high, 6, false);
    let step = value_ticks.windows(2).next().map_or(high - low, |pair| pair[1] - pair[0]);
    Drawing {
        id: chart.id,
        title: chart.title.clone(),
        description: chart.description(),
        has_log: chart.unit != Unit::Percent
            && chart.lines.iter().flat_map(|line| &line.values).flatten().all(|value| *value > 0.0),
        legend: chart.lines.iter().map(|line| (line.name.clone(), line.class.clone())).collect(),
        readout: chart.readout(chart.chosen),
        values: value_ticks
            .iter()
            .map(|&value| (number(y.place(value)), chart.unit.tick(value, step)))
            .collect(),
        epochs: ticks(first, last, 12, true)
            .iter()
            .map(|&epoch| (number(x.place(epoch)), format!("{epoch:.0}")))
            .collect(),
        paths: chart
            .lines
            .iter()
            .map(|line| (line.class.clone(), path(&chart.epochs, line, (x, y))))
            .collect(),
        marks: placed(&chart.marks, x),
        frame: [SIZE.0, SIZE.1, left, right, top, bottom],
    }
}

/// The first and the last epoch, a little apart where they are the same.
fn epochs_of(epochs: &[u32]) -> (f64, f64) {
    let (first, last) = (f64::from(*epochs.first().unwrap_or(&1)), f64::from(*epochs.last().unwrap_or(&1)));
    if first < last { (first, last) } else { (first - 0.5, last + 0.5) }
}

/// From the least to the largest value and a little more.
fn range(lines: &[Line]) -> (f64, f64) {
    let values = lines.iter().flat_map(|line| &line.values).flatten();
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let margin = if low < high { 0.04 * (high - low) } else { 0.1 * high.abs().max(1e-6) };
    (low - margin, high + margin)
}

/// The path of a curve, in parts where values are missing. A point alone is a dot, by its round ends.
fn path(epochs: &[u32], line: &Line, (x, y): (Axis, Axis)) -> String {
    let (mut path, mut pen_is_down) = (String::new(), false);
    for (at, (&epoch, value)) in epochs.iter().zip(&line.values).enumerate() {
        let Some(value) = *value else {
            pen_is_down = false;
            continue;
        };
        let command = if pen_is_down { 'L' } else { 'M' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{} {}", number(x.place(f64::from(epoch))), number(y.place(value)));
        if !pen_is_down && line.values.get(at + 1).copied().flatten().is_none() {
            path.push_str("h0");
        }
        pen_is_down = true;
    }
    path
}

/// Marks from left to right; labels that would overlap stand in up to three rows.
fn placed(marks: &[Mark], x: Axis) -> Vec<Placed> {
    let mut marks: Vec<&Mark> = marks.iter().collect();
    marks.sort_by_key(|mark| mark.epoch);
    let mut rows = [f64::NEG_INFINITY; 3];
    let place = |mark: &Mark| {
        let at = x.place(f64::from(mark.epoch));
        let row = if mark.label.is_empty() {
            0
        } else {
            let row = rows.iter().position(|last| at - last > NEAR).unwrap_or(2);
            rows[row] = at;
            row
        };
        Placed {
            class: mark.kind.class(),
            is_line: mark.kind.is_line(),
            x: number(at),
            y: number(ROOM.2 - 4.0 - 11.0 * row as f64),
            label: mark.label.clone(),
            text: mark.text.clone(),
        }
    };
    marks.into_iter().map(place).collect()
}

/// A tenth of a pixel is fine enough.
pub fn number(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::model::MarkKind;
    use super::*;

    fn chart(values: Vec<Option<f64>>) -> Chart {
        let line = Line { name: "training".to_owned(), class: "train".to_owned(), values };
        let epochs = (1..=line.values.len() as u32).collect();
        Chart {
            id: "loss",
            title: "Loss".to_owned(),
            unit: Unit::Loss,
            epochs,
            lines: vec![line],
            ..Chart::default()
        }
    }

    #[test]
    fn a_curve_runs_from_edge_to_edge_and_has_gaps() {
        let drawing = drawn(&chart(vec![Some(1.0), Some(0.5), None, Some(0.0), None]));
        let path = &drawing.paths[0].1;
        assert!(path.starts_with("M54 "), "{path}");
        assert_eq!(
            (path.matches('M').count(), path.matches('L').count(), path.matches("h0").count()),
            (2, 1, 1)
        );
        assert_eq!(drawing.epochs.first().map(|tick| tick.1.as_str()), Some("1"));
    }

    #[test]
    fn one_epoch_and_no_epoch_are_drawn() {
        for values in [vec![], vec![None], vec![Some(0.5)], vec![Some(0.0), Some(0.0)]] {
            let drawing = drawn(&chart(values));
            assert!(
                !drawing.paths[0].1.contains("NaN") && !drawing.paths[0].1.contains("inf"),
                "{drawing:?}"
            );
        }
    }

    #[test]
    fn labels_of_near_marks_stand_in_rows() {
        let mark =
            |epoch| Mark { epoch, kind: MarkKind::Finding, label: epoch.to_string(), text: String::new() };
        let mut chart = chart(vec![Some(1.0); 100]);
        chart.marks = vec![mark(3), mark(2), mark(50)];
        let heights: Vec<String> = drawn(&chart).marks.into_iter().map(|mark| mark.y).collect();
        assert_eq!(heights, ["26", "15", "26"]);
    }
}

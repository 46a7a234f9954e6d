//! Where everything of a chart goes: ranges, ticks, margins and the labels of marks.

use crate::range::{asked, extent, plottable, with_margin};
use crate::surface::Area;
use crate::text::{fit, width};
use crate::ticks::{labels, ticks};
use crate::view::View;
use crate::{Axis, Chart, Mark, Numbers};

/// Ten points at 100 pixels an inch, matplotlib's default.
pub(crate) const TEXT: f32 = 14.0;
/// Twelve points.
pub(crate) const TITLE: f32 = 17.0;
/// Nine points.
pub(crate) const SMALL: f32 = 12.0;

/// Pixels between a thing and its neighbour.
pub(crate) const GAP: i32 = 8;
/// Length of the small line at a tick.
pub(crate) const TICK: i32 = 4;
/// Height of a row of mark labels.
const ROW: i32 = 16;
const ROWS: usize = 4;
/// Room for the half of a label under the last tick.
const RIGHT: i32 = 24;

/// A tick: its number and text.
pub(crate) struct Tick {
    pub at: f64,
    pub label: String,
}

/// The label of a mark: its left end and row, counted upwards from the plot area.
pub(crate) struct MarkLabel {
    pub left: f32,
    pub row: i32,
    pub text: String,
}

/// A mark: the pixel column of its line and, if there is room, its label.
pub(crate) struct PlacedMark {
    pub column: i32,
    pub label: Option<MarkLabel>,
}

pub(crate) struct Layout {
    pub view: View,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    pub marks: Vec<PlacedMark>,
    /// Where a legend above the plot begins.
    pub above: i32,
}

/// Room for a legend.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    /// Pixels at the top of the plot area that stay free of data.
    pub inside: i32,
    /// Pixels above it.
    pub above: i32,
}

impl Layout {
    /// Left to right first: the tick texts give the margins, the width gives the mark labels' rows, and these
    /// the top, with `room` for a legend.
    pub fn new(chart: &Chart, (paper_width, paper_height): (i32, i32), room: Room) -> Self {
        let x = span(&chart.x, chart.points().map(|point| point.0).chain(chart.marks.iter().map(|m| m.x)));
        let y = span(&chart.y, chart.points().map(|point| point.1));
        let y_ticks =
            axis_ticks(&y, ((paper_height - room.above) / 50).clamp(2, 9) as usize, chart.y.numbers);
        let left = left_margin(&chart.y, &y_ticks).min(paper_width / 2);
        let right = paper_width - RIGHT;
        let x_ticks = fitting_ticks(&x, right - left, chart.x.numbers);

        let bottom = paper_height - GAP - label_room(&chart.x) - TICK - GAP - TEXT as i32;
        let mut view = View { x: x.shown, y: y.shown, area: Area { left, right, top: 0, bottom } };
        let marks = place_marks(&chart.marks, view);
        let rows = marks.iter().filter_map(|mark| mark.label.as_ref()).map(|label| label.row + 1).max();
        let title = if chart.title.is_empty() { 0 } else { TITLE as i32 + GAP };
        let subtitle = if chart.subtitle.is_empty() { 0 } else { TEXT as i32 + GAP };
        let above = GAP + (title + subtitle).max(GAP);
        let labels = rows.map_or(0, |rows| rows * ROW + GAP / 2);
        view.area.top = (above + room.above + labels).min(bottom - 10);
        let height = f64::from(view.area.height());
        view.y.1 = view.y.0 + (view.y.1 - view.y.0) * height / (height - f64::from(room.inside)).max(1.0);
        Self { view, x_ticks, y_ticks, marks, above }
    }
}

/// The baseline of a mark label in `row`.
pub(crate) fn row_baseline(area: Area, row: i32) -> i32 {
    area.top - GAP / 2 - row * ROW - 2
}

/// The numbers an axis shows, and those among which its ticks lie.
struct Span {
    shown: (f64, f64),
    ticked: (f64, f64),
}

fn span(axis: &Axis, numbers: impl Iterator<Item = f64>) -> Span {
    let whole = is_whole(axis.numbers);
    if let Some(range) = axis.range.and_then(|range| asked(range, whole)) {
        return Span { shown: range, ticked: range };
    }
    let data = extent(numbers, whole);
    let shown = with_margin(data);
    // There is no epoch 0 in the margin before the first.
    Span { shown, ticked: if axis.numbers == Numbers::Whole { data } else { shown } }
}

fn is_whole(numbers: Numbers) -> bool {
    matches!(numbers, Numbers::Whole | Numbers::Exponent)
}

fn axis_ticks(span: &Span, at_most: usize, numbers: Numbers) -> Vec<Tick> {
    let (factor, unit) = if numbers == Numbers::Percent { (100.0, " %") } else { (1.0, "") };
    let (low, high) = span.ticked;
    let ticks = ticks(low * factor, high * factor, at_most, is_whole(numbers));
    let mut texts = labels(&ticks);
    if numbers == Numbers::Exponent {
        texts.iter_mut().for_each(|text| text.insert_str(0, "1e"));
    }
    ticks.iter().zip(texts).map(|(tick, text)| Tick { at: tick / factor, label: text + unit }).collect()
}

/// As many ticks as their texts leave room for.
fn fitting_ticks(span: &Span, room: i32, numbers: Numbers) -> Vec<Tick> {
    let most = (room / 55).clamp(2, 12) as usize;
    let fits = |ticks: &Vec<Tick>| match &ticks[..] {
        [first, second, ..] => {
            let part = (second.at - first.at) / (span.shown.1 - span.shown.0);
            f64::from(widest(ticks) + GAP as f32) <= part * f64::from(room)
        }
        _ => true,
    };
    let choices = (2..=most).rev().map(|at_most| axis_ticks(span, at_most, numbers));
    choices.into_iter().find(fits).unwrap_or_default()
}

fn widest(ticks: &[Tick]) -> f32 {
    ticks.iter().map(|tick| width(&tick.label, TEXT)).fold(0.0, f32::max)
}

fn left_margin(axis: &Axis, ticks: &[Tick]) -> i32 {
    GAP + label_room(axis) + widest(ticks).ceil() as i32 + TICK + GAP / 2
}

/// Room across the line of an axis label.
fn label_room(axis: &Axis) -> i32 {
    if axis.label.is_empty() { 0 } else { TEXT as i32 + GAP }
}

/// Each label is centred over its mark in the lowest row where it has room.
fn place_marks(marks: &[Mark], view: View) -> Vec<PlacedMark> {
    let (left, right) = (view.area.left as f32, view.area.right as f32);
    let mut taken: [Vec<(f32, f32)>; ROWS] = Default::default();
    let mut placed = Vec::new();
    for mark in marks.iter().filter(|mark| plottable(mark.x)) {
        let Some((x, _)) = view.visible((mark.x, view.y.0)) else { continue };
        let text = fit(&mark.label, SMALL, right - left);
        let length = width(&text, SMALL);
        let start = (x - length / 2.0).min(right - length).max(left);
        let free = |row: &Vec<(f32, f32)>| {
            let margin = GAP as f32;
            row.iter().all(|&(from, to)| start > to + margin || start + length + margin < from)
        };
        let row = taken.iter().position(free).filter(|_| !text.is_empty());
        if let Some(row) = row {
            taken[row].push((start, start + length));
        }
        let label = row.map(|row| MarkLabel { left: start, row: row as i32, text });
        placed.push(PlacedMark { column: x as i32, label });
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Series;

    fn chart(points: Vec<(f64, f64)>) -> Chart {
        Chart { lines: vec![Series::new("a", points, crate::Paint::TRAIN)], ..Chart::default() }
    }

    fn texts(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn epochs_are_whole_and_accuracy_is_in_percent() {
        let mut chart = chart(vec![(1.0, 0.51), (2.0, 0.6), (3.0, 0.7)]);
        chart.x.numbers = Numbers::Whole;
        chart.y = Axis { label: "Accuracy".to_owned(), range: Some((0.0, 1.0)), numbers: Numbers::Percent };
        let layout = Layout::new(&chart, (640, 480), Room::default());
        assert_eq!(texts(&layout.x_ticks), ["1", "2", "3"]);
        assert!(layout.view.x.0 < 1.0 && layout.view.x.1 > 3.0, "margins");
        assert_eq!(texts(&layout.y_ticks), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        assert!((layout.y_ticks[1].at - 0.2).abs() < 1e-12);
    }

    #[test]
    fn the_margin_shows_no_epoch_0() {
        let mut chart = chart((1..=100).map(|epoch| (f64::from(epoch), 0.5)).collect());
        chart.x.numbers = Numbers::Whole;
        let layout = Layout::new(&chart, (1000, 700), Room::default());
        assert!(layout.view.x.0 < 0.0, "there is room for 0");
        assert_eq!(texts(&layout.x_ticks), ["10", "20", "30", "40", "50", "60", "70", "80", "90", "100"]);
        chart.x.range = Some((0.0, 100.0));
        assert_eq!(
            texts(&Layout::new(&chart, (1000, 700), Room::default()).x_ticks)[0],
            "0",
            "unless asked for"
        );
    }

    #[test]
    fn tick_texts_do_not_touch() {
        for (low, high) in [(0.0, 1e-7), (123_456.0, 123_457.0), (-1e12, 1e12), (0.0, 1.0)] {
            for paper in [(200, 150), (640, 480), (1000, 700)] {
                let layout = Layout::new(&chart(vec![(low, 0.0), (high, 1.0)]), paper, Room::default());
                assert!(!layout.x_ticks.is_empty(), "{low} to {high} on {paper:?}");
                let place = |tick: &Tick| layout.view.visible((tick.at, 0.0)).unwrap().0;
                for pair in layout.x_ticks.windows(2) {
                    let (a, b) = (width(&pair[0].label, TEXT), width(&pair[1].label, TEXT));
                    assert!(
                        place(&pair[0]) + a / 2.0 < place(&pair[1]) - b / 2.0,
                        "{:?}",
                        texts(&layout.x_ticks)
                    );
                }
            }
        }
    }

    #[test]
    fn mark_labels_do_not_touch_and_stay_over_the_chart() {
        let mut chart = chart((1..=30).map(|i| (f64::from(i), 1.0)).collect());
        chart.marks = (1..=30)
            .map(|i| Mark { x: f64::from(i), label: format!("LR {}", 0.001 / f64::from(i)) })
            .collect();
        chart.marks.push(Mark { x: f64::NAN, label: "never".to_owned() });
        let layout = Layout::new(&chart, (640, 480), Room::default());
        assert_eq!(layout.marks.len(), 30, "every line is drawn");
        let labels: Vec<_> = layout.marks.iter().filter_map(|mark| mark.label.as_ref()).collect();
        assert!(labels.len() >= 8);
        for (i, a) in labels.iter().enumerate() {
            let end = |label: &MarkLabel| label.left + width(&label.text, SMALL);
            assert!(a.left >= layout.view.area.left as f32 && end(a) <= layout.view.area.right as f32 + 0.01);
            assert!(row_baseline(layout.view.area, a.row) - SMALL as i32 >= 0);
            for b in &labels[i + 1..] {
                assert!(a.row != b.row || end(a) < b.left || end(b) < a.left, "{} over {}", a.text, b.text);
            }
        }
    }
}

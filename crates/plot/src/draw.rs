//! Drawing a chart, from the back to the front.

use crate::canvas::{Anchor, Area, Canvas, Pen, Point};
use crate::frame::{Frame, GAP, SMALL, TEXT, TICK, TITLE, row_baseline};
use crate::text::{fit, width};
use crate::{Chart, Color, LineStyle, Picture, Series, legend};

/// Pixels a point, at 100 pixels an inch.
pub(crate) const PIXELS: f32 = 100.0 / 72.0;
/// Radius of a lone point in widths of its line.
pub(crate) const DOT: f32 = 1.5;

/// From a baseline to the middle of the digits above it, a part of the text's size.
const MIDDLE: f32 = 0.36;

impl Chart {
    /// The chart as a picture.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let size = (self.size.0.clamp(80, 8000), self.size.1.clamp(80, 8000));
        let mut canvas = Canvas::new(size.0, size.1);
        let frame = Frame::new(self, (size.0 as i32, size.1 as i32));
        grid(&mut canvas, &frame);
        marks(&mut canvas, &frame);
        let mut ink = dots(&mut canvas, self, &frame);
        for line in &self.lines {
            let pieces = frame.view.pieces(&line.points);
            draw_line(&mut canvas, line, &pieces, &frame);
            ink.extend(pieces.iter().flat_map(|piece| samples(piece)));
        }
        axes(&mut canvas, &frame);
        titles(&mut canvas, self, &frame);
        if ink.is_empty() {
            nothing(&mut canvas, frame.view.area);
        }
        legend::draw(&mut canvas, self, frame.view.area, &ink);
        canvas.into_picture()
    }
}

/// The pixel columns of the ticks along x and rows of those along y.
fn tick_pixels(frame: &Frame) -> (Vec<i32>, Vec<i32>) {
    let view = &frame.view;
    let column = |at| view.visible((at, view.y.0)).map_or(view.area.left, |(x, _)| x.round() as i32);
    let row = |at| view.visible((view.x.0, at)).map_or(view.area.bottom, |(_, y)| y.round() as i32);
    (
        frame.x_ticks.iter().map(|tick| column(tick.at)).collect(),
        frame.y_ticks.iter().map(|tick| row(tick.at)).collect(),
    )
}

fn grid(canvas: &mut Canvas, frame: &Frame) {
    let area = frame.view.area;
    let (columns, rows) = tick_pixels(frame);
    for left in columns {
        canvas.fill(Area { left, right: left + 1, ..area }, Color::MIST, 1.0);
    }
    for top in rows {
        canvas.fill(Area { top, bottom: top + 1, ..area }, Color::MIST, 1.0);
    }
}

fn marks(canvas: &mut Canvas, frame: &Frame) {
    let area = frame.view.area;
    for mark in &frame.marks {
        // From the label, if it has one, down to the axis: two pixels on, two off.
        let top = mark.label.as_ref().map_or(area.top, |label| row_baseline(area, label.row) + 3);
        for y in (top..area.bottom).filter(|y| y % 4 < 2) {
            canvas.blend(mark.column, y, Color::GREY, 1.0);
        }
    }
    for label in frame.marks.iter().filter_map(|mark| mark.label.as_ref()) {
        let bottom = row_baseline(area, label.row) + 3;
        let (left, right) = (label.left as i32 - 2, (label.left + width(&label.text, SMALL)) as i32 + 3);
        // Lines that end higher up pass behind.
        canvas.fill(Area { left, right, top: bottom - 14, bottom }, Color::WHITE, 1.0);
        canvas.text(&label.text, SMALL, (label.left, bottom as f32 - 3.0), Anchor::Start, Color::GREY);
    }
}

/// Draw the dots; return their pixels.
fn dots(canvas: &mut Canvas, chart: &Chart, frame: &Frame) -> Vec<Point> {
    let mut drawn = Vec::new();
    for scatter in &chart.scatters {
        for pixel in scatter.points.iter().filter_map(|&point| frame.view.visible(point)) {
            canvas.disc(pixel, radius(scatter.radius), scatter.color, scatter.alpha);
            drawn.push(pixel);
        }
    }
    drawn
}

fn draw_line(canvas: &mut Canvas, line: &Series, pieces: &[Vec<Point>], frame: &Frame) {
    let width = if line.width > 0.0 { (line.width * PIXELS).clamp(0.1, 100.0) } else { return };
    let pen = Pen { color: line.color, alpha: line.alpha, width, dashed: line.style == LineStyle::Dashed };
    for piece in pieces {
        match piece[..] {
            [lone] => canvas.disc(lone, width * DOT, line.color, line.alpha),
            _ => canvas.line(piece, &pen),
        }
    }
    if let Some(marker) = line.marker {
        for pixel in line.points.iter().filter_map(|&point| frame.view.visible(point)) {
            canvas.disc(pixel, radius(marker), line.color, line.alpha);
        }
    }
}

fn radius(points: f32) -> f32 {
    if points > 0.0 { (points * PIXELS).min(1000.0) } else { 0.0 }
}

/// Pixels along a line, at most four apart.
fn samples(piece: &[Point]) -> Vec<Point> {
    let mut samples = Vec::new();
    for pair in piece.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 4.0).ceil().max(1.0);
        samples.extend((0..steps as usize).map(|step| {
            let part = step as f32 / steps;
            (a.0 + part * (b.0 - a.0), a.1 + part * (b.1 - a.1))
        }));
    }
    samples.extend(piece.last());
    samples
}

fn axes(canvas: &mut Canvas, frame: &Frame) {
    let area = frame.view.area;
    canvas.frame(Area { right: area.right + 1, bottom: area.bottom + 1, ..area }, Color::INK);
    let (columns, rows) = tick_pixels(frame);
    for (left, tick) in columns.into_iter().zip(&frame.x_ticks) {
        let (top, bottom) = (area.bottom, area.bottom + 1 + TICK);
        canvas.fill(Area { left, right: left + 1, top, bottom }, Color::INK, 1.0);
        let baseline = (bottom + GAP / 2) as f32 + TEXT * 2.0 * MIDDLE;
        canvas.text(&tick.label, TEXT, (left as f32 + 0.5, baseline), Anchor::Middle, Color::INK);
    }
    for (top, tick) in rows.into_iter().zip(&frame.y_ticks) {
        let (left, right) = (area.left - TICK, area.left);
        canvas.fill(Area { left, right, top, bottom: top + 1 }, Color::INK, 1.0);
        let place = ((left - GAP / 2) as f32, top as f32 + 0.5 + TEXT * MIDDLE);
        canvas.text(&tick.label, TEXT, place, Anchor::End, Color::INK);
    }
}

fn titles(canvas: &mut Canvas, chart: &Chart, frame: &Frame) {
    let area = frame.view.area;
    let (width, height) = (chart.size.0.clamp(80, 8000) as f32, chart.size.1.clamp(80, 8000) as f32);
    let (middle, center) = ((area.left + area.right) as f32 / 2.0, (area.top + area.bottom) as f32 / 2.0);
    let title = fit(&chart.title, TITLE, 2.0 * (width - middle).min(middle) - 2.0 * GAP as f32);
    canvas.text(&title, TITLE, (middle, GAP as f32 + TITLE * 0.85), Anchor::Middle, Color::BLACK);
    let below = fit(&chart.x.label, TEXT, area.width() as f32);
    canvas.text(&below, TEXT, (middle, height - GAP as f32 - TEXT * 0.25), Anchor::Middle, Color::INK);
    let beside = fit(&chart.y.label, TEXT, area.height() as f32);
    canvas.text_up(&beside, TEXT, (GAP as f32 + TEXT * 0.8, center), Anchor::Middle, Color::INK);
}

fn nothing(canvas: &mut Canvas, area: Area) {
    let middle = ((area.left + area.right) as f32 / 2.0, (area.top + area.bottom) as f32 / 2.0);
    canvas.text("no data", TEXT, middle, Anchor::Middle, Color::GREY);
}

#[cfg(test)]
mod tests;

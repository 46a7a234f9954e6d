//! Drawing a chart, from the back to the front.

use std::path::Path;

use wellfit_base::atomic::replace;

use crate::canvas::Canvas;
use crate::layout::{GAP, Layout, Room, SMALL, TEXT, TICK, TITLE, row_baseline};
use crate::legend::Legend;
use crate::surface::{Anchor, Area, DOT, PIXELS, Pen, Point, Surface, length};
use crate::svg::{Document, description};
use crate::text::{fit, fit_middle, width};
use crate::view::View;
use crate::{Chart, LineStyle, Look, Paint, Picture, PlotError, Series, Theme};

/// From a baseline to the middle of the digits above it, a part of the text's size.
const MIDDLE: f32 = 0.36;

impl Chart {
    /// The chart as a picture.
    #[must_use]
    pub fn draw(&self, look: Look) -> Picture {
        let mut canvas = Canvas::new(self.pixels(), look);
        self.draw_on(&mut canvas);
        canvas.into_picture()
    }

    /// The chart as an SVG document with the same layout: lines and text stay sharp at any size.
    ///
    /// It stands alone: no scripts, no fonts, nothing that would be fetched. A title and a sentence on what
    /// is shown are there for screen readers.
    #[must_use]
    pub fn svg(&self, theme: Theme) -> String {
        let mut document = Document::new(self.pixels(), &self.title, &description(self), theme);
        self.draw_on(&mut document);
        document.finish()
    }

    /// Write [`Chart::svg`] to a file, whole or not at all; a file of that name is replaced.
    ///
    /// # Errors
    /// [`PlotError::Write`] if the directory is missing or not writable.
    pub fn save_svg(&self, theme: Theme, path: impl AsRef<Path>) -> Result<(), PlotError> {
        let path = path.as_ref();
        replace(path, self.svg(theme).as_bytes())
            .map_err(|source| PlotError::Write { path: path.to_owned(), source })
    }

    fn draw_on(&self, surface: &mut impl Surface) {
        let (layout, shown, legend) = self.arranged();
        grid(surface, &layout);
        marks(surface, &layout);
        bands(surface, self, &layout);
        dots(surface, self, &layout);
        for (line, pieces) in self.lines.iter().zip(&shown.pieces) {
            draw_line(surface, line, pieces, &layout);
        }
        axes(surface, &layout);
        titles(surface, self, &layout);
        if shown.points.is_empty() {
            nothing(surface, layout.view.area);
        }
        if let Some((legend, place)) = legend {
            legend.draw(surface, place);
        }
    }

    /// Where everything goes. A large legend stands above the plot. If a small one would hide something wherever it stands,
    /// the vertical axis grows to make room for it, unless its range was asked for.
    fn arranged(&self) -> (Layout, Shown, Option<(Legend<'_>, Area)>) {
        let size = (self.pixels().0 as i32, self.pixels().1 as i32);
        let layout = Layout::new(self, size, Room::default());
        let shown = Shown::new(self, &layout.view);
        let Some(legend) = Legend::new(self, layout.view.area) else { return (layout, shown, None) };
        if legend.above {
            let layout = Layout::new(self, size, Room { above: legend.height + GAP, inside: 0 });
            let place = legend.place_above(layout.view.area, layout.above);
            let shown = Shown::new(self, &layout.view);
            return (layout, shown, Some((legend, place)));
        }
        let (place, hidden) = legend.place(layout.view.area, &shown.points);
        let headroom = legend.height + 2 * GAP;
        if hidden == 0 || self.y.range.is_some() || 2 * headroom > layout.view.area.height() {
            return (layout, shown, Some((legend, place)));
        }
        let layout = Layout::new(self, size, Room { inside: headroom, above: 0 });
        let shown = Shown::new(self, &layout.view);
        let (place, _) = legend.place(layout.view.area, &shown.points);
        (layout, shown, Some((legend, place)))
    }
}

/// What a view shows of a chart's data, in pixels of the layout.
struct Shown {
    /// Of each line.
    pieces: Vec<Vec<Vec<Point>>>,
    /// All dots, and places along the lines at most four pixels apart.
    points: Vec<Point>,
}

impl Shown {
    fn new(chart: &Chart, view: &View) -> Self {
        let pieces: Vec<_> = chart.lines.iter().map(|line| view.pieces(&line.points)).collect();
        let dots = chart.scatters.iter().flat_map(|dots| &dots.points).filter_map(|&dot| view.visible(dot));
        let points = dots.chain(pieces.iter().flatten().flat_map(|piece| samples(piece))).collect();
        Self { pieces, points }
    }
}

/// The pixel columns of the ticks along x and rows of those along y.
fn tick_pixels(layout: &Layout) -> (Vec<i32>, Vec<i32>) {
    let view = &layout.view;
    let column = |at| view.visible((at, view.y.0)).map_or(view.area.left, |(x, _)| x.round() as i32);
    let row = |at| view.visible((view.x.0, at)).map_or(view.area.bottom, |(_, y)| y.round() as i32);
    (
        layout.x_ticks.iter().map(|tick| column(tick.at)).collect(),
        layout.y_ticks.iter().map(|tick| row(tick.at)).collect(),
    )
}

fn bands(surface: &mut impl Surface, chart: &Chart, layout: &Layout) {
    let view = &layout.view;
    for band in &chart.bands {
        let ends = |&(x, low, high): &(f64, f64, f64)| view.visible((x, high)).zip(view.visible((x, low)));
        for pair in band.points.windows(2) {
            if let (Some((a, b)), Some((d, c))) = (ends(&pair[0]), ends(&pair[1])) {
                surface.between([a, d], [b, c], band.color, band.alpha);
            }
        }
    }
}

fn grid(surface: &mut impl Surface, layout: &Layout) {
    let area = layout.view.area;
    let (columns, rows) = tick_pixels(layout);
    for left in columns {
        surface.fill(Area { left, right: left + 1, ..area }, Paint::GRID, 1.0);
    }
    for top in rows {
        surface.fill(Area { top, bottom: top + 1, ..area }, Paint::GRID, 1.0);
    }
}

fn marks(surface: &mut impl Surface, layout: &Layout) {
    let area = layout.view.area;
    for mark in &layout.marks {
        // From the label, if it has one, down to the axis.
        let top = mark.label.as_ref().map_or(area.top, |label| row_baseline(area, label.row) + 3);
        surface.dotted(mark.column, top, area.bottom, Paint::MARK);
    }
    for label in layout.marks.iter().filter_map(|mark| mark.label.as_ref()) {
        let bottom = row_baseline(area, label.row) + 3;
        let (left, right) = (label.left as i32 - 2, (label.left + width(&label.text, SMALL)) as i32 + 3);
        // Lines that end higher up pass behind.
        surface.fill(Area { left, right, top: bottom - 14, bottom }, Paint::PAPER, 1.0);
        surface.text(&label.text, SMALL, (label.left, bottom as f32 - 3.0), Anchor::Start, Paint::MARK);
    }
}

fn dots(surface: &mut impl Surface, chart: &Chart, layout: &Layout) {
    for scatter in &chart.scatters {
        for pixel in scatter.points.iter().filter_map(|&point| layout.view.visible(point)) {
            surface.disc(pixel, radius(scatter.radius), scatter.color, scatter.alpha);
        }
    }
}

fn draw_line(surface: &mut impl Surface, line: &Series, pieces: &[Vec<Point>], layout: &Layout) {
    let width = if line.width > 0.0 { (line.width * PIXELS).clamp(0.1, 100.0) } else { return };
    let pen = Pen { color: line.color, alpha: line.alpha, width, dashed: line.style == LineStyle::Dashed };
    for piece in pieces {
        match piece[..] {
            [lone] => surface.disc(lone, width * DOT, line.color, line.alpha),
            _ => surface.line(piece, &pen),
        }
    }
    if let Some(marker) = line.marker {
        for pixel in line.points.iter().filter_map(|&point| layout.view.visible(point)) {
            surface.disc(pixel, radius(marker), line.color, line.alpha);
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
        let steps = (length(b.0 - a.0, b.1 - a.1) / 4.0).ceil().max(1.0);
        samples.extend((0..steps as usize).map(|step| {
            let part = step as f32 / steps;
            (a.0 + part * (b.0 - a.0), a.1 + part * (b.1 - a.1))
        }));
    }
    samples.extend(piece.last());
    samples
}

fn axes(surface: &mut impl Surface, layout: &Layout) {
    let area = layout.view.area;
    surface.outline(Area { right: area.right + 1, bottom: area.bottom + 1, ..area }, Paint::INK);
    let (columns, rows) = tick_pixels(layout);
    for (left, tick) in columns.into_iter().zip(&layout.x_ticks) {
        let (top, bottom) = (area.bottom, area.bottom + 1 + TICK);
        surface.fill(Area { left, right: left + 1, top, bottom }, Paint::INK, 1.0);
        let baseline = (bottom + GAP / 2) as f32 + TEXT * 2.0 * MIDDLE;
        surface.text(&tick.label, TEXT, (left as f32 + 0.5, baseline), Anchor::Middle, Paint::INK);
    }
    for (top, tick) in rows.into_iter().zip(&layout.y_ticks) {
        let (left, right) = (area.left - TICK, area.left);
        surface.fill(Area { left, right, top, bottom: top + 1 }, Paint::INK, 1.0);
        let place = ((left - GAP / 2) as f32, top as f32 + 0.5 + TEXT * MIDDLE);
        surface.text(&tick.label, TEXT, place, Anchor::End, Paint::INK);
    }
}

fn titles(surface: &mut impl Surface, chart: &Chart, layout: &Layout) {
    let area = layout.view.area;
    let (width, height) = (chart.pixels().0 as f32, chart.pixels().1 as f32);
    let (middle, center) = ((area.left + area.right) as f32 / 2.0, (area.top + area.bottom) as f32 / 2.0);
    let room = 2.0 * (width - middle).min(middle) - 2.0 * GAP as f32;
    let mut baseline = GAP as f32;
    if !chart.title.is_empty() {
        baseline += TITLE * 0.85;
        let title = fit_middle(&chart.title, TITLE, room);
        surface.text(&title, TITLE, (middle, baseline), Anchor::Middle, Paint::TITLE);
        baseline += TITLE * 0.15 + GAP as f32 / 2.0;
    }
    let subtitle = fit(&chart.subtitle, TEXT, room);
    surface.text(&subtitle, TEXT, (middle, baseline + TEXT * 0.85), Anchor::Middle, Paint::INK);
    let below = fit(&chart.x.label, TEXT, area.width() as f32);
    surface.text(&below, TEXT, (middle, height - GAP as f32 - TEXT * 0.25), Anchor::Middle, Paint::INK);
    let beside = fit(&chart.y.label, TEXT, area.height() as f32);
    surface.text_up(&beside, TEXT, (GAP as f32 + TEXT * 0.8, center), Anchor::Middle, Paint::INK);
}

fn nothing(surface: &mut impl Surface, area: Area) {
    let middle = ((area.left + area.right) as f32 / 2.0, (area.top + area.bottom) as f32 / 2.0);
    surface.text("no data", TEXT, middle, Anchor::Middle, Paint::MARK);
}

#[cfg(test)]
mod tests;

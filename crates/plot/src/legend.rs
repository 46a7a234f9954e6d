//! The legend: names with samples, where they hide least.

use crate::layout::{GAP, TEXT};
use crate::surface::{Anchor, Area, DOT, PIXELS, Pen, Point, Surface};
use crate::text::{fit, width};
use crate::{Chart, LineStyle, Paint, Scatter, Series};

/// Height of an entry.
const ROW: i32 = 20;
/// Length of the sample line.
const SAMPLE: i32 = 28;

/// Entries that stand in one column whatever the height.
const FEW: usize = 4;

enum Entry<'a> {
    Line(&'a Series),
    Dots(&'a Scatter),
    /// What there is no room for.
    More,
}

/// The legend of a chart, not yet placed.
pub(crate) struct Legend<'a> {
    entries: Vec<(Entry<'a>, String)>,
    /// Entries below one another.
    rows: usize,
    /// Width of a column.
    column: i32,
    width: i32,
    pub height: i32,
    /// Whether it is too large to stand among the curves, and so has its place above the plot.
    pub above: bool,
}

impl<'a> Legend<'a> {
    /// What fits into the plot `area`. Without names, or without room for one, there is no legend.
    ///
    /// Where one column would take more than half of the height, the entries stand in several, above the plot.
    pub fn new(chart: &'a Chart, area: Area) -> Option<Self> {
        let count = entries(chart).count();
        let above = count > FEW && 2 * (GAP + ROW * count as i32) > area.height();
        let most = area.width() as f32 / 2.0 - if above { (3 * GAP + SAMPLE) as f32 } else { 0.0 };
        let named = entries(chart).map(|(entry, name)| (entry, fit(name, TEXT, most)));
        if above { Self::in_columns(named.collect(), area) } else { Self::in_one(named, area) }
    }

    fn in_one(named: impl Iterator<Item = (Entry<'a>, String)>, area: Area) -> Option<Self> {
        let room = (area.height() - 4 * GAP) / ROW;
        let entries: Vec<_> = named.take(room.max(0) as usize).collect();
        let (column, rows) = (column(&entries), entries.len());
        let fits = rows > 0 && column + 2 * GAP <= area.width();
        fits.then(|| Self { rows, column, width: column, height: height(rows), above: false, entries })
    }

    /// In as few rows as the widest name allows, of at most half of the plot's height.
    fn in_columns(mut entries: Vec<(Entry<'a>, String)>, area: Area) -> Option<Self> {
        let column = column(&entries);
        let columns = (area.width() / column).max(0) as usize;
        let most = columns * ((area.height() / 2 - GAP) / ROW).max(0) as usize;
        if most < 2 {
            return None;
        }
        if entries.len() > most {
            let more = entries.len() - (most - 1);
            entries.truncate(most - 1);
            entries.push((Entry::More, format!("and {more} more")));
        }
        let rows = entries.len().div_ceil(columns);
        let width = column * entries.len().div_ceil(rows) as i32;
        Some(Self { rows, column, width, height: height(rows), above: true, entries })
    }

    /// Where in `area` it hides least of `drawn`, which samples what is there, and how much of that it hides.
    pub fn place(&self, area: Area, drawn: &[Point]) -> (Area, usize) {
        best(area, (self.width, self.height), drawn)
    }

    /// Its place over a plot `area`, where `top` is the upper end of the room for it.
    pub fn place_above(&self, area: Area, top: i32) -> Area {
        let left = area.left.min(area.right - self.width).max(0);
        Area { left, top, right: left + self.width, bottom: top + self.height }
    }

    pub fn draw(&self, surface: &mut impl Surface, place: Area) {
        surface.fill(place, Paint::PAPER, 0.8);
        surface.outline(place, Paint::FRAME);
        for (i, (entry, name)) in self.entries.iter().enumerate() {
            let (column, row) = ((i / self.rows) as i32, (i % self.rows) as i32);
            let middle = (place.top + GAP / 2 + ROW * row + ROW / 2) as f32;
            let left = place.left + self.column * column + GAP;
            sample(surface, entry, (left as f32, middle));
            let start = (left + GAP + SAMPLE) as f32;
            surface.text(name, TEXT, (start, middle + 5.0), Anchor::Start, Paint::TITLE);
        }
    }
}

/// Width of a column of these entries.
fn column(entries: &[(Entry<'_>, String)]) -> i32 {
    let widest = entries.iter().map(|(_, name)| width(name, TEXT)).fold(0.0, f32::max);
    3 * GAP + SAMPLE + widest.ceil() as i32
}

fn height(rows: usize) -> i32 {
    GAP + ROW * rows as i32
}

/// Dots first, as in the order of drawing.
fn entries(chart: &Chart) -> impl Iterator<Item = (Entry<'_>, &str)> {
    let dots = chart.scatters.iter().map(|dots| (Entry::Dots(dots), dots.name.as_str()));
    let lines = chart.lines.iter().map(|line| (Entry::Line(line), line.name.as_str()));
    dots.chain(lines).filter(|(_, name)| !name.is_empty())
}

fn sample(surface: &mut impl Surface, entry: &Entry<'_>, (left, y): Point) {
    let middle = (left + SAMPLE as f32 / 2.0, y);
    match entry {
        Entry::More => {}
        Entry::Dots(dots) => {
            surface.disc(middle, (dots.radius * PIXELS).clamp(0.5, 8.0), dots.color, dots.alpha);
        }
        Entry::Line(line) => {
            let width = (line.width * PIXELS).clamp(0.5, 8.0);
            let pen =
                Pen { color: line.color, alpha: line.alpha, width, dashed: line.style == LineStyle::Dashed };
            surface.line(&[(left, y), (left + SAMPLE as f32, y)], &pen);
            let dot = line.marker.map(|radius| (radius * PIXELS).clamp(0.5, 8.0));
            // A line of one point shows as a dot, and so should its sample.
            let lone = (line.points.len() == 1).then_some(width * DOT);
            if let Some(radius) = dot.or(lone) {
                surface.disc(middle, radius, line.color, line.alpha);
            }
        }
    }
}

/// The place of nine that hides least of `drawn`, the first of equals: corners before sides before the middle; and how
/// many points it hides.
fn best(area: Area, (width, height): (i32, i32), drawn: &[Point]) -> (Area, usize) {
    let (near, far) = (area.left + GAP, area.right - GAP - width);
    let (high, low) = (area.top + GAP, area.bottom - GAP - height);
    let (center, middle) = ((area.left + area.right - width) / 2, (area.top + area.bottom - height) / 2);
    let corners = [(far, high), (near, high), (near, low), (far, low)];
    let others = [(far, middle), (near, middle), (center, low), (center, high), (center, middle)];
    let hidden = |(left, top): (i32, i32)| {
        let air = GAP / 2;
        let (right, bottom) = (left + width + air, top + height + air);
        let around = Area { left: left - air, top: top - air, right, bottom };
        drawn.iter().filter(|&&point| around.contains(point)).count()
    };
    let places = corners.into_iter().chain(others).map(|place| (place, hidden(place)));
    // `min_by_key` returns the first of equals.
    let ((left, top), hidden) = places.min_by_key(|&(_, hidden)| hidden).unwrap_or(((far, high), 0));
    (Area { left, top, right: left + width, bottom: top + height }, hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { left: 0, top: 0, right: 300, bottom: 200 };

    fn curve_pixels(curve: impl Fn(f32) -> f32) -> Vec<Point> {
        (0..300).map(|x| (x as f32, curve(x as f32 / 300.0) * 200.0)).collect()
    }

    #[test]
    fn the_legend_avoids_the_curve() {
        let place = |curve: &dyn Fn(f32) -> f32| {
            let (place, _) = best(AREA, (100, 40), &curve_pixels(curve));
            (place.left, place.top)
        };
        assert_eq!(place(&|_| 0.5), (192, 8), "upper right by default");
        assert_eq!(place(&|x| 1.0 - x), (8, 8), "a rising line leaves the upper left");
        assert_eq!(place(&|x| x), (192, 8), "a falling one the upper right");
        assert_eq!(place(&|_| 0.1), (8, 152), "a line along the top leaves the bottom");
    }

    #[test]
    fn the_place_that_hides_least_wins_when_none_is_free() {
        let mut everywhere: Vec<Point> =
            (0..300).flat_map(|x| (0..200).map(move |y| (x as f32, y as f32))).collect();
        everywhere.retain(|&(x, y)| x < 180.0 || y < 150.0);
        let (place, hidden) = best(AREA, (100, 40), &everywhere);
        assert_eq!((place.left, place.top), (192, 152));
        // 108 by 46 of them lie within four pixels of the legend; those from 180 and from 150 on are gone.
        assert_eq!(
            hidden,
            everywhere.iter().filter(|&&(x, y)| x >= 188.0 && y >= 148.0 && x < 296.0 && y < 196.0).count()
        );
    }
}

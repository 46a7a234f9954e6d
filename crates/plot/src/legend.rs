//! The legend: names with samples, where they hide least.

use crate::draw::{DOT, PIXELS};
use crate::layout::{GAP, TEXT};
use crate::surface::{Anchor, Area, Pen, Point, Surface};
use crate::text::{fit, width};
use crate::{Chart, LineStyle, Paint, Scatter, Series};

/// Height of an entry.
const ROW: i32 = 20;
/// Length of the sample line.
const SAMPLE: i32 = 28;

enum Entry<'a> {
    Line(&'a Series),
    Dots(&'a Scatter),
}

/// The legend of a chart, not yet placed.
pub(crate) struct Legend<'a> {
    entries: Vec<(Entry<'a>, String)>,
    width: i32,
    pub height: i32,
}

impl<'a> Legend<'a> {
    /// What fits into the plot `area`. Without names, or without room for one, there is no legend.
    pub fn new(chart: &'a Chart, area: Area) -> Option<Self> {
        let room = (area.height() - 4 * GAP) / ROW;
        let entries: Vec<(Entry<'_>, String)> = entries(chart)
            .take(room.max(0) as usize)
            .map(|(entry, name)| (entry, fit(name, TEXT, area.width() as f32 / 2.0)))
            .collect();
        let widest = entries.iter().map(|(_, name)| width(name, TEXT)).fold(0.0, f32::max);
        let (width, height) = (3 * GAP + SAMPLE + widest.ceil() as i32, GAP + ROW * entries.len() as i32);
        let fits = !entries.is_empty() && width + 2 * GAP <= area.width();
        fits.then_some(Self { entries, width, height })
    }

    /// Where in `area` it hides least of `drawn`, which samples what is there, and how much of that it hides.
    pub fn place(&self, area: Area, drawn: &[Point]) -> (Area, usize) {
        best(area, (self.width, self.height), drawn)
    }

    pub fn draw(&self, surface: &mut impl Surface, place: Area) {
        surface.fill(place, Paint::PAPER, 0.8);
        surface.outline(place, Paint::FRAME);
        for (i, (entry, name)) in self.entries.iter().enumerate() {
            let middle = (place.top + GAP / 2 + ROW * i as i32 + ROW / 2) as f32;
            sample(surface, entry, ((place.left + GAP) as f32, middle));
            let start = (place.left + 2 * GAP + SAMPLE) as f32;
            surface.text(name, TEXT, (start, middle + 5.0), Anchor::Start, Paint::TITLE);
        }
    }
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

//! From the data's numbers to pixels: mapping and clipping.

use crate::range::plottable;
use crate::surface::{Area, Point};

/// Which numbers the plot area shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub x: (f64, f64),
    pub y: (f64, f64),
    pub area: Area,
}

impl View {
    /// The pixel of a point, also outside the area.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let Area { left, bottom, .. } = self.area;
        let across = part(x, self.x) * f64::from(self.area.width());
        let up = part(y, self.y) * f64::from(self.area.height());
        (f64::from(left) + across, f64::from(bottom) - up)
    }

    /// The pixel of a point, if the area shows it.
    pub fn visible(&self, point: (f64, f64)) -> Option<Point> {
        if !(plottable(point.0) && plottable(point.1)) {
            return None;
        }
        let pixel = self.place(point);
        self.inside(pixel).then_some(narrow(pixel))
    }

    /// The line through the points as pixels: cut where a point is not plottable and where it leaves the
    /// area. A piece of one point is a lone point.
    pub fn pieces(&self, points: &[(f64, f64)]) -> Vec<Vec<Point>> {
        let runs = points.split(|&(x, y)| !(plottable(x) && plottable(y)));
        runs.flat_map(|run| {
            let pixels: Vec<_> = run.iter().map(|&point| self.place(point)).collect();
            self.clip(&thin(&pixels))
        })
        .collect()
    }

    fn clip(&self, line: &[(f64, f64)]) -> Vec<Vec<Point>> {
        if let [lone] = line {
            return if self.inside(*lone) { vec![vec![narrow(*lone)]] } else { Vec::new() };
        }
        let mut pieces: Vec<Vec<Point>> = Vec::new();
        for pair in line.windows(2) {
            let Some((from, to)) = self.segment(pair[0], pair[1]) else { continue };
            let (from, to) = (narrow(from), narrow(to));
            match pieces.last_mut() {
                Some(piece) if piece.last() == Some(&from) => piece.push(to),
                _ => pieces.push(vec![from, to]),
            }
        }
        pieces
    }

    fn inside(&self, (x, y): (f64, f64)) -> bool {
        let Area { left, top, right, bottom } = self.area;
        x >= left.into() && x <= right.into() && y >= top.into() && y <= bottom.into()
    }

    /// The part of a segment within the area (Liang–Barsky 1984): each edge cuts the parameter range
    /// `enter..=leave` of the segment.
    fn segment(&self, a: (f64, f64), b: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
        let (run, rise) = (b.0 - a.0, b.1 - a.1);
        let Area { left, top, right, bottom } = self.area;
        let edges = [
            (-run, a.0 - f64::from(left)),
            (run, f64::from(right) - a.0),
            (-rise, a.1 - f64::from(top)),
            (rise, f64::from(bottom) - a.1),
        ];
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (outward, room) in edges {
            if outward > 0.0 {
                leave = leave.min(room / outward);
            } else if outward < 0.0 {
                enter = enter.max(room / outward);
            } else if room < 0.0 {
                return None;
            }
        }
        let at = |t: f64| (a.0 + t * run, a.1 + t * rise);
        // The ends themselves stay exact, so that consecutive segments join.
        let from = if enter == 0.0 { a } else { at(enter) };
        let to = if leave == 1.0 { b } else { at(leave) };
        (enter <= leave).then_some((from, to))
    }
}

/// Where a number lies between two others: 0 at the first, 1 at the second. Bounded, lest it overflow.
fn part(number: f64, (low, high): (f64, f64)) -> f64 {
    ((number - low) / (high - low)).clamp(-1e6, 1e6)
}

fn narrow((x, y): (f64, f64)) -> Point {
    (x as f32, y as f32)
}

/// Of consecutive points in one half of a pixel column, which is a column at twice the pixels, the first, lowest, highest and last: they paint the same
/// pixels, and the cost of a long line no longer grows with its points (Jugel et al. 2014, "M4").
fn thin(line: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    let mut thinned = Vec::with_capacity(line.len());
    for column in line.chunk_by(|a, b| (2.0 * a.0).floor() == (2.0 * b.0).floor()) {
        let ends = (column.iter().min_by(by_height), column.iter().max_by(by_height));
        match (column, ends) {
            ([first, .., last], (Some(&low), Some(&high))) if column.len() > 4 => {
                thinned.extend([*first, low, high, *last]);
            }
            _ => thinned.extend_from_slice(column),
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AREA: Area = Area { left: 10, top: 20, right: 110, bottom: 70 };

    fn view() -> View {
        View { x: (0.0, 10.0), y: (0.0, 1.0), area: AREA }
    }

    #[test]
    fn corners_map_to_corners() {
        assert_eq!(view().visible((0.0, 0.0)), Some((10.0, 70.0)));
        assert_eq!(view().visible((10.0, 1.0)), Some((110.0, 20.0)));
        assert_eq!(view().visible((5.0, 1.01)), None);
        assert_eq!(view().visible((f64::NAN, 0.5)), None);
    }

    #[test]
    fn gaps_and_edges_cut_the_line() {
        let nan = f64::NAN;
        let pieces = view().pieces(&[
            (0.0, 0.0),
            (1.0, 0.5),
            (2.0, nan),
            (3.0, 0.5),
            (4.0, f64::INFINITY),
            (5.0, 2.0),
        ]);
        assert_eq!(pieces, [vec![(10.0, 70.0), (20.0, 45.0)], vec![(40.0, 45.0)]]);
        // Up through the top edge half way, and back.
        let pieces = view().pieces(&[(0.0, 0.5), (2.0, 1.5), (4.0, 0.5)]);
        assert_eq!(pieces, [vec![(10.0, 45.0), (20.0, 20.0)], vec![(40.0, 20.0), (50.0, 45.0)]]);
        assert!(view().pieces(&[(-2.0, 0.5), (-1.0, 0.5)]).is_empty());
        assert!(view().pieces(&[]).is_empty());
    }

    #[test]
    fn a_long_line_is_thinned_without_losing_its_peaks() {
        let mut points: Vec<(f64, f64)> =
            (0..100_000).map(|i| (f64::from(i) / 10_000.0, 0.5 + 0.1 * f64::from(i % 7) / 7.0)).collect();
        points[54_321].1 = 0.987;
        let pieces = view().pieces(&points);
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].len() <= 4 * 202, "{}", pieces[0].len());
        let peak = view().visible(points[54_321]).unwrap();
        assert!(pieces[0].contains(&peak));
    }

    proptest! {
        #[test]
        fn clipped_lines_stay_inside(points: Vec<(f64, f64)>, near in prop::collection::vec((-20.0..30.0, -1.0..2.0), 0..9)) {
            for points in [points, near] {
                let pieces = view().pieces(&points);
                for (x, y) in pieces.into_iter().flatten() {
                    prop_assert!((9.99..=110.01).contains(&x) && (19.99..=70.01).contains(&y), "{x} {y}");
                }
            }
        }
    }
}

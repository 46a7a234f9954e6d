//! Anti-aliased lines by distance: a pixel is covered by how deep its centre lies inside the pen's edge.
//!
//! The distance to a polyline is the least of the distances to its segments, so joins and ends come out
//! round, and where a line crosses itself a half-transparent pen does not paint twice.

use crate::surface::{Area, Point, length};

/// How much of each pixel of an area a line covers, 0–1.
pub(crate) struct Cover {
    pub area: Area,
    pub parts: Vec<f32>,
}

impl Cover {
    /// The line through the points, `half` a width to each side, as far as the paper reaches.
    pub fn new(line: &[Point], half: f32, dashed: bool, paper: Area) -> Self {
        let area = bounds(line, half + 1.0, paper);
        let mut cover = Self { area, parts: vec![0.0; (area.width() * area.height()) as usize] };
        let pieces = if dashed { dashes(line, half) } else { vec![line.to_vec()] };
        for pair in pieces.iter().flat_map(|piece| piece.windows(2)) {
            cover.add(pair[0], pair[1], half);
        }
        cover
    }

    /// Row by row, only as far to both sides as the segment may reach.
    fn add(&mut self, a: Point, b: Point, half: f32) {
        let reach = half + 0.5;
        let (run, rise) = (b.0 - a.0, b.1 - a.1);
        let scale = 1.0 / (run * run + rise * rise).max(f32::MIN_POSITIVE);
        let first = (a.1.min(b.1) - reach).floor() as i32;
        let last = (a.1.max(b.1) + reach).ceil() as i32;
        for row in first.max(self.area.top)..last.min(self.area.bottom) {
            let y = row as f32 + 0.5 - a.1;
            let (from, to) = if rise == 0.0 { (0.0, 1.0) } else { ((y - reach) / rise, (y + reach) / rise) };
            let (from, to) = (from.clamp(0.0, 1.0) * run, to.clamp(0.0, 1.0) * run);
            let left = ((a.0 + from.min(to) - reach).floor() as i32).max(self.area.left);
            let right = ((a.0 + from.max(to) + reach).ceil() as i32).min(self.area.right);
            let start = (row - self.area.top) * self.area.width() - self.area.left;
            for column in left..right {
                let x = column as f32 + 0.5 - a.0;
                let along = ((x * run + y * rise) * scale).clamp(0.0, 1.0);
                let (dx, dy) = (x - along * run, y - along * rise);
                let square = dx * dx + dy * dy;
                if square < reach * reach {
                    let part = &mut self.parts[(start + column) as usize];
                    *part = part.max((reach - square.sqrt()).min(1.0));
                }
            }
        }
    }
}

/// The pixels within `reach` of the line, on the paper.
fn bounds(line: &[Point], reach: f32, paper: Area) -> Area {
    let start = (f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY);
    let (left, top, right, bottom) =
        line.iter().fold(start, |b, p| (b.0.min(p.0), b.1.min(p.1), b.2.max(p.0), b.3.max(p.1)));
    let left = ((left - reach).floor() as i32).clamp(paper.left, paper.right);
    let top = ((top - reach).floor() as i32).clamp(paper.top, paper.bottom);
    let right = ((right + reach).ceil() as i32).clamp(left, paper.right);
    let bottom = ((bottom + reach).ceil() as i32).clamp(top, paper.bottom);
    Area { left, top, right, bottom }
}

/// Lengths of a dash and of a gap without the round ends, which make 3.7 and 1.6 widths of them: matplotlib's.
pub(crate) fn dash_lengths(width: f32) -> [f32; 2] {
    [2.7 * width, 2.6 * width]
}

/// Cut the line into dashes.
fn dashes(line: &[Point], half: f32) -> Vec<Vec<Point>> {
    let lengths = dash_lengths(2.0 * half);
    let (mut pieces, mut gap, mut left) = (Vec::new(), 0, lengths[0]);
    let mut dash: Vec<Point> = line.first().copied().into_iter().collect();
    for pair in line.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = length(b.0 - a.0, b.1 - a.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let part = done / length;
            dash.push((a.0 + part * (b.0 - a.0), a.1 + part * (b.1 - a.1)));
            let last = *dash.last().unwrap_or(&b);
            let finished = std::mem::replace(&mut dash, vec![last]);
            if gap == 0 {
                pieces.push(finished);
            }
            gap = 1 - gap;
            left = lengths[gap];
        }
        left -= length - done;
        dash.push(b);
    }
    if gap == 0 {
        pieces.push(dash);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: Area = Area { left: 0, top: 0, right: 100, bottom: 60 };

    fn sum(cover: &Cover) -> f32 {
        cover.parts.iter().sum()
    }

    fn part(cover: &Cover, x: i32, y: i32) -> f32 {
        cover.parts[((y - cover.area.top) * cover.area.width() + x - cover.area.left) as usize]
    }

    #[test]
    fn a_level_line_covers_its_rows_exactly() {
        let cover = Cover::new(&[(10.0, 20.0), (90.0, 20.0)], 1.5, false, PAPER);
        let column: Vec<f32> = (17..23).map(|y| part(&cover, 50, y)).collect();
        assert_eq!(column, [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn ink_is_length_times_width_in_any_direction() {
        for (dx, dy) in [(60.0, 0.0), (0.0, 40.0), (50.0, 30.0), (-50.0, 13.0), (3.0, 40.0)] {
            let start = (if dx < 0.0 { 80.0 } else { 20.3 }, 10.2);
            let (half, length) = (1.5_f32, f32::hypot(dx, dy));
            let line = [start, (start.0 + dx, start.1 + dy)];
            let expected = 2.0 * half * length + std::f32::consts::PI * half * half;
            let ink = sum(&Cover::new(&line, half, false, PAPER));
            // Coverage by distance is exact along the axes, and within 1 % along the diagonals.
            assert!((ink / expected - 1.0).abs() < 0.015, "{dx} {dy}: {ink} for {expected}");
        }
    }

    #[test]
    fn a_line_does_not_paint_twice_where_it_returns() {
        let there = [(10.0, 10.0), (50.0, 30.0)];
        let back = [there[0], there[1], there[0]];
        assert_eq!(sum(&Cover::new(&there, 1.0, false, PAPER)), sum(&Cover::new(&back, 1.0, false, PAPER)));
    }

    #[test]
    fn dashes_have_their_proportions_through_corners() {
        let corner = [(5.0, 5.0), (45.0, 5.0), (45.0, 45.0)];
        let pieces = dashes(&corner, 1.0);
        // 80 pixels hold a dash and a gap of 10.6 pixels seven times, and a last dash.
        assert_eq!(pieces.len(), 8);
        let length = |piece: &Vec<Point>| {
            piece.windows(2).map(|p| libm::hypotf(p[1].0 - p[0].0, p[1].1 - p[0].1)).sum::<f32>()
        };
        assert!(pieces[..7].iter().all(|piece| (length(piece) - 5.4).abs() < 1e-3));
        assert_eq!(pieces[0], [(5.0, 5.0), (10.4, 5.0)]);
    }

    #[test]
    fn lines_off_the_paper_cost_nothing_and_do_not_panic() {
        assert_eq!(sum(&Cover::new(&[(-50.0, -50.0), (-20.0, -20.0)], 2.0, true, PAPER)), 0.0);
        assert!(sum(&Cover::new(&[(-50.0, 30.0), (500.0, 30.0)], 1.0, false, PAPER)) == 200.0);
        assert_eq!(Cover::new(&[], 1.0, true, PAPER).parts.len(), 0);
    }
}

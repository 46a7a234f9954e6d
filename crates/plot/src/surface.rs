//! What a chart is drawn on: pixels ([`Canvas`](crate::canvas::Canvas)) or an SVG document
//! ([`Document`](crate::svg::Document)). Places and lengths are pixels from the top left corner.

use crate::Paint;

/// A place in pixels from the top left corner.
pub(crate) type Point = (f32, f32);

/// Pixels a point, at 100 pixels an inch.
pub(crate) const PIXELS: f32 = 100.0 / 72.0;
/// Radius of a lone point in widths of its line.
pub(crate) const DOT: f32 = 1.5;

/// The length of a step by `(x, y)`. Rounded once, from f64, so that it has the same bits on every machine;
/// `hypot` is left to each system's mathematics library.
pub(crate) fn length(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    (x * x + y * y).sqrt() as f32
}

/// Pixels `left..right` by `top..bottom`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Area {
    pub fn width(self) -> i32 {
        self.right - self.left
    }

    pub fn height(self) -> i32 {
        self.bottom - self.top
    }

    pub fn contains(self, (x, y): Point) -> bool {
        x >= self.left as f32 && x < self.right as f32 && y >= self.top as f32 && y < self.bottom as f32
    }
}

/// How a line looks.
pub(crate) struct Pen {
    pub color: Paint,
    pub alpha: f32,
    /// In pixels.
    pub width: f32,
    pub dashed: bool,
}

/// Which part of a text lies at the place given.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// The marks a chart is made of; later ones lie over earlier ones.
pub(crate) trait Surface {
    /// A filled rectangle.
    fn fill(&mut self, area: Area, color: Paint, alpha: f32);

    /// The area between an upper and a lower line, both from the same x to the same larger one.
    fn between(&mut self, upper: [Point; 2], lower: [Point; 2], color: Paint, alpha: f32) {
        let [(from, _), (to, _)] = upper;
        let (left, right) = (from.round() as i32, to.round() as i32);
        for column in left..right {
            let share = ((column as f32 + 0.5 - from) / (to - from)).clamp(0.0, 1.0);
            let row = |line: [Point; 2]| (line[0].1 + share * (line[1].1 - line[0].1)).round() as i32;
            let (top, bottom) = (row(upper), row(lower));
            self.fill(Area { left: column, right: column + 1, top, bottom }, color, alpha);
        }
    }

    /// A border one pixel wide just inside the area.
    fn outline(&mut self, area: Area, color: Paint);

    /// A dotted line down the pixel column `x`: two pixels on, two off.
    fn dotted(&mut self, x: i32, top: i32, bottom: i32, color: Paint);

    /// A filled circle.
    fn disc(&mut self, center: Point, radius: f32, color: Paint, alpha: f32);

    /// A line through the points, with round joins and ends.
    fn line(&mut self, points: &[Point], pen: &Pen);

    /// Text of the given size on a baseline at `at.1`.
    fn text(&mut self, text: &str, size: f32, at: Point, anchor: Anchor, color: Paint);

    /// Text reading upwards, its baseline at `at.0`.
    fn text_up(&mut self, text: &str, size: f32, at: Point, anchor: Anchor, color: Paint);
}

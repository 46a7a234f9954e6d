//! The surface of pixels: paper, strokes, discs, boxes and text, all anti-aliased.
//!
//! Places and lengths are those of the layout; the canvas multiplies them by its scale.

use crate::stroke::Cover;
use crate::surface::{Anchor, Area, Pen, Point, Surface, length};
use crate::text::{self, Placed};
use crate::{Color, Look, Paint, Picture};

pub(crate) struct Canvas {
    width: u32,
    height: u32,
    look: Look,
    rgb: Vec<u8>,
}

impl Canvas {
    /// Paper of at least 1 × 1 pixel of the layout.
    pub fn new((width, height): (u32, u32), look: Look) -> Self {
        let (width, height) = (width.max(1) * look.scale(), height.max(1) * look.scale());
        let paper = Paint::PAPER.on(look.theme).channels();
        Self { width, height, look, rgb: paper.repeat(width as usize * height as usize) }
    }

    pub fn into_picture(self) -> Picture {
        Picture::new(self.width, self.height, self.look.scale(), self.rgb)
    }

    /// Pixels for each pixel of the layout.
    pub fn scale(&self) -> i32 {
        self.look.scale() as i32
    }

    fn scaled(&self, length: f32) -> f32 {
        length * self.scale() as f32
    }

    fn area(&self, area: Area) -> Area {
        let Area { left, top, right, bottom } = area;
        let scale = self.scale();
        Area { left: left * scale, top: top * scale, right: right * scale, bottom: bottom * scale }
    }

    /// Lay a colour over one pixel; outside the paper nothing happens.
    pub fn blend(&mut self, x: i32, y: i32, color: Color, alpha: f32) {
        if x < 0 || y < 0 || x >= self.width as i32 || y >= self.height as i32 || alpha <= 0.0 {
            return;
        }
        let start = (y as usize * self.width as usize + x as usize) * 3;
        for (below, above) in self.rgb[start..start + 3].iter_mut().zip(color.channels()) {
            let mixed = f32::from(*below) + (f32::from(above) - f32::from(*below)) * alpha;
            *below = (mixed + 0.5) as u8;
        }
    }

    /// A frame one pixel of the layout wide around an area of pixels.
    pub fn frame(&mut self, area: Area, color: Paint) {
        let (scale, color) = (self.scale(), color.on(self.look.theme));
        let Area { left, top, right, bottom } = area;
        for y in top - scale..bottom + scale {
            for x in left - scale..right + scale {
                if y < top || y >= bottom || x < left || x >= right {
                    self.blend(x, y, color, 1.0);
                }
            }
        }
    }

    /// `place` turns (pixels along the line, pixels below the baseline) into a pixel of the paper.
    fn glyph(&mut self, glyph: &Placed, color: Color, place: impl Fn(i32, i32) -> (i32, i32)) {
        let raster = &glyph.raster;
        for (row, coverage) in raster.coverage.chunks_exact(raster.width.max(1)).enumerate() {
            for (column, &alpha) in coverage.iter().enumerate() {
                let (x, y) =
                    place(glyph.start + raster.left + column as i32, glyph.down + raster.top + row as i32);
                self.blend(x, y, color, alpha);
            }
        }
    }
}

impl Surface for Canvas {
    fn fill(&mut self, area: Area, color: Paint, alpha: f32) {
        let (area, color) = (self.area(area), color.on(self.look.theme));
        for y in area.top.max(0)..area.bottom.min(self.height as i32) {
            for x in area.left.max(0)..area.right.min(self.width as i32) {
                self.blend(x, y, color, alpha);
            }
        }
    }

    fn outline(&mut self, area: Area, color: Paint) {
        let Area { left, top, right, bottom } = area;
        self.fill(Area { bottom: top + 1, ..area }, color, 1.0);
        self.fill(Area { top: bottom - 1, ..area }, color, 1.0);
        self.fill(Area { top: top + 1, bottom: bottom - 1, right: left + 1, left }, color, 1.0);
        self.fill(Area { top: top + 1, bottom: bottom - 1, left: right - 1, right }, color, 1.0);
    }

    fn dotted(&mut self, x: i32, top: i32, bottom: i32, color: Paint) {
        for y in (top..bottom).filter(|y| y % 4 < 2) {
            self.fill(Area { left: x, right: x + 1, top: y, bottom: y + 1 }, color, 1.0);
        }
    }

    /// A pixel is covered by how deep its centre lies inside the edge.
    fn disc(&mut self, (x, y): Point, radius: f32, color: Paint, alpha: f32) {
        let (x, y, radius) = (self.scaled(x), self.scaled(y), self.scaled(radius));
        let color = color.on(self.look.theme);
        let reach = radius + 1.0;
        let within = |at: f32, size: u32| {
            ((at - reach).floor() as i32).max(0)..((at + reach).ceil() as i32).min(size as i32)
        };
        for row in within(y, self.height) {
            for column in within(x, self.width) {
                let distance = length(column as f32 + 0.5 - x, row as f32 + 0.5 - y);
                self.blend(column, row, color, alpha * (radius + 0.5 - distance).clamp(0.0, 1.0));
            }
        }
    }

    fn line(&mut self, points: &[Point], pen: &Pen) {
        let paper = Area { left: 0, top: 0, right: self.width as i32, bottom: self.height as i32 };
        let points: Vec<Point> = points.iter().map(|&(x, y)| (self.scaled(x), self.scaled(y))).collect();
        let cover = Cover::new(&points, self.scaled(pen.width) / 2.0, pen.dashed, paper);
        let color = pen.color.on(self.look.theme);
        let Area { left, top, .. } = cover.area;
        for (y, row) in (top..).zip(cover.parts.chunks_exact(cover.area.width().max(1) as usize)) {
            for (x, &part) in (left..).zip(row).filter(|&(_, &part)| part > 0.0) {
                self.blend(x, y, color, pen.alpha * part);
            }
        }
    }

    fn text(&mut self, text: &str, size: f32, (x, y): Point, anchor: Anchor, color: Paint) {
        let (size, base) = (self.scaled(size), y.round() as i32 * self.scale());
        let color = color.on(self.look.theme);
        for placed in text::set(text, size, self.scaled(x) - before(text, size, anchor)) {
            self.glyph(&placed, color, |along, down| (along, base + down));
        }
    }

    fn text_up(&mut self, text: &str, size: f32, (x, y): Point, anchor: Anchor, color: Paint) {
        let (size, base) = (self.scaled(size), x.round() as i32 * self.scale());
        let color = color.on(self.look.theme);
        for placed in text::set(text, size, -self.scaled(y) - before(text, size, anchor)) {
            self.glyph(&placed, color, |along, down| (base + down, -1 - along));
        }
    }
}

/// How much of the text lies before its anchor, in pixels.
fn before(text: &str, size: f32, anchor: Anchor) -> f32 {
    match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => text::width(text, size) / 2.0,
        Anchor::End => text::width(text, size),
    }
}

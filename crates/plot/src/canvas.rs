//! The surface of pixels: white paper, strokes, discs, boxes and text, all anti-aliased.

use crate::stroke::Cover;
use crate::surface::{Anchor, Area, Pen, Point, Surface, length};
use crate::text::{self, Placed};
use crate::{Color, Picture};

pub(crate) struct Canvas {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Canvas {
    /// White paper of at least 1 × 1 pixel.
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, rgb: vec![255; width as usize * height as usize * 3] }
    }

    pub fn into_picture(self) -> Picture {
        Picture::new(self.width, self.height, self.rgb)
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

    /// `place` turns (pixels along the line, pixels below the baseline) into a pixel of the paper.
    fn glyph(&mut self, glyph: &Placed, color: Color, place: impl Fn(i32, i32) -> (i32, i32)) {
        let raster = &glyph.raster;
        for (row, coverage) in raster.coverage.chunks_exact(raster.width.max(1)).enumerate() {
            for (column, &alpha) in coverage.iter().enumerate() {
                let (x, y) = place(glyph.start + raster.left + column as i32, raster.top + row as i32);
                self.blend(x, y, color, alpha);
            }
        }
    }
}

impl Surface for Canvas {
    fn fill(&mut self, area: Area, color: Color, alpha: f32) {
        for y in area.top.max(0)..area.bottom.min(self.height as i32) {
            for x in area.left.max(0)..area.right.min(self.width as i32) {
                self.blend(x, y, color, alpha);
            }
        }
    }

    fn outline(&mut self, area: Area, color: Color) {
        let Area { left, top, right, bottom } = area;
        self.fill(Area { bottom: top + 1, ..area }, color, 1.0);
        self.fill(Area { top: bottom - 1, ..area }, color, 1.0);
        self.fill(Area { top: top + 1, bottom: bottom - 1, right: left + 1, left }, color, 1.0);
        self.fill(Area { top: top + 1, bottom: bottom - 1, left: right - 1, right }, color, 1.0);
    }

    fn dotted(&mut self, x: i32, top: i32, bottom: i32, color: Color) {
        for y in (top..bottom).filter(|y| y % 4 < 2) {
            self.blend(x, y, color, 1.0);
        }
    }

    /// A pixel is covered by how deep its centre lies inside the edge.
    fn disc(&mut self, (x, y): Point, radius: f32, color: Color, alpha: f32) {
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
        let cover = Cover::new(points, pen.width / 2.0, pen.dashed, paper);
        let Area { left, top, .. } = cover.area;
        for (y, row) in (top..).zip(cover.parts.chunks_exact(cover.area.width().max(1) as usize)) {
            for (x, &part) in (left..).zip(row).filter(|&(_, &part)| part > 0.0) {
                self.blend(x, y, pen.color, pen.alpha * part);
            }
        }
    }

    fn text(&mut self, text: &str, size: f32, (x, y): Point, anchor: Anchor, color: Color) {
        let base = y.round() as i32;
        for placed in text::set(text, size, x - before(text, size, anchor)) {
            self.glyph(&placed, color, |along, down| (along, base + down));
        }
    }

    fn text_up(&mut self, text: &str, size: f32, (x, y): Point, anchor: Anchor, color: Color) {
        let base = x.round() as i32;
        for placed in text::set(text, size, -y - before(text, size, anchor)) {
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

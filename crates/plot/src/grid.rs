//! Many small images with their titles, in rows.

use crate::canvas::Canvas;
use crate::layout::{GAP, SMALL, TEXT, TITLE};
use crate::surface::{Anchor, Area, Surface};
use crate::text::{fit, fit_middle};
use crate::{Color, Look, Paint, Picture, PlotError};

/// Space around a cell.
const MARGIN: u32 = 10;
/// Space for a cell's title.
const CAPTION: u32 = 20;
/// Space for the grid's title.
const HEADING: u32 = 32;
/// Space for the line below it.
const SUBHEADING: u32 = 24;
/// Beyond 2²⁸ pixels (a gigabyte to draw on) a picture helps nobody.
const MOST_PIXELS: u64 = 1 << 28;

/// An image and its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridCell {
    /// Above the image; shortened to fit.
    pub title: String,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// 1 (grey) or 3 (RGB).
    pub channels: usize,
    /// `[height, width, channels]`, row by row from the top.
    pub pixels: Vec<u8>,
}

impl GridCell {
    /// A place in a row where nothing is drawn.
    #[must_use]
    pub const fn empty() -> Self {
        Self { title: String::new(), height: 0, width: 0, channels: 1, pixels: Vec::new() }
    }
}

/// Many images with their titles, in rows.
#[derive(Debug, Clone, Copy)]
pub struct ImageGrid<'a> {
    /// Above the images; its middle is left out if it is too long.
    pub title: &'a str,
    /// In smaller letters below the title; shortened to fit.
    pub subtitle: &'a str,
    /// The images, row by row.
    pub cells: &'a [GridCell],
    /// Images in a row, taken as at least 1 and at most as many as there are.
    pub columns: usize,
    /// The side of the square around each image, taken as 16–2048 pixels of the layout.
    pub cell_size: u32,
}

impl ImageGrid<'_> {
    /// The images as one picture.
    ///
    /// Small ones grow by the largest whole factor that fits, each pixel a crisp square; large ones shrink to fit, each
    /// new pixel the average of the area it covers.
    ///
    /// # Errors
    /// [`PlotError::Cell`] if an image's pixels do not match its shape, [`PlotError::TooLarge`] if the whole would
    /// exceed 2²⁸ pixels.
    pub fn draw(&self, look: Look) -> Result<Picture, PlotError> {
        self.cells.iter().enumerate().try_for_each(|(index, cell)| check(index, cell))?;
        let cell_size = self.cell_size.clamp(16, 2048);
        let columns = self.columns.clamp(1, self.cells.len().max(1));
        let (across, down) = (cell_size + MARGIN, cell_size + CAPTION + MARGIN);
        let line = |text: &str, room: u32| if text.is_empty() { 0 } else { room };
        let (title, subtitle) = (line(self.title, HEADING), line(self.subtitle, SUBHEADING));
        let heading = title + subtitle;
        let rows = self.cells.len().div_ceil(columns);
        let size = size((across, down), columns, rows, heading, look)?;

        let mut canvas = Canvas::new(size, look);
        let room = (size.0 as f32 - 2.0 * GAP as f32).max(0.0);
        let (middle, top) = (size.0 as f32 / 2.0, MARGIN as f32);
        let text = fit_middle(self.title, TITLE, room);
        canvas.text(&text, TITLE, (middle, top + 16.0), Anchor::Middle, Paint::TITLE);
        let text = fit(self.subtitle, TEXT, room);
        canvas.text(&text, TEXT, (middle, top + title as f32 + 8.0), Anchor::Middle, Paint::INK);
        for (i, cell) in self.cells.iter().enumerate().filter(|(_, cell)| **cell != GridCell::empty()) {
            let left = MARGIN + (i % columns) as u32 * across;
            let top = heading + MARGIN + (i / columns) as u32 * down;
            draw(&mut canvas, cell, (left as i32, top as i32), cell_size as i32);
        }
        Ok(canvas.into_picture())
    }
}

fn check(index: usize, cell: &GridCell) -> Result<(), PlotError> {
    if *cell == GridCell::empty() {
        return Ok(());
    }
    let GridCell { ref title, height, width, channels, ref pixels } = *cell;
    let bytes = height.checked_mul(width).and_then(|area| area.checked_mul(channels));
    if matches!(channels, 1 | 3) && height > 0 && width > 0 && bytes == Some(pixels.len()) {
        return Ok(());
    }
    Err(PlotError::Cell { index, title: title.clone(), height, width, channels, got: pixels.len() })
}

fn size(
    (across, down): (u32, u32),
    columns: usize,
    rows: usize,
    heading: u32,
    look: Look,
) -> Result<(u32, u32), PlotError> {
    let width = (columns as u64).saturating_mul(across.into()).saturating_add(MARGIN.into());
    let height = (rows as u64).saturating_mul(down.into()).saturating_add((MARGIN + heading).into());
    let scale = u64::from(look.scale());
    if width.saturating_mul(height).saturating_mul(scale * scale) > MOST_PIXELS {
        return Err(PlotError::TooLarge { width: width * scale, height: height * scale });
    }
    Ok((width as u32, height as u32))
}

/// The title above, the image in the middle of its square.
fn draw(canvas: &mut Canvas, cell: &GridCell, (left, top): (i32, i32), size: i32) {
    let room = size as f32 + MARGIN as f32 / 2.0;
    let middle = (left as f32 + size as f32 / 2.0, top as f32 + 13.0);
    canvas.text(&fit(&cell.title, SMALL, room), SMALL, middle, Anchor::Middle, Paint::INK);
    // The image itself is laid out in pixels, so that it may use all of them.
    let scale = canvas.scale();
    let (left, top, size) = (left * scale, (top + CAPTION as i32) * scale, size * scale);
    let (height, width) = scaled(cell, size as usize);
    let image =
        if height >= cell.height { grown(cell, height / cell.height) } else { shrunk(cell, height, width) };
    let (left, top) = (left + (size - width as i32) / 2, top + (size - height as i32) / 2);
    let (right, bottom) = (left + width as i32, top + height as i32);
    canvas.frame(Area { left, top, right, bottom }, Paint::FRAME);
    for (i, &color) in image.iter().enumerate() {
        canvas.blend(left + (i % width) as i32, top + (i / width) as i32, color, 1.0);
    }
}

/// Height and width that fit the square.
fn scaled(cell: &GridCell, size: usize) -> (usize, usize) {
    let longer = cell.height.max(cell.width);
    if longer <= size {
        let factor = size / longer;
        return (cell.height * factor, cell.width * factor);
    }
    let side = |side: usize| ((side as f64 * size as f64 / longer as f64).round() as usize).max(1);
    (side(cell.height), side(cell.width))
}

fn color(cell: &GridCell, y: usize, x: usize) -> Color {
    let start = (y * cell.width + x) * cell.channels;
    match cell.pixels[start..start + cell.channels] {
        [red, green, blue] => Color { red, green, blue },
        [grey, ..] => Color { red: grey, green: grey, blue: grey },
        [] => Color::WHITE,
    }
}

fn grown(cell: &GridCell, factor: usize) -> Vec<Color> {
    let (height, width) = (cell.height * factor, cell.width * factor);
    (0..height).flat_map(|y| (0..width).map(move |x| color(cell, y / factor, x / factor))).collect()
}

fn shrunk(cell: &GridCell, height: usize, width: usize) -> Vec<Color> {
    let (rows, columns) = (spans(cell.height, height), spans(cell.width, width));
    rows.iter().flat_map(|row| columns.iter().map(move |column| average(cell, row, column))).collect()
}

/// For each of `to` pixels, which of `from` pixels it covers and how much of each.
fn spans(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let ratio = from as f64 / to as f64;
    let span = |i: usize| {
        let (start, end) = (i as f64 * ratio, ((i + 1) as f64 * ratio).min(from as f64));
        let covered = start as usize..(end.ceil() as usize).min(from);
        covered.map(|pixel| (pixel, end.min((pixel + 1) as f64) - start.max(pixel as f64))).collect()
    };
    (0..to).map(span).collect()
}

fn average(cell: &GridCell, rows: &[(usize, f64)], columns: &[(usize, f64)]) -> Color {
    let (mut sums, mut area) = ([0.0; 3], 0.0);
    for &(y, high) in rows {
        for &(x, wide) in columns {
            let weight = high * wide;
            area += weight;
            let channels = color(cell, y, x).channels();
            sums.iter_mut().zip(channels).for_each(|(sum, channel)| *sum += weight * f64::from(channel));
        }
    }
    let [red, green, blue] = sums.map(|sum| (sum / area).round() as u8);
    Color { red, green, blue }
}

//! Heat maps over pictures.

use crate::classifier::Explanation;
use crate::error::RunError;
use wellfit_images::{Interpolation, RawImage, resize, with_channels};
use wellfit_plot::{GridCell, ImageGrid, Look};

/// Height and width of the square around each picture, in pixels of the layout.
const CELL: u32 = 220;
/// The longer side of a picture on the sheet: more could not be seen.
const LONGEST: usize = 2 * CELL as usize;
/// Pairs of pictures in a row.
const PAIRS: usize = 2;
/// How much of the picture shows through where it is hottest.
const CLEAR: f32 = 0.5;
/// The colours from cold to hot, evenly spaced: dark blue, cyan, yellow, dark red, as of the map `jet`.
const COLOURS: [[f32; 3]; 6] = [
    [0.0, 0.0, 143.0],
    [0.0, 80.0, 255.0],
    [0.0, 255.0, 255.0],
    [255.0, 255.0, 0.0],
    [255.0, 60.0, 0.0],
    [128.0, 0.0, 0.0],
];

/// A PNG sheet of pictures, each beside its heat map, with the names of the files, and the class of the map with its
/// probability. Each map is relative to its own largest value.
///
/// # Errors
/// If the sheet cannot be drawn.
pub fn explanation_sheet(
    explained: &[(String, Explanation)],
    classes: &[String],
    title: &str,
) -> Result<Vec<u8>, RunError> {
    let mut cells = Vec::with_capacity(2 * explained.len());
    for (name, explanation) in explained {
        let (size, pixels) = enlarged(&explanation.picture, LONGEST);
        let class = classes.get(explanation.class).map_or("", String::as_str);
        let share = explanation.prediction.probabilities.get(explanation.class).copied().unwrap_or(0.0);
        let heated = heated(&pixels, size, explanation);
        let cell =
            |title: String, pixels| GridCell { title, height: size.0, width: size.1, channels: 3, pixels };
        cells.push(cell(name.clone(), pixels));
        cells.push(cell(format!("{:.0} % {class}", 100.0 * share), heated));
    }
    let subtitle = "what speaks for the class (Grad-CAM), from blue to red";
    let columns = if explained.len() == 1 { 2 } else { 2 * PAIRS };
    let grid = ImageGrid { title, subtitle, cells: &cells, columns, cell_size: CELL };
    Ok(grid.draw(Look::SCREEN)?.to_png_bytes()?)
}

/// A picture in RGB with that longer side, and its size.
pub(crate) fn enlarged(picture: &RawImage, longest: usize) -> ((usize, usize), Vec<u8>) {
    let RawImage { height, width, channels, ref pixels, .. } = *picture;
    let pixels = with_channels(pixels, channels, 3);
    let longer = height.max(width) as f64;
    let side = |side: usize| ((side as f64 * longest as f64 / longer).round() as usize).max(1);
    let size = (side(height), side(width));
    (size, resize(&pixels, (height, width), 3, size, Interpolation::Bilinear))
}

/// The picture with the map over it, which is drawn out over the whole of it.
pub(crate) fn heated(pixels: &[u8], size: (usize, usize), explanation: &Explanation) -> Vec<u8> {
    let largest = explanation.map.iter().copied().fold(0.0_f32, f32::max);
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    let heat = |place: usize| scale * between(explanation, place / size.1, place % size.1, size);
    let pixel = |(place, rgb): (usize, &[u8])| {
        let colour = colour(heat(place));
        let mix = |c: usize| CLEAR * f32::from(rgb[c]) + (1.0 - CLEAR) * colour[c];
        [0, 1, 2].map(|c| mix(c).round().clamp(0.0, 255.0) as u8)
    };
    pixels.chunks_exact(3).enumerate().flat_map(pixel).collect()
}

/// The map at a pixel of a picture of `size`, between the middles of its places (torch's `bilinear` without aligned
/// corners).
fn between(explanation: &Explanation, y: usize, x: usize, size: (usize, usize)) -> f32 {
    let (rows, columns) = explanation.size;
    let (top, bottom, down) = neighbours(y, size.0, rows);
    let (left, right, across) = neighbours(x, size.1, columns);
    let at = |row: usize, column: usize| explanation.map.get(row * columns + column).copied().unwrap_or(0.0);
    let line = |row| (1.0 - across) * at(row, left) + across * at(row, right);
    (1.0 - down) * line(top) + down * line(bottom)
}

/// The two of `count` places around pixel `at` of `length`, and the share of the second.
fn neighbours(at: usize, length: usize, count: usize) -> (usize, usize, f32) {
    let place = ((at as f32 + 0.5) * count as f32 / length as f32 - 0.5).clamp(0.0, (count - 1) as f32);
    let first = place as usize;
    (first, (first + 1).min(count - 1), place - first as f32)
}

/// The colour of a heat from 0 to 1.
fn colour(heat: f32) -> [f32; 3] {
    let last = COLOURS.len() - 1;
    let place = heat.clamp(0.0, 1.0) * last as f32;
    let first = (place as usize).min(last - 1);
    let share = place - first as f32;
    [0, 1, 2].map(|c| (1.0 - share) * COLOURS[first][c] + share * COLOURS[first + 1][c])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::Prediction;

    fn explanation(size: (usize, usize), map: Vec<f32>) -> Explanation {
        let prediction = Prediction { logits: vec![0.0], probabilities: vec![1.0] };
        let picture = RawImage { height: 1, width: 1, channels: 1, pixels: vec![0], deep: false };
        Explanation { prediction, class: 0, size, map, picture }
    }

    /// torch's `interpolate([[0, 1]], (1, 4), mode="bilinear")` is 0, 0.25, 0.75, 1.
    #[test]
    fn maps_are_drawn_out_as_torch_does() {
        let map = explanation((1, 2), vec![0.0, 1.0]);
        let found = [0, 1, 2, 3].map(|x| between(&map, 0, x, (1, 4)));
        assert_eq!(found, [0.0, 0.25, 0.75, 1.0]);
    }

    #[test]
    fn what_is_hot_is_red() {
        let pixels = heated(&[0; 6], (1, 2), &explanation((1, 2), vec![0.0, 5.0]));
        assert_eq!(pixels, [0, 0, 72, 64, 0, 0]);
        // A map of nothing is cold everywhere.
        assert_eq!(heated(&[0; 3], (1, 1), &explanation((1, 1), vec![0.0])), [0, 0, 72]);
    }
}

//! Seeing an image from another side, as torchvision's `functional.perspective` with Pillow's `Image.transform`.

use super::image::Image;

/// The corners of an image: upper left, upper right, lower right, lower left, each as x and y in pixels.
pub type Corners = [[f64; 2]; 4];

/// From a place in the result to one in the image: x = (a₀x' + a₁y' + a₂) / (a₆x' + a₇y' + 1), y likewise with a₃ to a₅.
type Coefficients = [f64; 8];

/// Move the corners of the image to other places. Between pixels is interpolated; what comes from outside is black.
/// Corners of which three lie on a line are no image, and leave it as it is.
pub fn perspective(image: &Image, corners: &Corners) -> Image {
    match coefficients(image.size, corners) {
        None => image.clone(),
        Some(coefficients) => match image.channels {
            1 => transformed::<1>(image, &coefficients),
            _ => transformed::<3>(image, &coefficients),
        },
    }
}

/// torchvision's `_get_perspective_coeffs`: it solves in f64 and rounds to f32.
fn coefficients((height, width): (usize, usize), corners: &Corners) -> Option<Coefficients> {
    let (right, lower) = (width as f64 - 1.0, height as f64 - 1.0);
    let own = [[0.0, 0.0], [right, 0.0], [right, lower], [0.0, lower]];
    // Each row has the eight factors and the right side.
    let mut rows: Vec<[f64; 9]> = Vec::with_capacity(8);
    for ([x, y], [to_x, to_y]) in corners.iter().copied().zip(own) {
        rows.push([x, y, 1.0, 0.0, 0.0, 0.0, -to_x * x, -to_x * y, to_x]);
        rows.push([0.0, 0.0, 0.0, x, y, 1.0, -to_y * x, -to_y * y, to_y]);
    }
    Some(solved(rows)?.map(|value| f64::from(value as f32)))
}

/// The solution of eight equations by Gauss' elimination with the largest pivots; none if there is not just one.
fn solved(mut rows: Vec<[f64; 9]>) -> Option<[f64; 8]> {
    for column in 0..8 {
        let size = |row: &[f64; 9]| row[column].abs();
        let best = (column..8).max_by(|&a, &b| size(&rows[a]).total_cmp(&size(&rows[b])))?;
        rows.swap(column, best);
        let pivot = rows[column];
        if pivot[column].abs() < 1e-9 {
            return None;
        }
        for (place, row) in rows.iter_mut().enumerate() {
            let factor = row[column] / pivot[column];
            if place != column && factor != 0.0 {
                row.iter_mut().zip(pivot).for_each(|(value, pivot)| *value -= factor * pivot);
            }
        }
    }
    Some(std::array::from_fn(|i| rows[i][8] / rows[i][i]))
}

/// Pillow's `perspective_transform` and `bilinear_filter8`.
fn transformed<const C: usize>(image: &Image, a: &Coefficients) -> Image {
    let (height, width) = image.size;
    let source = image.pixels.as_chunks::<C>().0;
    let mut out = vec![0; image.pixels.len()];
    for (place, pixel) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
        let (x, y) = ((place % width) as f64 + 0.5, (place / width) as f64 + 0.5);
        let below = a[6] * x + a[7] * y + 1.0;
        let from = ((a[0] * x + a[1] * y + a[2]) / below, (a[3] * x + a[4] * y + a[5]) / below);
        // Also false where it is no number.
        if (0.0..width as f64).contains(&from.0) && (0.0..height as f64).contains(&from.1) {
            *pixel = between(source, image.size, from);
        }
    }
    image.with(out)
}

/// The colour at a place inside an image, from the four pixels whose middles are around it; edges go on.
fn between<const C: usize>(
    source: &[[u8; C]],
    (height, width): (usize, usize),
    (x, y): (f64, f64),
) -> [u8; C] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (dx, dy) = (x - x.floor(), y - y.floor());
    let clamped = |at: f64, length: usize| at.clamp(0.0, length as f64 - 1.0) as usize;
    let [left, right] = [x.floor(), x.floor() + 1.0].map(|at| clamped(at, width));
    let [above, under] = [y.floor(), y.floor() + 1.0].map(|at| clamped(at, height));
    std::array::from_fn(|channel| {
        let level = |row: usize, column: usize| f64::from(source[row * width + column][channel]);
        let along = |row| level(row, left) + (level(row, right) - level(row, left)) * dx;
        let (first, second) = (along(above), along(under));
        // Pillow cuts fractions off.
        (first + (second - first) * dy) as u8
    })
}

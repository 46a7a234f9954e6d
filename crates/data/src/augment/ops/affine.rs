//! Turning, moving, scaling and shearing with the nearest pixel, as Pillow's `Image.rotate` and `Image.transform`.
//!
//! Pillow asks for each pixel of the result where in the image it comes from. It walks there in steps of 1/65536 pixel
//! (`affine_fixed` in `Geometry.c`), or in floating point if rows stay rows (`ImagingScaleAffine`). What comes from
//! outside is black.

use super::image::Image;

/// What stays in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The middle of the image.
    Middle,
    /// Its upper left corner.
    Corner,
}

/// From a place in the result to one in the image: x = m₀x' + m₁y' + m₂, y = m₃x' + m₄y' + m₅.
type Matrix = [f64; 6];

/// Turn anticlockwise about the middle.
pub fn rotate(image: &Image, degrees: f64) -> Image {
    let (height, width) = image.size;
    let degrees = degrees.rem_euclid(360.0);
    // Pillow takes quarter turns by themselves, since the general way is a pixel off.
    if degrees == 0.0 {
        return image.clone();
    } else if degrees == 180.0 {
        return rearranged(image, |y, x| (height - 1 - y, width - 1 - x));
    } else if degrees == 90.0 && height == width {
        return rearranged(image, |y, x| (x, width - 1 - y));
    } else if degrees == 270.0 && height == width {
        return rearranged(image, |y, x| (height - 1 - x, y));
    }
    let rounded = |x: f64| (x * 1e15).round() / 1e15;
    let angle = -degrees.to_radians();
    let (sine, cosine) = (rounded(libm::sin(angle)), rounded(libm::cos(angle)));
    let (cx, cy) = (width as f64 / 2.0, height as f64 / 2.0);
    let shift_x = cosine * -cx + sine * -cy + cx;
    let shift_y = -sine * -cx + cosine * -cy + cy;
    transform(image, [cosine, sine, shift_x, -sine, cosine, shift_y])
}

/// torchvision's `functional.affine`: angles in degrees, clockwise.
pub fn affine(
    image: &Image,
    angle: f64,
    translate: [f64; 2],
    scale: f64,
    shear: [f64; 2],
    about: About,
) -> Image {
    let (height, width) = image.size;
    let centre = match about {
        About::Middle => [width as f64 * 0.5, height as f64 * 0.5],
        About::Corner => [0.0, 0.0],
    };
    transform(image, inverse(centre, angle, translate, scale, shear))
}

/// torchvision's `_get_inverse_affine_matrix`.
fn inverse(centre: [f64; 2], angle: f64, translate: [f64; 2], scale: f64, shear: [f64; 2]) -> Matrix {
    let (rot, sx, sy) = (angle.to_radians(), shear[0].to_radians(), shear[1].to_radians());
    let [(sin, cos), (sin_rot, cos_rot)] = [rot - sy, rot].map(libm::sincos);
    let (cos_sy, tan_sx) = (libm::cos(sy), libm::tan(sx));
    let a = cos / cos_sy;
    let b = -cos * tan_sx / cos_sy - sin_rot;
    let c = sin / cos_sy;
    let d = -sin * tan_sx / cos_sy + cos_rot;
    let [a, b, c, d] = [d / scale, -b / scale, -c / scale, a / scale];
    let (x, y) = (-centre[0] - translate[0], -centre[1] - translate[1]);
    [a, b, a * x + b * y + centre[0], c, d, c * x + d * y + centre[1]]
}

/// Each pixel of the result is the one of `image` in which `m` of its middle lies.
fn transform(image: &Image, m: Matrix) -> Image {
    if m[1] == 0.0 && m[3] == 0.0 {
        let columns = walk(m[2] + m[0] * 0.5, m[0], image.size.1);
        let rows = walk(m[5] + m[4] * 0.5, m[4], image.size.0);
        return gathered(image, |y, x| (rows[y], columns[x]));
    }
    let fixed = |v: f64| (v * 65536.0 + 0.5).floor() as i64;
    let m = [
        fixed(m[0]),
        fixed(m[1]),
        fixed(m[2] + m[0] * 0.5 + m[1] * 0.5),
        fixed(m[3]),
        fixed(m[4]),
        fixed(m[5] + m[3] * 0.5 + m[4] * 0.5),
    ];
    gathered(image, |y, x| {
        let (x, y) = (x as i64, y as i64);
        ((m[5] + m[4] * y + m[3] * x) >> 16, (m[2] + m[1] * y + m[0] * x) >> 16)
    })
}

/// The places of `count` steps from `start`, each rounded down; −1 below 0.
fn walk(start: f64, step: f64, count: usize) -> Vec<i64> {
    let mut at = start;
    let place = |_| {
        let here = at;
        at += step;
        if here < 0.0 { -1 } else { here as i64 }
    };
    (0..count).map(place).collect()
}

/// Each pixel (row, column) of the result is that of `image` at the place that `from` gives, black outside.
fn gathered(image: &Image, from: impl Fn(usize, usize) -> (i64, i64)) -> Image {
    match image.channels {
        1 => gathered_pixels::<1>(image, from),
        _ => gathered_pixels::<3>(image, from),
    }
}

fn gathered_pixels<const C: usize>(image: &Image, from: impl Fn(usize, usize) -> (i64, i64)) -> Image {
    let (height, width) = image.size;
    let source = image.pixels.as_chunks::<C>().0;
    let mut out = vec![0; image.pixels.len()];
    for (place, pixel) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
        let (y, x) = from(place / width, place % width);
        if (0..height as i64).contains(&y) && (0..width as i64).contains(&x) {
            *pixel = source[y as usize * width + x as usize];
        }
    }
    image.with(out)
}

/// As [`gathered`], from places that are inside.
fn rearranged(image: &Image, from: impl Fn(usize, usize) -> (usize, usize)) -> Image {
    gathered(image, |y, x| {
        let (y, x) = from(y, x);
        (y as i64, x as i64)
    })
}

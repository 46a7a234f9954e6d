//! Turning a picture by its tag `Orientation`, as Pillow does for TIFF (and for no other format).

/// Pixels of `size` (height, width) turned and mirrored; gives the new size.
pub(super) fn turned(
    pixels: Vec<u8>,
    (height, width): (usize, usize),
    orientation: u16,
) -> (Vec<u8>, (usize, usize)) {
    // Whether rows and columns change places, and whether each then runs backwards in the stored picture.
    let (swap, flip_y, flip_x) = match orientation {
        2 => (false, false, true),
        3 => (false, true, true),
        4 => (false, true, false),
        5 => (true, false, false),
        6 => (true, true, false),
        7 => (true, true, true),
        8 => (true, false, true),
        _ => return (pixels, (height, width)),
    };
    let size = if swap { (width, height) } else { (height, width) };
    let pixels = pixels.as_chunks::<3>().0;
    let mut out = Vec::with_capacity(pixels.len() * 3);
    for y in 0..size.0 {
        for x in 0..size.1 {
            let (y, x) = if swap { (x, y) } else { (y, x) };
            let y = if flip_y { height - 1 - y } else { y };
            let x = if flip_x { width - 1 - x } else { x };
            out.extend(pixels[y * width + x]);
        }
    }
    (out, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the six pixels `ab cd ef`, what each orientation shows first (TIFF 6.0, tag 274).
    #[test]
    fn each_orientation_puts_its_corner_first() {
        let stored: Vec<u8> = b"abcdef".iter().flat_map(|&pixel| [pixel; 3]).collect();
        for (orientation, want) in [
            (1, "abcdef"),
            (2, "badcfe"),
            (3, "fedcba"),
            (4, "efcdab"),
            (5, "acebdf"),
            (6, "ecafdb"),
            (7, "fdbeca"),
            (8, "bdface"),
        ] {
            let (pixels, size) = turned(stored.clone(), (3, 2), orientation);
            let got: String = pixels.iter().step_by(3).map(|&pixel| char::from(pixel)).collect();
            assert_eq!((got.as_str(), size), (want, if orientation < 5 { (3, 2) } else { (2, 3) }));
        }
    }
}

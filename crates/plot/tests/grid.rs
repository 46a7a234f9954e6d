//! Image grids: where the images lie and how they are scaled.

use wellfit_plot::{Color, GridCell, ImageGrid, Look, Picture, PlotError};

fn cell(height: usize, width: usize, channels: usize, pixel: impl Fn(usize, usize) -> u8) -> GridCell {
    let value = |i: usize| pixel(i / channels / width, i / channels % width);
    let pixels = (0..height * width * channels).map(value).collect();
    GridCell {
        title: "핫도그 or a title that is far too long".to_owned(), height, width, channels, pixels
    }
}

fn image_grid(title: &str, cells: &[GridCell], columns: usize, cell_size: u32) -> Result<Picture, PlotError> {
    ImageGrid { title, subtitle: "", cells, columns, cell_size }.draw(Look::PLAIN)
}

/// Left, top, right, bottom (inclusive) of the pixels of one colour within columns `from..to`.
fn bounds(picture: &Picture, color: Color, from: u32, to: u32) -> (u32, u32, u32, u32) {
    let all = (0..picture.height()).flat_map(|y| (from..to).map(move |x| (x, y)));
    all.filter(|&(x, y)| picture.pixel(x, y) == Some(color))
        .fold((u32::MAX, u32::MAX, 0, 0), |b, (x, y)| (b.0.min(x), b.1.min(y), b.2.max(x), b.3.max(y)))
}

const MIDNIGHT: Color = Color::hex(0x141414);

#[test]
fn cells_lie_in_rows_and_small_images_grow_by_whole_factors() {
    let cells = vec![cell(28, 20, 1, |_, _| 20); 5];
    let picture = image_grid("", &cells, 3, 64).unwrap();
    // A cell: 64 pixels, 10 beside and below, 20 for its title; 10 at the left and top.
    assert_eq!((picture.width(), picture.height()), (10 + 3 * 74, 10 + 2 * 94));
    // 28×20 doubles to 56×40 in the middle of 64×64.
    for column in 0..3 {
        let left = 10 + 74 * column;
        let (x0, y0, x1, y1) = bounds(&picture, MIDNIGHT, left, left + 64);
        let rows = if column < 2 { (34, 34 + 94 + 55) } else { (34, 34 + 55) };
        assert_eq!((x0, x1), (left + 12, left + 51));
        assert_eq!((y0, y1), rows);
    }
    let titled = image_grid("A batch", &cells, 3, 64).unwrap();
    assert_eq!(titled.height(), picture.height() + 32);
}

#[test]
fn an_empty_place_stays_empty() {
    let cells = [cell(8, 8, 1, |_, _| 20), GridCell::empty(), cell(8, 8, 1, |_, _| 20)];
    let picture = image_grid("", &cells, 3, 64).unwrap();
    assert_eq!(picture.width(), 10 + 3 * 74, "it has its room");
    let paper = picture.pixel(0, 0);
    let room = (79..153).flat_map(|x| (0..picture.height()).map(move |y| (x, y)));
    assert!(room.into_iter().all(|(x, y)| picture.pixel(x, y) == paper), "and nothing in it");
}

#[test]
fn growing_keeps_every_pixel_crisp() {
    let picture = image_grid("", &[cell(8, 8, 3, |y, x| (y * 8 + x) as u8)], 1, 64).unwrap();
    for (y, x) in (0..64).flat_map(|y| (0..64).map(move |x| (y, x))) {
        let value = (y / 8 * 8 + x / 8) as u8;
        assert_eq!(picture.pixel(10 + x, 30 + y), Some(Color { red: value, green: value, blue: value }));
    }
}

#[test]
fn twice_the_pixels_show_twice_as_much_of_an_image() {
    let cells = [cell(100, 100, 1, |y, x| (y + x) as u8), cell(200, 200, 1, |_, _| 20)];
    let grid = ImageGrid { title: "A", subtitle: "b", cells: &cells, columns: 2, cell_size: 64 };
    let picture = grid.draw(Look::SCREEN).unwrap();
    assert_eq!((picture.width(), picture.height()), (2 * (10 + 2 * 74), 2 * (32 + 24 + 10 + 94)));
    // 100 pixels fit into 128 as they are; 200 shrink to all of them.
    let (left, top) = (2 * 10 + 14, 2 * (32 + 24 + 10 + 20) + 14);
    for (y, x) in [(0, 0), (99, 0), (41, 57)] {
        let value = (y + x) as u8;
        assert_eq!(picture.pixel(left + x, top + y), Some(Color { red: value, green: value, blue: value }));
    }
    let (x0, _, x1, _) = bounds(&picture, MIDNIGHT, 166, 2 * 158);
    assert_eq!((x0, x1), (2 * 84, 2 * 84 + 127));
}

#[test]
fn shrinking_averages_areas() {
    let checkers = cell(128, 128, 1, |y, x| if (x + y) % 2 == 0 { 200 } else { 100 });
    let picture = image_grid("", &[checkers], 1, 64).unwrap();
    assert_eq!(bounds(&picture, Color::hex(0x969696), 0, picture.width()), (10, 30, 73, 93));

    // 96 columns to 64: a pixel covers one and a half; a step of 0 and 90 after column 0 mixes 0·1 + 90·½.
    let step = cell(96, 96, 1, |_, x| if x == 0 { 0 } else { 90 });
    let picture = image_grid("", &[step], 1, 64).unwrap();
    assert_eq!(picture.pixel(10, 50), Some(Color::hex(0x1e1e1e)));
    assert_eq!(picture.pixel(11, 50), Some(Color::hex(0x5a5a5a)));
}

#[test]
fn wide_images_keep_their_shape() {
    let picture = image_grid("", &[cell(50, 200, 3, |_, _| 20)], 9, 100).unwrap();
    assert_eq!(picture.width(), 120, "no more columns than images");
    assert_eq!(bounds(&picture, MIDNIGHT, 0, 120), (10, 30 + 37, 109, 30 + 37 + 24));
}

#[test]
fn colours_keep_their_channels() {
    let red = GridCell { title: String::new(), height: 1, width: 1, channels: 3, pixels: vec![250, 10, 20] };
    let picture = image_grid("", &[red], 1, 16).unwrap();
    assert_eq!(picture.pixel(18, 38), Some(Color { red: 250, green: 10, blue: 20 }));
}

#[test]
fn wrong_shapes_are_refused_with_their_numbers() {
    let mut broken = cell(4, 5, 3, |_, _| 0);
    broken.pixels.pop();
    let message = image_grid("", &[cell(1, 1, 1, |_, _| 0), broken], 2, 64).unwrap_err().to_string();
    assert!(
        message.contains("image 1") && message.contains("59 bytes") && message.contains("need 60"),
        "{message}"
    );
    for (height, channels) in [(0, 1), (4, 2), (usize::MAX, 3)] {
        let odd = GridCell { title: String::new(), height, width: 4, channels, pixels: vec![0; 32] };
        image_grid("", &[odd], 1, 64).unwrap_err();
    }
    let many = vec![cell(1, 1, 1, |_, _| 0); 70];
    assert!(image_grid("", &many, 1, 5000).unwrap_err().to_string().contains("too large"));
    assert!(image_grid("none", &[], 0, 64).is_ok());
}

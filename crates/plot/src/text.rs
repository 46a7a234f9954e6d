//! Setting a line of text in the embedded font.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};

#[expect(clippy::expect_used, reason = "the font is part of the program; a program without it draws no text")]
static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../assets/DejaVuSans-subset.ttf"))
        .expect("the embedded font is valid")
});

/// A glyph starts at one of this many places within a pixel: fine enough for even spacing, few enough to cache.
const PLACES: f32 = 4.0;

/// One glyph's shape: how much of each pixel its ink covers, 0–1, row by row.
pub(crate) struct Raster {
    /// The top left pixel, counted from the start of the glyph on the baseline.
    pub left: i32,
    pub top: i32,
    pub width: usize,
    pub coverage: Vec<f32>,
}

/// A glyph and the whole pixel on the baseline where it starts.
pub(crate) struct Placed {
    pub start: i32,
    pub raster: Rc<Raster>,
}

thread_local! {
    /// Rasters by glyph, size and place. Charts use three sizes of a few dozen glyphs, so it stays small.
    static RASTERS: RefCell<HashMap<(GlyphId, u32, u8), Rc<Raster>>> = RefCell::default();
}

/// `size` is the height of the em square in pixels; the crate wants the height from ascender to descender.
fn scale(size: f32) -> PxScale {
    PxScale::from(size * FONT.height_unscaled() / FONT.units_per_em().unwrap_or(2048.0))
}

/// Each character's glyph and start, and the width of the whole line. A character the font lacks becomes
/// its "missing" glyph, a box; line breaks and other controls become spaces.
fn glyphs(text: &str, size: f32) -> (Vec<(GlyphId, f32)>, f32) {
    let font = FONT.as_scaled(scale(size));
    let (mut glyphs, mut pen, mut previous) = (Vec::new(), 0.0, None);
    for character in text.chars() {
        let glyph = font.glyph_id(if character.is_control() { ' ' } else { character });
        pen += previous.map_or(0.0, |previous| font.kern(previous, glyph));
        glyphs.push((glyph, pen));
        pen += font.h_advance(glyph);
        previous = Some(glyph);
    }
    (glyphs, pen)
}

/// The width of a line in pixels.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    glyphs(text, size).1
}

/// Whether the font has all its characters, so that its width is known and not guessed.
pub(crate) fn is_measured(text: &str) -> bool {
    text.chars().all(|character| character.is_control() || FONT.glyph_id(character) != GlyphId(0))
}

/// The text, or as much of its beginning as fits `room` pixels with an ellipsis.
pub(crate) fn fit(text: &str, size: f32, room: f32) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let (glyphs, _) = glyphs(text, size);
    let room = room - width("…", size);
    let fitting = glyphs.iter().skip(1).take_while(|(_, end)| *end <= room).count();
    let start: String = text.chars().take(fitting).collect();
    format!("{}…", start.trim_end())
}

/// The rasters of a line whose first glyph starts `start` pixels along the baseline.
pub(crate) fn set(text: &str, size: f32, start: f32) -> Vec<Placed> {
    let place = |(glyph, pen): (GlyphId, f32)| {
        let steps = ((start + pen) * PLACES).round() as i32;
        let places = PLACES as i32;
        Placed {
            start: steps.div_euclid(places),
            raster: raster(glyph, size, steps.rem_euclid(places) as u8),
        }
    };
    glyphs(text, size).0.into_iter().map(place).collect()
}

fn raster(glyph: GlyphId, size: f32, place: u8) -> Rc<Raster> {
    RASTERS.with_borrow_mut(|rasters| {
        Rc::clone(
            rasters
                .entry((glyph, size.to_bits(), place))
                .or_insert_with(|| Rc::new(rasterise(glyph, size, f32::from(place) / PLACES))),
        )
    })
}

fn rasterise(glyph: GlyphId, size: f32, offset: f32) -> Raster {
    let Some(outline) = FONT.outline_glyph(glyph.with_scale_and_position(scale(size), point(offset, 0.0)))
    else {
        return Raster { left: 0, top: 0, width: 0, coverage: Vec::new() };
    };
    let bounds = outline.px_bounds();
    let (width, height) = (bounds.width() as usize, bounds.height() as usize);
    let mut coverage = vec![0.0; width * height];
    outline.draw(|x, y, ink| coverage[y as usize * width + x as usize] = ink.min(1.0));
    Raster { left: bounds.min.x as i32, top: bounds.min.y as i32, width, coverage }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(character: char) -> GlyphId {
        FONT.glyph_id(character)
    }

    #[test]
    fn the_font_has_what_charts_say() {
        let missing = GlyphId(0);
        for character in "AZaz09.,%()[]=×−–…→↓é≤≥∞µαβλ✓ž".chars() {
            assert_ne!(glyph(character), missing, "{character}");
        }
        assert!(rasterise(missing, 14.0, 0.0).coverage.iter().sum::<f32>() > 5.0, "a visible box");
        assert_eq!(glyph('핫'), missing);
    }

    #[test]
    fn widths_grow_with_text_and_size() {
        assert_eq!(width("", 14.0), 0.0);
        assert!((width("Epoch", 28.0) - 2.0 * width("Epoch", 14.0)).abs() < 1e-3);
        assert!(width("\n\t", 14.0) == width("  ", 14.0));
        assert!(width("AV", 14.0) < width("A", 14.0) + width("V", 14.0), "kerned");
    }

    #[test]
    fn long_text_gets_an_ellipsis_and_fits() {
        assert_eq!(fit("short", 14.0, 100.0), "short");
        for room in [5.0, 14.0, 40.0, 70.0] {
            let text = fit("validation accuracy of the dropout model", 14.0, room);
            assert!(text.ends_with('…'));
            assert!(text == "…" || width(&text, 14.0) <= room, "{text} in {room}");
        }
        assert_eq!(fit("ab  cdefgh", 14.0, width("ab  …", 14.0) + 0.1), "ab…", "no space before the dots");
        fit("핫도그 🌭 아님", 14.0, 30.0);
    }
}

//! Setting a line of text: right to left where a script is written so, letters joined and marks placed by the fonts.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use rustybuzz::{Direction, UnicodeBuffer, shape};
use unicode_bidi::{BidiInfo, Level};
use wellfit_base::shown::shown;

use crate::fonts::{font, font_of};

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

/// A glyph, and the whole pixel on the baseline where it starts, counted to the right and downwards.
pub(crate) struct Placed {
    pub start: i32,
    pub down: i32,
    pub raster: Rc<Raster>,
}

/// Which raster: the number of the font, the glyph, the bits of the size, and the place within a pixel.
type RasterKey = (usize, u16, u32, u8);

thread_local! {
    /// Charts use three sizes of a few dozen glyphs, so it stays small.
    static RASTERS: RefCell<HashMap<RasterKey, Rc<Raster>>> = RefCell::default();
}

/// A glyph of a line in em: where it starts, to the right and upwards.
struct Glyph {
    font: usize,
    id: u16,
    x: f32,
    y: f32,
}

/// The glyphs of a line from left to right, and its width in em.
fn glyphs(text: &str) -> (Vec<Glyph>, f32) {
    let text = spelled(text);
    let bidi = BidiInfo::new(&text, Some(Level::ltr()));
    let (mut glyphs, mut pen) = (Vec::new(), 0.0);
    for paragraph in &bidi.paragraphs {
        let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let right_to_left = levels[run.start].is_rtl();
            let mut parts = parts(&text, run);
            if right_to_left {
                parts.reverse();
            }
            for (number, range) in parts {
                pen = set_part(&text[range], number, right_to_left, pen, &mut glyphs);
            }
        }
    }
    (glyphs, pen)
}

/// The text with a space for each control character, and the code point in brackets, such as `[U+1F32D]`, for each
/// character that no font has, or that turns the direction of what follows: what cannot be shown is not passed over in
/// silence, and no name looks like another.
fn spelled(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| !character.is_control() && !turns(character) && is_known(character)) {
        return text.into();
    }
    let mut spelled = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            spelled.push(' ');
        } else if is_known(character) && !turns(character) {
            spelled.push(character);
        } else {
            spelled.push_str(&code_point(character));
        }
    }
    spelled.into()
}

/// As `[U+202E]`.
pub(crate) fn code_point(character: char) -> String {
    format!("[U+{:04X}]", u32::from(character))
}

/// Whether a character shows nothing and changes what other characters look like: a sign of Unicode's bidirectional
/// algorithm, or an end of a line.
pub(crate) fn turns(character: char) -> bool {
    !character.is_control()
        && is_joiner(character)
        && matches!(shown(character.encode_utf8(&mut [0; 4])), Cow::Owned(_))
}

/// Joiners and choosers of variants show nothing of their own.
fn is_known(character: char) -> bool {
    is_joiner(character) || font_of(character).is_some()
}

fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}')
}

/// A run of one direction, cut where the font changes. Spaces and joiners stay with what is before them.
fn parts(text: &str, run: Range<usize>) -> Vec<(usize, Range<usize>)> {
    let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
    for (place, character) in text[run.clone()].char_indices() {
        let range = run.start + place..run.start + place + character.len_utf8();
        match parts.last_mut() {
            Some((number, part)) if character == ' ' && font(*number).has(' ') || is_joiner(character) => {
                part.end = range.end;
            }
            last => match (font_of(character).unwrap_or(0), last) {
                (number, Some((same, part))) if *same == number => part.end = range.end,
                (number, _) => parts.push((number, range)),
            },
        }
    }
    parts
}

/// Add the glyphs of a part from `pen` on; return where the next part starts.
fn set_part(text: &str, number: usize, right_to_left: bool, mut pen: f32, glyphs: &mut Vec<Glyph>) -> f32 {
    let font = font(number);
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    buffer.set_direction(if right_to_left { Direction::RightToLeft } else { Direction::LeftToRight });
    let shaped = shape(&font.face, &[], buffer);
    let em = |units: i32| units as f32 / font.units();
    for (glyph, place) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()) {
        let (x, y) = (pen + em(place.x_offset), em(place.y_offset));
        // A glyph's number has 16 bits in a font file.
        glyphs.push(Glyph { font: number, id: glyph.glyph_id as u16, x, y });
        pen += em(place.x_advance);
    }
    pen
}

/// The width of a line in pixels.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    glyphs(text).1 * size
}

/// The text, or as much of its beginning as fits `room` pixels with an ellipsis.
pub(crate) fn fit(text: &str, size: f32, room: f32) -> String {
    let ends = |end: usize| format!("{}…", text[..end].trim_end());
    fit_with(text, size, room, ends, &text.char_indices().map(|(place, _)| place).collect::<Vec<_>>())
}

/// The text, or as much of its two ends as fits: names of runs often differ in their last characters only.
pub(crate) fn fit_middle(text: &str, size: f32, room: f32) -> String {
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
    let count = places.len() - 1;
    let keep = |kept: usize| {
        let (start, end) = (places[kept.div_ceil(2)], places[count - kept / 2]);
        format!("{}…{}", text[..start].trim_end(), text[end..].trim_start())
    };
    fit_with(text, size, room, keep, &(0..count).collect::<Vec<_>>())
}

/// The text, or the longest of its shortened forms that fits; the first if none does.
fn fit_with(text: &str, size: f32, room: f32, shorten: impl Fn(usize) -> String, forms: &[usize]) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let fitting = forms.partition_point(|&form| width(&shorten(form), size) <= room);
    forms.get(fitting.saturating_sub(1)).map_or_else(String::new, |&form| shorten(form))
}

/// The rasters of a line whose first glyph starts `start` pixels along the baseline.
pub(crate) fn set(text: &str, size: f32, start: f32) -> Vec<Placed> {
    let place = |glyph: Glyph| {
        let steps = ((start + glyph.x * size) * PLACES).round() as i32;
        let places = PLACES as i32;
        Placed {
            start: steps.div_euclid(places),
            down: -(glyph.y * size).round() as i32,
            raster: raster(&glyph, size, steps.rem_euclid(places) as u8),
        }
    };
    glyphs(text).0.into_iter().map(place).collect()
}

fn raster(glyph: &Glyph, size: f32, place: u8) -> Rc<Raster> {
    RASTERS.with_borrow_mut(|rasters| {
        let key = (glyph.font, glyph.id, size.to_bits(), place);
        let made =
            rasters.entry(key).or_insert_with(|| Rc::new(rasterise(glyph, size, f32::from(place) / PLACES)));
        Rc::clone(made)
    })
}

fn rasterise(glyph: &Glyph, size: f32, offset: f32) -> Raster {
    let Some(outline) = font(glyph.font).outline(glyph.id, size, offset) else {
        return Raster { left: 0, top: 0, width: 0, coverage: Vec::new() };
    };
    let bounds = outline.px_bounds();
    let (width, height) = (bounds.width() as usize, bounds.height() as usize);
    let mut coverage = vec![0.0; width * height];
    outline.draw(|x, y, ink| coverage[y as usize * width + x as usize] = ink.min(1.0));
    Raster { left: bounds.min.x as i32, top: bounds.min.y as i32, width, coverage }
}

#[cfg(test)]
mod tests;

//! The fonts that are part of the program, unpacked when a text needs them.

use std::io::Read;
use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, OutlinedGlyph, PxScale, point};
use flate2::read::ZlibDecoder;
use rustybuzz::Face;
use rustybuzz::ttf_parser::GlyphId;

/// A font, ready to be measured and drawn.
pub(crate) struct Font {
    /// For choosing and placing glyphs.
    pub face: Face<'static>,
    /// For their outlines.
    outlines: FontRef<'static>,
}

impl Font {
    /// Whether it has the character.
    pub fn has(&self, character: char) -> bool {
        self.face.glyph_index(character).is_some_and(|glyph| glyph != GlyphId(0))
    }

    /// The outline of a glyph whose em square is `size` pixels high, `offset` pixels to the right of its origin.
    pub fn outline(&self, glyph: u16, size: f32, offset: f32) -> Option<OutlinedGlyph> {
        // The crate scales by the height from ascender to descender.
        let scale = PxScale::from(size * self.outlines.height_unscaled() / self.units());
        let glyph = ab_glyph::GlyphId(glyph).with_scale_and_position(scale, point(offset, 0.0));
        self.outlines.outline_glyph(glyph)
    }

    /// Units of the em square.
    pub fn units(&self) -> f32 {
        self.face.units_per_em() as f32
    }
}

/// Where a font is asked for characters, and how to get it.
struct Source {
    characters: &'static [(char, char)],
    font: LazyLock<Font>,
}

/// The first font that has a character letters it. All but the first are asked only for the blocks of their scripts, so
/// that none is unpacked in vain.
static SOURCES: [Source; 18] = [
    source(
        &[('\0', '\u{2bff}'), ('\u{fb00}', '\u{fdff}'), ('\u{fe70}', '\u{feff}'), ('\u{fffd}', '\u{fffd}')],
        || unpack(include_bytes!("../assets/fonts/DejaVuSans.ttf.zz")),
    ),
    source(&[('\u{1100}', '\u{11ff}'), ('\u{3130}', '\u{318f}'), ('\u{ac00}', '\u{d7af}')], || {
        unpack(include_bytes!("../assets/fonts/Hangul.ttf.zz"))
    }),
    source(
        &[
            ('\u{2e80}', '\u{9fff}'),
            ('\u{f900}', '\u{faff}'),
            ('\u{fe30}', '\u{fe4f}'),
            ('\u{ff00}', '\u{ffef}'),
        ],
        || unpack(include_bytes!("../assets/fonts/DroidSansFallback.ttf.zz")),
    ),
    source(&[('\u{900}', '\u{97f}')], || unpack(include_bytes!("../assets/fonts/NotoSansDevanagari.ttf.zz"))),
    source(&[('\u{980}', '\u{9ff}')], || unpack(include_bytes!("../assets/fonts/NotoSansBengali.ttf.zz"))),
    source(&[('\u{a00}', '\u{a7f}')], || unpack(include_bytes!("../assets/fonts/NotoSansGurmukhi.ttf.zz"))),
    source(&[('\u{a80}', '\u{aff}')], || unpack(include_bytes!("../assets/fonts/NotoSansGujarati.ttf.zz"))),
    source(&[('\u{b00}', '\u{b7f}')], || unpack(include_bytes!("../assets/fonts/NotoSansOriya.ttf.zz"))),
    source(&[('\u{b80}', '\u{bff}')], || unpack(include_bytes!("../assets/fonts/NotoSansTamil.ttf.zz"))),
    source(&[('\u{c00}', '\u{c7f}')], || unpack(include_bytes!("../assets/fonts/NotoSansTelugu.ttf.zz"))),
    source(&[('\u{c80}', '\u{cff}')], || unpack(include_bytes!("../assets/fonts/NotoSansKannada.ttf.zz"))),
    source(&[('\u{d00}', '\u{d7f}')], || unpack(include_bytes!("../assets/fonts/NotoSansMalayalam.ttf.zz"))),
    source(&[('\u{d80}', '\u{dff}')], || unpack(include_bytes!("../assets/fonts/NotoSansSinhala.ttf.zz"))),
    source(&[('\u{e00}', '\u{e7f}')], || unpack(include_bytes!("../assets/fonts/NotoSansThai.ttf.zz"))),
    source(&[('\u{e80}', '\u{eff}')], || unpack(include_bytes!("../assets/fonts/NotoSansLao.ttf.zz"))),
    source(&[('\u{1000}', '\u{109f}')], || unpack(include_bytes!("../assets/fonts/NotoSansMyanmar.ttf.zz"))),
    source(&[('\u{1200}', '\u{139f}')], || unpack(include_bytes!("../assets/fonts/NotoSansEthiopic.ttf.zz"))),
    source(&[('\u{1780}', '\u{17ff}')], || unpack(include_bytes!("../assets/fonts/NotoSansKhmer.ttf.zz"))),
];

const fn source(characters: &'static [(char, char)], unpack: fn() -> Font) -> Source {
    Source { characters, font: LazyLock::new(unpack) }
}

#[expect(clippy::expect_used, reason = "the fonts are part of the program, and a test unpacks each of them")]
fn unpack(packed: &'static [u8]) -> Font {
    let mut bytes = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut bytes).expect("an embedded font unpacks");
    // A font is kept for as long as the program runs.
    let bytes: &'static [u8] = bytes.leak();
    Font {
        face: Face::from_slice(bytes, 0).expect("an embedded font is valid"),
        outlines: FontRef::try_from_slice(bytes).expect("an embedded font is valid"),
    }
}

/// A font by its number.
pub(crate) fn font(number: usize) -> &'static Font {
    &SOURCES[number].font
}

/// The number of the first font that has the character.
pub(crate) fn font_of(character: char) -> Option<usize> {
    SOURCES.iter().position(|source| {
        let asked = source.characters.iter().any(|&(first, last)| (first..=last).contains(&character));
        asked && source.font.has(character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_font_unpacks_and_letters_its_script() {
        let words = [
            "Größe ž Љ Ґ ậ ქ Հ ש ع",
            "핫도그뷁",
            "热狗熱狗ホットドッグ龘",
            "हिन्दी",
            "বাংলা",
            "ਪੰਜਾਬੀ",
            "ગુજરાતી",
            "ଓଡ଼ିଆ",
            "தமிழ்",
            "తెలుగు",
            "ಕನ್ನಡ",
            "മലയാളം",
            "සිංහල",
            "ไทย",
            "ລາວ",
            "မြန်မာ",
            "አማርኛ",
            "ខ្មែរ",
        ];
        assert_eq!(words.len(), SOURCES.len());
        for (number, word) in words.into_iter().enumerate() {
            for character in word.chars().filter(|character| !character.is_whitespace()) {
                assert_eq!(font_of(character), Some(number), "{character} of {word}");
            }
            assert!(
                font(number).outline(3, 28.0, 0.0).is_some() || font(number).outline(5, 28.0, 0.0).is_some()
            );
        }
    }

    #[test]
    fn all_of_the_common_han_kana_and_hangul_are_there() {
        let missing = |first: char, last: char| (first..=last).filter(|&c| font_of(c).is_none()).count();
        // The 20,902 characters of Unicode 1.1, all syllables of Korean, and the two kana.
        assert_eq!(missing('\u{4e00}', '\u{9fa5}'), 0);
        assert_eq!(missing('\u{ac00}', '\u{d7a3}'), 0);
        assert_eq!(missing('ぁ', 'ん') + missing('ァ', 'ヶ'), 0);
        assert_eq!(font_of('🌭'), None);
    }
}

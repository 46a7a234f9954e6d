//! How text is measured, shortened and spelled.

use super::*;

/// The glyphs of a text, in their visual order.
fn ids(text: &str) -> Vec<(usize, u16)> {
    glyphs(text).0.iter().map(|glyph| (glyph.font, glyph.id)).collect()
}

#[test]
fn the_fonts_have_what_charts_say() {
    for character in "AZaz09.,%()[]=×−–…→↓é≤≥∞µαβλ✓ž·".chars() {
        assert!(is_known(character), "{character}");
    }
}

#[test]
fn what_no_font_has_is_spelled_out() {
    assert_eq!(spelled("a🌭\tb"), "a[U+1F32D] b");
    assert_eq!(ids("a🌭"), ids("a[U+1F32D]"));
    assert_eq!(spelled("a\u{202e}gpj.exe\u{2066}"), "a[U+202E]gpj.exe[U+2066]");
    // A joiner is no character to be shown.
    assert_eq!(spelled("क्\u{200d}ष"), "क्\u{200d}ष");
}

#[test]
fn widths_grow_with_text_and_size() {
    assert_eq!(width("", 14.0), 0.0);
    assert!((width("Epoch", 28.0) - 2.0 * width("Epoch", 14.0)).abs() < 1e-3);
    assert!(width("\n\t", 14.0) == width("  ", 14.0));
    assert!(width("AV", 14.0) < width("A", 14.0) + width("V", 14.0), "kerned");
    // Han characters and kana are as wide as they are high.
    assert_eq!(width("热狗ホット", 10.0), 50.0);
}

#[test]
fn scripts_are_joined_and_ordered_as_they_are_written() {
    // Hebrew runs from right to left: its first letter is the last glyph.
    let word = ids("שלום");
    let mut letters: Vec<_> = "שלום".chars().map(|letter| ids(&letter.to_string())[0]).collect();
    letters.reverse();
    assert_eq!(word, letters);
    // Latin around it stays where it is.
    assert_eq!(ids("ab שלום")[..2], ids("ab")[..]);
    // Arabic letters take other shapes within a word.
    let alone: Vec<_> = "بيت".chars().rev().map(|letter| ids(&letter.to_string())[0]).collect();
    assert_ne!(ids("بيت"), alone);
    // The Hindi vowel sign i stands before its consonant; the three characters of ksha are one sign.
    assert_eq!(ids("कि")[1], ids("क")[0]);
    assert_eq!(ids("क्ष").len(), 1);
    // A Thai vowel above its consonant takes no room.
    assert_eq!(width("กี", 14.0), width("ก", 14.0));
}

#[test]
fn letters_and_their_marks_are_one_whether_composed_or_not() {
    for (composed, decomposed) in
        [("é", "e\u{301}"), ("ậ", "a\u{323}\u{302}"), ("각", "\u{1100}\u{1161}\u{11a8}")]
    {
        assert_eq!(ids(composed), ids(decomposed), "{composed}");
    }
}

#[test]
fn long_text_gets_an_ellipsis_and_fits() {
    assert_eq!(fit("short", 14.0, 100.0), "short");
    for room in [5.0, 14.0, 40.0, 70.0] {
        for text in
            ["validation accuracy of the dropout model", "핫도그가 아닌 것의 정확도와 손실", "ab 🌭🌭🌭🌭"]
        {
            for (text, ends) in [(fit(text, 14.0, room), true), (fit_middle(text, 14.0, room), false)] {
                assert!(text.contains('…') && (!ends || text.ends_with('…')), "{text}");
                assert!(text == "…" || width(&text, 14.0) <= room, "{text} in {room}");
            }
        }
    }
    assert_eq!(fit("ab  cdefgh", 14.0, width("ab  …", 14.0) + 0.1), "ab…", "no space before the dots");
    let name = fit_middle("animals-of-the-northern-woods-resnet20-17", 14.0, 150.0);
    assert!(name.starts_with("animals") && name.ends_with("20-17"), "{name}");
}

#[test]
fn no_character_is_shown_as_a_blank_box() {
    for start in (0..0x1_0000).step_by(32) {
        let line: String = (start..start + 32).filter_map(char::from_u32).collect();
        for glyph in glyphs(&line).0 {
            assert!(glyph.id != 0, "in U+{start:04X} and the 31 after it, font {}", glyph.font);
        }
        set(&line, 12.0, 0.5);
    }
}

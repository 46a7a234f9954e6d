//! Names as they are shown to people: of files and classes, which may hold anything.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// `text` on one line, with nothing in it that a terminal obeys: control characters, escape sequences, ends of lines and
/// changes of the direction of writing stand as Rust and Python write them, `\n` or `\u{1b}`.
///
/// What joins letters and emoji stays, and so does whatever is visible. Only for people: programs get names as they are.
///
/// ```
/// use wellfit_base::shown::shown;
/// assert_eq!(shown("Siamese cat, 猫, dog's"), "Siamese cat, 猫, dog's");
/// assert_eq!(shown("a\nb\u{1b}[31m"), r"a\nb\u{1b}[31m");
/// ```
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

/// The same for a text of several lines, whose ends of lines are meant: the last thing before a terminal or a log.
#[must_use]
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_obeyed(c))
}

fn escaped(text: &str, obeyed: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&obeyed) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if obeyed(c) {
            // Writing into a string cannot fail.
            let _ = match c {
                '\n' | '\r' | '\t' => write!(plain, "{}", c.escape_default()),
                _ => write!(plain, "{}", c.escape_unicode()),
            };
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Whether a character moves the cursor, ends a line, or turns the direction of what follows (Unicode's standard annex 9),
/// and so could make one text look like another.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Paths for messages.
pub trait Shown {
    /// On one line, with nothing in it that a terminal obeys; see [`shown`]. Bytes that are no UTF-8 become `\u{fffd}`.
    fn shown(&self) -> String;
}

impl Shown for Path {
    fn shown(&self) -> String {
        shown(&self.to_string_lossy()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_that_a_terminal_obeys_stays() {
        for code in 0..=0x10_ffff {
            let Some(c) = char::from_u32(code) else { continue };
            let text = format!("a{c}b");
            let plain = shown(&text);
            assert!(!plain.chars().any(char::is_control), "{code:x}");
            assert_eq!(shown_lines(&text) == text, c == '\n' || plain == text, "{code:x}");
        }
    }

    #[test]
    fn names_in_any_script_stay_as_they_are() {
        for name in ["naïve", "猫 と 犬", "क्षत्रिय", "👩‍👩‍👧", "تدريب", "a\\b", "‘x’", "50 %"]
        {
            assert!(matches!(shown(name), Cow::Borrowed(same) if same == name));
        }
    }

    #[test]
    fn what_looks_like_another_text_is_shown_as_it_is() {
        let cases = [
            ("cat\u{1b}[2K\u{1b}[1Adog", r"cat\u{1b}[2K\u{1b}[1Adog"),
            ("a\rb\tc\nd", r"a\rb\tc\nd"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{7}\u{8}\u{7f}\0", r"\u{7}\u{8}\u{7f}\u{0}"),
            ("gpj.\u{202e}exe", r"gpj.\u{202e}exe"),
            ("a\u{2028}b", r"a\u{2028}b"),
        ];
        for (name, plain) in cases {
            assert_eq!(shown(name), plain);
            assert_eq!(Path::new(name).shown(), plain);
        }
        assert_eq!(shown_lines("one\ntwo\u{1b}c"), "one\ntwo\\u{1b}c");
    }
}

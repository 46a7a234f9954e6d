//! From the name of a folder to the name of a class, and the order in which Python sorts names.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization;

/// The class that a folder of this name holds.
///
/// Unicode has two spellings of "é", and file systems and archives differ in which they use: both are one class, in
/// the composed form (NFC). Bytes that are not UTF-8 become `\xNN`. A name with such bytes, or with `\x` in it, has its
/// backslashes doubled, so no two names become one.
///
/// ```
/// use std::ffi::OsStr;
/// use wellfit_data::class_name;
///
/// assert_eq!(class_name(OsStr::new("cafe\u{301}")), "caf\u{e9}");
/// assert_eq!(class_name(OsStr::new(r"a\b")), r"a\b");
/// assert_eq!(class_name(OsStr::new(r"\xff")), r"\\xff");
/// ```
#[must_use]
pub fn class_name(name: &OsStr) -> String {
    if let Some(plain) = name.to_str().filter(|name| !name.contains(r"\x")) {
        return plain.nfc().collect();
    }
    let mut escaped = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        escaped.extend(chunk.valid().replace('\\', r"\\").nfc());
        for byte in chunk.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(escaped, "\\x{byte:02x}");
        }
    }
    escaped
}

/// How Python's `sorted` orders names and paths, and therefore torchvision: by code points, where a byte that is not
/// UTF-8 counts as U+DC00 and its value (`surrogateescape`, PEP 383). For UTF-8 that is the order of the bytes.
pub(crate) fn python_order(a: &OsStr, b: &OsStr) -> Ordering {
    match (a.to_str(), b.to_str()) {
        (Some(a), Some(b)) => a.cmp(b),
        _ => code_points(a).cmp(code_points(b)),
    }
}

fn code_points(name: &OsStr) -> impl Iterator<Item = u32> {
    name.as_encoded_bytes().utf8_chunks().flat_map(|chunk| {
        let escaped = chunk.invalid().iter().map(|&byte| 0xDC00 + u32::from(byte));
        chunk.valid().chars().map(u32::from).chain(escaped)
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_are_not_utf8_stay_apart_and_visible() {
        let of = |bytes: &[u8]| class_name(OsStr::from_bytes(bytes));
        assert_eq!(of(b"caf\xe9"), r"caf\xe9");
        assert_eq!(of(b"caf\xe8"), r"caf\xe8");
        assert_eq!(of(b"\xff\\x"), r"\xff\\x");
        assert_eq!(of(b"caf\\xe9"), r"caf\\xe9");
        assert_eq!(of("\u{e9}".as_bytes()), of("e\u{301}".as_bytes()));
    }

    /// A byte 0xFF comes before an emoji, since U+DCFF is below U+1F600, but its byte is above.
    #[test]
    fn the_order_is_pythons() {
        let mut names = [&b"\xff"[..], "\u{1f600}".as_bytes(), b"a", "\u{ff01}".as_bytes()];
        names.sort_by(|a, b| python_order(OsStr::from_bytes(a), OsStr::from_bytes(b)));
        assert_eq!(names, [&b"a"[..], b"\xff", "\u{ff01}".as_bytes(), "\u{1f600}".as_bytes()]);
    }

    proptest! {
        #[test]
        fn different_names_of_ascii_and_stray_bytes_give_different_classes(
            a in prop::collection::vec(prop::sample::select(&b"\\xf9a\xff\xfe"[..]), 0..6),
            b in prop::collection::vec(prop::sample::select(&b"\\xf9a\xff\xfe"[..]), 0..6),
        ) {
            let [x, y] = [&a, &b].map(|name| class_name(OsStr::from_bytes(name)));
            prop_assert_eq!(a == b, x == y, "{} {}", x, y);
        }
    }
}

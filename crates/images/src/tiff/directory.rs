//! The tags of a file's first picture.

use std::collections::BTreeMap;

use crate::error::Defect;

/// Tags by their numbers.
pub(super) struct Directory<'a> {
    /// Whether numbers are stored with their low byte first.
    pub(super) little: bool,
    entries: BTreeMap<u16, Entry<'a>>,
}

struct Entry<'a> {
    kind: u16,
    bytes: &'a [u8],
}

/// How many bytes a value of each type takes (TIFF 6.0, section 2; 13 and 16 to 18 are of supplements and BigTIFF).
fn width_of(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

/// An unsigned number of any width.
fn number(bytes: &[u8], little: bool) -> u64 {
    let fold = |all: u64, &byte: &u8| all << 8 | u64::from(byte);
    if little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
}

impl<'a> Directory<'a> {
    /// Read the first directory. Values that lie outside the file are left out, as are types that nobody knows.
    pub(super) fn first(bytes: &'a [u8]) -> Result<Self, Defect> {
        let little = bytes.starts_with(b"II");
        let at = |at: u64, width: usize| -> Option<&'a [u8]> {
            let at = usize::try_from(at).ok()?;
            bytes.get(at..at.checked_add(width)?)
        };
        let read = |place: u64, width: usize| at(place, width).map(|bytes| number(bytes, little));
        let big = read(2, 2) == Some(43);
        let (pointer, counter, header) = if big { (8, 8, 8) } else { (4, 2, 4) };
        let start = read(header, pointer).ok_or(Defect::Truncated)?;
        let count = read(start, counter).ok_or(Defect::Truncated)?;
        let length = 4 + 2 * pointer as u64;
        let mut entries = BTreeMap::new();
        for i in 0..count.min(u64::from(u16::MAX)) {
            let place = start.saturating_add(counter as u64).saturating_add(i * length);
            let (Some(tag), Some(kind)) = (read(place, 2), read(place.saturating_add(2), 2)) else { break };
            let Some(count) = read(place.saturating_add(4), pointer) else { break };
            let value = place.saturating_add(4 + pointer as u64);
            let total =
                width_of(kind as u16).and_then(|width| usize::try_from(count).ok()?.checked_mul(width));
            let Some(total) = total else { continue };
            let value = if total <= pointer { Some(value) } else { read(value, pointer) };
            let Some(bytes) = value.and_then(|value| at(value, total)) else { continue };
            entries.entry(tag as u16).or_insert(Entry { kind: kind as u16, bytes });
        }
        if entries.is_empty() { Err(Defect::Truncated) } else { Ok(Self { little, entries }) }
    }

    /// The unsigned numbers of a tag; none if it is missing or of another type.
    pub(super) fn numbers(&self, tag: u16) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + '_ {
        let entry = self.entries.get(&tag).filter(|entry| matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18));
        let width = entry.and_then(|entry| width_of(entry.kind)).unwrap_or(1);
        let bytes = entry.map_or(&[][..], |entry| entry.bytes);
        bytes.chunks_exact(width).map(|value| number(value, self.little))
    }

    /// The first unsigned number of a tag.
    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag).next()
    }

    /// A number of a tag that fits 16 bits, or `default`.
    pub(super) fn short(&self, tag: u16, default: u16) -> u16 {
        self.number(tag).map_or(default, |value| value.try_into().unwrap_or(u16::MAX))
    }

    /// The bytes of a tag as they are.
    pub(super) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        self.entries.get(&tag).map(|entry| entry.bytes)
    }

    /// The unsigned fractions of a tag, if it has as many.
    pub(super) fn fractions<const N: usize>(&self, tag: u16) -> Option<[f32; N]> {
        let entry = self.entries.get(&tag).filter(|entry| entry.kind == 5 && entry.bytes.len() >= 8 * N)?;
        let half = |bytes: &[u8]| number(bytes, self.little) as f64;
        Some(std::array::from_fn(|i| {
            let value = &entry.bytes[8 * i..8 * i + 8];
            (half(&value[..4]) / half(&value[4..]).max(1.0)) as f32
        }))
    }
}

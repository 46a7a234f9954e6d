//! The codes of fax machines for black and white rows (ITU-T T.4 and T.6), with the tables of the crate `fax`.

use std::convert::Infallible;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};

use crate::error::Defect;

/// Which of the codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// Runs; each row starts at a whole byte (compression 2).
    Runs,
    /// Rows with marks between them, in `mixed` also such that refer to the row above.
    Group3 { mixed: bool },
    /// Every row refers to the one above.
    Group4,
}

type Reader<I> = ByteReader<I>;

/// Decode `rows` rows of `width` pixels to one bit each, 1 is black. Rows that the data lacks are an error.
pub(super) fn decode(kind: Kind, data: &[u8], width: usize, rows: usize) -> Result<Vec<u8>, Defect> {
    let nonsense = || Defect::Unreadable("its fax data ends or makes no sense".into());
    let Ok(mut reader) = ByteReader::new(data.iter().chain(&PADDING).map(|&byte| Ok::<u8, Infallible>(byte)));
    let row_bytes = width.div_ceil(8);
    let mut out = vec![0; row_bytes * rows];
    // Where the colour changes in the row above and in this one, white first.
    let (mut above, mut changes): (Vec<usize>, Vec<usize>) = Default::default();
    for row in out.chunks_exact_mut(row_bytes) {
        changes.clear();
        let flat = match kind {
            Kind::Runs => true,
            Kind::Group3 { mixed } => {
                skip_mark(&mut reader);
                !mixed || next(&mut reader).ok_or_else(nonsense)?
            }
            Kind::Group4 => false,
        };
        let read = if flat {
            runs(&mut reader, width, &mut changes)
        } else {
            differences(&mut reader, width, &above, &mut changes)
        };
        read.ok_or_else(nonsense)?;
        for pair in changes.chunks(2) {
            blacken(row, pair[0], pair.get(1).copied().unwrap_or(width).min(width));
        }
        if kind == Kind::Runs {
            let Ok(()) = reader.consume(reader.bits_to_byte_boundary());
        }
        std::mem::swap(&mut above, &mut changes);
    }
    Ok(out)
}

/// A code is looked up with the bits that follow it, of which the last one has none.
const PADDING: [u8; 4] = [0; 4];

/// Make the pixels from `start` to before `end` black.
fn blacken(row: &mut [u8], start: usize, end: usize) {
    if start >= end {
        return;
    }
    let (first, last) = (start / 8, (end - 1) / 8);
    let (head, tail) = (0xFF >> (start % 8), 0xFF << (7 - (end - 1) % 8));
    if first == last {
        row[first] |= head & tail;
    } else {
        row[first] |= head;
        row[first + 1..last].fill(0xFF);
        row[last] |= tail;
    }
}

fn next(reader: &mut impl BitReader<Error = Infallible>) -> Option<bool> {
    let bit = reader.peek(1)? == 1;
    let Ok(()) = reader.consume(1);
    Some(bit)
}

/// Skip a mark between rows: eleven zeros or more, and a one.
fn skip_mark(reader: &mut impl BitReader<Error = Infallible>) {
    if reader.peek(11) == Some(0) {
        while next(reader) == Some(false) {}
    }
}

/// The length of a run: codes of multiples of 64 and a last one below.
fn run<I: Iterator<Item = Result<u8, Infallible>>>(reader: &mut Reader<I>, is_black: bool) -> Option<usize> {
    let mut length = 0_usize;
    loop {
        let code = if is_black { black::decode(reader) } else { white::decode(reader) }?;
        length += usize::from(code);
        if code < 64 {
            return Some(length);
        }
    }
}

/// A row of runs, white and black in turn.
fn runs<I>(reader: &mut Reader<I>, width: usize, changes: &mut Vec<usize>) -> Option<()>
where
    I: Iterator<Item = Result<u8, Infallible>>,
{
    let (mut at, mut is_black) = (0, false);
    while at < width {
        at += run(reader, is_black)?;
        changes.push(at.min(width));
        is_black = !is_black;
    }
    (at == width).then_some(())
}

/// A row that says how it differs from the one above (T.4, 4.2.1.3).
fn differences<I>(
    reader: &mut Reader<I>,
    width: usize,
    above: &[usize],
    changes: &mut Vec<usize>,
) -> Option<()>
where
    I: Iterator<Item = Result<u8, Infallible>>,
{
    let (mut at, mut is_black, mut seen) = (0, false, 0);
    while at < width {
        // The first change above that lies to the right of here and is to the other colour; the row's edge counts.
        let start = changes.is_empty() && at == 0;
        while seen > 0 && above.get(seen - 1).is_some_and(|&change| change > at) {
            seen -= 1;
        }
        while above.get(seen).is_some_and(|&change| change < at || (change == at && !start)) {
            seen += 1;
        }
        seen += usize::from(seen % 2 != usize::from(is_black));
        let change = |i: usize| above.get(i).copied().unwrap_or(width);
        match mode::decode(reader)? {
            Mode::Pass => at = change(seen + 1),
            Mode::Vertical(by) => {
                at = change(seen).checked_add_signed(by.into()).filter(|&to| (at..=width).contains(&to))?;
                changes.push(at);
                is_black = !is_black;
            }
            Mode::Horizontal => {
                for color in [is_black, !is_black] {
                    at += run(reader, color)?;
                    changes.push(at.min(width));
                }
            }
            Mode::Extension | Mode::EOF => return None,
        }
    }
    (at == width).then_some(())
}

//! The bit stream of a scan and its Huffman codes (ITU-T T.81, annexes C and F).

use crate::error::Defect;

/// Reads the bits of an interval, most significant first.
///
/// Bits asked for beyond the end are zeros, and [`unread`](Self::unread) is then negative. Small enough to copy, so that
/// a loop can hold one in registers.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    /// The data and eight zeros.
    padded: &'a [u8],
    /// The next byte to load.
    at: usize,
    /// The next bits, left-aligned.
    pub(super) buffer: u64,
    /// How many bits of `buffer` are loaded.
    loaded: u32,
}

impl<'a> Bits<'a> {
    /// Of data with eight zeros behind it.
    pub(super) fn new(padded: &'a [u8]) -> Self {
        Self { padded, at: 0, buffer: 0, loaded: 0 }
    }

    /// Load bits until there are at least 56.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        let next = self.padded.get(self.at..).and_then(|rest| rest.first_chunk());
        // A part of a byte may follow the whole ones; it is the same when the byte is loaded again.
        self.buffer |= next.map_or(0, |next| u64::from_be_bytes(*next)) >> self.loaded;
        self.at += (63 - self.loaded as usize) / 8;
        self.loaded |= 56;
    }

    /// The next 16 bits, which stay.
    #[inline]
    fn peek(&mut self) -> usize {
        if self.loaded < 16 {
            self.fill();
        }
        (self.buffer >> 48) as usize
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.buffer <<= count;
        self.loaded -= count;
    }

    /// The next `count` bits, at most 16, as a number.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> i32 {
        let value = self.peek() >> (16 - count);
        self.skip(count);
        value as i32
    }

    /// The next symbol of `table`; none if the bits are no code of it.
    #[inline]
    pub(super) fn symbol(&mut self, table: &Huffman) -> Option<u8> {
        let next = self.peek();
        let short = table.short[next >> (16 - SHORT)];
        let code = if short.length > 0 { short } else { table.long_code(next as u32)? };
        self.skip(code.length.into());
        Some(code.symbol)
    }

    /// The next symbol of `table`, split into its high half (a count of zeros, the run), and the number whose
    /// size its low half gives. The number is 0 only if that size is. None if the bits are no code.
    #[inline(always)]
    pub(super) fn run_and_number(&mut self, table: &Huffman) -> Option<(usize, i32)> {
        // Enough for the longest code and number.
        if self.loaded < 32 {
            self.fill();
        }
        let mut code = table.short[(self.buffer >> (64 - SHORT)) as usize];
        if code.length == 0 {
            code = table.long_code((self.buffer >> 48) as u32)?;
        }
        let number = number(self.buffer, &code);
        self.skip(code.with_number.into());
        Some((usize::from(code.symbol >> 4), number))
    }

    /// How many bits are left; less than 0 if some were asked for that are not there.
    pub(super) fn unread(&self) -> i64 {
        8 * (self.padded.len() as i64 - 8 - self.at as i64) + i64::from(self.loaded)
    }
}

/// The number behind `code` at the start of left-aligned bits. No branch on its size, which nothing foretells.
#[inline(always)]
pub(super) fn number(bits: u64, code: &Code) -> i32 {
    let size = u32::from(code.symbol & 15);
    // It may be 0: hence two shifts.
    let bits = (bits << code.length) >> 1 >> (63 - size);
    extend(bits as i32, size)
}

/// A number of `size` bits whose leading 0 means negative (T.81, F.2.2.1), without a branch.
#[inline(always)]
fn extend(bits: i32, size: u32) -> i32 {
    let range = 1 << size;
    let negative = (bits - (range >> 1)) >> 31;
    bits + (negative & (1 - range))
}

/// What has up to this many bits is found in one look-up.
const SHORT: usize = 10;

/// A Huffman table, ready to decode.
pub(super) struct Huffman {
    /// The code that the next bits begin with, if it is short.
    short: [Code; 1 << SHORT],
    /// For each length, the first 16-bit left-aligned value that is beyond its codes.
    end: [u32; 17],
    /// For each length, what takes a code to its place among the symbols.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

/// A code's length in bits (0 = none), the same with the number behind it, and its symbol.
#[derive(Clone, Copy, Default)]
pub(super) struct Code {
    length: u8,
    pub(super) with_number: u8,
    pub(super) symbol: u8,
}

impl Code {
    fn new(length: usize, symbol: u8) -> Self {
        let length = length as u8;
        Self { length, with_number: length + (symbol & 15), symbol }
    }
}

impl Huffman {
    /// From the number of codes of each length 1–16 and the symbols in the order of their codes.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Defect> {
        let mut table = Self {
            short: [Code::default(); 1 << SHORT],
            end: [0; 17],
            offset: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut at) = (0, 0);
        for (length, &count) in (1..).zip(counts) {
            let count = usize::from(count);
            if code + count > 1 << length {
                return Err(Defect::Corrupt("a Huffman table has too many codes"));
            }
            table.offset[length] = at as i32 - code as i32;
            for &symbol in &symbols[at..at + count] {
                if length <= SHORT {
                    let same = 1 << (SHORT - length);
                    table.short[code * same..][..same].fill(Code::new(length, symbol));
                }
                code += 1;
            }
            at += count;
            table.end[length] = (code << (16 - length)) as u32;
            code <<= 1;
        }
        Ok(table)
    }

    /// The code that left-aligned `bits` begin with, if it is short.
    pub(super) fn short_code(&self, bits: u64) -> Option<Code> {
        Some(self.short[(bits >> (64 - SHORT)) as usize]).filter(|code| code.length > 0)
    }

    #[cold]
    fn long_code(&self, next: u32) -> Option<Code> {
        let length = (SHORT + 1..=16).find(|&length| next < self.end[length])?;
        let at = (next >> (16 - length)) as i32 + self.offset[length];
        Some(Code::new(length, *self.symbols.get(at as usize)?))
    }
}

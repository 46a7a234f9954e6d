//! The bit stream of a scan and its Huffman codes (ITU-T T.81, annexes C and F).

use super::Problem;

/// Reads the entropy-coded bits of a scan: most significant first, `FF 00` standing for `FF`.
///
/// It stops before the first marker. Bits asked for beyond are zeros, and [`overran`](Self::overran) tells.
/// Small enough to copy, so that a loop can keep its own in registers.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte to load; never beyond the next marker.
    pub(super) at: usize,
    /// The next bits, left-aligned.
    pub(super) buffer: u64,
    /// How many bits of `buffer` are loaded, the invented ones included.
    loaded: u32,
    /// How many zeros were loaded because the data had ended.
    invented: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, loaded: 0, invented: 0 }
    }

    /// Load bits until there are at least 56.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        match self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.first_chunk())
            .map(|next| u64::from_be_bytes(*next))
        {
            Some(next) if !has_ff(next) => {
                // A part of a byte may follow the whole ones; it is the same when the byte is loaded again.
                self.buffer |= next >> self.loaded;
                self.at += (63 - self.loaded as usize) / 8;
                self.loaded |= 56;
            }
            _ => *self = self.filled_byte_by_byte(),
        }
    }

    #[cold]
    #[inline(never)]
    fn filled_byte_by_byte(mut self) -> Self {
        self.buffer &= !(u64::MAX >> self.loaded);
        while self.loaded < 56 {
            let (byte, length) = match self.bytes.get(self.at..) {
                Some([0xFF, 0, ..]) => (0xFF, 2),
                Some([0xFF, ..] | []) | None => (0, 0),
                Some([byte, ..]) => (*byte, 1),
            };
            self.at += length;
            self.invented += if length == 0 { 8 } else { 0 };
            self.buffer |= u64::from(byte) << (56 - self.loaded);
            self.loaded += 8;
        }
        self
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

    /// Whether bits beyond the end of the data were used.
    pub(super) fn overran(&self) -> bool {
        self.invented > self.loaded
    }

    /// Pass the marker with which the data goes on after a restart interval.
    pub(super) fn restart(&mut self, count: usize) -> Result<(), Problem> {
        let marker = [0xFF, 0xD0 + (count % 8) as u8];
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let skipped = rest.windows(2).position(|pair| pair == marker);
        // Padding may precede a marker, data may not.
        match skipped {
            Some(skipped) if rest[..skipped].iter().all(|&byte| byte == 0xFF) => {
                *self = Self::new(self.bytes, self.at + skipped + 2);
                Ok(())
            }
            _ if rest.is_empty() => Err(Problem::Truncated),
            _ => Err(Problem::Corrupt("a restart marker is missing")),
        }
    }
}

/// Whether any of eight bytes is FF: the well-known test for a zero byte (Mycroft 1987), of the complement.
#[inline(always)]
fn has_ff(bytes: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    (!bytes).wrapping_sub(ONES) & bytes & (ONES << 7) != 0
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
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Problem> {
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
                return Err(Problem::Corrupt("a Huffman table has too many codes"));
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

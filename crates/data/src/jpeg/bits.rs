//! The bit stream of a scan and its Huffman codes (ITU-T T.81, annexes C and F).

use super::Problem;

/// Reads the entropy-coded bits of a scan: most significant first, `FF 00` standing for `FF`.
///
/// It stops before the first marker. Bits asked for beyond are zeros, and [`overran`](Self::overran) tells.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte to load; never beyond the next marker.
    pub(super) at: usize,
    /// The next bits, left-aligned.
    buffer: u64,
    /// How many bits of `buffer` are loaded, the invented ones included.
    loaded: u32,
    /// How many zeros were loaded because the data had ended.
    invented: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, loaded: 0, invented: 0 }
    }

    /// Load at least 57 bits.
    fn load(&mut self) {
        if let Some(&next) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            if !next.contains(&0xFF) {
                let count = (64 - self.loaded) / 8;
                self.buffer |= u64::from_be_bytes(next) >> self.loaded;
                self.loaded += 8 * count;
                self.at += count as usize;
                // The shift may have left a part of the following byte; it is loaded again next time.
                self.buffer &= !(u64::MAX.checked_shr(self.loaded).unwrap_or(0));
                return;
            }
        }
        while self.loaded <= 56 {
            let byte = match self.bytes.get(self.at..) {
                Some([0xFF, 0, ..]) => {
                    self.at += 2;
                    0xFF
                }
                Some([0xFF, ..]) | Some([]) | None => {
                    self.invented += 8;
                    0
                }
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.loaded);
            self.loaded += 8;
        }
    }

    #[inline]
    fn drop_bits(&mut self, count: u32) {
        self.buffer <<= count;
        self.loaded -= count;
    }

    /// The next `count` bits, at most 16, as a number.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> i32 {
        if self.loaded < 16 {
            self.load();
        }
        let value = (self.buffer >> 32 >> (32 - count)) as i32;
        self.drop_bits(count);
        value
    }

    /// A number of `size` bits whose leading 0 means negative (T.81, F.2.2.1 EXTEND).
    #[inline]
    pub(super) fn take_signed(&mut self, size: u32) -> i32 {
        let value = self.take(size);
        if size > 0 && value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value }
    }

    /// The next symbol of `table`.
    #[inline]
    pub(super) fn symbol(&mut self, table: &Huffman) -> Result<u32, Problem> {
        if self.loaded < 16 {
            self.load();
        }
        let next = (self.buffer >> 48) as u32;
        let mut entry = u32::from(table.short[(next >> (16 - SHORT)) as usize]);
        if entry == 0 {
            entry = table.long_code(next).ok_or(Problem::Corrupt("it has a code that stands for nothing"))?;
        }
        self.drop_bits(entry >> 8);
        Ok(entry & 0xFF)
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

/// Codes up to this length are found in one look-up.
const SHORT: u32 = 9;

/// A Huffman table, ready to decode.
#[derive(Clone)]
pub(super) struct Huffman {
    /// By the next `SHORT` bits: length · 256 + symbol, or 0 if the code is longer.
    short: [u16; 1 << SHORT],
    /// For each length, the first 16-bit left-aligned value that is beyond its codes.
    end: [u32; 17],
    /// For each length, what takes a code to its place among the symbols.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From the number of codes of each length 1–16 and the symbols in the order of their codes.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Problem> {
        let mut table =
            Self { short: [0; 1 << SHORT], end: [0; 17], offset: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut at) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            table.offset[length as usize] = at as i32 - code as i32;
            for _ in 0..counts[length as usize - 1] {
                if code >> length != 0 {
                    return Err(Problem::Corrupt("a Huffman table has too many codes"));
                }
                if length <= SHORT {
                    let first = (code << (SHORT - length)) as usize;
                    let entry = (length as u16) << 8 | u16::from(symbols[at]);
                    table.short[first..first + (1 << (SHORT - length))].fill(entry);
                }
                code += 1;
                at += 1;
            }
            table.end[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    #[cold]
    fn long_code(&self, next: u32) -> Option<u32> {
        let length = (SHORT + 1..=16).find(|&length| next < self.end[length as usize])?;
        let at = (next >> (16 - length)) as i32 + self.offset[length as usize];
        Some(length << 8 | u32::from(*self.symbols.get(at as usize)?))
    }
}

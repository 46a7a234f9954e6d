//! Blocks: from Huffman codes to the 64 coefficients of an 8×8 square (T.81, F.2 and G.1.2).

use super::bits::{Bits, Huffman};
use super::steps::AcTable;

/// The place of the k-th coefficient of a scan in its block (T.81, figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// How a block's coefficients are coded.
pub(super) enum Coder<'t> {
    /// All of them.
    Whole { dc: &'t Huffman, ac: &'t AcTable },
    /// The DC coefficient but for its `low` last bits.
    Dc { dc: &'t Huffman, low: u32 },
    /// One more bit of the DC coefficient.
    DcBit { low: u32 },
    /// The AC coefficients of a band but for their `low` last bits.
    Ac { ac: &'t AcTable, band: (usize, usize), low: u32 },
    /// One more bit of the AC coefficients of a band.
    AcBit { ac: &'t AcTable, band: (usize, usize), low: u32 },
}

/// What is carried from block to block.
pub(super) struct State<'a> {
    pub(super) bits: Bits<'a>,
    /// The DC coefficient before, by component of the scan.
    before: [i32; 4],
    /// How many blocks to come have nothing (new) in this band.
    empty_blocks: u32,
}

impl<'a> State<'a> {
    /// At the start of an interval.
    pub(super) fn at(bits: Bits<'a>) -> Self {
        Self { bits, before: [0; 4], empty_blocks: 0 }
    }

    /// Decode a block of the component `slot` of the scan; none, here and below, if its data makes no sense.
    #[inline]
    pub(super) fn block(&mut self, coder: &Coder<'_>, slot: usize, block: &mut [i16; 64]) -> Option<()> {
        match *coder {
            Coder::Whole { dc, ac } => {
                block[0] = self.dc(dc, slot)? as i16;
                self.all(ac, block)
            }
            Coder::Dc { dc, low } => {
                block[0] = (self.dc(dc, slot)? << low) as i16;
                Some(())
            }
            Coder::DcBit { low } => {
                block[0] |= (self.bits.take(1) << low) as i16;
                Some(())
            }
            Coder::Ac { ac, band, low } => self.band(ac, band, low, block),
            Coder::AcBit { ac, band, low } => self.refine_band(ac, band, low, block),
        }
    }

    fn dc(&mut self, table: &Huffman, slot: usize) -> Option<i32> {
        let (_, difference) = self.bits.run_and_number(table)?;
        self.before[slot] = self.before[slot].wrapping_add(difference);
        Some(self.before[slot])
    }

    /// All AC coefficients that are not zero. Compiled on its own, and so without what is there for progressive files.
    #[inline(never)]
    fn all(&mut self, table: &AcTable, block: &mut [i16; 64]) -> Option<()> {
        self.band(table, (1, 63), 0, block)
    }

    /// The coefficients of `band` that are not zero. A block may end early, and in progressive files some that
    /// follow may have none.
    #[inline(always)]
    fn band(&mut self, table: &AcTable, band: (usize, usize), low: u32, block: &mut [i16; 64]) -> Option<()> {
        if self.empty_blocks > 0 {
            self.empty_blocks -= 1;
            return Some(());
        }
        let mut bits = self.bits;
        let mut k = band.0;
        bits.fill();
        while k <= band.1 {
            let step = table.step(bits.buffer);
            // While the look-up is under way.
            bits.fill();
            if k + usize::from(step.reach) <= band.1 {
                for (place, value) in step.places.into_iter().zip(step.values) {
                    block[usize::from(ZIGZAG[(k + usize::from(place)) % 64])] = i16::from(value) << low;
                }
                k += usize::from(step.advance);
                bits.skip(step.length.into());
                continue;
            }
            let (run, number) = bits.run_and_number(&table.codes)?;
            if number != 0 {
                k += run;
                *at(block, k) = (number << low) as i16;
                k += 1;
            } else if run == 15 {
                k += 16;
            } else {
                self.empty_blocks = (1 << run) - 1 + bits.take(run as u32) as u32;
                break;
            }
        }
        self.bits = bits;
        Some(())
    }

    fn refine_band(
        &mut self,
        table: &AcTable,
        band: (usize, usize),
        low: u32,
        block: &mut [i16; 64],
    ) -> Option<()> {
        let mut k = band.0;
        while self.empty_blocks == 0 && k <= band.1 {
            let symbol = self.bits.symbol(&table.codes)?;
            let (run, size) = (usize::from(symbol >> 4), symbol & 15);
            let fresh = match (size, run) {
                (0, 15) => 0,
                (0, _) => {
                    self.empty_blocks = (1 << run) + self.bits.take(run as u32) as u32;
                    break;
                }
                _ if self.bits.take(1) == 1 => 1 << low,
                _ => -1 << low,
            };
            k = self.refine(k, band.1, run, low, block);
            if fresh != 0 {
                *at(block, k) = fresh;
            }
            k += 1;
        }
        if self.empty_blocks > 0 {
            self.refine(k, band.1, usize::MAX, low, block);
            self.empty_blocks -= 1;
        }
        Some(())
    }

    /// Give the coefficients k..=`last` that are not zero their next bit, until `zeros` others were passed and
    /// one more is met; gives where that is.
    fn refine(&mut self, k: usize, last: usize, mut zeros: usize, low: u32, block: &mut [i16; 64]) -> usize {
        let mut bits = self.bits;
        let mut end = last + 1;
        for k in k..last + 1 {
            let coefficient = &mut block[usize::from(ZIGZAG[k])];
            if *coefficient != 0 {
                if bits.take(1) == 1 && *coefficient & (1 << low) == 0 {
                    *coefficient = coefficient.wrapping_add(coefficient.signum() << low);
                }
            } else if zeros == 0 {
                end = k;
                break;
            } else {
                zeros -= 1;
            }
        }
        self.bits = bits;
        end
    }
}

/// Some cameras write runs that go beyond the end of the block; libjpeg takes what is there for the last coefficient.
fn at(block: &mut [i16; 64], k: usize) -> &mut i16 {
    &mut block[usize::from(ZIGZAG[k.min(63)])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As many codes of each length as luma's AC table has in most files (T.81, table K.5).
    const COUNTS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];

    /// Symbols of baseline files in any order, the end of the block under one of the shorter codes.
    fn symbols() -> impl Strategy<Value = Vec<u8>> {
        let all = (1..=255).filter(|symbol| symbol & 15 != 0 || *symbol == 0xF0).collect();
        (Just::<Vec<u8>>(all).prop_shuffle(), 0_usize..12).prop_map(|(mut symbols, end)| {
            symbols.insert(end, 0);
            symbols.truncate(162);
            symbols
        })
    }

    /// T.81, figure F.13.
    fn one_by_one(bits: &mut Bits<'_>, codes: &Huffman, block: &mut [i16; 64]) -> Option<()> {
        let mut k = 1;
        while k < 64 {
            match bits.run_and_number(codes)? {
                (15, 0) => k += 16,
                (_, 0) => break,
                (run, number) => {
                    *at(block, k + run) = number as i16;
                    k += run + 1;
                }
            }
        }
        Some(())
    }

    proptest! {
        #[test]
        fn steps_are_the_symbols_they_stand_for(
            symbols in symbols(),
            data in proptest::collection::vec(any::<u8>(), 400),
        ) {
            let table = AcTable::new(&COUNTS, &symbols).unwrap();
            let padded = [&data[..], &[0; 8]].concat();
            let (mut state, mut bits) = (State::at(Bits::new(&padded)), Bits::new(&padded));
            while bits.unread() > 0 {
                let (mut got, mut want) = ([0; 64], [0; 64]);
                let fine = one_by_one(&mut bits, &table.codes, &mut want);
                prop_assert_eq!(state.all(&table, &mut got), fine);
                if fine.is_none() {
                    break;
                }
                prop_assert_eq!((got, state.bits.unread()), (want, bits.unread()));
            }
        }
    }
}

//! AC coefficients two at a time: what the next few bits say of a block, found in one look-up.

use super::bits::{Huffman, number};
use crate::error::Defect;

/// A table of codes for AC coefficients.
pub(super) struct AcTable {
    pub(super) codes: Huffman,
    steps: Box<[Step; 1 << BITS]>,
}

/// The bits that are looked up. Of 9 to 12 these were the fastest: fewer hold fewer pairs, and with more the tables of
/// luma and chroma crowd the first cache.
const BITS: usize = 10;

/// One or two coefficients, or one and the end of the block, that begin and end within the looked-up bits.
#[derive(Clone, Copy, Default)]
#[repr(align(8))]
pub(super) struct Step {
    /// How many bits they take.
    pub(super) length: u8,
    /// How far beyond the current coefficient the band must at least go for this to be what the bits mean; more than
    /// any does if they must be looked at one by one.
    pub(super) reach: u8,
    /// How far to go on from the current coefficient; beyond all at the end of the block.
    pub(super) advance: u8,
    /// Where the coefficients are, from the current one on. If there is only one it is there twice, and where there is
    /// none a zero is put in the place of a zero: so nothing branches on how many there are.
    pub(super) places: [u8; 2],
    pub(super) values: [i8; 2],
}

/// Beyond every coefficient.
const END: u8 = 64;

impl AcTable {
    /// As [`Huffman::new`].
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Defect> {
        let codes = Huffman::new(counts, symbols)?;
        let steps = Box::new(std::array::from_fn(|bits| Step::of((bits as u64) << (64 - BITS), &codes)));
        Ok(Self { codes, steps })
    }

    /// What the left-aligned `bits` begin with.
    #[inline(always)]
    pub(super) fn step(&self, bits: u64) -> &Step {
        &self.steps[(bits >> (64 - BITS)) as usize]
    }
}

impl Step {
    /// Of left-aligned `bits`, of which all but the first few may be anything.
    fn of(bits: u64, codes: &Huffman) -> Self {
        let mut step = Self { reach: u8::MAX, ..Self::default() };
        for i in 0..2 {
            let Some(code) = codes.short_code(bits << step.length) else { break };
            let length = step.length + code.with_number;
            if usize::from(length) > BITS || step.advance >= END {
                break;
            }
            let run = code.symbol >> 4;
            match number(bits << step.length, &code) {
                0 if run == 15 => (step.reach, step.advance) = (step.advance, step.advance + 16),
                0 if run == 0 => (step.reach, step.advance) = (step.advance, END),
                0 => break,
                value => {
                    let Ok(value) = value.try_into() else { break };
                    let place = step.advance + run;
                    step.places[i..].fill(place);
                    step.values[i..].fill(value);
                    (step.reach, step.advance) = (place, place + 1);
                }
            }
            step.length = length;
        }
        step
    }
}

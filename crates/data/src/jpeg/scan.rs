//! Scans: the coefficients of some components, all at once or in rounds of growing precision (progressive).

use super::Problem;
use super::bits::{Bits, Huffman};
use super::frame::Frame;

/// The place of the k-th coefficient of a scan in its block (T.81, figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The Huffman tables in force, by number.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<Huffman>; 4],
}

/// A scan header.
pub(super) struct Scan {
    /// For each component of the scan: its position in the frame and its DC and AC table.
    pub(super) members: Vec<(usize, usize, usize)>,
    /// The first and last coefficient of the scan, in zigzag order.
    first: usize,
    last: usize,
    /// How many low bits of each coefficient earlier rounds left open: before this one, and after it.
    high: u32,
    low: u32,
}

impl Scan {
    /// Parse the body of a start-of-scan segment.
    pub(super) fn parse(body: &[u8], frame: &Frame) -> Result<Self, Problem> {
        let cut = Problem::Corrupt("a scan header is cut short");
        let Some((&count, rest)) = body.split_first() else { return Err(cut) };
        let Some((list, &[first, last, precision, ..])) = rest.split_at_checked(2 * usize::from(count))
        else {
            return Err(cut);
        };
        let members = list.chunks_exact(2).map(|spec| {
            let at = frame.components.iter().position(|c| c.id == spec[0])?;
            Some((at, usize::from(spec[1] >> 4), usize::from(spec[1] & 15)))
        });
        let members: Vec<_> = members.collect::<Option<_>>().unwrap_or_default();
        let mut scan = Self {
            members,
            first: first.into(),
            last: last.into(),
            high: u32::from(precision >> 4),
            low: u32::from(precision & 15),
        };
        if !frame.progressive {
            (scan.first, scan.last, scan.high, scan.low) = (0, 63, 0, 0);
        }
        let apart = !frame.progressive || (scan.first == 0) == (scan.last == 0);
        let alone = scan.first == 0 || scan.members.len() == 1;
        let in_range = scan.first <= scan.last && scan.last < 64 && scan.low < 14;
        if scan.members.is_empty() || scan.members.len() > 4 || !apart || !alone || !in_range {
            return Err(Problem::Corrupt("a scan header makes no sense"));
        }
        Ok(scan)
    }

    /// Decode the scan's data, which starts at byte `at`, into `frame`; gives where it ends.
    pub(super) fn decode(
        &self,
        frame: &mut Frame,
        tables: &Tables,
        restart_interval: usize,
        bytes: &[u8],
        at: usize,
    ) -> Result<usize, Problem> {
        let mut state = State { bits: Bits::new(bytes, at), before: [0; 4], empty_blocks: 0 };
        let coders = self.coders(frame.progressive, tables)?;
        let alone = self.members.len() == 1;
        let (across, down) = match self.members[..] {
            [(only, ..)] => frame.components[only].blocks_in_picture(),
            _ => frame.units(),
        };
        for unit in 0..across * down {
            if restart_interval > 0 && unit > 0 && unit % restart_interval == 0 {
                state.bits.restart(unit / restart_interval - 1)?;
                (state.before, state.empty_blocks) = ([0; 4], 0);
            }
            let (x, y) = (unit % across, unit / across);
            for (slot, (&(at, ..), coder)) in self.members.iter().zip(&coders).enumerate() {
                let component = &mut frame.components[at];
                let (h, v) = if alone { (1, 1) } else { component.sampling };
                for row in y * v..y * v + v {
                    let first = row * component.stride + x * h;
                    for block in &mut component.blocks[first..first + h] {
                        state.block(coder, slot, block)?;
                    }
                }
            }
            if state.bits.overran() {
                let cut = state.bits.at >= bytes.len();
                return Err(if cut {
                    Problem::Truncated
                } else {
                    Problem::Corrupt("its data ends too early")
                });
            }
        }
        Ok(state.bits.at)
    }

    /// How each component of the scan is coded.
    fn coders<'t>(&self, progressive: bool, tables: &'t Tables) -> Result<Vec<Coder<'t>>, Problem> {
        let missing = || Problem::Corrupt("a Huffman table is missing");
        let coder = |&(_, dc, ac): &(usize, usize, usize)| {
            let dc = || tables.dc.get(dc).and_then(Option::as_ref).ok_or_else(missing);
            let ac = || tables.ac.get(ac).and_then(Option::as_ref).ok_or_else(missing);
            let (band, low) = ((self.first, self.last), self.low);
            Ok(match (progressive, self.first, self.high) {
                (false, ..) => Coder::Whole { dc: dc()?, ac: ac()? },
                (true, 0, 0) => Coder::Dc { dc: dc()?, low },
                (true, 0, _) => Coder::DcBit { low },
                (true, _, 0) => Coder::Ac { ac: ac()?, band, low },
                (true, ..) => Coder::AcBit { ac: ac()?, band, low },
            })
        };
        self.members.iter().map(coder).collect()
    }
}

/// How a block's coefficients are coded (T.81, F.2 and G.1.2).
enum Coder<'t> {
    /// All of them.
    Whole { dc: &'t Huffman, ac: &'t Huffman },
    /// The DC coefficient but for its `low` last bits.
    Dc { dc: &'t Huffman, low: u32 },
    /// One more bit of the DC coefficient.
    DcBit { low: u32 },
    /// The AC coefficients of a band but for their `low` last bits.
    Ac { ac: &'t Huffman, band: (usize, usize), low: u32 },
    /// One more bit of the AC coefficients of a band.
    AcBit { ac: &'t Huffman, band: (usize, usize), low: u32 },
}

/// What is carried from block to block.
struct State<'a> {
    bits: Bits<'a>,
    /// The DC coefficient before, by component of the scan.
    before: [i32; 4],
    /// How many blocks to come have nothing (new) in this band.
    empty_blocks: u32,
}

impl State<'_> {
    #[inline]
    fn block(&mut self, coder: &Coder<'_>, slot: usize, block: &mut [i16; 64]) -> Result<(), Problem> {
        match *coder {
            Coder::Whole { dc, ac } => {
                block[0] = self.dc(dc, slot)? as i16;
                self.whole_ac(ac, block)
            }
            Coder::Dc { dc, low } => {
                block[0] = (self.dc(dc, slot)? << low) as i16;
                Ok(())
            }
            Coder::DcBit { low } => {
                block[0] |= (self.bits.take(1) << low) as i16;
                Ok(())
            }
            Coder::Ac { ac, band, low } => self.band(ac, band, low, block),
            Coder::AcBit { ac, band, low } => self.refine_band(ac, band, low, block),
        }
    }

    fn dc(&mut self, table: &Huffman, slot: usize) -> Result<i32, Problem> {
        let size = self.bits.symbol(table)?;
        self.before[slot] = self.before[slot].wrapping_add(self.bits.take_signed(size));
        Ok(self.before[slot])
    }

    #[inline]
    fn whole_ac(&mut self, table: &Huffman, block: &mut [i16; 64]) -> Result<(), Problem> {
        let mut k = 1;
        while k < 64 {
            let (run, size) = split(self.bits.symbol(table)?);
            if size > 0 {
                k += run;
                *at(block, k)? = self.bits.take_signed(size) as i16;
                k += 1;
            } else if run == 15 {
                k += 16;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn band(
        &mut self,
        table: &Huffman,
        band: (usize, usize),
        low: u32,
        block: &mut [i16; 64],
    ) -> Result<(), Problem> {
        if self.empty_blocks > 0 {
            self.empty_blocks -= 1;
            return Ok(());
        }
        let mut k = band.0;
        while k <= band.1 {
            let (run, size) = split(self.bits.symbol(table)?);
            if size > 0 {
                k += run;
                *at(block, k)? = (self.bits.take_signed(size) << low) as i16;
                k += 1;
            } else if run == 15 {
                k += 16;
            } else {
                self.empty_blocks = (1 << run) - 1 + self.bits.take(run as u32) as u32;
                break;
            }
        }
        Ok(())
    }

    fn refine_band(
        &mut self,
        table: &Huffman,
        band: (usize, usize),
        low: u32,
        block: &mut [i16; 64],
    ) -> Result<(), Problem> {
        let mut k = band.0;
        while self.empty_blocks == 0 && k <= band.1 {
            let (run, size) = split(self.bits.symbol(table)?);
            let fresh = match (size, run) {
                (0, 15) => 0,
                (0, _) => {
                    self.empty_blocks = (1 << run) + self.bits.take(run as u32) as u32;
                    break;
                }
                _ if self.bits.take(1) == 1 => 1 << low,
                _ => -1 << low,
            };
            k = self.refine(k, band.1, Some(run), low, block);
            if fresh != 0 {
                *at(block, k)? = fresh;
            }
            k += 1;
        }
        if self.empty_blocks > 0 {
            self.refine(k, band.1, None, low, block);
            self.empty_blocks -= 1;
        }
        Ok(())
    }

    /// Give the coefficients k..=`last` that are not zero their next bit, until `zeros` others were passed and
    /// one more is met; gives where that is.
    fn refine(
        &mut self,
        k: usize,
        last: usize,
        zeros: Option<usize>,
        low: u32,
        block: &mut [i16; 64],
    ) -> usize {
        let mut left = zeros;
        for k in k..=last {
            let coefficient = &mut block[usize::from(ZIGZAG[k])];
            if *coefficient == 0 {
                match &mut left {
                    Some(0) => return k,
                    Some(left) => *left -= 1,
                    None => {}
                }
            } else if self.bits.take(1) == 1 && *coefficient & (1 << low) == 0 {
                *coefficient = coefficient.wrapping_add(coefficient.signum() << low);
            }
        }
        last + 1
    }
}

/// A symbol's two halves: how many zeros come first, and the size of the number that follows.
fn split(symbol: u32) -> (usize, u32) {
    ((symbol >> 4) as usize, symbol & 15)
}

fn at(block: &mut [i16; 64], k: usize) -> Result<&mut i16, Problem> {
    let place = ZIGZAG.get(k).ok_or(Problem::Corrupt("a block has too many coefficients"))?;
    Ok(&mut block[usize::from(*place)])
}

//! Scans: the coefficients of some components, all at once or in rounds of growing precision (progressive).

use super::bits::Huffman;
use super::block::{Coder, State};
use super::data::Data;
use super::frame::Frame;
use super::steps::AcTable;
use crate::error::Defect;

/// The Huffman tables in force, by number.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<AcTable>; 4],
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
    pub(super) fn parse(body: &[u8], frame: &Frame) -> Result<Self, Defect> {
        let cut = Defect::Corrupt("a scan header is cut short");
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
            return Err(Defect::Corrupt("a scan header makes no sense"));
        }
        Ok(scan)
    }

    /// How many coefficients it looks at. Those of a scan that is not progressive have bits of their own each.
    pub(super) fn looks(&self, frame: &Frame) -> u64 {
        if !frame.progressive {
            return 0;
        }
        let blocks = |&(member, ..): &(usize, usize, usize)| {
            let (across, down) = frame.components[member].blocks_in_picture();
            across * down
        };
        self.members.iter().map(blocks).sum::<usize>() as u64 * (self.last - self.first + 1) as u64
    }

    /// Decode the scan's data, which starts at byte `at`, into `frame`; gives where it ends.
    pub(super) fn decode(
        &self,
        frame: &mut Frame,
        tables: &Tables,
        restart_interval: usize,
        bytes: &[u8],
        at: usize,
    ) -> Result<usize, Defect> {
        let coders = self.coders(frame.progressive, tables)?;
        let alone = self.members.len() == 1;
        let (across, down) = match self.members[..] {
            [(only, ..)] => frame.components[only].blocks_in_picture(),
            _ => frame.units(),
        };
        let interval = if restart_interval == 0 { usize::MAX } else { restart_interval };
        let data = Data::read(bytes, at, (across * down).div_ceil(interval));
        let mut state = State::at(data.bits(0)?);
        // Of each member: blocks across and down in a unit; where the unit's rows of blocks start.
        let mut layout: Vec<((usize, usize), [usize; 4])> = vec![((1, 1), [0; 4]); self.members.len()];
        for y in 0..down {
            for (((h, v), starts), &(at, ..)) in layout.iter_mut().zip(&self.members) {
                let component = &frame.components[at];
                (*h, *v) = if alone { (1, 1) } else { component.sampling };
                *starts = std::array::from_fn(|row| component.row_start(y * *v + row));
            }
            for x in 0..across {
                let unit = y * across + x;
                if unit > 0 && unit.is_multiple_of(interval) {
                    let next = data.bits(unit / interval)?;
                    // Padding may be left, data may not.
                    if !(0..64).contains(&state.bits.unread()) {
                        return Err(Defect::Corrupt("a restart marker is missing"));
                    }
                    state = State::at(next);
                }
                for (slot, (&(at, ..), coder)) in self.members.iter().zip(&coders).enumerate() {
                    let component = &mut frame.components[at];
                    let ((h, v), starts) = layout[slot];
                    for start in &starts[..v] {
                        for block in component.blocks(start + x * h, h) {
                            state
                                .block(coder, slot, block)
                                .ok_or(Defect::Corrupt("its data makes no sense"))?;
                        }
                    }
                }
            }
            if state.bits.unread() < 0 {
                return Err(if data.cut {
                    Defect::Truncated
                } else {
                    Defect::Corrupt("its data ends too early")
                });
            }
            if !frame.progressive {
                self.transform(frame, y, alone)?;
            }
        }
        for &(at, ..) in &self.members {
            frame.components[at].missing[self.first..=self.last].fill(self.low as i8);
        }
        Ok(data.end)
    }

    /// Turn the coefficients of row `y` of units into samples.
    fn transform(&self, frame: &mut Frame, y: usize, alone: bool) -> Result<(), Defect> {
        for &(at, ..) in &self.members {
            let component = &mut frame.components[at];
            let v = if alone { 1 } else { component.sampling.1 };
            (y * v..y * v + v).try_for_each(|row| component.transform(row))?;
        }
        Ok(())
    }

    /// How each component of the scan is coded.
    fn coders<'t>(&self, progressive: bool, tables: &'t Tables) -> Result<Vec<Coder<'t>>, Defect> {
        let missing = || Defect::Corrupt("a Huffman table is missing");
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

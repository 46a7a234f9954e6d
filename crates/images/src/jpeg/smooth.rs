//! Guessing the finer parts of a progressive JPEG whose later scans are missing, as libjpeg-turbo does by default.
//!
//! Such a file ends in order after its first scans: a picture at the precision that had been sent. The first nine AC
//! coefficients of a block, where the scans left them 0 but not known to the last bit, are estimated from the DC
//! coefficients of the 25 blocks around it (ITU-T T.81, K.8, with a wider window). A complete file has nothing to
//! estimate.

use super::block::ZIGZAG;

/// How much each of the 25 DC coefficients counts, row by row, in units of 1/256.
type Kernel = [i32; 25];

/// For the coefficients 1 to 5 in zigzag order, where some AC coefficients are known.
const NARROW: [Kernel; 5] = [
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -7, 50, 0, -50, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, -7, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, -50, 0, 0, 0, 0, 7, 0, 0],
    [0, 0, -1, 0, 0, 0, 0, 13, 0, 0, 0, 0, -24, 0, 0, 0, 0, 13, 0, 0, 0, 0, -1, 0, 0],
    [0, -1, 0, 1, 0, -1, 10, 0, -10, 1, 0, 0, 0, 0, 0, 1, -10, 0, 10, -1, 0, 1, 0, -1, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 13, -24, 13, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
];

/// For the coefficients 1 to 9, and in front for 0 itself, where only DC is known.
const WIDE: [Kernel; 10] = [
    [-2, -6, -8, -6, -2, -6, 6, 42, 6, -6, -8, 42, 152, 42, -8, -6, 6, 42, 6, -6, -2, -6, -8, -6, -2],
    [-1, -1, 0, 1, 1, -3, 13, 0, -13, 3, -3, 38, 0, -38, 3, -3, 13, 0, -13, 3, -1, -1, 0, 1, 1],
    [-1, -3, -3, -3, -1, -1, 13, 38, 13, -1, 0, 0, 0, 0, 0, 1, -13, -38, -13, 1, 1, 3, 3, 3, 1],
    [0, 0, 1, 0, 0, 0, 2, 7, 2, 0, 0, -5, -14, -5, 0, 0, 2, 7, 2, 0, 0, 0, 1, 0, 0],
    [-1, 0, 0, 0, 1, 0, 9, 0, -9, 0, 0, 0, 0, 0, 0, 0, -9, 0, 9, 0, 1, 0, 0, 0, -1],
    [0, 0, 0, 0, 0, 0, 2, -5, 2, 0, 1, 7, -14, 7, 1, 0, 2, -5, 2, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, 2, 0, -2, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, -3, 1, 0, 0, 0, 0, 0, 0, 0, -1, 3, -1, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, -3, 0, 3, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, -1, -2, -1, 0, 0, 0, 0, 0, 0],
];

/// How many coefficients are looked at.
const SEEN: usize = 10;

/// Whether the coefficients of all components can be estimated, and some need to be. `bits` says of each component's
/// coefficients, in zigzag order, how many low bits are missing; −1 if all are.
pub(super) fn is_useful<'a>(components: impl Iterator<Item = (&'a [i8; 64], &'a [i16; 64])>) -> bool {
    let mut useful = false;
    for (bits, steps) in components {
        if bits[0] < 0 || ZIGZAG[..SEEN].iter().any(|&place| steps[usize::from(place)] == 0) {
            return false;
        }
        useful |= bits[1..SEEN].iter().any(|&missing| missing != 0);
    }
    useful
}

/// The blocks of a component: all of them by rows, padding included.
pub(super) struct Grid {
    /// Blocks of a row.
    pub(super) stride: usize,
    /// Blocks that hold a part of the picture, across and down.
    pub(super) size: (usize, usize),
    /// Rows of blocks in a unit.
    pub(super) unit: usize,
}

impl Grid {
    /// The five rows that are looked at for row `y`: its neighbours, or those nearest to the edge. Where the last unit
    /// is cut off by the edge, libjpeg counts rows as if all units were as low.
    fn rows(&self, y: usize) -> [usize; 5] {
        let (unit, last) = (y / self.unit, (self.size.1 - 1) / self.unit);
        let in_unit = if unit < last { self.unit } else { (self.size.1 - 1) % self.unit + 1 };
        let counted = unit * in_unit + y % self.unit;
        let end = (last + 1) * in_unit;
        let above = if counted > 0 { y - 1 } else { y };
        let below = if counted + 1 < end { y + 1 } else { y };
        [
            if counted > 1 { y - 2 } else { above },
            above,
            y,
            below,
            if counted + 2 < end { y + 2 } else { below },
        ]
    }

    /// Estimate what is missing in all blocks.
    pub(super) fn smooth(&self, blocks: &mut [[i16; 64]], bits: &[i8; 64], steps: &[i16; 64]) {
        let means: Vec<i32> = blocks.iter().map(|block| block[0].into()).collect();
        let step = |place: usize| i64::from(steps[place] as u16);
        let only_dc = bits[1..SEEN].iter().all(|&missing| missing == -1);
        let kernels = if only_dc { &WIDE[1..] } else { &NARROW[..] };
        for y in 0..self.size.1 {
            let rows = self.rows(y);
            for x in 0..self.size.0 {
                let near: [i32; 25] = std::array::from_fn(|i| {
                    let x = (x + i % 5).saturating_sub(2).min(self.size.0 - 1);
                    means[rows[i / 5] * self.stride + x]
                });
                let sum = |kernel: &Kernel| {
                    step(0) * kernel.iter().zip(near).map(|(k, dc)| i64::from(k * dc)).sum::<i64>()
                };
                let block = &mut blocks[y * self.stride + x];
                for (i, kernel) in (1..).zip(kernels) {
                    let place = usize::from(ZIGZAG[i]);
                    if bits[i] != 0 && block[place] == 0 {
                        block[place] = estimate(sum(kernel), step(place), bits[i]);
                    }
                }
                if only_dc {
                    block[0] = estimate(sum(&WIDE[0]), step(0), -1);
                }
            }
        }
    }
}

/// `sum` / 256 in units of `step`, rounded, and too small to have been seen: within the low bits that are `missing`.
fn estimate(sum: i64, step: i64, missing: i8) -> i16 {
    let size = ((step << 7) + sum.abs()) / (step << 8);
    let size = if missing > 0 { size.min((1 << missing) - 1) } else { size };
    (size * sum.signum()) as i16
}

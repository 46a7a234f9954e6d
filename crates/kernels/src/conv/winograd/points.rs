//! The interpolation points of F(4, r): four outputs of a filter with r taps along a line take r + 3 products, each at a
//! point.
//!
//! They are pairs ±p, with zero and infinity where their number asks for it. With small integers, the usual choice, F(4, 3)
//! errs almost five times as much in f32 as a direct sum, because their powers differ so much. These are exact in f32,
//! were among the best of a grid, and err less (RMS, relative to that of the outputs; `scripts/winograd_points.py`):
//! 1.0e-6 for F(4, 3) and 0.5e-6 for F(4, 2) with 128 channels, where direct sums have 0.4e-6 and 0.3e-6; 0.8e-6 for
//! F(4, 4) with 12 channels (0.2e-6).

/// The most points a line has.
pub(super) const MOST: usize = 7;
/// A filter's points, in this order: zero, the pairs (each positive, negative), infinity.
pub(super) trait Points {
    const TAPS: usize;
    const PAIRS: usize;
    /// How many of the points are zero: one or none.
    const ZERO: usize;
    const INFINITY: usize;
    const TABLE: Table;
    /// Points, which is also how many inputs a tile has.
    const POINTS: usize = Self::ZERO + 2 * Self::PAIRS + Self::INFINITY;
    /// Points of its axis: one more than its own where infinity is not among these.
    const AXIS: usize = Self::POINTS + 1 - Self::INFINITY;
}

/// One tap, at the finite points of [`Two`]: at infinity, where only the highest of two taps counts, it is zero.
pub(super) struct One;
impl Points for One {
    const TAPS: usize = 1;
    const PAIRS: usize = Two::PAIRS;
    const ZERO: usize = Two::ZERO;
    const INFINITY: usize = 0;
    const TABLE: Table = Two::TABLE;
}

pub(super) struct Two;
impl Points for Two {
    const TAPS: usize = 2;
    const PAIRS: usize = 2;
    const ZERO: usize = 0;
    const INFINITY: usize = 1;
    const TABLE: Table = Table::new([0.375, 1.3125, 0.0], Self::PAIRS, Self::ZERO);
}

pub(super) struct Three;
impl Points for Three {
    const TAPS: usize = 3;
    const PAIRS: usize = 2;
    const ZERO: usize = 1;
    const INFINITY: usize = 1;
    const TABLE: Table = Table::new([0.6875, 1.375, 0.0], Self::PAIRS, Self::ZERO);
}

pub(super) struct Four;
impl Points for Four {
    const TAPS: usize = 4;
    const PAIRS: usize = 3;
    const ZERO: usize = 0;
    const INFINITY: usize = 1;
    const TABLE: Table = Table::new([0.25, 0.875, 2.0], Self::PAIRS, Self::ZERO);
}

/// What the transforms multiply by. f is the product of (x − point) over the finite points: Π (x² − p²) over the pairs,
/// times x where zero is a point.
pub(super) struct Table {
    /// pᵏ of each pair.
    pub(super) power: [[f32; 4]; 3],
    /// Coefficients of f / (x² − p²) in x², without the x, for each pair.
    pub(super) others: [[f32; 4]; 3],
    /// The same of f itself.
    pub(super) all: [f32; 4],
    /// 1 / f′(p) of each pair.
    pub(super) scale: [f32; 3],
    /// 1 / f′(0).
    pub(super) scale_zero: f32,
}

impl Table {
    const fn new(points: [f64; 3], pairs: usize, zero: usize) -> Self {
        let all = product(points, pairs, pairs);
        let mut table = Self {
            power: [[0.0; 4]; 3],
            others: [[0.0; 4]; 3],
            all: narrow(all),
            scale: [0.0; 3],
            scale_zero: (1.0 / all[0]) as f32,
        };
        let mut i = 0;
        while i < pairs {
            let p = points[i];
            let others = product(points, pairs, i);
            table.power[i] = narrow([1.0, p, p * p, p * p * p]);
            table.others[i] = narrow(others);
            let at_p = others[0] + p * p * (others[1] + p * p * others[2]);
            table.scale[i] = (1.0 / (2.0 * p * if zero == 1 { p } else { 1.0 } * at_p)) as f32;
            i += 1;
        }
        table
    }
}

/// Coefficients of Π (y − p²) over the pairs but `left_out`, lowest first.
const fn product(points: [f64; 3], pairs: usize, left_out: usize) -> [f64; 4] {
    let mut result = [1.0, 0.0, 0.0, 0.0];
    let mut i = 0;
    while i < pairs {
        if i != left_out {
            let square = points[i] * points[i];
            result = [
                -square * result[0],
                result[0] - square * result[1],
                result[1] - square * result[2],
                result[2] - square * result[3],
            ];
        }
        i += 1;
    }
    result
}

const fn narrow(x: [f64; 4]) -> [f32; 4] {
    [x[0] as f32, x[1] as f32, x[2] as f32, x[3] as f32]
}

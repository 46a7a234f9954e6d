//! The one-dimensional transforms of F(4, r): four outputs of a filter with r taps from r + 3 products, each at an
//! interpolation point (Winograd 1980; the matrices are those of Lavin & Gray 2016).
//!
//! The points are pairs ±p, with zero and infinity where their number asks for it. Small integers, the usual
//! choice, cost a factor of five in f32 accuracy, because their powers differ so much. These are exact in f32, were
//! the best of a grid, and keep the error near that of a direct sum (RMS, relative to that of the outputs, 128 channels):
//! 1.0e-6 for F(4, 3) and 0.5e-6 for F(4, 2), where direct sums have 0.5e-6 and 0.3e-6; 0.7e-6 for F(4, 4) with
//! 12 channels (0.2e-6).

use super::SIDE;
use crate::simd::Simd;
use std::marker::PhantomData;

/// The most points a line has.
pub(super) const MOST: usize = 7;
/// Values along a line; those behind its length are not used.
pub(super) type Row<V> = [<V as Simd>::Vector; MOST];

/// A filter's points, in this order: zero, the pairs (each positive, negative), infinity.
pub(super) trait Line {
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
impl Line for One {
    const TAPS: usize = 1;
    const PAIRS: usize = Two::PAIRS;
    const ZERO: usize = Two::ZERO;
    const INFINITY: usize = 0;
    const TABLE: Table = Two::TABLE;
}

pub(super) struct Two;
impl Line for Two {
    const TAPS: usize = 2;
    const PAIRS: usize = 2;
    const ZERO: usize = 0;
    const INFINITY: usize = 1;
    const TABLE: Table = Table::new([0.375, 1.3125, 0.0], Self::PAIRS, Self::ZERO);
}

pub(super) struct Three;
impl Line for Three {
    const TAPS: usize = 3;
    const PAIRS: usize = 2;
    const ZERO: usize = 1;
    const INFINITY: usize = 1;
    const TABLE: Table = Table::new([0.6875, 1.375, 0.0], Self::PAIRS, Self::ZERO);
}

pub(super) struct Four;
impl Line for Four {
    const TAPS: usize = 4;
    const PAIRS: usize = 3;
    const ZERO: usize = 0;
    const INFINITY: usize = 1;
    const TABLE: Table = Table::new([0.25, 0.875, 2.0], Self::PAIRS, Self::ZERO);
}

/// A one-dimensional transform: what goes in and comes out, and how.
pub(super) trait Transform {
    const IN: usize;
    const OUT: usize;
    /// # Safety
    /// The machine must have `V`.
    unsafe fn line<V: Simd>(values: Row<V>) -> Row<V>;
}

/// What the transforms multiply by. f is the product of (x − point) over the finite points: Π (x² − p²) over the pairs,
/// times x where zero is a point.
pub(super) struct Table {
    /// pᵏ of each pair.
    power: [[f32; 4]; 3],
    /// Coefficients of f / (x² − p²) in x², without the x, for each pair.
    others: [[f32; 4]; 3],
    /// The same of f itself.
    all: [f32; 4],
    /// 1 / f′(p) of each pair.
    scale: [f32; 3],
    /// 1 / f′(0).
    scale_zero: f32,
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

/// `coefficients[0]·x(0) + coefficients[1]·x(1) + … + x(count)`: the last coefficient is one.
///
/// # Safety
/// The machine must have `V`; so for every function here.
#[inline(always)]
unsafe fn polynomial<V: Simd>(
    coefficients: &[f32; 4],
    count: usize,
    x: impl Fn(usize) -> V::Vector,
) -> V::Vector {
    // SAFETY: promised by the caller.
    unsafe {
        let mut sum = x(count);
        for i in (0..count).rev() {
            sum = V::multiply_add(V::splat(coefficients[i]), x(i), sum);
        }
        sum
    }
}

/// Bᵀd: inputs to points.
pub(super) struct Input<L>(PhantomData<L>);
impl<L: Line> Transform for Input<L> {
    const IN: usize = L::POINTS;
    const OUT: usize = L::POINTS;
    #[inline(always)]
    unsafe fn line<V: Simd>(d: Row<V>) -> Row<V> {
        // SAFETY: promised by the caller.
        unsafe {
            let (mut points, zero) = (d, L::ZERO);
            if zero == 1 {
                points[0] = polynomial::<V>(&L::TABLE.all, L::PAIRS, |i| d[2 * i]);
            }
            for pair in 0..L::PAIRS {
                let others = &L::TABLE.others[pair];
                let first = polynomial::<V>(others, L::PAIRS - 1, |i| d[2 * i + 1 + zero]);
                let second = polynomial::<V>(others, L::PAIRS - 1, |i| d[2 * i + zero]);
                let second = V::multiply(V::splat(L::TABLE.power[pair][1]), second);
                points[zero + 2 * pair] = V::add(first, second);
                points[zero + 2 * pair + 1] = V::subtract(first, second);
            }
            if L::INFINITY == 1 {
                points[L::POINTS - 1] = polynomial::<V>(&L::TABLE.all, L::PAIRS, |i| d[2 * i + zero]);
            }
            points
        }
    }
}

/// Sum and difference of what is at each pair.
#[inline(always)]
unsafe fn sums_and_differences<V: Simd, L: Line>(m: &Row<V>) -> [[V::Vector; 2]; 3] {
    // SAFETY: promised by the caller.
    unsafe {
        let mut both = [[m[0]; 2]; 3];
        for (pair, both) in both.iter_mut().enumerate().take(L::PAIRS) {
            let (plus, minus) = (m[L::ZERO + 2 * pair], m[L::ZERO + 2 * pair + 1]);
            *both = [V::add(plus, minus), V::subtract(plus, minus)];
        }
        both
    }
}

/// Aᵀm: points to four outputs.
pub(super) struct Output<L>(PhantomData<L>);
impl<L: Line> Transform for Output<L> {
    const IN: usize = L::POINTS;
    const OUT: usize = SIDE;
    #[inline(always)]
    unsafe fn line<V: Simd>(m: Row<V>) -> Row<V> {
        // SAFETY: promised by the caller.
        unsafe {
            let both = sums_and_differences::<V, L>(&m);
            let mut y = m;
            for (k, y) in y.iter_mut().enumerate().take(4) {
                let mut sum = both[L::PAIRS - 1][k % 2];
                if k > 0 {
                    sum = V::multiply(V::splat(L::TABLE.power[L::PAIRS - 1][k]), sum);
                }
                for pair in (0..L::PAIRS - 1).rev() {
                    sum = if k == 0 {
                        V::add(both[pair][0], sum)
                    } else {
                        V::multiply_add(V::splat(L::TABLE.power[pair][k]), both[pair][k % 2], sum)
                    };
                }
                if k == 0 && L::ZERO == 1 {
                    sum = V::add(m[0], sum);
                }
                if k == 3 && L::INFINITY == 1 {
                    sum = V::add(m[L::POINTS - 1], sum);
                }
                *y = sum;
            }
            y
        }
    }
}

/// A·y: the adjoint of `output`, four gradients to points.
pub(super) struct Gradient<L>(PhantomData<L>);
impl<L: Line> Transform for Gradient<L> {
    const IN: usize = SIDE;
    const OUT: usize = L::POINTS;
    #[inline(always)]
    unsafe fn line<V: Simd>(y: Row<V>) -> Row<V> {
        // SAFETY: promised by the caller.
        unsafe {
            let mut points = y;
            points[0] = y[0];
            for pair in 0..L::PAIRS {
                let power = |k: usize| V::splat(L::TABLE.power[pair][k]);
                let even = V::multiply_add(power(2), y[2], y[0]);
                let odd = V::multiply_add(power(1), y[1], V::multiply(power(3), y[3]));
                points[L::ZERO + 2 * pair] = V::add(even, odd);
                points[L::ZERO + 2 * pair + 1] = V::subtract(even, odd);
            }
            if L::INFINITY == 1 {
                points[L::POINTS - 1] = y[3];
            }
            points
        }
    }
}

/// G·g: weights to points.
pub(super) struct Weights<L>(PhantomData<L>);
impl<L: Line> Transform for Weights<L> {
    const IN: usize = L::TAPS;
    const OUT: usize = L::POINTS;
    #[inline(always)]
    unsafe fn line<V: Simd>(g: Row<V>) -> Row<V> {
        // SAFETY: promised by the caller.
        unsafe {
            let mut points = g;
            if L::ZERO == 1 {
                points[0] = V::multiply(V::splat(L::TABLE.scale_zero), g[0]);
            }
            for pair in 0..L::PAIRS {
                let factor = |k: usize| V::splat(L::TABLE.scale[pair] * L::TABLE.power[pair][k]);
                // Taps of even and of odd numbers.
                let mut half = [V::splat(0.0); 2];
                for k in (0..L::TAPS).rev() {
                    half[k % 2] = V::multiply_add(factor(k), g[k], half[k % 2]);
                }
                let [even, odd] = half;
                points[L::ZERO + 2 * pair] = V::add(even, odd);
                // f′ is even where zero is a point, and odd where not.
                points[L::ZERO + 2 * pair + 1] =
                    if L::ZERO == 1 { V::subtract(even, odd) } else { V::subtract(odd, even) };
            }
            if L::INFINITY == 1 {
                points[L::POINTS - 1] = g[L::TAPS - 1];
            }
            points
        }
    }
}

/// Gᵀ·u: the adjoint of `weights`, points to weight gradients.
pub(super) struct WeightGradient<L>(PhantomData<L>);
impl<L: Line> Transform for WeightGradient<L> {
    const IN: usize = L::POINTS;
    const OUT: usize = L::TAPS;
    #[inline(always)]
    unsafe fn line<V: Simd>(u: Row<V>) -> Row<V> {
        // SAFETY: promised by the caller.
        unsafe {
            let both = sums_and_differences::<V, L>(&u);
            let mut g = u;
            for (k, g) in g.iter_mut().enumerate().take(L::TAPS) {
                let half = if L::ZERO == 1 { k % 2 } else { 1 - k % 2 };
                let mut sum = V::splat(0.0);
                for pair in (0..L::PAIRS).rev() {
                    let factor = L::TABLE.scale[pair] * L::TABLE.power[pair][k];
                    sum = V::multiply_add(V::splat(factor), both[pair][half], sum);
                }
                if k == 0 && L::ZERO == 1 {
                    sum = V::multiply_add(V::splat(L::TABLE.scale_zero), u[0], sum);
                }
                if k + 1 == L::TAPS && L::INFINITY == 1 {
                    sum = V::add(u[L::POINTS - 1], sum);
                }
                *g = sum;
            }
            g
        }
    }
}

/// `Y` down the columns of a rectangle, then `X` across its rows; `load` and `store` are told line and column.
///
/// # Safety
/// The machine must have `V`.
#[inline(always)]
pub(super) unsafe fn both_axes<V: Simd, Y: Transform, X: Transform>(
    load: impl Fn(usize, usize) -> V::Vector,
    mut store: impl FnMut(usize, usize, V::Vector),
) {
    // SAFETY: promised by the caller.
    unsafe {
        let zero = V::splat(0.0);
        let mut half = [[zero; MOST]; MOST];
        for x in 0..X::IN {
            let mut values = [zero; MOST];
            for y in 0..Y::IN {
                values[y] = load(y, x);
            }
            half[x] = Y::line::<V>(values);
        }
        for y in 0..Y::OUT {
            let mut values = [zero; MOST];
            for x in 0..X::IN {
                values[x] = half[x][y];
            }
            let values = X::line::<V>(values);
            for x in 0..X::OUT {
                store(y, x, values[x]);
            }
        }
    }
}

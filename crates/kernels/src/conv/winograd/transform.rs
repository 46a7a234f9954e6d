//! The one-dimensional transforms of F(4, r), and their use along both axes (Winograd 1980; the matrices are those of
//! Lavin & Gray 2016).

use super::choice::SIDE;
use super::points::{MOST, Points};
use std::marker::PhantomData;
use wellfit_simd::vector::Simd;

/// Values along a line; those behind its length are not used.
pub(super) type Row<V> = [<V as Simd>::Vector; MOST];

/// A one-dimensional transform: what goes in and comes out, and how.
pub(super) trait Transform {
    const IN: usize;
    const OUT: usize;
    /// # Safety
    /// The machine must have `V`.
    unsafe fn line<V: Simd>(values: Row<V>) -> Row<V>;
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
impl<L: Points> Transform for Input<L> {
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
unsafe fn sums_and_differences<V: Simd, L: Points>(m: &Row<V>) -> [[V::Vector; 2]; 3] {
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
impl<L: Points> Transform for Output<L> {
    const IN: usize = L::POINTS;
    const OUT: usize = SIDE;
    #[inline(always)]
    unsafe fn line<V: Simd>(m: Row<V>) -> Row<V> {
        // SAFETY: promised by the caller.
        unsafe {
            let both = sums_and_differences::<V, L>(&m);
            let mut y = m;
            for (k, y) in y.iter_mut().enumerate().take(4) {
                let power = |pair: usize| V::splat(L::TABLE.power[pair][k]);
                let last = L::PAIRS - 1;
                let mut sum = V::multiply(power(last), both[last][k % 2]);
                for pair in (0..last).rev() {
                    sum = V::multiply_add(power(pair), both[pair][k % 2], sum);
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

/// A·y: the adjoint of [`Output`], four gradients to points.
pub(super) struct Gradient<L>(PhantomData<L>);
impl<L: Points> Transform for Gradient<L> {
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
impl<L: Points> Transform for Weights<L> {
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

/// Gᵀ·u: the adjoint of [`Weights`], points to weight gradients.
pub(super) struct WeightGradient<L>(PhantomData<L>);
impl<L: Points> Transform for WeightGradient<L> {
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

/// `Y` down the columns of a rectangle, then `X` across its rows; `load` and `store` get line and column.
///
/// # Safety
/// The machine must have `V`.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "lines and columns are two numbers of the same kind")]
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

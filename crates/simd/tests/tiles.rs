//! Matrix units: the emulation against sums in f64 and against what Bochs computes, and the processor's unit, where there
//! is one, against the emulation.
#![allow(unsafe_code)]

use wellfit_simd::Bf16;
#[cfg(target_arch = "x86_64")]
use wellfit_simd::tiles::Amx;
use wellfit_simd::tiles::{Emulated, SIDE, TILE, TileUnit};

/// Numbers that look random, in [-2, 2), in the order of their index.
fn numbers(seed: u32, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

/// Pairs of bf16 as the lanes of a tile.
fn lanes(values: &[f32]) -> Vec<f32> {
    let bits = |x: f32| u32::from(Bf16::rounded(x).0);
    values.as_chunks::<2>().0.iter().map(|&[a, b]| f32::from_bits(bits(b) << 16 | bits(a))).collect()
}

/// sum + A·B by a unit, whose rows lie `gap` lanes apart.
fn product<U: TileUnit>(a: &[f32], b: &[f32], sum: &[f32], gap: usize) -> Vec<f32> {
    let apart = |rows: &[f32]| -> Vec<f32> {
        rows.chunks(SIDE).flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(7.0, gap))).collect()
    };
    let [a, b, mut sum] = [a, b, sum].map(apart);
    let stride = ((SIDE + gap) * size_of::<f32>()).cast_signed();
    // SAFETY: the unit is there, and each operand has 16 rows.
    unsafe {
        let mut unit = U::start();
        unit.load::<2>(sum.as_ptr().cast(), stride);
        unit.load::<5>(a.as_ptr().cast(), stride);
        unit.load::<7>(b.as_ptr().cast(), stride);
        unit.multiply_add::<2, 5, 7>();
        unit.store::<2>(sum.as_mut_ptr().cast(), stride);
    }
    assert!(sum.chunks(SIDE + gap).all(|row| row[SIDE..].iter().all(|&x| x == 7.0)), "nothing between rows");
    sum.chunks(SIDE + gap).flat_map(|row| row[..SIDE].to_vec()).collect()
}

/// Operands of a product: two tiles of pairs, and sums.
struct Operands([Vec<f32>; 3]);

impl Operands {
    fn ordinary(seed: u32) -> Self {
        let [a, b] = [1, 2].map(|i| lanes(&numbers(seed + i, 2 * TILE)));
        Self([a, b, numbers(seed + 3, TILE)])
    }

    /// Numbers of all sizes, infinite ones, NaN, and many below the smallest normal number.
    fn extreme(seed: u32) -> Self {
        let scaled = |seed: u32, count| -> Vec<f32> {
            let exponents = numbers(seed ^ 0x55, count);
            let scale = |(x, e): (f32, f32)| match (e * 100.0) as i32 {
                200.. => f32::NAN,
                190..200 => f32::INFINITY,
                _ => x * (e * 45.0).exp2() * if e < -1.2 { 2.0_f32.powi(-60) } else { 1.0 },
            };
            numbers(seed, count).into_iter().zip(exponents).map(scale).collect()
        };
        let [a, b] = [1, 2].map(|i| lanes(&scaled(seed + i, 2 * TILE)));
        Self([a, b, scaled(seed + 3, TILE)])
    }

    fn by<U: TileUnit>(&self, gap: usize) -> Vec<f32> {
        product::<U>(&self.0[0], &self.0[1], &self.0[2], gap)
    }
}

#[test]
fn a_product_of_tiles_is_that_of_matrices() {
    for seed in 0..20 {
        let operands = Operands::ordinary(100 * seed);
        let pair = |lane: f32| {
            let bits = lane.to_bits();
            [bits << 16, bits & 0xffff_0000].map(|half| f64::from(f32::from_bits(half)))
        };
        let found = operands.by::<Emulated>(seed as usize % 3);
        let [a, b, sum] = &operands.0;
        for (place, &found) in found.iter().enumerate() {
            let (m, n) = (place / SIDE, place % SIDE);
            let (mut exact, mut size) = (f64::from(sum[place]), f64::from(sum[place].abs()));
            for k in 0..SIDE {
                for (x, y) in pair(a[m * SIDE + k]).into_iter().zip(pair(b[k * SIDE + n])) {
                    exact += x * y;
                    size += (x * y).abs();
                }
            }
            // Sixteen roundings of each half's sum, one of both together and one of the result.
            let error = (f64::from(found) - exact).abs();
            assert!(error <= 18.0 * 2.0_f64.powi(-24) * size, "[{m}, {n}]: {found} for {exact}");
        }
    }
}

#[test]
fn sums_are_rounded_in_the_order_of_the_instruction() {
    // One row of A and one column of B; the first numbers of the pairs are summed apart from the second ones.
    let one = |first: [f32; SIDE], second: [f32; SIDE], sum: f32| {
        let pairs = first.into_iter().zip(second).flat_map(|(x, y)| [x, y]);
        let mut a = vec![0.0; 2 * TILE];
        a.iter_mut().zip(pairs).for_each(|(to, x)| *to = x);
        let (b, mut sums) = (lanes(&vec![1.0; 2 * TILE]), vec![0.0; TILE]);
        sums[0] = sum;
        product::<Emulated>(&lanes(&a), &b, &sums, 0)[0]
    };
    let (large, none) = (2.0_f32.powi(24), [0.0; SIDE]);
    let mut first = none;
    first[..3].copy_from_slice(&[large, 1.0, -large]);
    assert_eq!(one(first, none, 0.0), 0.0, "1 is lost between the large ones");
    first[..3].copy_from_slice(&[large, -large, 1.0]);
    assert_eq!(one(first, none, 0.0), 1.0, "in order of k");
    let (mut first, mut second) = (none, none);
    first[..2].copy_from_slice(&[large, -large]);
    second[..2].copy_from_slice(&[1.0, 1.0]);
    assert_eq!(one(first, second, 0.0), 2.0, "first and second numbers do not meet before the end");
    let mut first = none;
    first[..2].copy_from_slice(&[large, 1.0]);
    assert_eq!(one(first, none, -large), 0.0, "the sum before comes last");
    let tiny = f32::from_bits(0x0040_0000);
    assert_eq!(
        one([tiny; SIDE], none, tiny).to_bits(),
        0,
        "numbers below the smallest normal one count as 0"
    );
}

/// Cases by `parity/tiles/generate.sh`: operands, and what Bochs computes by the instructions themselves.
#[test]
fn the_emulation_computes_what_bochs_does() {
    let floats: Vec<f32> =
        include_bytes!("fixtures/tiles.bin").as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect();
    let cases = floats.as_chunks::<{ 4 * TILE }>().0;
    assert_eq!(cases.len(), 12);
    for (case, tiles) in cases.iter().enumerate() {
        let [a, b, sum, expected] = [0, 1, 2, 3].map(|i| &tiles[i * TILE..][..TILE]);
        for (place, (found, expected)) in product::<Emulated>(a, b, sum, 1).iter().zip(expected).enumerate() {
            let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            assert!(same, "case {case}, lane {place}: {found:e} for {expected:e}");
        }
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_processor_agrees_with_the_emulation() {
    if !Amx::available() {
        return;
    }
    for seed in 0..200 {
        for operands in [Operands::ordinary(1000 * seed), Operands::extreme(1000 * seed)] {
            let gap = seed as usize % 5;
            let [ours, theirs] = [operands.by::<Emulated>(gap), operands.by::<Amx>(gap)];
            for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                let same = ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan();
                assert!(same, "seed {seed}, lane {place}: emulated {ours:e}, computed {theirs:e}");
            }
        }
    }
}

#[test]
fn transposing() {
    let from = numbers(5, TILE);
    let mut plain = vec![0.0; TILE];
    // SAFETY: both are one tile.
    unsafe { Emulated::transpose(from.as_ptr(), plain.as_mut_ptr()) }
    assert!((0..TILE).all(|i| plain[i] == from[i % SIDE * SIDE + i / SIDE]));
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        let mut by_vectors = vec![0.0; TILE];
        // SAFETY: this needs AVX-512 only, which is there.
        unsafe { Amx::transpose(from.as_ptr(), by_vectors.as_mut_ptr()) }
        assert_eq!(plain, by_vectors);
    }
}

//! How numbers are sent.

use half::bf16;

/// How the numbers of a sum are sent from one process to another; they are added in f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wire {
    /// As they are.
    #[default]
    F32,
    /// As the nearest bfloat16, half as many bytes: what a process gives, and the sum. As torch's `bf16_compress_hook`.
    Bf16,
}

/// Numbers as bfloat16. Two of them travel as the bits of one f32, with which nobody calculates.
pub(crate) fn pack(values: &[f32]) -> Vec<f32> {
    let bits = |value: Option<&f32>| value.map_or(0, |&value| u32::from(bf16::from_f32(value).to_bits()));
    let pair = |pair: &[f32]| f32::from_bits(bits(pair.get(1)) << 16 | bits(pair.first()));
    values.chunks(2).map(pair).collect()
}

/// The numbers that were [packed](pack).
pub(crate) fn unpack(packed: &[f32], values: &mut [f32]) {
    for (pair, packed) in values.chunks_mut(2).zip(packed) {
        let bits = packed.to_bits();
        let both = [bits << 16, bits & 0xffff_0000].map(f32::from_bits);
        pair.iter_mut().zip(both).for_each(|(value, unpacked)| *value = unpacked);
    }
}

/// Places that so many packed numbers take.
pub(crate) fn places(numbers: usize) -> usize {
    numbers.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_the_nearest_bfloat16() {
        // 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷, and 1 has the even last bit; the largest f32 is nearer to 2¹²⁸.
        let step = |power: i32| 1.0 + 2.0_f32.powi(power);
        let values = [1.0, step(-8), 1.004, -0.0, f32::NAN, f32::INFINITY, f32::MAX];
        let packed = pack(&values);
        assert_eq!(packed.len(), places(values.len()));
        let mut got = [7.0; 7];
        unpack(&packed, &mut got);
        assert!(got[4].is_nan());
        got[4] = 0.0;
        let expected = [1.0, 1.0, step(-7), -0.0, 0.0, f32::INFINITY, f32::INFINITY];
        assert_eq!(got.map(f32::to_bits), expected.map(f32::to_bits));
    }
}

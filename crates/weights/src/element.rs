use half::{bf16, f16};

use crate::{Array, Data, view::View};

/// The type of a stored element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    F16,
    Bf16,
    F32,
    F64,
    Bool,
    U8,
    I8,
    I16,
    I32,
    I64,
}

impl Element {
    /// Bytes an element takes in the file.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }

    /// Bytes an element takes once read.
    pub fn size_in_memory(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 | Self::F32 | Self::F64 => 4,
            Self::I8 => 1,
            Self::Bool | Self::U8 | Self::I16 | Self::I32 | Self::I64 => 8,
        }
    }

    /// The array a view shows of a little-endian storage. The view must have been made for that storage.
    pub fn array(self, storage: &[u8], view: View) -> Array {
        let data = self.decode(storage, &view);
        Array { shape: view.into_shape(), data }
    }

    fn decode(self, storage: &[u8], view: &View) -> Data {
        match self {
            Self::F16 => Data::F32(gather(storage, view, |b| f16::from_le_bytes(b).to_f32())),
            Self::Bf16 => Data::F32(gather(storage, view, |b| bf16::from_le_bytes(b).to_f32())),
            Self::F32 => Data::F32(gather(storage, view, f32::from_le_bytes)),
            Self::F64 => Data::F32(gather(storage, view, |b| f64::from_le_bytes(b) as f32)),
            Self::Bool => Data::I64(gather(storage, view, |[b]| i64::from(b != 0))),
            Self::U8 => Data::I64(gather(storage, view, |[b]| i64::from(b))),
            Self::I8 => Data::I8(gather(storage, view, i8::from_le_bytes)),
            Self::I16 => Data::I64(gather(storage, view, |b| i64::from(i16::from_le_bytes(b)))),
            Self::I32 => Data::I64(gather(storage, view, |b| i64::from(i32::from_le_bytes(b)))),
            Self::I64 => Data::I64(gather(storage, view, i64::from_le_bytes)),
        }
    }
}

fn gather<const N: usize, T>(storage: &[u8], view: &View, decode: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (elements, _) = storage.as_chunks::<N>();
    match view.contiguous() {
        Some(range) => elements[range].iter().map(|&element| decode(element)).collect(),
        None => view.positions().map(|position| decode(elements[position])).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements of all 65,536 patterns of 16 bits, decoded.
    fn decoded(element: Element) -> Vec<f32> {
        let storage: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let view = View::whole(vec![65_536], 65_536).unwrap();
        element.array(&storage, view).as_f32().unwrap().to_vec()
    }

    /// The CRC-32 of all halves but the NaNs as floats, from PyTorch (`parity/weights.py` prints it).
    #[test]
    fn every_half_is_exact() {
        let floats = decoded(Element::F16);
        let bytes: Vec<u8> =
            floats.iter().filter(|float| !float.is_nan()).flat_map(|float| float.to_le_bytes()).collect();
        assert_eq!(bytes.len(), 4 * (65536 - 2 * 1023));
        assert_eq!(crc32fast::hash(&bytes), 0x58a2_254b);
        assert!(floats[0x7e00].is_nan() && floats[0xfc01].is_nan());
    }

    /// A bfloat16 is the upper half of a float.
    #[test]
    fn every_bfloat16_is_exact() {
        for (bits, float) in (0..=u16::MAX).zip(decoded(Element::Bf16)) {
            let expected = f32::from_bits(u32::from(bits) << 16);
            assert!(
                float.to_bits() == expected.to_bits() || (float.is_nan() && expected.is_nan()),
                "{bits:x}"
            );
        }
    }
}

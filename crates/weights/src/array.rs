use std::collections::{BTreeMap, HashSet};

use crate::Fault;

/// The type of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 64-bit integers, such as BatchNorm's `num_batches_tracked`.
    I64,
    /// 8-bit integers, such as the codes of quantised weights.
    I8,
}

impl Dtype {
    /// Bytes of an element.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::I64 => 8,
            Self::I8 => 1,
        }
    }

    /// Its name in a safetensors file.
    pub(crate) fn safetensors(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::I64 => "I64",
            Self::I8 => "I8",
        }
    }
}

/// The elements of an array, in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 8-bit integers.
    I8(Vec<i8>),
}

impl Data {
    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::I8(values) => values.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements' type.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::I64(_) => Dtype::I64,
            Self::I8(_) => Dtype::I8,
        }
    }

    /// Append the elements' bits, little-endian.
    pub(crate) fn append_le_bytes(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.resize(start + self.len() * self.dtype().size(), 0);
        self.write_le_bytes(&mut bytes[start..]);
    }

    /// The elements' bits, little-endian, into as many bytes as they have.
    pub(crate) fn write_le_bytes(&self, bytes: &mut [u8]) {
        match self {
            Self::F32(values) => write(bytes, values, f32::to_le_bytes),
            Self::I64(values) => write(bytes, values, i64::to_le_bytes),
            Self::I8(values) => write(bytes, values, i8::to_le_bytes),
        }
    }
}

/// Write the bytes of each value; a loop over chunks of fixed size compiles to one copy.
fn write<const N: usize, T: Copy>(bytes: &mut [u8], values: &[T], encode: impl Fn(T) -> [u8; N]) {
    let (chunks, _) = bytes.as_chunks_mut();
    chunks.iter_mut().zip(values).for_each(|(chunk, &value)| *chunk = encode(value));
}

/// A named tensor's shape and elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Extents, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// As many elements as the shape says.
    pub data: Data,
}

impl Array {
    /// The floats, if these are floats.
    #[must_use]
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.data {
            Data::F32(values) => Some(values),
            Data::I64(_) | Data::I8(_) => None,
        }
    }

    /// The integers, if these are integers of 64 bits.
    #[must_use]
    pub fn as_i64(&self) -> Option<&[i64]> {
        match &self.data {
            Data::I64(values) => Some(values),
            Data::F32(_) | Data::I8(_) => None,
        }
    }

    /// The integers, if these are integers of 8 bits.
    #[must_use]
    pub fn as_i8(&self) -> Option<&[i8]> {
        match &self.data {
            Data::I8(values) => Some(values),
            Data::F32(_) | Data::I64(_) => None,
        }
    }
}

/// What a weight file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeightFile {
    /// The arrays in the file's order; no name appears twice.
    pub arrays: Vec<(String, Array)>,
    /// Text about the file. Safetensors carries any; of a `.pth` it is the names of classes beside
    /// the weights, under `classes` as a JSON list, if there are any. Writing a `.pth` leaves it out.
    pub metadata: BTreeMap<String, String>,
}

impl WeightFile {
    /// The array of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.arrays.iter().find(|(known, _)| known == name).map(|(_, array)| array)
    }

    /// Check before writing: unique names, and as many elements as each shape says.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let mut names = HashSet::new();
        for (name, Array { shape, data }) in &self.arrays {
            if !names.insert(name) {
                return Err(Fault::Invalid(format!("two arrays are named `{name}`")));
            }
            if count(shape) != Some(data.len()) {
                let elements = data.len();
                return Err(Fault::Invalid(format!(
                    "`{name}` has the shape {shape:?} but {elements} elements"
                )));
            }
        }
        Ok(())
    }
}

/// The number of elements of a shape, unless the product of its nonzero extents passes 2⁶³. (A shape such as
/// [0, 2⁶⁰, 2⁶⁰] is refused too: its strides would overflow.)
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    let nonzero = shape
        .iter()
        .filter(|&&extent| extent > 0)
        .try_fold(1_isize, |n, &extent| n.checked_mul(extent.try_into().ok()?))?;
    Some(if shape.contains(&0) { 0 } else { nonzero.unsigned_abs() })
}

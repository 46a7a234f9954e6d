//! The safetensors format: a length in eight bytes, a JSON header, then the arrays without gaps.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap as _,
};

use crate::{Array, Dtype, Fault, WeightFile, bytes::Bytes, element::Element, view::View};

/// The format's own limit.
const MAX_HEADER: u64 = 100_000_000;
const METADATA: &str = "__metadata__";
/// The order of the arrays in the data.
const WIDEST_FIRST: [Dtype; 3] = [Dtype::I64, Dtype::F32, Dtype::I8];

/// Whether these bytes begin as a safetensors file does.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

/// Read a safetensors file.
pub(crate) fn read(bytes: &[u8]) -> Result<WeightFile, Fault> {
    let mut rest = Bytes::new(bytes);
    let length = rest.u64()?;
    if length > MAX_HEADER {
        return Err(Fault::damaged(format!("its header claims {length} bytes, more than the format allows")));
    }
    let header: Header = serde_json::from_slice(rest.take(length)?)
        .map_err(|error| Fault::damaged(format!("its header is not that of safetensors ({error})")))?;
    let data = &bytes[rest.position()..];
    header.check_coverage(data.len())?;
    let read = |(name, entry): (String, Entry)| {
        let array = entry.array(data).map_err(|fault| fault.of(&format!("array `{name}`")))?;
        Ok((name, array))
    };
    let arrays = header.entries.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(WeightFile { arrays, metadata: header.metadata })
}

/// The bytes of a safetensors file. The same weights give the same bytes.
///
/// The header names the arrays in their order; the data holds the widest elements first, so that every element
/// is aligned, as PyTorch's loader demands.
///
/// # Errors
/// [`Fault::Invalid`] if a name appears twice, or a shape does not match its data.
pub fn to_safetensors_bytes(weights: &WeightFile) -> Result<Vec<u8>, Fault> {
    weights.check()?;
    if weights.get(METADATA).is_some() {
        return Err(Fault::Invalid(format!("safetensors reserves the name `{METADATA}`")));
    }
    let mut header =
        serde_json::to_vec(&Header::of(weights)).map_err(|error| Fault::Invalid(error.to_string()))?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let data: usize = weights.arrays.iter().map(|(_, array)| array.data.byte_len()).sum();
    let mut bytes = Vec::with_capacity(8 + header.len() + data);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.append(&mut header);
    for dtype in WIDEST_FIRST {
        let arrays = weights.arrays.iter().filter(|(_, array)| array.data.dtype() == dtype);
        arrays.for_each(|(_, array)| array.data.append_le_bytes(&mut bytes));
    }
    Ok(bytes)
}

/// What the header says of one array.
#[derive(Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl Entry {
    fn array(self, data: &[u8]) -> Result<Array, Fault> {
        let element = match self.dtype.as_str() {
            "F16" => Element::F16,
            "BF16" => Element::Bf16,
            "F32" => Element::F32,
            "F64" => Element::F64,
            "BOOL" => Element::Bool,
            "U8" => Element::U8,
            "I8" => Element::I8,
            "I16" => Element::I16,
            "I32" => Element::I32,
            "I64" => Element::I64,
            other => return Err(Fault::Unsupported(format!("the type {other} is not read"))),
        };
        let [begin, end] = self.data_offsets;
        let storage = &data[begin..end];
        let view = View::whole(self.shape, storage.len() / element.size())?;
        if view.count() * element.size() != storage.len() {
            return Err(Fault::damaged(format!("{} bytes are no whole number of elements", storage.len())));
        }
        Ok(element.array(storage, view))
    }
}

/// The arrays in the header's order, and the text beside them.
#[derive(Default)]
struct Header {
    entries: Vec<(String, Entry)>,
    metadata: BTreeMap<String, String>,
}

impl Header {
    /// The header of weights that lie in the data in the order [`WIDEST_FIRST`].
    fn of(weights: &WeightFile) -> Self {
        let bytes = |dtype: Dtype| -> usize {
            let arrays = weights.arrays.iter().filter(|(_, array)| array.data.dtype() == dtype);
            arrays.map(|(_, array)| array.data.byte_len()).sum()
        };
        let (long, single) = (bytes(Dtype::I64), bytes(Dtype::F32));
        let [mut longs, mut singles, mut chars] = [0, long, long + single];
        let entry = |(name, array): &(String, Array)| {
            let (dtype, end) = match array.data.dtype() {
                Dtype::I64 => ("I64", &mut longs),
                Dtype::F32 => ("F32", &mut singles),
                Dtype::I8 => ("I8", &mut chars),
            };
            let begin = *end;
            *end += array.data.byte_len();
            (
                name.clone(),
                Entry { dtype: dtype.into(), shape: array.shape.clone(), data_offsets: [begin, *end] },
            )
        };
        Self { entries: weights.arrays.iter().map(entry).collect(), metadata: weights.metadata.clone() }
    }

    /// The arrays must cover the data once and without gaps: so the format says, and so nothing hides.
    fn check_coverage(&self, length: usize) -> Result<(), Fault> {
        let mut offsets: Vec<_> = self.entries.iter().map(|(_, entry)| entry.data_offsets).collect();
        offsets.sort_unstable();
        let covered =
            offsets.iter().try_fold(0, |at, &[begin, end]| (begin == at && end >= at).then_some(end));
        if covered == Some(length) {
            return Ok(());
        }
        Err(Fault::damaged(format!("its arrays do not cover its {length} bytes of data exactly")))
    }
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry(METADATA, &self.metadata)?;
        }
        for (name, entry) in &self.entries {
            map.serialize_entry(name, entry)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

/// Keeps the header's order and refuses a name that appears twice; a map would do neither.
struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names to arrays")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Header, M::Error> {
        let mut header = Header::default();
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(M::Error::custom(format!("`{name}` appears twice")));
            }
            if name == METADATA {
                header.metadata = map.next_value()?;
            } else {
                header.entries.push((name, map.next_value()?));
            }
        }
        Ok(header)
    }
}

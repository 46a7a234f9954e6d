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

use crate::{Array, Dtype, Fault, WeightFile, array::count, bytes::Bytes, element::Element, view::View};

/// The format's own limit.
const MAX_HEADER: u64 = 100_000_000;
const METADATA: &str = "__metadata__";
/// The order of the arrays in the data.
const WIDEST_FIRST: [Dtype; 3] = [Dtype::I64, Dtype::F32, Dtype::I8];

/// Whether these bytes begin as a safetensors file does.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

/// The length of the header that the first bytes tell of, if the format allows it.
pub(crate) fn header_length(first: &mut Bytes<'_>) -> Result<u64, Fault> {
    match first.u64()? {
        length if length > MAX_HEADER => {
            Err(Fault::damaged(format!("its header claims {length} bytes, more than the format allows")))
        }
        length => Ok(length),
    }
}

/// Read a safetensors file.
pub(crate) fn read(bytes: &[u8]) -> Result<WeightFile, Fault> {
    let mut rest = Bytes::new(bytes);
    let length = header_length(&mut rest)?;
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
    let outline = |(name, array): &(String, Array)| Outline {
        name: name.clone(),
        shape: array.shape.clone(),
        dtype: array.data.dtype(),
    };
    let mut bytes = Vec::new();
    let outlines: Vec<Outline> = weights.arrays.iter().map(outline).collect();
    let places = lay_out_safetensors(&mut bytes, &outlines, &weights.metadata)?;
    places.into_iter().zip(&weights.arrays).for_each(|(place, (_, array))| array.data.write_le_bytes(place));
    Ok(bytes)
}

/// An array of a file without its elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Extents, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The type of its elements.
    pub dtype: Dtype,
}

/// Begin the file that [`to_safetensors_bytes`] makes, in memory that may have been used before: `bytes` become the
/// header and the data, and the result is where each array's elements go, little-endian, in the order of `arrays`.
/// Until they are written there, these places hold what was in the memory.
///
/// # Errors
/// [`Fault::Invalid`] if a name appears twice, or a shape is too large.
pub fn lay_out_safetensors<'b>(
    bytes: &'b mut Vec<u8>,
    arrays: &[Outline],
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<&'b mut [u8]>, Fault> {
    let mut names = HashSet::from([METADATA]);
    if let Some(array) = arrays.iter().find(|array| !names.insert(&array.name)) {
        return Err(Fault::Invalid(match &*array.name {
            METADATA => format!("safetensors reserves the name `{METADATA}`"),
            name => format!("two arrays are named `{name}`"),
        }));
    }
    let header = Header::of(arrays, metadata)?;
    let mut json = serde_json::to_vec(&header).map_err(|error| Fault::Invalid(error.to_string()))?;
    json.resize(json.len().next_multiple_of(8), b' ');
    let data = header.entries.iter().map(|(_, entry)| entry.data_offsets[1]).max().unwrap_or(0);
    let start = 8 + json.len();
    bytes.resize(start + data, 0);
    bytes[..8].copy_from_slice(&(json.len() as u64).to_le_bytes());
    bytes[8..start].copy_from_slice(&json);

    let mut order: Vec<(usize, [usize; 2])> =
        header.entries.iter().map(|(_, entry)| entry.data_offsets).enumerate().collect();
    order.sort_unstable_by_key(|&(_, offsets)| offsets);
    let (mut places, mut rest): (Vec<&mut [u8]>, _) = (Vec::new(), &mut bytes[start..]);
    places.resize_with(arrays.len(), Default::default);
    for (index, [begin, end]) in order {
        (places[index], rest) = rest.split_at_mut(end - begin);
    }
    Ok(places)
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
    /// The header of arrays that lie in the data in the order [`WIDEST_FIRST`].
    fn of(arrays: &[Outline], metadata: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let mut entries: Vec<Option<(String, Entry)>> = arrays.iter().map(|_| None).collect();
        let mut end = 0;
        for dtype in WIDEST_FIRST {
            for (array, entry) in arrays.iter().zip(&mut entries).filter(|(array, _)| array.dtype == dtype) {
                let begin = end;
                let elements = count(&array.shape)
                    .ok_or_else(|| Fault::Invalid(format!("`{}` is too large a shape", array.name)))?;
                end += elements * dtype.size();
                let (dtype, shape) = (dtype.safetensors().to_owned(), array.shape.clone());
                *entry = Some((array.name.clone(), Entry { dtype, shape, data_offsets: [begin, end] }));
            }
        }
        Ok(Self { entries: entries.into_iter().flatten().collect(), metadata: metadata.clone() })
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

//! IDX, the format of MNIST and its kin: a big-endian header, then one byte a pixel or label.
//!
//! | part | images | labels |
//! |---|---|---|
//! | magic | 0x0000_0803 | 0x0000_0801 |
//! | sizes, u32 each | count, height, width | count |
//! | data | count · height · width bytes | count bytes |
//!
//! Files may be gzipped, which their first two bytes say, not their name. A header is not trusted: its sizes are
//! checked against the file before memory is taken, and at most one byte more than it promises is ever inflated.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use wellfit_base::file;

use crate::error::DataError;

/// The most bytes a file may hold, packed or unpacked: 4 GiB, seventy times Fashion-MNIST.
pub const MAX_BYTES: u64 = 1 << 32;

/// Deflate cannot shrink anything by more than this factor, so a header that promises more lies.
const MAX_DEFLATE_RATIO: u64 = 1032;

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

/// Grey images of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// How many.
    pub count: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// `[count, height, width]`, row-major.
    pub pixels: Vec<u8>,
}

/// Read a file of images, gzipped or not.
///
/// # Errors
/// If the file cannot be read, is no IDX image file, or holds less or more than its header says.
pub fn read_images(path: &Path) -> Result<IdxImages, DataError> {
    parse_images(&read_bytes(path)?, path)
}

/// Read a file of labels, gzipped or not.
///
/// # Errors
/// As [`read_images`].
pub fn read_labels(path: &Path) -> Result<Vec<u8>, DataError> {
    parse_labels(&read_bytes(path)?, path)
}

/// Read images from the bytes of a file; `path` is its name in errors.
///
/// # Errors
/// As [`read_images`].
pub fn parse_images(bytes: &[u8], path: &Path) -> Result<IdxImages, DataError> {
    let ([count, height, width], pixels) =
        parse(bytes, IMAGES_MAGIC).map_err(|problem| error(path, problem))?;
    Ok(IdxImages { count, height, width, pixels })
}

/// Read labels from the bytes of a file; `path` is its name in errors.
///
/// # Errors
/// As [`read_images`].
pub fn parse_labels(bytes: &[u8], path: &Path) -> Result<Vec<u8>, DataError> {
    let ([_], labels) = parse(bytes, LABELS_MAGIC).map_err(|problem| error(path, problem))?;
    Ok(labels)
}

/// Labels as class numbers, one for each of `images`.
///
/// # Errors
/// If there are more or fewer labels than images, or a label is not below `classes`.
pub fn check_labels(
    labels: &[u8],
    images: usize,
    classes: usize,
    path: &Path,
) -> Result<Vec<u32>, DataError> {
    if labels.len() != images {
        return Err(error(path, format!("{} labels for {images} images", labels.len())));
    }
    if let Some(at) = labels.iter().position(|&label| usize::from(label) >= classes) {
        let label = labels[at];
        let problem =
            format!("label {label} of image {at} is not one of the {classes} classes 0–{}", classes - 1);
        return Err(error(path, problem));
    }
    Ok(labels.iter().map(|&label| u32::from(label)).collect())
}

/// An error about `path`.
pub(crate) fn error(path: &Path, problem: impl Into<String>) -> DataError {
    DataError::Idx { path: path.to_path_buf(), problem: problem.into() }
}

pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    file::read(path, MAX_BYTES).map_err(DataError::io(path))
}

/// The sizes and the data of a file with `N` dimensions.
fn parse<const N: usize>(bytes: &[u8], magic: u32) -> Result<([usize; N], Vec<u8>), String> {
    let packed_length = bytes.len() as u64;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        parse_stream(MultiGzDecoder::new(bytes), magic, packed_length * MAX_DEFLATE_RATIO)
    } else {
        parse_stream(bytes, magic, packed_length)
    }
}

/// As [`parse`], from a stream that cannot hold more than `most` bytes.
fn parse_stream<const N: usize>(
    mut stream: impl Read,
    magic: u32,
    most: u64,
) -> Result<([usize; N], Vec<u8>), String> {
    let found = read_u32(&mut stream)?;
    if found != magic {
        return Err(format!(
            "starts with {found:#010x} where an IDX file of this kind starts with {magic:#010x}"
        ));
    }
    let mut sizes = [0; N];
    for size in &mut sizes {
        *size = read_u32(&mut stream)? as usize;
    }
    if sizes.contains(&0) {
        return Err(format!("the header says {sizes:?}, but no size may be 0"));
    }
    let length = sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size as u64));
    let Some(length) = length.filter(|&length| length <= MAX_BYTES) else {
        return Err(format!("the header says {sizes:?}, more than the limit of 4 GiB"));
    };
    if length > most {
        return Err(format!(
            "truncated: the header says {length} bytes of data, but the file is too short for them"
        ));
    }
    Ok((sizes, read_exactly(stream, length)?))
}

/// `length` bytes, after which the stream must end.
fn read_exactly(stream: impl Read, length: u64) -> Result<Vec<u8>, String> {
    let mut data =
        file::room(length + 1).map_err(|_| format!("there is no memory for its {length} bytes"))?;
    stream.take(length + 1).read_to_end(&mut data).map_err(|error| unreadable(&error))?;
    match (data.len() as u64).cmp(&length) {
        std::cmp::Ordering::Less => {
            Err(format!("truncated: {} bytes of data where the header says {length}", data.len()))
        }
        std::cmp::Ordering::Equal => Ok(data),
        std::cmp::Ordering::Greater => {
            Err(format!("holds more than the {length} bytes of data its header says"))
        }
    }
}

fn read_u32(stream: &mut impl Read) -> Result<u32, String> {
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(u32::from_be_bytes(bytes))
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "truncated: the file ends too early".into(),
        _ => format!("damaged gzip data ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn images(sizes: [u32; 3], data: &[u8]) -> Vec<u8> {
        [IMAGES_MAGIC]
            .iter()
            .chain(&sizes)
            .flat_map(|n| n.to_be_bytes())
            .chain(data.iter().copied())
            .collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn problem(bytes: &[u8]) -> String {
        let message = parse_images(bytes, Path::new("some/file")).unwrap_err().to_string();
        assert!(message.starts_with("some/file: "), "{message}");
        message
    }

    #[test]
    fn every_broken_promise_is_named() {
        let good = images([2, 2, 3], &[7; 12]);
        for (bytes, what) in [
            (Vec::new(), "truncated"),
            (good[..10].to_vec(), "truncated"),
            (good[..27].to_vec(), "truncated: 11 bytes of data where the header says 12"),
            ([&good[..], &[0]].concat(), "more than the 12 bytes"),
            (images([0, 2, 3], &[]), "no size may be 0"),
            (images([2, 2, 0], &[]), "no size may be 0"),
            (images([u32::MAX; 3], &[]), "limit of 4 GiB"),
            (b"\x89PNG\r\n\x1a\n".to_vec(), "0x89504e47"),
            (gzip(&good[..27]), "truncated: 11 bytes of data where the header says 12"),
            (gzip(&[&good[..], &[0]].concat()), "more than the 12 bytes"),
            (gzip(&images([1000, 1000, 1000], &[])), "too short"),
            (gzip(&good)[..20].to_vec(), "truncated"),
            ([&gzip(&good)[..], b"trailing junk"].concat(), "damaged gzip"),
        ] {
            let message = problem(&bytes);
            assert!(message.contains(what), "expected ‘{what}’ in: {message}");
        }
    }

    #[test]
    fn a_damaged_checksum_is_found() {
        let mut bytes = gzip(&images([2, 2, 3], &[7; 12]));
        let checksum = bytes.len() - 8;
        bytes[checksum] ^= 1;
        assert!(problem(&bytes).contains("damaged gzip"));
    }

    #[test]
    fn labels_are_checked_against_images_and_classes() {
        let check = |labels: &[u8], images| check_labels(labels, images, 10, Path::new("labels"));
        assert_eq!(check(&[0, 9], 2).unwrap(), [0, 9]);
        assert_eq!(check(&[0, 9], 3).unwrap_err().to_string(), "labels: 2 labels for 3 images");
        assert!(check(&[0, 10], 2).unwrap_err().to_string().contains("label 10 of image 1"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_plain_or_packed(count in 1..9_u32, height in 1..9_u32, width in 1..9_u32) {
            let pixels: Vec<u8> = (0..count * height * width).map(|i| (i * 31 % 251) as u8).collect();
            let bytes = images([count, height, width], &pixels);
            for bytes in [gzip(&bytes), bytes] {
                let read = parse_images(&bytes, Path::new("")).unwrap();
                prop_assert_eq!(
                    (read.count as u32, read.height as u32, read.width as u32, &read.pixels),
                    (count, height, width, &pixels)
                );
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, head in 0..17_usize) {
            let bytes = [&images([1, 2, 3], &[])[..head.min(16)], &bytes].concat();
            let _ = parse_images(&bytes, Path::new(""));
            let _ = parse_labels(&gzip(&bytes), Path::new(""));
        }
    }
}

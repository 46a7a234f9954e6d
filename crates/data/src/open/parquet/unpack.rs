//! Unpacking the pages of a Parquet file, by decoders in Rust.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};
use ruzstd::decoding::StreamingDecoder;

/// The most bytes of a page: writers aim at one MiB, and begin another one after the first value above that.
const MOST_PAGE: usize = 512 << 20;
/// Snappy repeats at most 64 bytes by two bytes, so a length that is larger by more than this lies.
const MOST_SNAPPY: usize = 32;

/// Whether pages so packed can be read.
pub(super) fn is_known(codec: Compression) -> bool {
    matches!(
        codec,
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_)
    )
}

/// The bytes of a packed page. What a page says of its length is not trusted with memory.
pub(super) fn unpack(codec: Compression, packed: &[u8]) -> Result<Vec<u8>> {
    if packed.is_empty() {
        return Ok(Vec::new());
    }
    let bad = |error: &dyn std::fmt::Display| ParquetError::General(error.to_string());
    match codec {
        Compression::SNAPPY => {
            let length = snap::raw::decompress_len(packed).map_err(|error| bad(&error))?;
            if length > MOST_PAGE.min(MOST_SNAPPY * packed.len()) {
                return Err(too_long());
            }
            snap::raw::Decoder::new().decompress_vec(packed).map_err(|error| bad(&error))
        }
        Compression::GZIP(_) => all_of(MultiGzDecoder::new(packed)),
        Compression::ZSTD(_) => all_of(StreamingDecoder::new(packed).map_err(|error| bad(&error))?),
        other => Err(ParquetError::NYI(format!("pages compressed with {other}"))),
    }
}

fn all_of(mut from: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = from.by_ref().take(MOST_PAGE as u64 + 1).read_to_end(&mut bytes);
    match read {
        Ok(length) if length > MOST_PAGE => Err(too_long()),
        Ok(_) => Ok(bytes),
        Err(error) => Err(ParquetError::General(error.to_string())),
    }
}

fn too_long() -> ParquetError {
    ParquetError::General(format!("a page has more than {} MiB", MOST_PAGE >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use parquet::basic::{GzipLevel, ZstdLevel};
    use std::io::Write;

    #[test]
    fn pages_are_unpacked_and_lengths_that_lie_are_refused() {
        let snappy = snap::raw::Encoder::new().compress_vec(b"abcabcabcabc").unwrap();
        assert_eq!(unpack(Compression::SNAPPY, &snappy).unwrap(), b"abcabcabcabc");
        let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"abcabc").unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(unpack(Compression::GZIP(GzipLevel::default()), &gzip).unwrap(), b"abcabc");
        // A frame of one raw block, from RFC 8878: magic, header (single segment, 3 bytes), the last block.
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, b'a', b'b', b'c'];
        assert_eq!(unpack(Compression::ZSTD(ZstdLevel::default()), &zstd).unwrap(), b"abc");
        // Four gigabytes in five bytes.
        assert!(unpack(Compression::SNAPPY, &[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
        assert!(unpack(Compression::BROTLI(parquet::basic::BrotliLevel::default()), &[1]).is_err());
    }
}

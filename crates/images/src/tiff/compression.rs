//! From a chunk's bytes in the file to its numbers.

use std::io::Read;

use weezl::BitOrder;
use weezl::decode::Configuration;

use super::layout::{Format, Layout};
use super::{fax, lzma};
use crate::error::Defect;
use crate::guard::guarded;

/// Decompress a chunk of `rows` rows that takes `length` bytes. More is cut off, less is an error.
pub(super) fn decompress(
    layout: &Layout,
    fax_options: u64,
    data: &[u8],
    rows: usize,
    length: usize,
) -> Result<Vec<u8>, Defect> {
    let reversed;
    let data = if layout.reversed {
        reversed = data.iter().map(|byte| byte.reverse_bits()).collect::<Vec<u8>>();
        &reversed[..]
    } else {
        data
    };
    let mut bytes = match layout.compression {
        1 => data[..data.len().min(length)].to_vec(),
        2..=4 => {
            let kind = match layout.compression {
                2 => fax::Kind::Runs,
                3 => fax::Kind::Group3 { mixed: fax_options & 1 == 1 },
                _ => fax::Kind::Group4,
            };
            fax::decode(kind, data, layout.chunk.0, rows)?
        }
        5 => lzw(data, length)?,
        8 | 32946 => guarded(|| inflate(data, length))?,
        32773 => packed_bits(data, length),
        34925 => guarded(|| lzma::decode(data, length))?,
        50000 => guarded(|| zstd(data, length))?,
        other => return Err(Defect::Unsupported(format!("TIFF with compression {other}"))),
    };
    if bytes.len() < length {
        return Err(Defect::Truncated);
    }
    bytes.truncate(length);
    if [5, 8, 32946, 34925, 50000].contains(&layout.compression) {
        undo_predictor(layout, &mut bytes)?;
    }
    Ok(bytes)
}

fn inflate(data: &[u8], length: usize) -> Result<Vec<u8>, Defect> {
    let mut out = Vec::new();
    let read = flate2::read::ZlibDecoder::new(data).take(length as u64).read_to_end(&mut out);
    // What came before the damage may be enough.
    match read {
        Err(error) if out.len() < length => Err(Defect::Unreadable(error.to_string())),
        _ => Ok(out),
    }
}

fn zstd(data: &[u8], length: usize) -> Result<Vec<u8>, Defect> {
    let unreadable = |error: &dyn std::fmt::Display| Defect::Unreadable(error.to_string());
    let decoder = ruzstd::decoding::StreamingDecoder::new(data).map_err(|error| unreadable(&error))?;
    let mut out = Vec::new();
    decoder.take(length as u64).read_to_end(&mut out).map_err(|error| unreadable(&error))?;
    Ok(out)
}

/// LZW as TIFF has it; files of old programs have the bits the other way round and switch widths later.
fn lzw(data: &[u8], length: usize) -> Result<Vec<u8>, Defect> {
    let old = data.first() == Some(&0) && data.get(1).is_some_and(|byte| byte & 1 == 1);
    let configuration = if old {
        Configuration::new(BitOrder::Lsb, 8)
    } else {
        Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    guarded(|| {
        let mut decoder = configuration.build();
        let (mut out, mut used, mut made) = (vec![0; length], 0, 0);
        while made < length {
            let step = decoder.decode_bytes(&data[used..], &mut out[made..]);
            (used, made) = (used + step.consumed_in, made + step.consumed_out);
            match step.status {
                Ok(weezl::LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
                Ok(_) => break,
                Err(error) => return Err(Defect::Unreadable(error.to_string())),
            }
        }
        out.truncate(made);
        Ok(out)
    })
}

/// TIFF 6.0, section 9: n ≥ 0 is followed by n + 1 bytes, −n by one that is there n + 1 times.
fn packed_bits(mut data: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((&head, rest)) = data.split_first().filter(|_| out.len() < length) {
        data = rest;
        match head as i8 {
            -128 => {}
            n @ 0.. => {
                let (bytes, rest) = data.split_at((n as usize + 1).min(data.len()));
                out.extend_from_slice(bytes);
                data = rest;
            }
            n => {
                let Some((&byte, rest)) = data.split_first() else { break };
                out.extend(std::iter::repeat_n(byte, n.unsigned_abs() as usize + 1));
                data = rest;
            }
        }
    }
    out
}

/// Turn differences to the pixel on the left back into numbers (TIFF 6.0, section 14; technical note 3 for floats).
fn undo_predictor(layout: &Layout, bytes: &mut [u8]) -> Result<(), Defect> {
    let (row_bytes, step) = (layout.row_bytes(), layout.samples_together());
    match (layout.predictor, layout.bits) {
        (0 | 1, _) => {}
        (2, 8) => bytes.chunks_mut(row_bytes).for_each(|row| add_left::<1>(row, step, layout.little)),
        (2, 16) => bytes.chunks_mut(row_bytes).for_each(|row| add_left::<2>(row, step, layout.little)),
        (2, 32) => bytes.chunks_mut(row_bytes).for_each(|row| add_left::<4>(row, step, layout.little)),
        (3, 32) if layout.format == Format::Float => {
            bytes.chunks_mut(row_bytes).for_each(|row| undo_float_predictor(row, step, layout.little));
        }
        (predictor, bits) => {
            return Err(Defect::Unsupported(format!("TIFF with predictor {predictor} of {bits} bits")));
        }
    }
    Ok(())
}

/// Add to each number of `N` bytes the one `step` before it, modulo 2⁸ᴺ.
fn add_left<const N: usize>(row: &mut [u8], step: usize, little: bool) {
    let row = row.as_chunks_mut::<N>().0;
    for i in step..row.len() {
        let (before, mut carry) = (row[i - step], 0);
        for place in 0..N {
            let place = if little { place } else { N - 1 - place };
            let sum = u16::from(row[i][place]) + u16::from(before[place]) + carry;
            (row[i][place], carry) = (sum as u8, sum >> 8);
        }
    }
}

/// All high bytes of the row come first, then the next, each byte less the one of the pixel before.
fn undo_float_predictor(row: &mut [u8], step: usize, little: bool) {
    for i in step..row.len() {
        row[i] = row[i].wrapping_add(row[i - step]);
    }
    let count = row.len() / 4;
    let planes = row.to_vec();
    for (i, value) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *value = std::array::from_fn(|byte| planes[if little { 3 - byte } else { byte } * count + i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of TIFF 6.0, section 9.
    #[test]
    fn packed_bits_are_unpacked() {
        let packed =
            [0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA];
        let want = [&[0xAA; 3][..], &[0x80, 0x00, 0x2A], &[0xAA; 4], &[0x80, 0x00, 0x2A, 0x22], &[0xAA; 10]];
        assert_eq!(packed_bits(&packed, 24), want.concat());
        assert_eq!(packed_bits(&[5, 1, 2], 24), [1, 2], "a cut is not padded");
    }
}

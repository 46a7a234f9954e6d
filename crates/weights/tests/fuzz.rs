//! Damaged weight files: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use wellfit_fuzz::{Target, as_it_is, files, fuzz};
use wellfit_weights::{Data, Fault, from_bytes};

const DIRECTORIES: [&str; 2] = ["tests/fixtures", "tests/corpus"];

/// Every array that comes out has as many elements as its shape says.
fn weights(bytes: &[u8]) -> Result<(), Fault> {
    for (name, array) in from_bytes(bytes)?.arrays {
        let length = match &array.data {
            Data::F32(values) => values.len(),
            Data::I64(values) => values.len(),
            Data::I8(values) => values.len(),
        };
        assert_eq!(array.shape.iter().product::<usize>(), length, "{name}");
    }
    Ok(())
}

/// Opcodes and names of pickles.
const PICKLE: [&[u8]; 32] = [
    b"\x80\x02",
    b"\x80\x05",
    b"\x95\x10\0\0\0\0\0\0\0",
    b"(",
    b"t",
    b"}",
    b"]",
    b")",
    b"\x85",
    b"\x86",
    b"\x87",
    b"R",
    b"Q",
    b"b",
    b"s",
    b"u",
    b"h\0",
    b"j\0\0\0\0",
    b"q\x01",
    b"\x94",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"ccollections\nOrderedDict\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch\nFloatStorage\n",
    b"cargparse\nNamespace\n",
    b"\x81",
    b"\x92",
    b"\x8f",
    b"\x90",
    b"o",
    b"0",
    b"2",
];

#[test]
fn pth_zip() {
    let seeds: Vec<_> = files(&DIRECTORIES, |name| name.ends_with(".pth"))
        .into_iter()
        .filter(|file| file[0] == b'P')
        .collect();
    let zip: [&[u8]; 6] =
        [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"\x01\0\x10\0"];
    let tokens = [&PICKLE[..], &zip].concat();
    fuzz(&Target { name: "pth-zip", seeds: &seeds, tokens: &tokens, repair: without_checksums }, weights);
}

/// As PyTorch writes it when told not to compute checksums: 0, and the reader does not look.
fn without_checksums(bytes: &mut [u8]) {
    for at in 0..bytes.len().saturating_sub(20) {
        match &bytes[at..at + 4] {
            b"PK\x01\x02" => bytes[at + 16..at + 20].fill(0),
            b"PK\x03\x04" => bytes[at + 14..at + 18].fill(0),
            _ => {}
        }
    }
}

#[test]
fn pth_legacy() {
    let seeds: Vec<_> = files(&DIRECTORIES, |name| name.ends_with(".pth"))
        .into_iter()
        .filter(|file| file[0] == 0x80)
        .collect();
    fuzz(&Target { name: "pth-legacy", seeds: &seeds, tokens: &PICKLE, repair: as_it_is }, weights);
}

#[test]
fn safetensors() {
    let seeds = files(&DIRECTORIES, |name| name.ends_with(".safetensors"));
    let tokens: [&[u8]; 12] = [
        b"[",
        b"{",
        b"\"dtype\":\"F64\"",
        b"\"BF16\"",
        b"\"BOOL\"",
        b"\"shape\":[0]",
        b"\"data_offsets\":[0,0]",
        b"__metadata__",
        b"18446744073709551615",
        b"-1",
        b"1e308",
        b"\\ud800",
    ];
    fuzz(&Target { name: "safetensors", seeds: &seeds, tokens: &tokens, repair: header_length }, weights);
}

/// The header ends with the last `}}` of the file.
fn header_length(bytes: &mut [u8]) {
    if let Some(end) = bytes.windows(2).rposition(|pair| pair == b"}}").filter(|&end| end >= 8) {
        bytes[..8].copy_from_slice(&(end as u64 - 6).to_le_bytes());
    }
}

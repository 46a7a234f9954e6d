//! IDX files that promise more than they hold, or hold more than they should: refused early, with little memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use wellfit_data::idx::{parse_images, parse_labels};
use wellfit_data::{OpenOptions, open};
use wellfit_fuzz::memory_of;

/// The most that may be allocated. Tests beside this one need some of it.
const LITTLE: usize = 16 << 20;

fn packed(head: &[u8], zeros: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(head).unwrap();
    let block = vec![0; 1 << 20];
    (0..zeros >> 20).for_each(|_| encoder.write_all(&block).unwrap());
    encoder.finish().unwrap()
}

/// 256 MiB of zeros in a megabyte, behind a header that announces little, or much more.
#[test]
fn a_gzip_bomb_is_not_inflated() {
    let bomb = packed(&[0, 0, 8, 1, 0, 0, 0, 9], 256 << 20);
    let (result, memory) = memory_of(|| parse_labels(&bomb, Path::new("x")));
    assert!(result.unwrap_err().to_string().contains("holds more than the 9 bytes"));
    assert!(memory < LITTLE, "{memory} bytes");
    let vast = packed(&[0, 0, 8, 3, 0, 0, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0, 1, 0], 1 << 20);
    let (result, memory) = memory_of(|| parse_images(&vast, Path::new("x")));
    assert!(result.unwrap_err().to_string().contains("too short"));
    assert!(memory < LITTLE, "{memory} bytes");
}

/// Ten thousand empty members, and a name in the header that never ends.
#[test]
fn odd_gzip_files_end() {
    let empty = packed(&[], 0);
    let name = [&b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"[..], &vec![b'a'; 1 << 20]].concat();
    for bytes in [empty.repeat(10_000), name] {
        let (result, memory) = memory_of(|| parse_labels(&bytes, Path::new("x")));
        assert!(result.is_err());
        assert!(memory < LITTLE, "{memory} bytes");
    }
}

/// A walk that looks up each path anew, folder by folder, takes 20 seconds; the processor's own time is not to be had
/// here, so the limit is one that a busy machine keeps, too.
#[test]
fn a_thousand_nested_folders_are_no_work() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let mut picture = b"P6 8 8 255\n".to_vec();
    picture.extend([7; 192]);
    for class in ["cat", "dog"] {
        let deep = data.join(class).join("d/".repeat(1000));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("x.ppm"), &picture).unwrap();
    }
    let began = std::time::Instant::now();
    // Folders of the same name in both classes look like parts of a dataset, which is refused; the walk is done by then.
    let _ = open(data.to_str().unwrap(), &OpenOptions::default(), &|_| ());
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

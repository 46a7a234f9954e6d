#![no_main]
use std::path::Path;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = wellfit_images::decode_bytes(bytes, Path::new("x"));
});

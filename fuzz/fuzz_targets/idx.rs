#![no_main]
use std::path::Path;
use wellfit_data::idx::{parse_images, parse_labels};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = (parse_images(bytes, Path::new("x")), parse_labels(bytes, Path::new("x")));
});

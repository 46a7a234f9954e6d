#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = wellfit_weights::from_bytes(bytes);
});

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| getclip_fuzz::index(data));

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| getclip::fuzzing::aac_config(data));

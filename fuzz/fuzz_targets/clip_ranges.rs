#![no_main]

libfuzzer_sys::fuzz_target!(|reads: getclip_fuzz::Reads| getclip_fuzz::clip_ranges(reads));

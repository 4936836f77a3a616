#![no_main]

libfuzzer_sys::fuzz_target!(|offered: getclip_fuzz::Selection| getclip_fuzz::selection(offered));

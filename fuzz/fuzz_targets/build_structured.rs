#![no_main]

libfuzzer_sys::fuzz_target!(|structured: getclip_fuzz::Structured| getclip_fuzz::build_structured(
    structured
));

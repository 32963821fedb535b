#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    clif_cont_fuzz::bodies::directives(bytes);
});

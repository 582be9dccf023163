#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| slo_hub::fuzzing::target("config")(data));

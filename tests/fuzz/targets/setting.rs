//! Settings from the command line, on top of a preset.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::config::preset;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let source = preset("footwear").unwrap().source().unwrap();
    if let Ok(set) = source.set(&text) {
        let _ = set.clone().into_base_run();
        let _ = set.into_study();
    }
});

//! PNG files as images.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::data::picture::image_of;

fuzz_target!(|bytes: &[u8]| {
    let _ = image_of(bytes);
});

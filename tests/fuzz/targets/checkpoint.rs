//! Checkpoints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::run::checkpoint::{decode, encode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(checkpoint) = decode(bytes) {
        assert_eq!(encode(&checkpoint.identity, &checkpoint.state), bytes);
    }
});

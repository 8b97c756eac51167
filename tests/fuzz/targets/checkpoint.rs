//! Checkpoints: as they come, and with the length and checksum that let a reader look into them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::run::checkpoint::{FORMAT, MAGIC, decode};
use sha2::{Digest, Sha256};

const HEADER: usize = 24;
const CHECKSUM: usize = 32;

fuzz_target!(|bytes: &[u8]| {
    let _ = decode(bytes);
    let mut sealed = bytes.to_vec();
    sealed.resize(sealed.len().max(HEADER), 0);
    sealed[..8].copy_from_slice(&MAGIC);
    sealed[8..16].copy_from_slice(&u64::from(FORMAT).to_le_bytes());
    let length = (sealed.len() + CHECKSUM) as u64;
    sealed[16..HEADER].copy_from_slice(&length.to_le_bytes());
    let checksum = Sha256::digest(&sealed);
    sealed.extend(checksum);
    let _ = decode(&sealed);
});

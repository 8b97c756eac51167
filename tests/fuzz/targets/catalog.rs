//! Catalogs of data sets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::data::Catalog;

fuzz_target!(|bytes: &[u8]| {
    let _ = Catalog::parse(&String::from_utf8_lossy(bytes));
});

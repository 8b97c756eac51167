//! `history.csv`; what is read is written to the same text again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::train::History;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(history) = History::from_csv(&String::from_utf8_lossy(bytes)) {
        let text = history.to_csv();
        let again = History::from_csv(&text).expect("what is written can be read");
        assert_eq!(again.to_csv(), text);
    }
});

//! The numbers of a page: arrays one after the other, compressed, as letters.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

/// Arrays by name, for `unpack` in `page/worker.js`. Numbers lie in planes of bytes, the highest byte of each first: signs and
/// exponents beside each other are what can be compressed of trained weights, by a seventh.
#[derive(Debug, Default)]
pub(super) struct Payload {
    sections: Vec<Value>,
    bytes: Vec<u8>,
}

impl Payload {
    /// Adds numbers, of which the `kept` highest bytes are kept, 4 or 2; of two the nearest number is taken.
    pub fn floats(&mut self, name: &str, values: &[f32], kept: usize) {
        let rounded = |value: f32| match kept {
            4 => value.to_bits(),
            // To the nearest with 8 bits of precision; weights are finite, and none is so large that it overflows.
            _ => value.to_bits().wrapping_add(0x8000),
        };
        for plane in 0..kept {
            self.bytes.extend(values.iter().map(|&value| rounded(value).to_be_bytes()[plane]));
        }
        self.sections.push(json!({ "name": name, "length": values.len(), "planes": kept }));
    }

    /// Adds bytes.
    pub fn bytes(&mut self, name: &str, values: &[u8]) {
        self.bytes.extend(values);
        self.sections.push(json!({ "name": name, "length": values.len(), "planes": 0 }));
    }

    /// What there is, and the letters.
    pub fn finish(self) -> (Vec<Value>, String) {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed
            .write_all(&self.bytes)
            .and_then(|()| packed.finish())
            .map_or_else(|_| unreachable!("memory takes all bytes"), |packed| (self.sections, STANDARD.encode(packed)))
    }
}

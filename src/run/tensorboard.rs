//! Events for TensorBoard: what each epoch gave, the distribution of every tensor, and pictures.
//!
//! An event file is a row of records, each a length (u64), its checksum (u32), a message `Event` of that length and its checksum
//! (<https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h>); all numbers are little-endian.
//! The fields are those of `event.proto` and `summary.proto` there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::files::protobuf::Message;
use crate::files::{FileError, append_whole, create_folder};
use crate::nn::Layout;
use crate::train::EpochRecord;

/// The folder of event files in a run folder.
pub(super) const EVENTS: &str = "tensorboard";

/// Bars of a histogram.
const BARS: usize = 30;

/// The open event file of a run.
pub(super) struct EventFile {
    file: File,
    path: PathBuf,
}

impl EventFile {
    /// A new file in the run folder `run`, for a run of which `epochs` are done. The files of one run are read in the order of
    /// their numbers, and what an earlier one has of later epochs does not count.
    pub fn create(run: &Path, epochs: usize) -> Result<EventFile, FileError> {
        let folder = run.join(EVENTS);
        create_folder(&folder)?;
        let numbered = (1..).map(|number: u32| folder.join(format!("events.out.tfevents.{number:06}.narrows")));
        let path = numbered.into_iter().find(|path| !path.exists()).expect("some number is free");
        let file = File::options().append(true).create_new(true).open(&path).map_err(FileError::on("create", &path))?;
        let mut events = EventFile { file, path };
        events.add(0, |event| event.bytes(3, "brain.Event:2"))?;
        // SessionLog { status: START }
        events.add(epochs + 1, |event| event.message(7, Message::new().int(1, 1)))?;
        Ok(events)
    }

    /// The figures of an epoch, whose columns after the usual ones have these names.
    pub fn epoch(&mut self, record: &EpochRecord, names: &[String]) -> Result<(), FileError> {
        let figures = record.named(names).filter(|(name, value)| *name != "epoch" && !value.is_nan());
        let values = figures.map(|(name, value)| Message::new().bytes(1, name).float(2, value as f32));
        self.summary(record.epoch, values)
    }

    /// The distribution of each tensor after `epoch` epochs.
    pub fn tensors(&mut self, epoch: usize, layout: &Layout, params: &[f32]) -> Result<(), FileError> {
        let values =
            layout.iter().map(|param| Message::new().bytes(1, &param.name).message(5, histogram(param.of(params))));
        self.summary(epoch, values)
    }

    /// A picture, as PNG.
    pub fn picture(&mut self, epoch: usize, name: &str, png: &[u8]) -> Result<(), FileError> {
        // Behind the signature and the head of its first chunk a PNG has its width and its height.
        let size = |at: usize| png[at..at + 4].iter().fold(0, |number, byte| number << 8 | i64::from(*byte));
        let image = Message::new().int(1, size(20)).int(2, size(16)).int(3, 3).bytes(4, png);
        self.summary(epoch, [Message::new().bytes(1, name).message(4, image)])
    }

    fn summary(&mut self, epoch: usize, values: impl IntoIterator<Item = Message>) -> Result<(), FileError> {
        let summary = values.into_iter().fold(Message::new(), |summary, value| summary.message(1, value));
        self.add(epoch, |event| event.message(5, summary))
    }

    fn add(&mut self, step: usize, fill: impl FnOnce(Message) -> Message) -> Result<(), FileError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let event = fill(Message::new().double(1, now.as_secs_f64()).int(2, step as i64)).into_bytes();
        append_whole(&mut self.file, &record(&event)).map_err(FileError::on("write", &self.path))
    }
}

/// A record that holds `data`.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length, &masked(&length).to_le_bytes()[..], data, &masked(data).to_le_bytes()].concat()
}

/// The checksum of a record: a CRC that is kept beside what it is of must not be that of a text which holds CRCs.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the polynomial 1EDC6F41, lowest bit first.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let (mut crc, mut bit) = (byte as u32, 0);
            while bit < 8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
                bit += 1;
            }
            table[byte] = crc;
            byte += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc: u32, byte| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ byte)])
}

/// `HistogramProto` of the values: extremes, sums, and how many lie in each of equal parts of their range.
fn histogram(values: &[f32]) -> Message {
    let fold = |start: f64, add: fn(f64, f64) -> f64| values.iter().fold(start, |sum, x| add(sum, f64::from(*x)));
    let (low, high) = (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max));
    let (sum, squares) = (fold(0.0, |sum, x| sum + x), fold(0.0, |sum, x| sum + x * x));
    let bars = if high > low { BARS } else { 1 };
    let width = (high - low) / bars as f64;
    let mut counts = vec![0.0; bars];
    for value in values {
        let bar = if width > 0.0 { ((f64::from(*value) - low) / width) as usize } else { 0 };
        counts[bar.min(bars - 1)] += 1.0;
    }
    let limits: Vec<f64> = (1..=bars).map(|bar| if bar == bars { high } else { low + width * bar as f64 }).collect();
    let message = Message::new().double(1, low).double(2, high).double(3, values.len() as f64);
    message.double(4, sum).double(5, squares).doubles(6, &limits).doubles(7, &counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_castagnolis() {
        // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, and rising; and the usual check value of the algorithm.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_histogram_counts_every_value_once() {
        let even = histogram(&[0.0, 1.0, 2.0, 3.0]).into_bytes();
        // Fields 1, 2 and 3: the extremes and the count.
        assert_eq!(
            even[..27],
            [&[9][..], &0f64.to_le_bytes(), &[17], &3f64.to_le_bytes(), &[25], &4f64.to_le_bytes()].concat()
        );
        let all_counts = &even[even.len() - 8 * BARS..];
        let counts = all_counts.chunks(8).map(|count| f64::from_le_bytes(count.try_into().unwrap()));
        assert_eq!(counts.filter(|count| *count == 1.0).count(), 4);
        let one = histogram(&[0.5, 0.5]).into_bytes();
        assert_eq!(one[one.len() - 8..], 2f64.to_le_bytes());
    }
}

//! `train.tensorboard`: every event is decoded here again, and read by TensorBoard's own package where it is installed.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::protobuf::{Field, bits, bytes, fields, number};
use crate::support::running::Running;
use crate::support::{Place, skipped_in_ci_too, without_seconds};
use narrows::train::History;

/// CRC-32C bit by bit, masked as event files have it.
fn masked(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 });
    }
    let crc = !crc;
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The messages of an event file, each behind a length and a checksum that fit.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let length = number(&bytes[..8]) as usize;
        assert_eq!(number(&bytes[8..12]), u64::from(masked(&bytes[..8])));
        let data = &bytes[12..12 + length];
        assert_eq!(number(&bytes[12 + length..16 + length]), u64::from(masked(data)));
        found.push(data);
        bytes = &bytes[16 + length..];
    }
    found
}

/// What event files hold: by tag, the value at each step.
#[derive(Default)]
struct Board {
    scalars: BTreeMap<String, BTreeMap<u64, f32>>,
    /// The counts in the bars.
    tensors: BTreeMap<String, BTreeMap<u64, Vec<f64>>>,
    pictures: BTreeMap<String, Vec<u8>>,
}

fn board(place: &Place, run: &str) -> Board {
    let mut board = Board::default();
    let mut files: Vec<_> = std::fs::read_dir(place.path(&format!("{run}/tensorboard"))).unwrap().flatten().collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files {
        let whole = std::fs::read(file.path()).unwrap();
        let events: Vec<_> = records(&whole).into_iter().map(fields).collect();
        assert_eq!(bytes(&events[0], 3), Some(&b"brain.Event:2"[..]));
        assert!(events.iter().all(|event| bits(event, 1).is_some_and(|time| f64::from_bits(time) > 1.7e9)));
        // A session that begins at a step takes back what was said of it and of those after it.
        let begun = bits(&events[1], 2).unwrap();
        assert!(bytes(&events[1], 7).is_some());
        board.scalars.values_mut().for_each(|steps| steps.retain(|step, _| *step < begun));
        board.tensors.values_mut().for_each(|steps| steps.retain(|step, _| *step < begun));
        for event in &events[2..] {
            let step = bits(event, 2).unwrap();
            for (field, value) in fields(bytes(event, 5).unwrap()) {
                let Field::Bytes(value) = value else { panic!("field {field}") };
                let value = fields(value);
                let tag = String::from_utf8(bytes(&value, 1).unwrap().to_vec()).unwrap();
                if let Some(number) = bits(&value, 2) {
                    board.scalars.entry(tag).or_default().insert(step, f32::from_bits(number as u32));
                } else if let Some(histogram) = bytes(&value, 5) {
                    let counts = bytes(&fields(histogram), 7).unwrap().chunks(8).map(number).map(f64::from_bits);
                    board.tensors.entry(tag).or_default().insert(step, counts.collect());
                } else {
                    let image = fields(bytes(&value, 4).unwrap());
                    board.pictures.insert(tag, bytes(&image, 4).unwrap().to_vec());
                }
            }
        }
    }
    board
}

/// Holds the events of a run against its files.
#[track_caller]
fn agrees(place: &Place, run: &str) {
    let board = board(place, run);
    let history = History::from_csv(&place.text(&format!("{run}/history.csv"))).unwrap();
    let losses: Vec<f32> = history.epochs.iter().map(|epoch| epoch.loss as f32).collect();
    let epochs: Vec<u64> = (1..=losses.len() as u64).collect();
    let column = &board.scalars["loss"];
    assert_eq!(
        (column.keys().copied().collect::<Vec<_>>(), column.values().copied().collect()),
        (epochs.clone(), losses)
    );
    assert_eq!(board.scalars.contains_key("val_loss"), !history.epochs[0].val_loss.is_nan());
    let weights = place.read(&format!("{run}/model.safetensors"));
    let weights = safetensors::SafeTensors::deserialize(&weights).unwrap();
    assert_eq!(board.tensors.len(), weights.len());
    for (name, tensor) in weights.tensors() {
        let steps = &board.tensors[&name];
        assert_eq!(steps.keys().copied().collect::<Vec<_>>(), epochs, "{name}");
        let values = tensor.shape().iter().product::<usize>() as f64;
        assert!(steps.values().all(|counts| counts.iter().sum::<f64>() == values), "{name}: {steps:?}");
    }
    assert_eq!(board.pictures["reconstructions.png"], place.read(&format!("{run}/reconstructions.png")));
}

#[test]
fn a_run_tells_tensorboard_all_epochs_tensors_and_pictures() {
    let place = Place::with_toys();
    let told =
        ["train", "toys.toml", "--out", "told", "--set", "train.tensorboard=true", "--set", "train.max_epochs=3"];
    place.narrows(&told).done();
    agrees(&place, "told");
    // Nothing of the run depends on it, and without the setting there are no events.
    place.narrows(&["train", "toys.toml", "--out", "silent", "--set", "train.max_epochs=3"]).done();
    assert_eq!(place.sha256("told/model.safetensors"), place.sha256("silent/model.safetensors"));
    assert_eq!(without_seconds(&place.text("told/history.csv")), without_seconds(&place.text("silent/history.csv")));
    assert!(!place.path("silent/tensorboard").exists());
    // The package itself, where a Python has it.
    let python = std::env::var_os("NARROWS_PYTHON").unwrap_or_else(|| "python3".into());
    let found = Command::new(&python).args(["-c", "import tensorboard"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        skipped_in_ci_too(&format!("{} has no tensorboard; NARROWS_PYTHON may name one that has", python.display()));
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/check_tensorboard.py");
    let output = Command::new(python).arg(script).arg(place.path("told")).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_resumed_run_goes_on_in_another_file() {
    let place = Place::with_toys();
    let long =
        ["train", "toys.toml", "--out", "run", "--set", "train.tensorboard=true", "--set", "train.max_epochs=400"];
    let mut running = Running::start(&place, &long);
    running.wait_for("epoch   2/");
    running.signal("-INT");
    running.end();
    place.narrows(&["train", "--resume", "run"]).done();
    assert_eq!(std::fs::read_dir(place.path("run/tensorboard")).unwrap().count(), 2);
    agrees(&place, "run");
}

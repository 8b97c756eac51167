//! The bytes of a checkpoint: named tensors and a JSON header in one `safetensors` file.

use narrows::optim::schedule::Rate;
use narrows::run::checkpoint::*;
use narrows::run::checkpoint::{Checkpoint, Identity};
use narrows::train::{Best, Cursor, EpochRecord, EpochSums, History, Metrics, Patience, PhaseState, State};
use narrows_kernels::AlignedVec;
use proptest::prelude::*;

/// A checkpoint with every part present.
fn example() -> Checkpoint {
    let identity = Identity {
        version: "0.1.0".into(),
        config: "name = \"é\"".into(),
        data: "ab".repeat(32),
        gemm: "narrows".into(),
    };
    let vector = |values: &[f32]| AlignedVec::from(values);
    let moments = |values: &[f32]| vec![("m".to_owned(), vector(values)), ("v".to_owned(), vector(values))];
    let record = EpochRecord {
        epoch: 1,
        loss: 0.1 + 0.2,
        val_loss: f64::NEG_INFINITY,
        seconds: 1.5,
        checkpoint_seconds: 0.5,
        penalty: -0.0,
        learning_rate: 1e-4,
        scalars: vec![2.5, 1e-9],
    };
    let rate = Rate { epoch: 2, rate: 0.5, best: f64::INFINITY, waited: 1, cooling: 4 };
    let state = State {
        cursor: Cursor { epoch: 3, step: 7 },
        params: vector(&[1.0, f32::MIN_POSITIVE, -0.0]),
        phases: vec![
            PhaseState { updates: 21, moments: moments(&[0.1, -3.0]), rate: rate.clone() },
            PhaseState { updates: 7, moments: moments(&[f32::MAX]), rate },
        ],
        sums: EpochSums { loss: 1.0 / 3.0, penalty: 0.0, samples: 28 },
        metrics: Metrics { sums: vec![[0.3, 56.0], [9.0, 56.0]] },
        patience: Some(Patience { best: Some(Best { epoch: 2, value: 0.25 }), wait: 1 }),
        best_params: Some(vector(&[0.5, 0.25, 1e-40])),
        history: History { names: vec!["beta".into(), "kl".into()], epochs: vec![record; 2] },
        seconds: 0.75,
        checkpoint_seconds: 0.125,
    };
    Checkpoint { identity, state }
}

fn bytes() -> Vec<u8> {
    let Checkpoint { identity, state } = example();
    encode(&identity, &state)
}

#[test]
fn a_checkpoint_reads_back_as_equal() {
    assert_eq!(decode(&bytes()).unwrap(), example());
    let mut small = example();
    small.state.patience = Some(Patience::default());
    small.state.best_params = None;
    small.state.history = History::default();
    small.state.metrics = Metrics::default();
    let bytes = encode(&small.identity, &small.state);
    assert_eq!(decode(&bytes).unwrap(), small);
    assert_eq!(bytes, encode(&small.identity, &small.state), "one state has one file");
}

#[test]
fn every_changed_bit_and_every_truncation_is_refused() {
    let whole = bytes();
    for at in 0..8 * whole.len() {
        let mut changed = whole.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(decode(&changed).is_err(), "bit {at}");
    }
    for length in 0..whole.len() {
        assert!(decode(&whole[..length]).is_err(), "{length} bytes");
    }
    let longer = [&whole[..], &[0]].concat();
    assert!(decode(&longer).is_err());
}

#[test]
fn another_format_is_named() {
    let text = String::from_utf8_lossy(&bytes()).into_owned();
    assert!(text.contains(r#"\"format\":4"#));
    let whole = bytes();
    let at = whole.windows(9).position(|window| window == br#"format\":"#).unwrap() + 9;
    let mut other = whole.clone();
    other[at] = b'5';
    let said = decode(&other).unwrap_err().to_string();
    assert_eq!(said, "it has the format 5, and this program reads format 4");
}

/// A name that is repeated would have its tensor copied each time.
#[test]
fn moments_of_one_name_are_refused() {
    let mut bytes = bytes();
    let names = br#"[\"m\",\"v\"]"#;
    let at = bytes.windows(names.len()).position(|window| window == names).unwrap();
    bytes[at..at + names.len()].copy_from_slice(br#"[\"m\",\"m\"]"#);
    let said = decode(&bytes).unwrap_err().to_string();
    assert_eq!(said, "its list of moments is not what a checkpoint holds");
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
    }
}

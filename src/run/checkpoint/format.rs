//! The bytes of a checkpoint.

use narrows_kernels::AlignedVec;
use sha2::{Digest, Sha256};

use super::{Checkpoint, FormatError, Identity};
use crate::optim::schedule::Rate;
use crate::train::{
    Best, CodeRecord, Cursor, EpochMean, EpochRecord, History, LatentRecord, Patience, Snapshot, State, Tally,
};

/// The first bytes of every checkpoint: not text, and broken by a transfer that changes line ends.
pub const MAGIC: [u8; 8] = *b"\x8anarck\r\n";

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 2;

const HEADER: usize = 24;
const CHECKSUM: usize = 32;

/// Writes a checkpoint into `out`, whatever stood there.
pub fn encode(identity: &Identity, state: &Snapshot<'_, f32>, out: &mut Vec<u8>) {
    out.clear();
    out.extend(MAGIC);
    out.extend(FORMAT.to_le_bytes());
    out.extend([0; 12]);
    for text in [&identity.version, &identity.config, &identity.data, &identity.gemm] {
        put_text(out, text);
    }
    let Cursor { epoch, step } = state.cursor;
    put_ints(out, [epoch as u64, step as u64, state.optimizer.step_count()]);
    put_ints(out, [state.rate.epoch]);
    put_floats(out, [state.rate.rate, state.rate.best]);
    put_ints(out, [state.rate.waited, state.rate.cooling]);
    put_floats(out, [state.mean.loss, state.mean.penalty]);
    put_ints(out, [state.mean.samples as u64]);
    let Tally { samples, values, sum, active, kl } = state.tally;
    put_ints(out, [*samples as u64, *values as u64, *active as u64]);
    put_floats(out, [*sum]);
    put_float_list(out, kl);
    out.push(u8::from(state.patience.is_some()));
    if let Some(patience) = state.patience {
        put_ints(out, [patience.wait as u64]);
        out.push(u8::from(patience.best.is_some()));
        if let Some(best) = patience.best {
            put_ints(out, [best.epoch as u64]);
            put_floats(out, [best.value]);
        }
    }
    put_floats(out, [state.seconds, state.checkpoint_seconds]);
    put_ints(out, [state.history.epochs.len() as u64]);
    for e in &state.history.epochs {
        put_ints(out, [e.epoch as u64]);
        put_floats(out, [e.loss, e.val_loss, e.seconds, e.checkpoint_seconds, e.penalty, e.learning_rate]);
        out.push(u8::from(e.code.is_some()));
        if let Some(code) = e.code {
            put_floats(out, [code.mean_activation, code.active_share]);
        }
        out.push(u8::from(e.latent.is_some()));
        if let Some(latent) = &e.latent {
            put_floats(out, [latent.beta, latent.kl]);
            put_ints(out, [latent.active_dimensions as u64]);
            put_float_list(out, &latent.kl_per_dimension);
        }
    }
    put_values(out, state.params);
    let moments = state.optimizer.state();
    out.extend((moments.len() as u32).to_le_bytes());
    for (name, values) in moments {
        put_text(out, &name);
        put_values(out, values);
    }
    out.push(u8::from(state.best_params.is_some()));
    if let Some(best) = state.best_params {
        put_values(out, best);
    }
    let length = (out.len() + CHECKSUM) as u64;
    out[16..HEADER].copy_from_slice(&length.to_le_bytes());
    let checksum = Sha256::digest(&out[..]);
    out.extend(checksum);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn put_ints<const N: usize>(out: &mut Vec<u8>, values: [u64; N]) {
    values.into_iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn put_floats<const N: usize>(out: &mut Vec<u8>, values: [f64; N]) {
    values.into_iter().for_each(|value| out.extend(value.to_bits().to_le_bytes()));
}

fn put_float_list(out: &mut Vec<u8>, values: &[f64]) {
    put_ints(out, [values.len() as u64]);
    values.iter().for_each(|&value| put_floats(out, [value]));
}

fn put_values(out: &mut Vec<u8>, values: &[f32]) {
    put_ints(out, [values.len() as u64]);
    out.reserve(4 * values.len());
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

/// Checks the first bytes of a file of `length` bytes.
pub(super) fn check_header(header: &[u8], length: u64) -> Result<(), FormatError> {
    let Some((magic, rest)) = header.split_at_checked(MAGIC.len()) else {
        return Err(if MAGIC.starts_with(header) {
            FormatError::Length { found: length, expected: (HEADER + CHECKSUM) as u64 }
        } else {
            FormatError::Magic
        });
    };
    if magic != MAGIC {
        return Err(FormatError::Magic);
    }
    let mut rest = Bytes(rest);
    let short = |_| FormatError::Length { found: length, expected: (HEADER + CHECKSUM) as u64 };
    let format = rest.int("format").map_err(short)?;
    if format != u64::from(FORMAT) {
        return Err(FormatError::Format { found: format });
    }
    let expected = rest.int("length").map_err(short)?;
    if expected != length || length < (HEADER + CHECKSUM) as u64 {
        return Err(FormatError::Length { found: length, expected });
    }
    Ok(())
}

/// Reads a checkpoint. Total: any bytes give a checkpoint or an error, in time and memory linear in their number.
pub fn decode(bytes: &[u8]) -> Result<Checkpoint, FormatError> {
    check_header(&bytes[..bytes.len().min(HEADER)], bytes.len() as u64)?;
    let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if Sha256::digest(content)[..] != *checksum {
        return Err(FormatError::Checksum);
    }
    let mut rest = Bytes(&content[HEADER..]);
    let identity = Identity {
        version: rest.text("version")?,
        config: rest.text("configuration")?,
        data: rest.text("digest of the data")?,
        gemm: rest.text("GEMM engine")?,
    };
    let cursor = Cursor { epoch: rest.count("epoch")?, step: rest.count("step")? };
    let optimizer_steps = rest.int("number of steps")?;
    let rate = Rate {
        epoch: rest.int("learning rate")?,
        rate: rest.float("learning rate")?,
        best: rest.float("learning rate")?,
        waited: rest.int("learning rate")?,
        cooling: rest.int("learning rate")?,
    };
    let mean = EpochMean {
        loss: rest.float("running mean")?,
        penalty: rest.float("running mean")?,
        samples: rest.count("running mean")?,
    };
    let what = "what was seen of the code";
    let [samples, values, active] = [rest.count(what)?, rest.count(what)?, rest.count(what)?];
    let tally = Tally { samples, values, active, sum: rest.float(what)?, kl: rest.float_list(what)? };
    let patience = rest.option("state of early stopping", |rest| {
        let wait = rest.count("state of early stopping")?;
        let best = rest.option("best epoch", |rest| {
            Ok(Best { epoch: rest.count("best epoch")?, value: rest.float("best epoch")? })
        })?;
        Ok(Patience { best, wait })
    })?;
    let (seconds, checkpoint_seconds) = (rest.float("time")?, rest.float("time")?);
    let history = rest.history()?;
    let params = rest.values("list of parameters")?;
    let mut moments = Vec::new();
    for _ in 0..rest.short("number of moments")? {
        moments.push((rest.text("name of a moment")?, rest.values("list of moments")?));
    }
    let best_params = rest.option("list of best parameters", |rest| rest.values("list of best parameters"))?;
    if !rest.0.is_empty() {
        return Err(FormatError::Content { what: "end" });
    }
    let state = State {
        cursor,
        params,
        optimizer_steps,
        moments,
        rate,
        mean,
        tally,
        patience,
        best_params,
        history,
        seconds,
        checkpoint_seconds,
    };
    Ok(Checkpoint { identity, state })
}

/// What is left to read. Every length is held against what is left before anything is allocated.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: u64, what: &'static str) -> Result<&'a [u8], FormatError> {
        let split = usize::try_from(count).ok().and_then(|count| self.0.split_at_checked(count));
        let (taken, rest) = split.ok_or(FormatError::Content { what })?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], FormatError> {
        let taken = self.take(N as u64, what)?;
        taken.try_into().map_err(|_| FormatError::Content { what })
    }

    fn int(&mut self, what: &'static str) -> Result<u64, FormatError> {
        self.array(what).map(u64::from_le_bytes)
    }

    fn short(&mut self, what: &'static str) -> Result<u32, FormatError> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn count(&mut self, what: &'static str) -> Result<usize, FormatError> {
        usize::try_from(self.int(what)?).map_err(|_| FormatError::Content { what })
    }

    fn float(&mut self, what: &'static str) -> Result<f64, FormatError> {
        self.int(what).map(f64::from_bits)
    }

    fn text(&mut self, what: &'static str) -> Result<String, FormatError> {
        let length = self.short(what)?;
        let bytes = self.take(length.into(), what)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| FormatError::Content { what })
    }

    fn option<V>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&mut Self) -> Result<V, FormatError>,
    ) -> Result<Option<V>, FormatError> {
        match self.array(what)? {
            [0] => Ok(None),
            [1] => read(self).map(Some),
            _ => Err(FormatError::Content { what }),
        }
    }

    fn values(&mut self, what: &'static str) -> Result<AlignedVec<f32>, FormatError> {
        let bytes = self.int(what)?.checked_mul(4).ok_or(FormatError::Content { what })?;
        let bytes = self.take(bytes, what)?;
        let mut values = AlignedVec::zeros(bytes.len() / 4);
        for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok(values)
    }

    fn float_list(&mut self, what: &'static str) -> Result<Vec<f64>, FormatError> {
        let bytes = self.int(what)?.checked_mul(8).ok_or(FormatError::Content { what })?;
        let bytes = self.take(bytes, what)?;
        Ok(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }

    fn history(&mut self) -> Result<History, FormatError> {
        let what = "history";
        let count = self.int(what)?;
        // Every epoch takes bytes of the file: a count that promises more ends there.
        let mut epochs = Vec::new();
        for _ in 0..count {
            epochs.push(EpochRecord {
                epoch: self.count(what)?,
                loss: self.float(what)?,
                val_loss: self.float(what)?,
                seconds: self.float(what)?,
                checkpoint_seconds: self.float(what)?,
                penalty: self.float(what)?,
                learning_rate: self.float(what)?,
                code: self.option(what, |rest| {
                    Ok(CodeRecord { mean_activation: rest.float(what)?, active_share: rest.float(what)? })
                })?,
                latent: self.option(what, |rest| {
                    let (beta, kl) = (rest.float(what)?, rest.float(what)?);
                    let active_dimensions = rest.count(what)?;
                    Ok(LatentRecord { beta, kl, active_dimensions, kl_per_dimension: rest.float_list(what)? })
                })?,
            });
        }
        Ok(History { epochs })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::optim::{Adam, Stepper};

    /// A checkpoint with every part present, and its bytes.
    fn example() -> (Checkpoint, Vec<u8>) {
        let identity = Identity {
            version: "0.1.0".into(),
            config: "name = \"é\"".into(),
            data: "ab".repeat(32),
            gemm: "narrows".into(),
        };
        let mut optimizer = Stepper::<f32>::new(Adam::keras(0.01), 3).unwrap();
        let mut params = [1.0f32, f32::MIN_POSITIVE, -0.0];
        optimizer.step(narrows_kernels::Isa::SCALAR, &mut params, &[0.1, -3.0, f32::MAX], &[0..1, 1..3], 0.01);
        let record = EpochRecord {
            epoch: 1,
            loss: 0.1 + 0.2,
            val_loss: f64::NEG_INFINITY,
            seconds: 1.5,
            checkpoint_seconds: 0.5,
            penalty: -0.0,
            learning_rate: 1e-4,
            code: Some(CodeRecord { mean_activation: 0.25, active_share: 0.5 }),
            latent: Some(LatentRecord { beta: 1.0, kl: 2.5, active_dimensions: 1, kl_per_dimension: vec![2.5, 1e-9] }),
        };
        let history = History { epochs: vec![record; 2] };
        let snapshot = Snapshot {
            cursor: Cursor { epoch: 3, step: 7 },
            params: &params,
            optimizer: &optimizer,
            rate: &Rate { epoch: 2, rate: 0.5, best: f64::INFINITY, waited: 1, cooling: 4 },
            mean: EpochMean { loss: 1.0 / 3.0, penalty: 0.0, samples: 28 },
            tally: &Tally { samples: 28, values: 56, sum: 0.3, active: 9, kl: vec![0.5, 0.25] },
            patience: Some(Patience { best: Some(Best { epoch: 2, value: 0.25 }), wait: 1 }),
            best_params: Some(&[0.5, 0.25, 1e-40]),
            history: &history,
            seconds: 0.75,
            checkpoint_seconds: 0.125,
        };
        let mut bytes = vec![1; 5];
        encode(&identity, &snapshot, &mut bytes);
        (Checkpoint { identity, state: snapshot.to_state() }, bytes)
    }

    /// Gives changed bytes the length and checksum that they need to be looked into.
    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let content = bytes.len().saturating_sub(CHECKSUM).max(HEADER);
        bytes.resize(content, 0);
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&u64::from(FORMAT).to_le_bytes());
        bytes[16..HEADER].copy_from_slice(&((content + CHECKSUM) as u64).to_le_bytes());
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        bytes
    }

    #[test]
    fn a_checkpoint_reads_back_as_equal() {
        let (checkpoint, bytes) = example();
        assert_eq!(decode(&bytes).unwrap(), checkpoint);
        assert_eq!(sealed(bytes.clone()), bytes);
    }

    #[test]
    fn lengths_that_promise_more_than_there_is_are_refused_before_memory_is_asked_for() {
        let (_, bytes) = example();
        let mut refused = 0;
        for at in HEADER..bytes.len() - CHECKSUM - 8 {
            let mut changed = bytes.clone();
            changed[at..at + 8].fill(0xff);
            refused += usize::from(decode(&sealed(changed)).is_err());
        }
        assert!(refused > 100, "{refused}");
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(decode(&bytes).is_err());
            let _ = decode(&sealed(bytes));
        }

        #[test]
        fn changed_checkpoints_get_an_answer(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let (_, mut bytes) = example();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            let _ = decode(&sealed(bytes.clone()));
            bytes.truncate(cut.index(bytes.len()));
            prop_assert!(decode(&bytes).is_err());
            prop_assert!(decode(&sealed(bytes)).is_err());
        }
    }
}

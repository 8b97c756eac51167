//! The bytes of a checkpoint: named tensors and a JSON header in one `safetensors` file.

use std::collections::{HashMap, HashSet};

use narrows_kernels::AlignedVec;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Checkpoint, FormatError, Identity};
use crate::nn::weights::{dtype, from_little_endian, little_endian};
use crate::optim::schedule::Rate;
use crate::train::{Best, Cursor, EpochRecord, EpochSums, History, Metrics, Patience, PhaseState, State};

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 4;

/// The entry of the file's metadata that holds the header.
const HEADER: &str = "narrows";

/// What stands beside the tensors.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    identity: Identity,
    /// The names of the moments of each phase.
    moments: Vec<Vec<String>>,
    columns: Vec<String>,
    /// SHA-256 over the rest of the header and all tensors.
    sha256: String,
}

/// The file's bytes: a function of identity and state. Whole numbers are kept as f64, which counts to 2⁵³ without a gap.
pub fn encode(identity: &Identity, state: &State<f32>) -> Vec<u8> {
    let State { cursor, sums, .. } = state;
    let numbers = [cursor.epoch, cursor.step, sums.samples].map(|count| count as f64);
    let numbers = [&numbers[..], &[sums.loss, sums.penalty, state.seconds, state.checkpoint_seconds]].concat();
    let patience: Vec<f64> = state.patience.iter().flat_map(patience_numbers).collect();
    let rates: Vec<f64> = state.phases.iter().flat_map(phase_numbers).collect();
    let metrics: Vec<f64> = state.metrics.sums.iter().flatten().copied().collect();
    let rows: Vec<f64> = state.history.epochs.iter().flat_map(EpochRecord::numbers).collect();
    let width = History::COLUMNS.len() + state.history.names.len();
    let wide = |name: &str, width: usize, values: &[f64]| {
        (name.to_owned(), Dtype::F64, vec![values.len() / width, width], little_endian(values))
    };
    let mut tensors = vec![floats("params", &state.params)];
    for (number, phase) in state.phases.iter().enumerate() {
        tensors.extend(phase.moments.iter().map(|(name, moment)| floats(&moment_name(number, name), moment)));
    }
    tensors.extend(state.best_params.iter().map(|best| floats("best_params", best)));
    tensors.extend([
        wide("numbers", 1, &numbers),
        wide("patience", 1, &patience),
        wide("phases", PHASE, &rates),
        wide("metrics", 2, &metrics),
        wide("history", width, &rows),
    ]);
    let names = |phase: &PhaseState<f32>| phase.moments.iter().map(|(name, _)| name.clone()).collect();
    let mut header = Header {
        format: FORMAT,
        identity: identity.clone(),
        moments: state.phases.iter().map(names).collect(),
        columns: state.history.names.clone(),
        sha256: String::new(),
    };
    let mut digest = Sha256::new();
    digest.update(json(&header));
    tensors.iter().for_each(|(_, _, _, bytes)| digest.update(bytes));
    header.sha256 = crate::files::hex(&digest.finalize());
    let views = tensors.iter().map(|(name, kind, shape, bytes)| {
        (name.as_str(), TensorView::new(*kind, shape.clone(), bytes).expect("bytes and shape agree"))
    });
    let metadata = HashMap::from([(HEADER.to_owned(), json(&header))]);
    serialize(views, Some(metadata)).expect("names are unique")
}

/// The numbers of a phase.
const PHASE: usize = 6;

fn phase_numbers(PhaseState { updates, rate, .. }: &PhaseState<f32>) -> [f64; PHASE] {
    let Rate { epoch, rate, best, waited, cooling } = *rate;
    [*updates as f64, epoch as f64, rate, best, waited as f64, cooling as f64]
}

/// How long it has waited, then the best epoch and its value where there is one.
fn patience_numbers(Patience { wait, best }: &Patience) -> Vec<f64> {
    let best = best.iter().flat_map(|best| [best.epoch as f64, best.value]);
    [*wait as f64].into_iter().chain(best).collect()
}

fn json(header: &Header) -> String {
    serde_json::to_string(header).expect("a header is plain data")
}

fn moment_name(phase: usize, name: &str) -> String {
    format!("phase.{phase}.{name}")
}

fn floats(name: &str, values: &[f32]) -> (String, Dtype, Vec<usize>, Vec<u8>) {
    (name.to_owned(), dtype::<f32>(), vec![values.len()], little_endian(values))
}

/// Reads a checkpoint. Total: any bytes give a checkpoint or an error, in time and memory linear in their number. A file that
/// [`encode`] did not write bit for bit is refused.
pub fn decode(bytes: &[u8]) -> Result<Checkpoint, FormatError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(container)?;
    let header = metadata.metadata().as_ref().and_then(|entries| entries.get(HEADER));
    let header = header.ok_or_else(|| content("header"))?;
    let format = serde_json::from_str::<serde_json::Value>(header).unwrap_or_default()["format"].as_u64();
    if format != Some(FORMAT.into()) {
        let format = format.unwrap_or_default();
        return Err(FormatError(format!("it has the format {format}, and this program reads format {FORMAT}")));
    }
    let header: Header = serde_json::from_str(header).map_err(|_| content("header"))?;
    let file = SafeTensors::deserialize(bytes).map_err(container)?;
    let state = state(&header, &file)?;
    let checkpoint = Checkpoint { identity: header.identity, state };
    if encode(&checkpoint.identity, &checkpoint.state) != bytes {
        return Err(FormatError("its checksum is not that of its content: it is damaged".to_owned()));
    }
    Ok(checkpoint)
}

fn container(error: SafeTensorError) -> FormatError {
    FormatError(format!("it is no whole safetensors file ({error})"))
}

fn content(what: &str) -> FormatError {
    FormatError(format!("its {what} is not what a checkpoint holds"))
}

fn state(header: &Header, file: &SafeTensors<'_>) -> Result<State<f32>, FormatError> {
    // A repeated name would take its tensor's memory once more each time.
    let repeats = |names: &Vec<String>| names.iter().collect::<HashSet<_>>().len() < names.len();
    if header.moments.iter().any(repeats) {
        return Err(content("list of moments"));
    }
    let values = |name: &str, what| {
        let tensor = file.tensor(name).ok().filter(|tensor| tensor.dtype() == Dtype::F32);
        let tensor = tensor.ok_or_else(|| content(what))?;
        let mut values = AlignedVec::zeros(tensor.data().len() / 4);
        values.iter_mut().zip(from_little_endian(tensor.data())).for_each(|(value, read)| *value = read);
        Ok(values)
    };
    let wide = |name: &'static str, width: usize| {
        let tensor = file.tensor(name).ok().filter(|tensor| tensor.dtype() == Dtype::F64);
        let tensor = tensor.filter(|tensor| matches!(tensor.shape(), &[_, cols] if cols == width));
        let tensor = tensor.ok_or_else(|| content(name))?;
        Ok::<Vec<f64>, FormatError>(from_little_endian(tensor.data()).collect())
    };
    let [epoch, step, samples, loss, penalty, seconds, checkpoint_seconds] = wide("numbers", 1)?[..] else {
        return Err(content("list of numbers"));
    };
    let patience = match wide("patience", 1)?[..] {
        [] => None,
        [wait] => Some(Patience { wait: wait as usize, best: None }),
        [wait, epoch, value] => {
            Some(Patience { wait: wait as usize, best: Some(Best { epoch: epoch as usize, value }) })
        }
        _ => return Err(content("patience")),
    };
    let rates = wide("phases", PHASE)?;
    if rates.len() != PHASE * header.moments.len() {
        return Err(content("list of phases"));
    }
    let phase = |(number, (moments, rate)): (usize, (&Vec<String>, &[f64; PHASE]))| {
        let moment = |name: &String| Ok((name.clone(), values(&moment_name(number, name), "list of moments")?));
        let moments = moments.iter().map(moment).collect::<Result<_, FormatError>>()?;
        let [updates, epoch, rate, best, waited, cooling] = *rate;
        let rate = Rate { epoch: epoch as u64, rate, best, waited: waited as u64, cooling: cooling as u64 };
        Ok(PhaseState { updates: updates as u64, moments, rate })
    };
    let phases = header.moments.iter().zip(rates.as_chunks().0).enumerate().map(phase);
    let width = History::COLUMNS.len() + header.columns.len();
    let epochs = wide("history", width)?.chunks_exact(width).map(EpochRecord::from_numbers).collect();
    let best_params = match file.tensor("best_params") {
        Ok(_) => Some(values("best_params", "list of best parameters")?),
        Err(_) => None,
    };
    Ok(State {
        cursor: Cursor { epoch: epoch as usize, step: step as usize },
        params: values("params", "list of parameters")?,
        phases: phases.collect::<Result<_, FormatError>>()?,
        sums: EpochSums { loss, penalty, samples: samples as usize },
        metrics: Metrics { sums: wide("metrics", 2)?.as_chunks().0.to_vec() },
        patience,
        best_params,
        history: History { names: header.columns.clone(), epochs },
        seconds,
        checkpoint_seconds,
    })
}

//! The bytes of a checkpoint: named tensors and a JSON header in one `safetensors` file.

use std::collections::HashMap;

use narrows_kernels::AlignedVec;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Checkpoint, FormatError, Identity};
use crate::nn::weights::{dtype, from_little_endian, little_endian};
use crate::optim::schedule::Rate;
use crate::train::{Best, Cursor, EpochMean, EpochRecord, History, Metrics, Patience, PhaseState, State};

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 3;

/// The entry of the file's metadata that holds the header.
const HEADER: &str = "narrows";

/// What stands beside the tensors.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    identity: Identity,
    epoch: usize,
    step: usize,
    phases: Vec<PhaseHeader>,
    mean: [Exact; 2],
    samples: usize,
    patience: Option<PatienceHeader>,
    seconds: [Exact; 2],
    columns: Vec<String>,
    /// SHA-256 over the rest of the header and all tensors.
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct PhaseHeader {
    updates: u64,
    moments: Vec<String>,
    epoch: u64,
    rate: Exact,
    best: Exact,
    waited: u64,
    cooling: u64,
}

#[derive(Serialize, Deserialize)]
struct PatienceHeader {
    wait: usize,
    best: Option<(usize, Exact)>,
}

/// A number as text that reads back to the same bits; JSON itself has no infinity.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Exact(f64);

impl From<Exact> for String {
    fn from(Exact(value): Exact) -> String {
        value.to_string()
    }
}

impl TryFrom<String> for Exact {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Exact)
    }
}

/// The file's bytes: a function of identity and state.
pub fn encode(identity: &Identity, state: &State<f32>) -> Vec<u8> {
    let mut tensors = vec![floats("params", &state.params)];
    for (number, phase) in state.phases.iter().enumerate() {
        tensors.extend(phase.moments.iter().map(|(name, moment)| floats(&moment_name(number, name), moment)));
    }
    tensors.extend(state.best_params.iter().map(|best| floats("best_params", best)));
    let sums: Vec<f64> = state.metrics.sums.iter().flatten().copied().collect();
    tensors.push(("metrics".to_owned(), Dtype::F64, vec![sums.len() / 2, 2], little_endian(&sums)));
    let rows: Vec<f64> = state.history.epochs.iter().flat_map(EpochRecord::numbers).collect();
    let width = History::COLUMNS.len() + state.history.names.len();
    tensors.push(("history".to_owned(), Dtype::F64, vec![rows.len() / width, width], little_endian(&rows)));
    let mut header = header(identity, state);
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

fn json(header: &Header) -> String {
    serde_json::to_string(header).expect("a header is plain data")
}

fn moment_name(phase: usize, name: &str) -> String {
    format!("phase.{phase}.{name}")
}

fn floats(name: &str, values: &[f32]) -> (String, Dtype, Vec<usize>, Vec<u8>) {
    (name.to_owned(), dtype::<f32>(), vec![values.len()], little_endian(values))
}

fn header(identity: &Identity, state: &State<f32>) -> Header {
    let phases = state.phases.iter().map(|PhaseState { updates, moments, rate }| PhaseHeader {
        updates: *updates,
        moments: moments.iter().map(|(name, _)| name.clone()).collect(),
        epoch: rate.epoch,
        rate: Exact(rate.rate),
        best: Exact(rate.best),
        waited: rate.waited,
        cooling: rate.cooling,
    });
    let patience = state
        .patience
        .map(|Patience { wait, best }| PatienceHeader { wait, best: best.map(|best| (best.epoch, Exact(best.value))) });
    Header {
        format: FORMAT,
        identity: identity.clone(),
        epoch: state.cursor.epoch,
        step: state.cursor.step,
        phases: phases.collect(),
        mean: [Exact(state.mean.loss), Exact(state.mean.penalty)],
        samples: state.mean.samples,
        patience,
        seconds: [Exact(state.seconds), Exact(state.checkpoint_seconds)],
        columns: state.history.names.clone(),
        sha256: String::new(),
    }
}

/// Reads a checkpoint. Total: any bytes give a checkpoint or an error, in time and memory linear in their number. A file that
/// [`encode`] did not write bit for bit is refused.
pub fn decode(bytes: &[u8]) -> Result<Checkpoint, FormatError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(container)?;
    let header = metadata.metadata().as_ref().and_then(|entries| entries.get(HEADER));
    let header = header.ok_or(content("header"))?;
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
    let values = |name: &str, what| {
        let tensor = file.tensor(name).ok().filter(|tensor| tensor.dtype() == Dtype::F32);
        let tensor = tensor.ok_or(content(what))?;
        let mut values = AlignedVec::zeros(tensor.data().len() / 4);
        values.iter_mut().zip(from_little_endian(tensor.data())).for_each(|(value, read)| *value = read);
        Ok(values)
    };
    let wide = |name: &'static str, width: usize| {
        let tensor = file.tensor(name).ok().filter(|tensor| tensor.dtype() == Dtype::F64);
        let tensor = tensor.filter(|tensor| matches!(tensor.shape(), &[_, cols] if cols == width));
        let tensor = tensor.ok_or(content(name))?;
        Ok::<Vec<f64>, FormatError>(from_little_endian(tensor.data()).collect())
    };
    let phase = |(number, phase): (usize, &PhaseHeader)| {
        let moment = |name: &String| Ok((name.clone(), values(&moment_name(number, name), "list of moments")?));
        let PhaseHeader { updates, moments, epoch, rate, best, waited, cooling } = phase;
        Ok(PhaseState {
            updates: *updates,
            moments: moments.iter().map(moment).collect::<Result<_, FormatError>>()?,
            rate: Rate { epoch: *epoch, rate: rate.0, best: best.0, waited: *waited, cooling: *cooling },
        })
    };
    let patience = header.patience.as_ref().map(|PatienceHeader { wait, best }| Patience {
        wait: *wait,
        best: best.map(|(epoch, Exact(value))| Best { epoch, value }),
    });
    let width = History::COLUMNS.len() + header.columns.len();
    let epochs = wide("history", width)?.chunks_exact(width).map(EpochRecord::from_numbers).collect();
    let sums = wide("metrics", 2)?.as_chunks().0.to_vec();
    let best_params = match file.tensor("best_params") {
        Ok(_) => Some(values("best_params", "list of best parameters")?),
        Err(_) => None,
    };
    Ok(State {
        cursor: Cursor { epoch: header.epoch, step: header.step },
        params: values("params", "list of parameters")?,
        phases: header.phases.iter().enumerate().map(phase).collect::<Result<_, FormatError>>()?,
        mean: EpochMean { loss: header.mean[0].0, penalty: header.mean[1].0, samples: header.samples },
        metrics: Metrics { sums },
        patience,
        best_params,
        history: History { names: header.columns.clone(), epochs },
        seconds: header.seconds[0].0,
        checkpoint_seconds: header.seconds[1].0,
    })
}

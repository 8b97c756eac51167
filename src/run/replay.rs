//! The step that broke a run: kept in its folder, found again, and repeated.

use std::path::Path;

use narrows_kernels::Isa;
use narrows_kernels::reduce::is_all_finite;

use super::checkpoint::{CheckpointError, read_file};
use super::environment::Machine;
use super::error::RunError;
use super::execute::job;
use super::folder::{FAULT, FAULT_STATE, checkpoints_in};
use super::prepare::Prepared;
use super::resume::{check_identity, identity, most_bytes, read_json};
use crate::config::RunConfig;
use crate::train::{Event, Flow, Listener, Moment, Recorder, Replay, Snapshot, State, TrainError, replay, train_from};

/// What a run kept of its failure.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What was said.
    pub error: String,
    /// The images of the step that broke the run, or of the validation, by their numbers in the data set.
    pub images: Vec<u32>,
    /// The state in which that was noticed: before the step that failed, or after the last of an epoch.
    pub state: State<f32>,
}

/// Reads `fault.json` and `fault.ckpt` of the run in `path`; `None` where there is no such file.
pub fn read_fault(
    path: &Path,
    config: &RunConfig,
    prepared: &Prepared,
    machine: Machine,
) -> Result<Option<Fault>, RunError> {
    if !path.join(FAULT).is_file() {
        return Ok(None);
    }
    let fault = read_json(path, FAULT)?;
    let job = job(config, prepared, machine.context)?;
    let file = path.join(FAULT_STATE);
    let checkpoint = read_file(&file, most_bytes(&job))?;
    check_identity(path, &checkpoint.identity, &identity(config, prepared, machine))?;
    let refuse = |source| CheckpointError::State { path: file.display().to_string(), source };
    checkpoint.state.check(&job).map_err(refuse)?;
    let images = fault["images"].as_array().map(Vec::as_slice).unwrap_or_default();
    let images = images.iter().filter_map(|image| u32::try_from(image.as_u64()?).ok()).collect();
    let error = fault["error"].as_str().unwrap_or_default().to_owned();
    Ok(Some(Fault { error, images, state: checkpoint.state }))
}

/// Repeats the step that broke the run in `path`, in the current thread pool. Where an update broke the parameters, the state
/// before it is found by training again from the newest checkpoint before it, or from the start.
pub fn replay_fault(
    path: &Path,
    fault: Fault,
    config: &RunConfig,
    prepared: &Prepared,
    machine: Machine,
) -> Result<Replay, RunError> {
    let new_job = || job(config, prepared, machine.context);
    if is_finite(machine.context.isa, &fault.state.params) {
        return Ok(replay(new_job()?, fault.state)?);
    }
    let begun = identity(config, prepared, machine);
    let stored = checkpoints_in(path).read(most_bytes(&new_job()?)).checkpoint.map(|(_, checkpoint)| checkpoint);
    let usable = stored.filter(|checkpoint| {
        checkpoint.identity == begun
            && is_finite(machine.context.isa, &checkpoint.state.params)
            && checkpoint.state.optimizer_steps < fault.state.optimizer_steps
    });
    let start = match usable {
        Some(checkpoint) => checkpoint.state,
        None => State::first(&new_job()?, prepared.model.init(config.model.init, config.seed)),
    };
    let mut search = Search { isa: machine.context.isa, before: start.clone() };
    // It ends by an interruption before the broken parameters are used, or by the failure itself.
    match train_from(new_job()?, start, &mut search) {
        Ok(_) | Err(_) => Ok(replay(new_job()?, search.before)?),
    }
}

fn is_finite(isa: Isa, params: &[f32]) -> bool {
    is_all_finite(isa, params)
}

/// Keeps the last state whose parameters are finite.
struct Search {
    isa: Isa,
    before: State<f32>,
}

impl Listener for Search {
    fn hear(&mut self, _: Event<'_>) -> Flow {
        Flow::Continue
    }
}

impl Recorder<f32> for Search {
    fn wants(&mut self, moment: Moment) -> bool {
        matches!(moment, Moment::Step(_) | Moment::Epoch(_))
    }

    fn record(&mut self, state: &Snapshot<'_, f32>) -> Flow {
        if !is_finite(self.isa, state.params) {
            return Flow::Interrupt;
        }
        self.before = state.to_state();
        Flow::Continue
    }

    fn fail(&mut self, _: &Snapshot<'_, f32>, _: &[u32], _: &TrainError) {}
}

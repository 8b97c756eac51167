//! How to compute, resolved from arguments and environment.

use std::path::Path;

use narrows_kernels::{Context, GemmEngine};

use super::CliError;
use super::args::{Gemm, MachineArguments, RunArguments};
use super::output::{note, speak_json};
use narrows::data::data_dirs;
use narrows::run::{Machine, OpenRun};

/// Refuses a folder of data sets that is not there.
pub fn check_data_dir(folder: Option<&Path>) -> Result<(), CliError> {
    match folder.filter(|folder| !folder.is_dir()) {
        Some(folder) => {
            Err(CliError::Usage(format!("--data-dir {} is no folder; one that exists is expected", folder.display())))
        }
        None => Ok(()),
    }
}

/// The machine that the arguments and `NARROWS_ISA` ask for; from here on results are JSON where that is asked for.
pub fn resolve(arguments: &MachineArguments) -> Result<Machine, CliError> {
    if arguments.json {
        speak_json();
    }
    check_data_dir(arguments.data_dir.as_deref())?;
    let gemm = match arguments.gemm {
        Gemm::Narrows => GemmEngine::Narrows,
        Gemm::Matrixmultiply => GemmEngine::Matrixmultiply,
    };
    let detected = Machine::detect().map_err(|error| CliError::Usage(error.to_string()))?;
    let machine = Machine {
        context: Context { gemm, ..detected.context },
        threads: arguments.threads.map_or(detected.threads, usize::from),
    };
    if !machine.is_in_bit_contract() {
        note("Matrix products by the crate matrixmultiply: the results are outside the bit contract.");
    }
    Ok(machine)
}

/// The machine, and the run that a command is about.
pub fn open(arguments: &RunArguments) -> Result<(Machine, OpenRun), CliError> {
    let machine = resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    Ok((machine, run))
}

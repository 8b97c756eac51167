//! How to compute, resolved from arguments and environment.

use narrows_kernels::{Context, GemmEngine, Isa};

use super::CliError;
use super::args::{Gemm, MachineArguments};
use super::output::say;
use crate::run::Machine;

/// The machine that the arguments and `NARROWS_ISA` ask for.
pub fn resolve(arguments: &MachineArguments) -> Result<Machine, CliError> {
    let gemm = match arguments.gemm {
        Gemm::Narrows => GemmEngine::Narrows,
        Gemm::Matrixmultiply => GemmEngine::Matrixmultiply,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.map_or(cores, usize::from);
    let machine = Machine { context: Context { isa: Isa::from_env()?, gemm }, threads };
    if !machine.is_in_bit_contract() {
        say!("Matrix products by the crate matrixmultiply: the results are outside the bit contract.");
    }
    Ok(machine)
}

//! How to compute, resolved from arguments and environment.

use narrows_kernels::{Context, GemmEngine};

use super::CliError;
use super::args::{Gemm, MachineArguments};
use super::output::say;
use narrows::run::Machine;

/// The machine that the arguments and `NARROWS_ISA` ask for.
pub fn resolve(arguments: &MachineArguments) -> Result<Machine, CliError> {
    let gemm = match arguments.gemm {
        Gemm::Narrows => GemmEngine::Narrows,
        Gemm::Matrixmultiply => GemmEngine::Matrixmultiply,
    };
    let detected = Machine::detect()?;
    let machine = Machine {
        context: Context { gemm, ..detected.context },
        threads: arguments.threads.map_or(detected.threads, usize::from),
    };
    if !machine.is_in_bit_contract() {
        say!("Matrix products by the crate matrixmultiply: the results are outside the bit contract.");
    }
    Ok(machine)
}

//! The machine and the settings that a run is made with.

use narrows_kernels::{Context, GemmEngine, Isa, IsaError};
use serde_json::{Value, json};

use super::checkpoint::gemm_name;
use super::error::RunError;
use crate::train::{all_threads, with_threads};

/// How a run computes. None of it changes a bit of the result, except a foreign GEMM engine.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Instruction set and GEMM engine.
    pub context: Context,
    /// Threads of the pool that the run computes in.
    pub threads: usize,
}

impl Machine {
    /// Our own products on the instruction set that `NARROWS_ISA` forces, else the widest, and a thread for each core.
    pub fn detect() -> Result<Self, IsaError> {
        let context = Context { isa: Isa::from_env()?, gemm: GemmEngine::Narrows };
        Ok(Machine { context, threads: all_threads() })
    }

    /// Runs `work` in a pool of this machine's threads.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R, RunError> {
        Ok(with_threads(self.threads, work)?)
    }

    /// The machine of one of `jobs` jobs side by side; the first jobs take the threads that do not divide evenly.
    #[must_use]
    pub fn share(self, job: usize, jobs: usize) -> Machine {
        Machine { threads: (self.threads / jobs + usize::from(job < self.threads % jobs)).max(1), ..self }
    }

    /// Whether the run's bits are those of the contract.
    pub fn is_in_bit_contract(&self) -> bool {
        self.context.gemm == GemmEngine::Narrows
    }

    /// The content of `environment.json`.
    pub fn describe(&self) -> Value {
        json!({
            "narrows": env!("CARGO_PKG_VERSION"),
            "git_revision": env!("NARROWS_GIT_REVISION"),
            "isa": self.context.isa.name(),
            "threads": self.threads,
            "gemm": gemm_name(self.context.gemm),
            "bit_contract": self.is_in_bit_contract(),
            "cpu": cpu_name(),
            "cpus": all_threads(),
            "os": std::env::consts::OS,
            "arch": std::env::consts::ARCH,
        })
    }
}

/// The processor's name where the system tells it.
fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned())
}

/// Bytes of memory that the system can still give, or that a container may have, if that is less; `None` where neither is known.
pub(super) fn free_memory() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = info.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix("kB"));
    let available = available.and_then(|kib| kib.trim().parse::<u64>().ok()).map(|kib| 1024 * kib);
    let limit = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = limit.into_iter().filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok());
    available.into_iter().chain(limits).min()
}

//! The threads that training computes in.

/// A number of threads that the system does not give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot start {threads} threads: {reason}")]
pub struct ThreadsError {
    /// Threads asked for.
    pub threads: usize,
    /// What the system answered.
    pub reason: String,
}

/// Runs `work` in a pool of so many threads, where everything in this crate computes with all of them; outside of a pool
/// training computes with the caller's alone. The results do not depend on it.
pub fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, ThreadsError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| ThreadsError { threads, reason: error.to_string() })?;
    Ok(pool.install(work))
}

/// As many threads as there are cores.
pub fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

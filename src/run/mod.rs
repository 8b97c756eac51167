//! One run from configuration to run folder.
//!
//! [`Prepared`] loads the data and lays out the model, [`RunFolder`] holds the files, [`execute`] trains between them.

pub mod checkpoint;

mod begin;
mod callback;
mod draws;
mod environment;
mod error;
mod execute;
mod folder;
mod images;
mod lock;
mod prepare;
mod probe;
mod record;
mod resume;
mod snapshots;
mod tensorboard;
mod trial;

pub use begin::{check_origin, origin};
pub use draws::{Distribution, Drawn};
pub use environment::Machine;
pub use error::RunError;
pub use execute::{beside, execute, fit, run_files, watch};
pub use folder::{OpenRun, REPORT, RunFolder, RunResult, check_vacant, create_output, run_config};
pub use images::reconstruction_picture;
pub use lock::FolderLock;
pub use prepare::{Prepared, load_data, prepare};
pub use probe::{Features, Probe, Probed};
pub use record::{RunRecord, RunState, find_runs};
pub use resume::{Found, check_config, find_run, identity};
pub use snapshots::SNAPSHOTS_PICTURE;
pub use trial::Trials;

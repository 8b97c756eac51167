//! One run from configuration to run folder.
//!
//! [`Prepared`] loads the data and lays out the model, [`RunFolder`] holds the files, [`execute`] trains between them.

pub mod checkpoint;

mod environment;
mod error;
mod execute;
mod folder;
mod images;
mod keeper;
mod lock;
mod measures;
mod prepare;
mod replay;
mod resume;

pub use environment::Machine;
pub use error::RunError;
pub use execute::{Executed, execute, fit, watch};
pub use folder::{OpenRun, RunFolder, create_output};
pub use images::{loss_chart, reconstruction_picture};
pub use lock::FolderLock;
pub use measures::{JACOBIANS, further_figures};
pub use prepare::{DRAWN_FACES, DRAWN_SEED, DRAWN_SET, Loaded, Prepared, load_data, prepare};
pub use replay::{Fault, read_fault, replay_fault};
pub use resume::{Found, check_config, find_run, identity, run_config};

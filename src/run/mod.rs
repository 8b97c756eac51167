//! One run from configuration to run folder.
//!
//! [`Prepared`] loads the data and lays out the model, [`RunFolder`] holds the files, [`execute`] trains between them.

mod environment;
mod error;
mod execute;
mod folder;
mod images;
mod measures;
mod prepare;

pub use environment::Machine;
pub use error::RunError;
pub use execute::{Executed, execute, fit};
pub use folder::{OpenRun, RunFolder, create_output};
pub use images::{loss_chart, reconstruction_picture};
pub use measures::{JACOBIANS, further_figures};
pub use prepare::{DRAWN_SEED, DRAWN_SET, Loaded, Prepared, load_data, prepare};

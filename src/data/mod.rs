//! Data sets: reading, verifying, fetching, drawing, splitting, batching.

mod augment;
pub mod batches;
pub mod catalog;
mod cifar;
mod classes;
pub mod corruption;
pub mod dataset;
pub mod draw;
pub mod error;
pub mod fetch;
mod folds;
pub mod idx;
pub mod load;
pub mod matlab;
pub mod npy;
pub mod payload;
pub mod picture;
pub mod published;
pub mod samples;
mod spec;
pub mod split;
pub mod verify;

pub use augment::Augmentation;
pub use batches::{batches, shuffle_into};
pub use catalog::{Catalog, CatalogSet, DRAWN_FACES, DRAWN_SET};
pub use classes::class_distribution;
pub use corruption::{Corruption, corrupt, corrupt_measured};
pub use dataset::{Dataset, image_size};
pub use error::{DataError, Fault};
pub use fetch::{FetchOptions, Fetched, Progress, fetch};
pub use load::{data_dirs, load, load_path, locate};
pub use published::{DRAWN_SEED, Published};
pub use samples::{Samples, Splits};
pub use spec::{DataSpec, Scaling, SplitSpec};
pub use split::{Split, split};
pub use verify::{FileReport, FileStatus, verify};

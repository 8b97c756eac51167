//! A numerical engine that trains, inverts and studies autoencoders on CPUs, with the same bits on every machine.
//!
//! The modules stand in the order in which data flow; each imports only those above it.
//!
//! ```
//! use narrows::{config, data, run};
//!
//! let source = config::preset("footwear")?.source()?;
//! let source = source.set("data.set=footwear")?.set("data.per_class=70")?.set("train.max_epochs=2")?;
//! let config = source.into_base_run()?;
//! let prepared = run::prepare(&config, &data::data_dirs(None))?;
//! let machine = run::Machine::detect()?;
//! let outcome = machine.run(|| run::fit(&config, &prepared, machine.context, &mut ()))??;
//! let trained = prepared.trained(&config, &outcome.params, machine.context);
//! let codes = trained.encode(prepared.loaded.test().to_array().view())?;
//! let images = trained.decode(codes.view())?;
//! assert_eq!((codes.ncols(), images.ncols()), (50, 784));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod files;
pub mod rng;
pub mod settings;
pub mod spelling;

pub mod data;
pub mod figures;
pub mod tape;

pub mod linalg;
pub mod loss;
pub mod nn;
pub mod optim;

pub mod train;

pub mod tasks;

pub mod analysis;
pub mod invert;

pub mod config;

pub mod run;

pub mod study;

pub mod cli;

/// What the signatures of [`tape`] name beside its own types.
pub use narrows_kernels::{Accumulate, AlignedVec, Context, Isa, Real};

//! A numerical engine that trains, inverts and studies autoencoders on CPUs, with the same bits on every machine.
//!
//! # Train
//!
//! A data set is opened by name or path, or made from an array ([`data::Dataset`]); a model is described layer by layer
//! ([`nn::Autoencoder`]); a [`tasks::Trainer`] fits it.
//!
//! ```
//! use narrows::data::Dataset;
//! use narrows::loss::Loss;
//! use narrows::nn::Activation::{Relu, Sigmoid};
//! use narrows::nn::{Autoencoder, dense};
//! use narrows::optim::Nadam;
//! use narrows::tasks::Trainer;
//!
//! let data = Dataset::open("footwear")?.classes(["Sandal", "Sneaker", "Ankle boot"])?.split([5, 1, 1], 2026)?;
//! # let data = data.limit(300);
//! let net = Autoencoder::new(data.shape())
//!     .encoder([dense(256, Relu), dense(50, Relu)])
//!     .decoder([dense(256, Relu), dense(784, Sigmoid)]);
//! let run = Trainer::new(net, Loss::Bce).optimizer(Nadam::keras(1e-4)).batch(256).epochs(2).seed(2026).fit(&data)?;
//! let codes = run.encode(data.test())?;
//! let images = run.decode(codes.view())?;
//! assert_eq!((codes.ncols(), images.ncols()), (50, 784));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Use a trained run
//!
//! `narrows train` writes a run folder. [`run::OpenRun`] reads it back, with the data it was made with; its
//! [`trained`](run::OpenRun::trained) model encodes, decodes, reconstructs and measures, and an [`invert::Inversion`] runs its
//! decoder backwards.
//!
//! ```no_run
//! use narrows::run::{Machine, OpenRun};
//!
//! let run = OpenRun::open("runs/footwear".as_ref(), &narrows::data::data_dirs(None))?;
//! let machine = Machine::detect()?;
//! let images = run.prepared.loaded.test().first(100).to_array();
//! let trained = run.trained(machine.context)?;
//! let codes = machine.run(|| trained.encode(images.view()))??;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Write a loop of your own
//!
//! Below the trainer lies what it is made of. A [`tape::Tape`] records operations and differentiates them, with operations of
//! your own among them ([`tape::Function`]); an [`nn::Layout`] names the tensors of a flat parameter buffer in groups; an
//! [`nn::Sequential`] puts layers into it; a [`train::Task`] says what each phase of a step minimises, and
//! [`train::Training`] goes through the phases for every batch. The `examples` folder has a loss, a layer and two networks that
//! train against each other.
//!
//! ```
//! use narrows::nn::{Init, Layout, Params, Pass, Sequential, dense, Activation};
//! use narrows::optim::{Adam, Stepper};
//! use narrows::tape::{ALL, Arena, Tape};
//! use narrows::{Accumulate, AlignedVec, Context};
//!
//! // Learns y = 2x − 1 from four points.
//! let mut layout = Layout::default();
//! let line = Sequential::new("line", [1], &[dense(1, Activation::Linear)], &mut layout)?;
//! let mut params = Params::<f32>::zeros(layout);
//! line.init(Init::GlorotUniform, 1, &mut params.values);
//! let mut optimizer = Stepper::new(Adam::keras(0.1), params.values.len())?;
//! let (context, mut arena, mut grads) = (Context::detect(), Arena::default(), AlignedVec::zeros(params.values.len()));
//! let whole = [0..params.values.len()];
//! for _ in 0..300 {
//!     let mut tape = Tape::new(context, &mut arena, &params.values);
//!     let x = tape.constant([4, 1], &[0.0, 1.0, 2.0, 3.0]);
//!     let y = tape.constant([4, 1], &[-1.0, 1.0, 3.0, 5.0]);
//!     let output = line.record(&mut tape, x, Pass::Infer);
//!     let loss = tape.mse(output, y);
//!     tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite)?;
//!     optimizer.step(context.isa, &mut params.values, &grads, &whole, 0.1);
//! }
//! assert!((params.get("line.0.weight").unwrap()[0] - 2.0).abs() < 0.01);
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
pub mod onnx;
pub mod search;

pub mod config;

pub mod run;

pub mod explore;
pub mod study;

/// What the signatures of [`tape`] name beside its own types.
pub use narrows_kernels::{Accumulate, AlignedVec, Context, Isa, Real};

//! Matrix products and vector functions whose bits depend on nothing but their input.
//!
//! Slices, strides and an [`Isa`] go in, slices come out; this crate knows nothing of tensors, networks or files. Its
//! contract, which every test compares with `==`:
//!
//! * **GEMM**: each element of C is one chain of fused multiply-adds over k in ascending order, starting from zero or from
//!   the old C.
//! * **Convolutions**: the same chain, over the pixels of the kernel and the channels, or over the pixels of all images, see [`conv`].
//! * **Reductions** use a fixed number of virtual lanes and a fixed tree, whatever the width of the hardware's vectors; the sum of
//!   a column is one chain over ascending rows.
//! * **Forces between points** of a plane are chains over blocks of points, see [`tsne`].
//! * **exp, ln, tanh, sigmoid, softplus** are one definition in `mul_add` arithmetic for all instruction sets.
//!
//! Vector code is written once against the trait [`Simd`] and instantiated for each instruction set by
//! [`Real::dispatch`]; `unsafe` ends in this crate.

pub mod activation;
mod aligned;
pub mod conv;
pub mod elementwise;
mod gemm;
mod isa;
pub mod jacobian;
pub mod losses;
pub mod normalise;
mod once;
mod real;
pub mod reduce;
pub mod reference;
pub mod simd;
pub mod softmax;
mod spin;
pub mod tsne;
pub mod update;
pub mod vecmath;
mod view;

pub use activation::Activation;
pub use aligned::{AlignedVec, bytes, bytes_mut};
pub use gemm::{Context, Epilogue, GemmEngine, gemm};
#[doc(hidden)]
pub use gemm::{Plan, gemm_with_plan};
pub use isa::{Isa, IsaError};
pub use real::{Kernel, Real};
pub use simd::Simd;
pub use spin::{alone, join, with_spinning_threads};
pub use view::{MatMut, MatRef};

/// What happens to the old content of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// It is never read.
    Overwrite,
    /// The result is added to it.
    Add,
}

//! The promises of the kernels, one module each.

mod conv;
mod gemm;
mod jacobian;
mod normalise;
mod tsne;
mod vecmath;
mod vector_bits;

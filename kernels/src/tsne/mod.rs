//! The forces of t-SNE between points of a plane: all repel each other, neighbours attract.
//!
//! With q_ij = 1 / (1 + |y_i − y_j|²), the gradient of t-SNE's Kullback-Leibler divergence by the position of point i is
//! (van der Maaten and Hinton 2008, equation 5; van der Maaten 2014, section 3)
//!
//! ```text
//! 4 · ( Σ_j p_ij q_ij (y_i − y_j) − 1/Z · Σ_j q_ij² (y_i − y_j) ),   Z = Σ_i Σ_{j≠i} q_ij
//! ```
//!
//! [`attraction`] gives the first sum and [`Repulsion`] the second, exactly: every pair is computed, in f32. Both are the
//! same bits on every instruction set and any number of threads.

mod attraction;
mod reciprocal;
mod repulsion;

pub use attraction::{Affinities, attraction};
pub use repulsion::Repulsion;

pub(crate) use reciprocal::{SCALE, scaled_reciprocal};

//! A trained decoder run backwards.
//!
//! Two inversions: [`Walk`] goes back layer by layer, which is exact on the decoder's own outputs but for rounding, and
//! minimises the error of each layer for itself on any other image; [`optimal_codes`] minimises the reconstruction error
//! ‖decoder(z) − x‖ itself. [`Inversion`] measures both on images.

mod decoder;
mod error;
mod figures;
mod floor;
mod kinks;
mod measure;
mod optimal;
pub mod output;
mod tangent;
mod undo;
mod walk;

pub use decoder::{Decoder, Dense};
pub use error::InvertError;
pub use figures::{BothFigures, Decoded, DecodedFigures, OptimalFigures, PartCodes, PartFigures, WalkFigures};
pub use floor::PcaFloor;
pub use measure::{IMAGE_RIM, Inversion, LayerFacts};
pub use optimal::{Optimum, Stop, Tolerances, optimal_codes};
pub use tangent::Tangents;
pub use undo::undo;
pub use walk::{LayerTrace, Walk, Walked};

//! Data sets: reading, verifying, fetching, drawing, splitting, batching.

pub mod draw;

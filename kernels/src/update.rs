//! Optimizer updates over flat slices.

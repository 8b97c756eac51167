//! The training loop and its listeners.

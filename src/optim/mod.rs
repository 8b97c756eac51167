//! Optimizers, learning-rate schedules and gradient clipping, over flat parameter slices.

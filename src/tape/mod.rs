//! Reverse-mode differentiation on an append-only arena.

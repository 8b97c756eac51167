//! The vocabulary of a run: what a TOML configuration can say, checked, with presets and grids.

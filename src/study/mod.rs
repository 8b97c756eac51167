//! A grid of runs and the report that compares them.

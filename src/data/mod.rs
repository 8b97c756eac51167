//! Data sets: reading, verifying, fetching, drawing, splitting, batching.

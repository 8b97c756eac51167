//! What a configuration can say, what is refused of it, and what is written back.

mod refusals;
mod round_trips;
mod studies;

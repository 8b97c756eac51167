//! What a configuration can say, what is refused of it, and what is written back.

mod difference;
mod keys;
mod list;
mod presets;
mod refusals;
mod round_trips;
mod searches;
mod studies;
mod values;

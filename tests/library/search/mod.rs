//! Searching: what samplers, pruners and importances say beside Optuna, the order of trials, and what is written down of them.

mod journal;
mod order;
mod parity;
mod regret;
mod spaces;

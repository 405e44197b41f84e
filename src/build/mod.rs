//! The pipeline: discover, reconcile, plan, apply, code, seed, baseline.

mod discover;
mod load;
mod refusal;

pub use discover::{Checkout, Seed, SeedForm, discover};
pub use refusal::Refusal;

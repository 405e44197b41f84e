//! The pipeline: discover, reconcile, plan, apply, code, seed, baseline.

mod refusal;

pub use refusal::Refusal;

//! The promises, by what they are about.

mod baseline_verb;
mod baselines;
mod building;
mod code;
mod consent;
mod crowds;
mod drift;
mod example;
mod failing;
mod files;
mod guards;
mod histories;
mod outputs;
mod plans;
mod proofs;
mod reading_only;
mod resuming;
mod seeds;
mod sessions;
mod squash;
mod strangers;
mod templates;

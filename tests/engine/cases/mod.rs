//! The promises, by what they are about.

mod adopting;
mod baselines;
mod building;
mod code;
mod code_chains;
mod code_matrix;
mod consent;
mod corpora;
mod crowds;
mod drift;
mod edits;
mod example;
mod failing;
mod files;
mod guards;
mod histories;
mod outputs;
mod plans;
mod reading_only;
mod resuming;
mod seeds;
mod sessions;
mod strangers;

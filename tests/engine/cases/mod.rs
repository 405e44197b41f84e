//! The promises, by what they are about.

mod building;
mod consent;
mod failing;
mod files;
mod guards;
mod histories;
mod reading_only;
mod resuming;
mod strangers;

//! `make` for a database.

pub mod build;
#[cfg(feature = "cli")]
pub mod cli;
pub mod engine;
pub mod error;
pub mod event;
pub mod git;
pub mod host;
pub mod init;
pub mod interrupt;
pub mod journal;
pub mod lint;
pub mod new_version;
pub mod numbering;
pub mod project;
pub mod renumber;
pub mod script;
pub mod sql;

pub use error::Error;

//! `make` for a database.

pub mod sql;

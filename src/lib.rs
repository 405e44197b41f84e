//! `make` for a database.

//! Conformance: each promise of the tool is a case that runs on both engines from one source, through the built
//! program, in a project of its own, and is checked by asking the database itself.
//!
//! SQLite runs always. PostgreSQL runs on a private server from installed programs, or on the one that
//! `DBBUILD_TEST_POSTGRES` names; where there is neither, its half is skipped with a line that says so, and fails
//! if `CI` is set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[macro_use]
mod support;
mod cases;
mod postgres;
mod sqlite;

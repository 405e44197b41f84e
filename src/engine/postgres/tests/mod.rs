//! The engine on a real server: a private one, shared by the tests of one process that run at a time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod baseline;
mod catalog;
mod claims;
mod fixture;
mod journal;
mod scripts;
mod seeds;
mod statements;
mod trouble;

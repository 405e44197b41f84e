//! The `dbbuild` command.
fn main() {}

//! Puts the scripts into the program.

fn main() {
    dbbuild::embed!(".");
}

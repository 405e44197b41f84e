//! Sends a file to PostgreSQL in one message: the least that a client can do. A reference for benchmarks.
#![allow(clippy::expect_used)]

fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("a URL");
    let file = arguments.next().expect("a file");
    let text = std::fs::read_to_string(file).expect("a file to read");
    let mut client = postgres::Client::connect(&url, postgres::NoTls).expect("a server");
    client.batch_execute(&text).expect("a file that runs");
}

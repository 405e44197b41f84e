//! The promises, by what they are about.

mod building;

//! A project on disk or in the program: its settings, its files, its targets.

mod error;
pub mod layout;
pub mod settings;
mod target;

pub use error::SettingsError;
pub use layout::Layout;
pub use settings::{LockMode, Settings};
pub use target::{Address, Secret, Target};

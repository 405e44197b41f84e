//! A project on disk or in the program: its settings, its files, its targets.

mod error;
mod files;
pub mod layout;
pub mod settings;
mod target;

pub use error::SettingsError;
pub use files::{Files, Found, FoundKind};
pub use layout::{Layout, PathRole, Sections};
pub use settings::{LockMode, Settings};
pub use target::{Address, Secret, Target};

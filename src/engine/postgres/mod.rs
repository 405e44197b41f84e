//! PostgreSQL 13 and later.

mod connect;
mod conninfo;
mod error;
mod passfile;
mod quote;
mod redact;
mod service;
mod tls;

use super::{Engine, Result};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::project::Target;

/// Opens the engine. Nothing is connected yet.
pub(super) fn open(target: &Target, host: &Host, _interrupt: &Interrupt) -> Result<Box<dyn Engine>> {
    let connector = connect::Connector::new(target, host)?;
    Err(connect::unreachable(&connector.shown(), "not built yet".into(), None))
}

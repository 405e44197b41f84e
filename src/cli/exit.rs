//! How a command ends: each exit code has its meaning, and scripts and CI of users depend on it.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use crate::error::{Class, Error};

/// What a verb returns.
pub type Outcome = Result<Exit, Error>;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Findings or differences.
    Findings = 1,
    /// Wrong usage or settings.
    Usage = 2,
    /// A refusal: the target is untouched.
    Refused = 3,
    /// A script, code object or seed failed.
    Failed = 4,
    /// Trouble outside: unreachable, a program missing, a lock held, an unknown commit.
    Outside = 5,
    /// Interrupted.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code with its meaning, for the documentation.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Findings, "findings or differences"),
        (Self::Usage, "wrong usage or settings"),
        (Self::Refused, "a refusal (invalid scripts too): the target is untouched"),
        (Self::Failed, "a script, code object or seed failed"),
        (Self::Outside, "trouble outside: unreachable, a program missing, a lock held, an unknown commit"),
        (Self::Interrupted, "interrupted"),
    ];

    /// Returns the number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::Findings => Self::Findings,
            Class::Usage => Self::Usage,
            Class::Refusal => Self::Refused,
            Class::Failed => Self::Failed,
            Class::Outside => Self::Outside,
            Class::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Goes on if something could be printed, or if whoever reads has closed the pipe: they have read enough, and the
/// work is not theirs. Anything else (a full disk) ends the program: its result would be lost in silence.
pub fn told(written: std::io::Result<()>) {
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            // Perhaps the other stream still takes something; if not, the exit code has to do.
            writeln!(std::io::stderr(), "error[output]: the output cannot be written: {error}").ok();
            std::process::exit(i32::from(Exit::Outside.code()));
        }
    }
}

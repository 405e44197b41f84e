//! Another clock for a private server: `libfaketime`, where it is installed.
//! (<https://github.com/wolfcw/libfaketime>)

use std::path::{Path, PathBuf};

use crate::engine::postgres::programs::expand;
use crate::engine::scratch::LATER;

/// Where packages put the library; `*` stands for anything within one name.
const FOLDERS: [&str; 4] =
    ["/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime"];

/// The one for programs with threads first.
const NAMES: [&str; 2] = ["libfaketimeMT.so.1", "libfaketime.so.1"];

/// Returns what to put into a server's environment, so that its clock is another one; nothing without the library.
pub fn variables() -> Option<Vec<(String, String)>> {
    let folders = FOLDERS.iter().flat_map(|folder| expand(Path::new(folder)));
    let mut files = folders.flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let library: PathBuf = files.find(|file| file.is_file())?;
    let variables = [
        ("LD_PRELOAD", library.to_string_lossy().into_owned()),
        ("FAKETIME", format!("+{}", LATER.as_secs())),
        // What measures how long something takes, and the times of files, stay as they are.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ("NO_FAKE_STAT", "1".into()),
        ("FAKETIME_DISABLE_SHM", "1".into()),
    ];
    Some(variables.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

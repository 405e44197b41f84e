//! The two macros of a program that holds its project. What they expand to runs in the program's own build script,
//! which is where it reads variables and prints lines for cargo.

/// Puts a project into the program; for `build.rs`. The folder is relative to the package's.
///
/// What is wrong with a script stops the build, with file and line. A folder that is new to the project (the first
/// seed) is noticed when something else has changed too.
#[macro_export]
macro_rules! embed {
    ($folder:expr) => {
        match ::std::env::var_os("OUT_DIR") {
            Some(folder) => {
                for line in $crate::embed::write(::std::path::Path::new($folder), ::std::path::Path::new(&folder)) {
                    ::std::println!("{line}");
                }
            }
            None => ::std::println!("cargo::error=`dbbuild::embed!` belongs into a build script"),
        }
    };
}

/// Returns the project that `embed!` has put into the program, as a `Result`.
#[macro_export]
macro_rules! embedded {
    () => {
        include!(concat!(env!("OUT_DIR"), "/dbbuild_embedded.rs"))
    };
}

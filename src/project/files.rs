//! The files of a project: a folder, or a tree that was put into the program. Paths are relative, with `/`.

use crate::script::Checksum;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where a project's files are.
#[derive(Debug, Clone)]
pub enum Files {
    /// In a folder.
    Folder(PathBuf),
    /// In the program: path and content.
    Embedded(&'static [(&'static str, &'static [u8])]),
}

/// Something found in a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Relative to the project, with `/`.
    pub path: String,
    /// What it is.
    pub kind: FoundKind,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundKind {
    /// A file that may be read.
    File,
    /// A folder.
    Folder,
    /// A symbolic link that leads out of the project, or nowhere.
    Outside,
    /// A device, a pipe, a socket.
    Special,
    /// It cannot be looked at, and why.
    Unreadable(String),
}

impl Files {
    /// Returns the folder, if there is one.
    pub fn root(&self) -> Option<&Path> {
        match self {
            Self::Folder(root) => Some(root),
            Self::Embedded(_) => None,
        }
    }

    /// Lists what is below a folder, to any depth, sorted by path. A folder that is not there holds nothing.
    pub fn walk(&self, folder: &str) -> Vec<Found> {
        match self {
            Self::Folder(root) => walk(root, folder),
            Self::Embedded(files) => {
                let below = files.iter().filter(|(path, _)| is_below(path, folder));
                below.map(|(path, _)| Found { path: (*path).to_owned(), kind: FoundKind::File }).collect()
            }
        }
    }

    /// Opens a file.
    pub fn open(&self, path: &str) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Folder(root) => Ok(Box::new(std::fs::File::open(root.join(path))?)),
            Self::Embedded(files) => find(files, path).map(|content| Box::new(content) as Box<dyn Read>),
        }
    }

    /// Reads a file whole.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.read_into(path, &mut content)?;
        Ok(content)
    }

    /// Reads a file whole, in the place of what is in a buffer.
    pub fn read_into(&self, path: &str, content: &mut Vec<u8>) -> io::Result<()> {
        content.clear();
        match self {
            Self::Folder(root) => {
                // Without asking for size and position first, as reading a `File` to its end does: most files are
                // small, and there may be thousands.
                content.reserve(8 << 10);
                std::fs::File::open(root.join(path))?.take(u64::MAX).read_to_end(content)?;
            }
            Self::Embedded(files) => content.extend_from_slice(find(files, path)?),
        }
        Ok(())
    }

    /// Returns the checksum of a file's bytes, without holding them: rows may be many.
    pub fn checksum(&self, path: &str) -> io::Result<Checksum> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(self.open(path)?)?;
        Ok(Checksum::of_hasher(&hasher))
    }

    /// Returns true if there is such a file.
    pub fn has(&self, path: &str) -> bool {
        match self {
            Self::Folder(root) => root.join(path).is_file(),
            Self::Embedded(files) => find(files, path).is_ok(),
        }
    }

    /// Returns true if a path stays inside the project, symbolic links followed.
    pub fn is_inside(&self, path: &str) -> bool {
        match self {
            Self::Folder(root) => leads_inside(root, &root.join(path)),
            Self::Embedded(_) => true,
        }
    }
}

fn find(files: &'static [(&'static str, &'static [u8])], path: &str) -> io::Result<&'static [u8]> {
    let found = files.iter().find(|(known, _)| *known == path);
    found.map(|(_, content)| *content).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn leads_inside(root: &Path, path: &Path) -> bool {
    match (root.canonicalize(), path.canonicalize()) {
        (Ok(root), Ok(path)) => path.starts_with(root),
        _ => false,
    }
}

fn walk(root: &Path, folder: &str) -> Vec<Found> {
    let top = root.join(folder);
    match top.try_exists() {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(error) => return vec![Found { path: folder.to_owned(), kind: FoundKind::Unreadable(error.to_string()) }],
    }
    let mut found = Vec::new();
    enter(root, &relative(root, &top), &mut found);
    found
}

/// Adds what is below a folder. A link to a folder is not entered, so loops end.
fn enter(root: &Path, folder: &str, found: &mut Vec<Found>) {
    let path = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let listed = std::fs::read_dir(root.join(folder)).and_then(|entries| {
        let named = entries.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))));
        named.collect::<io::Result<Vec<_>>>()
    });
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => {
            found.push(Found { path: folder.to_owned(), kind: FoundKind::Unreadable(error.to_string()) });
            return;
        }
    };
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, file_type) in entries {
        let path = path(&name.to_string_lossy());
        let kind = if file_type.is_file() { FoundKind::File } else { kind_of(root, &root.join(&path), file_type) };
        let inner = file_type.is_dir().then(|| path.clone());
        found.push(Found { path, kind });
        if let Some(inner) = inner {
            enter(root, &inner, found);
        }
    }
}

/// Says what an entry is that is no file.
fn kind_of(root: &Path, path: &Path, file_type: std::fs::FileType) -> FoundKind {
    if file_type.is_dir() {
        FoundKind::Folder
    } else if file_type.is_symlink() {
        match path.metadata() {
            Ok(metadata) if leads_inside(root, path) => {
                if metadata.is_file() {
                    FoundKind::File
                } else {
                    FoundKind::Folder
                }
            }
            _ => FoundKind::Outside,
        }
    } else {
        FoundKind::Special
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    if std::path::MAIN_SEPARATOR == '/' {
        return path.to_string_lossy().into_owned();
    }
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

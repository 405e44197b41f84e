//! Fixed texts on their way back into files: line ends and byte order mark as they were, or a diff of it.

use std::path::Path;

use crate::error::Error;
use crate::project::Project;
use crate::script::normalise;

/// What a fix makes of a file.
pub struct Mended {
    /// The file, relative to the project.
    pub file: String,
    before: String,
    after: String,
    bytes: Vec<u8>,
}

/// Puts a fixed text into its file's content. `None` if the text is not in the file as it runs (includes, variables).
pub fn mend(project: &Project, file: &str, old: &str, new: &str) -> Option<Mended> {
    let raw = project.files.read(file).ok()?;
    let marked = raw.starts_with(b"\xef\xbb\xbf");
    let windows = raw.windows(2).any(|pair| pair == b"\r\n");
    let before = normalise(file, raw).ok()?;
    let mut places = before.match_indices(old);
    let (at, _) = places.next()?;
    if places.next().is_some() {
        return None;
    }
    let after = format!("{}{new}{}", before.get(..at)?, before.get(at + old.len()..)?);
    let ends = if windows { after.replace('\n', "\r\n") } else { after.clone() };
    let mut bytes = if marked { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
    bytes.extend_from_slice(ends.as_bytes());
    Some(Mended { file: file.to_owned(), before, after, bytes })
}

impl Mended {
    /// Writes the file, whole or not at all.
    pub fn write(&self, project: &Project) -> Result<(), Error> {
        let root = project.files.root().unwrap_or(Path::new("."));
        let path = root.join(&self.file);
        let failed = |source: std::io::Error| Error::Io { path: path.clone(), source };
        let folder = path.parent().unwrap_or(root);
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        std::io::Write::write_all(&mut file, &self.bytes).map_err(failed)?;
        if let Ok(metadata) = std::fs::metadata(&path) {
            std::fs::set_permissions(file.path(), metadata.permissions()).map_err(failed)?;
        }
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Returns the difference as a unified diff.
    pub fn diff(&self) -> String {
        let diff = similar::TextDiff::from_lines(&self.before, &self.after);
        let (old, new) = (format!("a/{}", self.file), format!("b/{}", self.file));
        diff.unified_diff().context_radius(3).header(&old, &new).to_string()
    }
}

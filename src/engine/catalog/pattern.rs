//! Patterns that leave objects out of a comparison: `table public.tmp_*`, `*.audit_*`.

use globset::{Glob, GlobSet, GlobSetBuilder};

/// Globs on `kind name`, or on the name alone.
#[derive(Debug, Clone, Default)]
pub struct Patterns(GlobSet);

impl Patterns {
    /// Reads patterns; says which one cannot be read, and why.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut globs = GlobSetBuilder::new();
        for pattern in patterns {
            globs.add(Glob::new(pattern).map_err(|error| error.to_string())?);
        }
        globs.build().map(Self).map_err(|error| error.to_string())
    }

    /// Returns true if one of them is for the object of this key: `table public.customer`.
    pub fn matches(&self, key: &str, name: &str) -> bool {
        self.0.is_match(key) || self.0.is_match(name)
    }
}

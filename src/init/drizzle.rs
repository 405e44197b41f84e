//! Drizzle's own list of a folder's migrations, `meta/_journal.json`: what it does not name never ran, and its order is
//! the order in which they ran, whatever their numbers say.
//! <https://orm.drizzle.team/docs/drizzle-kit-generate>

use std::collections::BTreeMap;
use std::path::Path;

use crate::project::Layout;
use crate::project::layout::Parts;
use crate::script::Version;

/// What the list says of a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    /// Files that it does not name, relative to the project.
    pub(super) unlisted: Vec<String>,
    /// Versions of those files whose numbers are not in its order.
    pub(super) versions: BTreeMap<String, String>,
}

#[derive(serde::Deserialize)]
struct List {
    entries: Vec<Entry>,
}

#[derive(serde::Deserialize)]
struct Entry {
    tag: String,
}

/// Reads the list of a folder with these scripts; `None` where there is none.
pub(super) fn journal(root: &Path, folder: &str, scripts: &[&str]) -> Option<Journal> {
    let bytes = std::fs::read(root.join(folder).join("meta/_journal.json")).ok()?;
    let list: List = serde_json::from_slice(&bytes).ok()?;
    let file = |tag: &str| if folder.is_empty() { format!("{tag}.sql") } else { format!("{folder}/{tag}.sql") };
    let listed: Vec<String> = list.entries.iter().map(|entry| file(&entry.tag)).collect();
    let unlisted = scripts.iter().filter(|script| !listed.iter().any(|file| file == *script));
    Some(Journal { unlisted: unlisted.map(|script| (*script).to_owned()).collect(), versions: in_order(&listed) })
}

/// Returns versions for those files whose own are not greater than all before and less than all behind.
fn in_order(files: &[String]) -> BTreeMap<String, String> {
    let own = |file: &String| Parts::of(Layout::Plain, file.rsplit('/').next()?).map(|parts| parts.name.version);
    let own: Vec<Option<Version>> = files.iter().map(own).collect();
    let mut least_behind: Vec<Option<&Version>> = vec![None; files.len()];
    for at in (1..files.len()).rev() {
        least_behind[at - 1] = own[at].as_ref().into_iter().chain(least_behind[at]).min();
    }
    let mut versions = BTreeMap::new();
    let (mut last, mut behind_it) = (None::<&Version>, 0u64);
    for ((file, own), least) in files.iter().zip(&own).zip(least_behind) {
        match own {
            Some(own) if last.is_none_or(|last| last < own) && least.is_none_or(|least| own < least) => {
                (last, behind_it) = (Some(own), 0);
            }
            _ => {
                behind_it += 1;
                let base = last.cloned().unwrap_or_else(|| 0.into());
                versions.insert(file.clone(), base.join(&behind_it.into()).to_string());
            }
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn only_files_out_of_order_are_given_versions() {
        let files = ["0001_a", "0002_b", "0005_c", "0003_d", "0003_e", "0006_f"].map(|name| format!("m/{name}.sql"));
        let versions: Vec<(String, String)> = in_order(&files).into_iter().collect();
        assert_eq!(versions, [("m/0003_d.sql".into(), "2.2".into()), ("m/0005_c.sql".into(), "2.1".into())]);
        assert!(in_order(&files[..3]).is_empty());
    }
}

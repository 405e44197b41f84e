//! Sqitch's own list of changes, `sqitch.plan`: the files of `deploy` run in its order.
//! <https://sqitch.org/docs/manual/sqitchchanges/>

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::candidates::{Candidate, FolderEngine, Numbers};
use crate::project::Layout;

/// The list, beside the folder of the scripts.
const PLAN: &str = "sqitch.plan";

/// Returns the folders called `deploy` that have a plan beside them.
pub(super) fn candidates(root: &Path, paths: &[String]) -> Vec<Candidate> {
    let deploy = |path: &String| {
        let parts: Vec<&str> = path.split('/').collect();
        let at = parts.iter().position(|part| *part == "deploy")?;
        Some(parts[..=at].join("/"))
    };
    let folders: BTreeSet<String> = paths.iter().filter_map(deploy).collect();
    let candidate = |folder: String| {
        let scripts = versions(root, &folder, paths).len();
        let folders = vec![(folder, FolderEngine::Silent)];
        (scripts > 0).then_some(Candidate { layout: Layout::Plain, folders, scripts, numbers: Numbers::InPlan })
    };
    folders.into_iter().filter_map(candidate).collect()
}

/// Returns the files that the plan of a `deploy` folder names, with their places in it as versions.
pub(super) fn versions(root: &Path, folder: &str, paths: &[String]) -> BTreeMap<String, String> {
    let plan = root.join(folder).with_file_name(PLAN);
    let files = std::fs::read_to_string(plan).map(|plan| files(&plan)).unwrap_or_default();
    let listed = (1u64..).zip(files).map(|(place, file)| (format!("{folder}/{file}"), place.to_string()));
    listed.filter(|(file, _)| paths.contains(file)).collect()
}

/// The files of a plan, in order. A change that is listed again was made anew: the file of the first one is called by
/// the tag behind it, `name@tag.sql`.
fn files(plan: &str) -> Vec<String> {
    let mut changes: Vec<(&str, Option<&str>)> = Vec::new();
    for line in plan.lines().map(str::trim).filter(|line| !line.starts_with(['%', '#'])) {
        let Some(name) = line.split_whitespace().next() else { continue };
        match name.strip_prefix('@') {
            Some(tag) => {
                changes
                    .iter_mut()
                    .rev()
                    .take_while(|(_, known)| known.is_none())
                    .for_each(|(_, known)| *known = Some(tag));
            }
            None => changes.push((name, None)),
        }
    }
    let file = |(at, (name, tag)): (usize, &(&str, Option<&str>))| match tag {
        Some(tag) if changes[at + 1..].iter().any(|(later, _)| later == name) => format!("{name}@{tag}.sql"),
        _ => format!("{name}.sql"),
    };
    changes.iter().enumerate().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::files;

    #[test]
    fn a_plan_has_changes_and_tags() {
        let plan = "%syntax-version=1.0.0\n%project=shop\n\nusers 2020-01-01T00:00:00Z A <a@b> # the users\n\
                    api/view [users] 2020-01-02T00:00:00Z A <a@b>\n@v1 2020-01-03T00:00:00Z A <a@b> # one\n\n\
                    api/view [api/view@v1] 2020-01-04T00:00:00Z A <a@b>\n";
        assert_eq!(files(plan), ["users.sql", "api/view@v1.sql", "api/view.sql"]);
    }
}

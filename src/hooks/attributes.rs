//! The line of `.gitattributes` that gives the baseline its merge driver, and keeps its line ends as they are.

use super::DRIVER;
use crate::project::Project;
use crate::sql::Dialect;

/// Returns the line. Its path is relative to the file, which stands in the project's folder.
pub fn line(project: &Project) -> String {
    let folder = project.baseline_folder(Dialect::Sqlite);
    let folder = folder.rsplit_once('/').map_or(folder.as_str(), |(folder, _)| folder);
    format!("{folder}/** -text merge={DRIVER}")
}

/// Returns the text with the line; `None` if it is there.
pub fn with(text: &str, line: &str) -> Option<String> {
    if text.lines().any(|other| other == line) {
        return None;
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Some(format!("{text}{end}{line}\n"))
}

/// Returns the text without the line; `None` if it is not there.
pub fn without(text: &str, line: &str) -> Option<String> {
    let kept: String = text.split_inclusive('\n').filter(|other| other.trim_end() != line).collect();
    (kept != text).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays() {
        let line = "baseline/** -text merge=dbbuild";
        let with = with("*.png binary", line).unwrap_or_default();
        assert_eq!(with, format!("*.png binary\n{line}\n"));
        assert_eq!(super::with(&with, line), None);
        assert_eq!(without(&with, line).as_deref(), Some("*.png binary\n"));
        assert_eq!(without("*.png binary\n", line), None);
    }
}

//! Two texts as one diff, with colours where there are any.

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

/// Returns the lines that differ with three lines around them. What only the first text has is red and begins with
/// `-`, what only the second has is green and begins with `+`.
pub fn coloured_diff(one: &str, other: &str, indent: &str) -> String {
    // Whether the last line ends is no difference.
    let (one, other): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let diff = TextDiff::from_slices(&one, &other);
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(3).iter().enumerate() {
        if at > 0 {
            lines.push(format!("{indent}…"));
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', Style::new().fg_color(Some(AnsiColor::Red.into()))),
                ChangeTag::Insert => ('+', Style::new().fg_color(Some(AnsiColor::Green.into()))),
                ChangeTag::Equal => (' ', Style::new()),
            };
            let text = format!("{sign} {}", change.value());
            lines.push(format!("{indent}{style}{}{style:#}", text.trim_end()));
        }
    }
    lines.join("\n")
}

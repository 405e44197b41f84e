//! A block of shell in a hook, between two lines that mark it.

/// How the marking lines begin.
pub(super) const MARK: &str = "# >>> dbbuild hooks";
const END: &str = "# <<< dbbuild hooks";

/// The block of one project in one hook.
pub(super) struct Block<'a> {
    /// The project's folder in the repository; empty for the top folder.
    pub project: &'a str,
    /// The hook.
    pub hook: &'a str,
    /// How a shell runs this program.
    pub command: &'a str,
}

impl Block<'_> {
    /// Puts the block behind the first line, so that nothing that is there can end the hook before it.
    pub fn put_into(&self, text: &str) -> String {
        if self.within(text).is_some_and(|span| text.get(span).is_some_and(|there| there == self.text())) {
            return text.to_owned();
        }
        let rest = self.taken_from(text);
        let (first, rest) = match rest.split_once('\n') {
            Some((first, rest)) if first.starts_with("#!") => (format!("{first}\n"), rest.to_owned()),
            None if rest.starts_with("#!") => (format!("{rest}\n"), String::new()),
            _ if rest.is_empty() => ("#!/bin/sh\n".to_owned(), rest),
            _ => (String::new(), rest),
        };
        format!("{first}{}{rest}", self.text())
    }

    /// Returns the text without the block.
    pub fn taken_from(&self, text: &str) -> String {
        match self.within(text) {
            Some(span) => {
                let (before, after) = (text.get(..span.start), text.get(span.end..));
                format!("{}{}", before.unwrap_or_default(), after.unwrap_or_default())
            }
            None => text.to_owned(),
        }
    }

    fn within(&self, text: &str) -> Option<std::ops::Range<usize>> {
        let start = text.find(&self.first())?;
        let end = text.get(start..)?.find(&self.last())?;
        Some(start..start + end + self.last().len())
    }

    fn shown(&self) -> &str {
        if self.project.is_empty() { "." } else { self.project }
    }

    fn first(&self) -> String {
        format!("{MARK} ({}): `dbbuild hooks uninstall` takes this out\n", self.shown())
    }

    fn last(&self) -> String {
        format!("{END} ({})\n", self.shown())
    }

    fn text(&self) -> String {
        let Self { hook, command, .. } = self;
        let project = self.shown().replace('\'', "'\\''");
        // What reads its input (post-rewrite) must find it whole behind this.
        format!(
            "{}if command -v {command} >/dev/null 2>&1; then\n    \
             {command} --project '{project}' hooks run {hook} \"$@\" </dev/null || exit $?\nelse\n    \
             echo 'dbbuild is not on the search path: its {hook} hook does nothing' >&2\nfi\n{}",
            self.first(),
            self.last()
        )
    }
}

/// Returns true if a shell runs the file.
pub(super) fn is_shell(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let Some(program) = first.strip_prefix("#!") else { return true };
    let words = program.split(|char: char| char == '/' || char.is_whitespace());
    words.into_iter().any(|word| matches!(word, "sh" | "bash" | "dash" | "zsh" | "ksh"))
}

/// Returns true if a hook does nothing.
pub(super) fn is_empty(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.starts_with("#!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Block<'_> = Block { project: "", hook: "pre-commit", command: "dbbuild" };

    #[test]
    fn what_is_there_stays_and_comes_behind() {
        let theirs = "#!/bin/bash\nset -e\nexec make check\n";
        let with = BLOCK.put_into(theirs);
        assert!(with.starts_with("#!/bin/bash\n# >>> dbbuild hooks (.)"), "{with}");
        assert!(with.ends_with("set -e\nexec make check\n"));
        assert_eq!(BLOCK.put_into(&with), with);
        assert_eq!(BLOCK.taken_from(&with), theirs);
    }

    #[test]
    fn an_old_block_is_replaced() {
        let old = Block { command: "/old/dbbuild", ..BLOCK }.put_into("");
        assert_eq!(BLOCK.put_into(&old), BLOCK.put_into(""));
        assert!(is_empty(&BLOCK.taken_from(&old)));
    }

    #[test]
    fn two_projects_have_a_block_each() {
        let other = Block { project: "services/b", ..BLOCK };
        let both = other.put_into(&BLOCK.put_into(""));
        assert_eq!(other.taken_from(&both), BLOCK.put_into(""));
    }

    #[test]
    fn shells_are_known() {
        for (first, shell) in [
            ("#!/bin/sh\n", true),
            ("#!/usr/bin/env bash\n", true),
            ("echo\n", true),
            ("#!/usr/bin/env python3\n", false),
            ("#!/usr/bin/fish\n", false),
        ] {
            assert_eq!(is_shell(first), shell, "{first}");
        }
    }
}

//! The name of a table's file: readable for ordinary names, and one file each on every file system.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Names longer than this end in a digest; 255 bytes is what file systems take.
const LONGEST: usize = 200;

/// Lower-case letters, digits, `_` and `-` stay; capitals do not, since some file systems ignore case.
const ENCODED: &AsciiSet = &with_capitals(NON_ALPHANUMERIC.remove(b'_').remove(b'-'));

const fn with_capitals(mut set: AsciiSet) -> AsciiSet {
    let mut letter = b'A';
    while letter <= b'Z' {
        set = set.add(letter);
        letter += 1;
    }
    set
}

/// Returns `schema.table.copy`.
pub(super) fn of(schema: &str, table: &str) -> String {
    let encode = |name: &str| utf8_percent_encode(name, ENCODED).to_string();
    let mut name = format!("{}.{}", encode(schema), encode(table));
    if name.len() > LONGEST {
        let digest = blake3::hash(name.as_bytes()).to_hex();
        // All of it is ASCII now.
        name.truncate(LONGEST);
        name.push('~');
        name.push_str(&digest[..16]);
    }
    name + ".copy"
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn names_are_readable_and_never_fall_together() {
        assert_eq!(of("public", "country_2"), "public.country_2.copy");
        assert_eq!(of("Sales", "a.b%/ß"), "%53ales.a%2Eb%25%2F%C3%9F.copy");
        let long = |last: &str| of(&"ü".repeat(31), &format!("{}{last}", "ö".repeat(30)));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").len() < 255);
    }
}

//! The ordering key at the head of a script's file name.
//!
//! Versions compare number by number: 2 comes before 10, 0.9 before 0.10. The journal's key is the canonical
//! form: numbers without leading zeros, joined by `.`.

use std::fmt;
use std::str::FromStr;

/// A script's version: one or more numbers, most significant first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Vec<u128>);

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// There is no digit where the version should begin.
    #[error("no version in {0:?}: a version is digits, optionally joined by `.` or `-`")]
    Missing(String),
    /// A number is longer than 20 digits, the width in which the journal orders them.
    #[error("a number in the version of {0:?} has more than 20 digits")]
    TooLong(String),
}

impl Version {
    /// Makes a version from its numbers; `None` if there are none.
    pub fn from_numbers(numbers: Vec<u128>) -> Option<Self> {
        (!numbers.is_empty()).then_some(Self(numbers))
    }

    /// Returns the numbers, most significant first.
    pub fn numbers(&self) -> &[u128] {
        &self.0
    }

    /// Splits the version off the head of a file name: `0007_2024_report` is 7 and `2024_report`.
    ///
    /// `.` and `-` between digits join; `_` joins only an 8-digit date with a 4- or 6-digit time.
    pub fn split(name: &str) -> Result<(Self, &str), VersionError> {
        let bytes = name.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut numbers = Vec::new();
        let (mut at, mut length) = (0, digits(0));
        if length == 0 {
            return Err(VersionError::Missing(name.to_owned()));
        }
        loop {
            numbers.push(number(&name[at..at + length]).ok_or_else(|| VersionError::TooLong(name.to_owned()))?);
            let end = at + length;
            let next = if end < bytes.len() { digits(end + 1) } else { 0 };
            let joins = match bytes.get(end) {
                Some(b'.' | b'-') => next > 0,
                // The underscore also separates the version from the name, so a date and a time are all it joins.
                Some(b'_') => {
                    numbers.len() == 1 && length == 8 && matches!(next, 4 | 6) && ends_number(bytes, end + 1 + next)
                }
                _ => false,
            };
            if !joins {
                return Ok((Self(numbers), &name[end..]));
            }
            (at, length) = (end + 1, next);
        }
    }

    /// Returns this version followed by another's numbers, as in a dotted folder with numbered files.
    pub fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).copied().collect())
    }

    /// Returns the version with its date as one number, `20240418`, and the time behind it as another, however it is
    /// spelt: `2024-04-18-210159` and `20240418210159` are then the same. What is no date stays as it is; a month or a
    /// day of 0 is one here, so that versions which are written alike stay in their order.
    pub fn by_date(&self) -> Self {
        let (date, rest) = match self.0.as_slice() {
            [year, month, day, rest @ ..] if is_year(*year) && *month < 100 && *day < 100 => {
                (vec![year * 10_000 + month * 100 + day], rest)
            }
            [packed, rest @ ..] => {
                let digits = packed.to_string();
                let part =
                    |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse().ok()).unwrap_or(0);
                if !matches!(digits.len(), 12..=20) || !is_year(part(0, 4)) {
                    return self.clone();
                }
                (vec![part(0, 8), part(8, digits.len())], rest)
            }
            [] => return self.clone(),
        };
        Self(date.into_iter().chain(rest.iter().copied()).collect())
    }

    /// Returns a text whose byte order is the order of versions, for the database's own `ORDER BY`.
    pub fn order_key(&self) -> String {
        let padded: Vec<String> = self.0.iter().map(|number| format!("{number:020}")).collect();
        padded.join(".")
    }
}

/// Reads the digits of one number.
fn number(digits: &str) -> Option<u128> {
    digits.parse().ok().filter(|_| digits.trim_start_matches('0').len() <= 20)
}

fn is_year(number: u128) -> bool {
    (1970..2200).contains(&number)
}

fn ends_number(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at), None | Some(b'_' | b'-' | b'.' | b' '))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, number) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            write!(f, "{number}")?;
        }
        Ok(())
    }
}

impl From<u64> for Version {
    fn from(number: u64) -> Self {
        Self(vec![u128::from(number)])
    }
}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads a version as a user types it: `7`, `0007`, `1.2.3`, `20240418_2101`.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        match Self::split(text)? {
            (version, "") => Ok(version),
            _ => Err(VersionError::Missing(text.to_owned())),
        }
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn split(name: &str) -> (String, &str) {
        let (version, rest) = Version::split(name).unwrap();
        (version.to_string(), rest)
    }

    #[test]
    fn the_head_of_a_name_is_the_version() {
        assert_eq!(split("0007_2024_report"), ("7".into(), "_2024_report"));
        assert_eq!(split("20240418_2101_add"), ("20240418.2101".into(), "_add"));
        assert_eq!(split("20240418_210159_add"), ("20240418.210159".into(), "_add"));
        assert_eq!(split("20240418_21015_add"), ("20240418".into(), "_21015_add"));
        assert_eq!(split("20240418_2101x"), ("20240418".into(), "_2101x"));
        assert_eq!(split("2024-04-18-2101_add"), ("2024.4.18.2101".into(), "_add"));
        assert_eq!(split("1.2.3"), ("1.2.3".into(), ""));
        assert_eq!(split("1.x"), ("1".into(), ".x"));
        assert!(Version::split("create").is_err());
        assert_eq!(split("20150101000001000000_networks"), ("20150101000001000000".into(), "_networks"));
        assert!(Version::split("99999999999999999999999_x").is_err());
    }

    #[test]
    fn a_date_is_one_however_it_is_spelt() {
        let by_date = |text: &str| text.parse::<Version>().unwrap().by_date().to_string();
        assert_eq!(by_date("20140924113530"), "20140924.113530");
        assert_eq!(by_date("2014-09-24-113530"), "20140924.113530");
        assert_eq!(by_date("2026-07-30-140000-0000"), "20260730.140000.0");
        assert_eq!(by_date("20250625"), "20250625");
        assert_eq!(by_date("20240418_2101"), "20240418.2101");
        assert_eq!(by_date("20191100000001"), "20191100.1");
        // Twelve digits that are no date, and a count.
        assert_eq!(by_date("162194317000"), "162194317000");
        assert_eq!(by_date("1510262030"), "1510262030");
        assert_eq!(by_date("7.2"), "7.2");
    }

    #[test]
    fn versions_compare_number_by_number() {
        let order = ["0.9", "0.10", "1", "1.0", "2", "10", "20240418210159", "20150101000001000000"];
        let versions: Vec<Version> = order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted());
        let keys: Vec<String> = versions.iter().map(Version::order_key).collect();
        assert!(keys.is_sorted());
        assert_eq!("001".parse::<Version>().unwrap(), "1".parse().unwrap());
    }
}

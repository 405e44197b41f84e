//! How a project counts its scripts, and what comes next.
//!
//! The way is taken from the newest script: a sequence in its width, or a date and time in its spelling. What comes
//! next is always above what it is asked to come after, whatever the clock says.

mod elsewhere;
mod known;

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

pub use elsewhere::Elsewhere;
pub use known::{Known, folders, here, known, squashed};

use crate::project::Layout;
use crate::script::Version;

/// How versions follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbering {
    /// One after the other; the last number is padded to this width.
    Sequence(usize),
    /// The time in UTC, as this `strftime` format writes it.
    Clock(String),
    /// The seconds since 1970, or the milliseconds.
    Unix {
        /// True for milliseconds.
        milliseconds: bool,
    },
}

/// A version as a path writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What stands in front of it in the path: `0.10/`, Flyway's folder and letter.
    pub folder: String,
    /// The version as written, or in dotted folders its last part.
    pub raw: String,
    /// The whole version.
    pub version: Version,
}

/// Digits by the lengths of their runs, and what each run means.
const CLOCKS: [(&[usize], &[&str]); 10] = [
    (&[14], &["%Y%m%d%H%M%S"]),
    (&[12], &["%Y%m%d%H%M"]),
    (&[8], &["%Y%m%d"]),
    (&[8, 6], &["%Y%m%d", "%H%M%S"]),
    (&[8, 4], &["%Y%m%d", "%H%M"]),
    (&[4, 2, 2, 6], &["%Y", "%m", "%d", "%H%M%S"]),
    (&[4, 2, 2, 4], &["%Y", "%m", "%d", "%H%M"]),
    (&[4, 2, 2, 2, 2, 2], &["%Y", "%m", "%d", "%H", "%M", "%S"]),
    (&[4, 2, 2, 2, 2], &["%Y", "%m", "%d", "%H", "%M"]),
    (&[4, 2, 2], &["%Y", "%m", "%d"]),
];

impl Numbering {
    /// Reads the numbering from the newest version as written and from all others.
    pub fn of<'a>(newest: &str, all: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(format) = clock_format(newest) {
            return Self::Clock(format);
        }
        match (newest.len(), newest.bytes().all(|byte| byte.is_ascii_digit())) {
            (10, true) if newest.starts_with('1') => Self::Unix { milliseconds: false },
            (13, true) if newest.starts_with('1') => Self::Unix { milliseconds: true },
            _ => {
                let last = all.into_iter().filter(|raw| clock_format(raw).is_none()).filter_map(|raw| runs(raw).pop());
                let padded = last.filter(|run| run.len() > 1 && run.starts_with('0')).map(str::len);
                Self::Sequence(padded.max().unwrap_or(1))
            }
        }
    }

    /// Returns the numbering of a project without scripts, as its layout's own tool would begin.
    pub fn first(layout: Layout) -> (Self, &'static str) {
        match layout {
            Layout::Plain => (Self::Sequence(4), "_"),
            Layout::Goose => (Self::Sequence(5), "_"),
            Layout::Tern => (Self::Sequence(3), "_"),
            Layout::DottedFolders => (Self::Sequence(2), "__"),
            Layout::Flyway => (Self::Sequence(1), "__"),
            Layout::FolderPerChange => (Self::Clock("%Y-%m-%d-%H%M%S".to_owned()), "_"),
            Layout::Dbmate | Layout::Pop => (Self::Clock("%Y%m%d%H%M%S".to_owned()), "_"),
            Layout::SqlMigrate => (Self::Clock("%Y%m%d%H%M%S".to_owned()), "-"),
        }
    }

    /// Returns the version that a project without scripts begins with.
    pub fn begin(&self, layout: Layout, now: Timestamp) -> Written {
        let folder = match layout {
            Layout::DottedFolders => "0.1/",
            Layout::Flyway => "V",
            Layout::Plain
            | Layout::FolderPerChange
            | Layout::Dbmate
            | Layout::Goose
            | Layout::SqlMigrate
            | Layout::Tern
            | Layout::Pop => "",
        };
        let raw = self.now(now).unwrap_or_else(|| match (layout, self) {
            (Layout::DottedFolders, Self::Sequence(width)) => "0".repeat(*width),
            (_, Self::Sequence(width)) => format!("{:0>width$}", 1, width = *width),
            _ => "1".to_owned(),
        });
        written(folder, raw)
    }

    /// Returns what comes after a version.
    pub fn after(&self, last: &Written, now: Timestamp) -> Written {
        if let Some(raw) = self.now(now) {
            let next = written(&last.folder, raw);
            if is_above(&next, last) {
                return next;
            }
        }
        let stepped = match self {
            Self::Clock(format) => step(format, &last.raw),
            Self::Sequence(_) | Self::Unix { .. } => None,
        };
        let next = stepped.map(|raw| written(&last.folder, raw));
        match next.filter(|next| is_above(next, last)) {
            Some(next) => next,
            None => written(&last.folder, self.increment(&last.raw)),
        }
    }

    fn now(&self, now: Timestamp) -> Option<String> {
        match self {
            Self::Sequence(_) => None,
            Self::Clock(format) => strtime::format(format, now.to_zoned(TimeZone::UTC).datetime()).ok(),
            Self::Unix { milliseconds: false } => Some(now.as_second().to_string()),
            Self::Unix { milliseconds: true } => Some(now.as_millisecond().to_string()),
        }
    }

    /// Adds one to the last number, in its width.
    fn increment(&self, raw: &str) -> String {
        let last = runs(raw).pop().unwrap_or_default();
        let head = &raw[..raw.len() - last.len()];
        let width = match self {
            Self::Sequence(width) => *width,
            Self::Clock(_) | Self::Unix { .. } => last.len(),
        };
        let number = last.parse::<u128>().unwrap_or(0).saturating_add(1);
        format!("{head}{number:0width$}")
    }
}

/// Says whether what comes next is newer; the last one's version may be read by its date already.
fn is_above(next: &Written, last: &Written) -> bool {
    next.version.by_date() > last.version.by_date()
}

/// Makes a written version; folders are versions only where every one is.
fn written(folder: &str, raw: String) -> Written {
    let numbers = runs(&raw).into_iter().map(|run| run.parse().unwrap_or(u128::MAX)).collect();
    let own = Version::from_numbers(numbers);
    let outer =
        folder.trim_end_matches('/').split('/').map(|part| part.trim_start_matches(['v', 'V']).parse::<Version>());
    let outer = outer.collect::<Result<Vec<_>, _>>().unwrap_or_default();
    let outer: Vec<u128> = outer.iter().flat_map(|version| version.numbers().to_vec()).collect();
    let own = own.map(|version| version.numbers().to_vec()).unwrap_or_default();
    let numbers = [outer, own].concat();
    let version = Version::from_numbers(numbers).unwrap_or_else(|| Version::from(0));
    Written { folder: folder.to_owned(), raw, version }
}

/// Returns the runs of digits in a text.
fn runs(raw: &str) -> Vec<&str> {
    raw.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect()
}

/// Returns the format of a version that is a date, or a date and a time.
fn clock_format(raw: &str) -> Option<String> {
    let runs = runs(raw);
    let lengths: Vec<usize> = runs.iter().map(|run| run.len()).collect();
    let (_, codes) = CLOCKS.iter().find(|(shape, _)| *shape == lengths.as_slice())?;
    let digits = runs.concat();
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let is_date =
        (1970..2200).contains(&number(0, 4)) && (1..=12).contains(&number(4, 6)) && (1..=31).contains(&number(6, 8));
    if !is_date {
        return None;
    }
    let mut format = String::new();
    let mut rest = raw;
    for (run, code) in runs.iter().zip(*codes) {
        let (separator, behind) = rest.split_once(run)?;
        format.push_str(separator);
        format.push_str(code);
        rest = behind;
    }
    Some(format)
}

/// Returns the next moment that a format can tell from this one.
fn step(format: &str, raw: &str) -> Option<String> {
    let parsed = strtime::parse(format, raw).ok()?;
    let moment = match parsed.to_datetime() {
        Ok(moment) => moment,
        Err(_) => DateTime::from(parsed.to_date().ok()?),
    };
    let step = match (format.contains("%S"), format.contains("%M")) {
        (true, _) => Span::new().seconds(1),
        (false, true) => Span::new().minutes(1),
        (false, false) => Span::new().days(1),
    };
    strtime::format(format, moment.checked_add(step).ok()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-03-04T05:06:07Z".parse().unwrap()
    }

    fn next(raw: &str, all: &[&str]) -> String {
        Numbering::of(raw, all.iter().copied()).after(&written("", raw.to_owned()), now()).raw
    }

    #[test]
    fn a_sequence_keeps_its_width() {
        assert_eq!(next("0007", &["0001", "0007"]), "0008");
        assert_eq!(next("124", &["1", "99", "124"]), "125");
        assert_eq!(next("100", &["001", "100"]), "101");
        assert_eq!(next("9", &["8", "9"]), "10");
        assert_eq!(next("0999", &["0999"]), "1000");
        assert_eq!(next("1.2.9", &["1.2.9"]), "1.2.10");
        assert_eq!(next("1_2", &["1", "1_2"]), "1_3");
    }

    #[test]
    fn a_clock_keeps_its_spelling() {
        assert_eq!(next("20240418210159", &["00", "20240418210159"]), "20260304050607");
        assert_eq!(next("20240418_2101", &[]), "20260304_0506");
        assert_eq!(next("2024-04-18-210159", &[]), "2026-03-04-050607");
        assert_eq!(next("2024.04.18", &[]), "2026.03.04");
        assert_eq!(next("1700000000", &[]), "1772600767");
        assert_eq!(next("1700000000000", &[]), "1772600767000");
    }

    #[test]
    fn what_comes_next_is_above_whatever_the_clock_says() {
        assert_eq!(next("20270101235959", &[]), "20270102000000");
        assert_eq!(next("2027-12-31-2359", &[]), "2028-01-01-0000");
        assert_eq!(next("20260304", &[]), "20260305");
        // No such time exists, and still it counts on.
        assert_eq!(next("20270322519590", &[]), "20270322519591");
        assert_eq!(next("1900000000", &[]), "1900000001");
    }

    #[test]
    fn digits_that_are_no_date_are_a_sequence() {
        assert_eq!(next("20249999", &["20249999"]), "20250000");
        assert_eq!(next("00000012", &["00000012"]), "00000013");
    }

    #[test]
    fn a_folder_is_part_of_the_version() {
        let last = written("0.10/", "03".to_owned());
        assert_eq!(last.version, "0.10.3".parse().unwrap());
        let next = Numbering::of("03", ["03"]).after(&last, now());
        assert_eq!((next.folder.as_str(), next.raw.as_str()), ("0.10/", "04"));
        assert_eq!(written("sql/V", "1_2".to_owned()).version, "1.2".parse().unwrap());
    }

    #[test]
    fn the_first_script_is_numbered_as_its_tool_would() {
        let begin = |layout| Numbering::first(layout).0.begin(layout, now());
        assert_eq!(begin(Layout::Plain).raw, "0001");
        assert_eq!(begin(Layout::DottedFolders).version, "0.1.0".parse().unwrap());
        assert_eq!(begin(Layout::Dbmate).raw, "20260304050607");
        assert_eq!(begin(Layout::Flyway).folder, "V");
    }
}

//! What identifies a text: a prefixed BLAKE3 digest, kept beside the name of its algorithm so that a later
//! algorithm never invalidates an earlier checksum. The contract is `docs/reference/checksum.md`.

use std::fmt;
use std::str::FromStr;

/// The algorithm's name: BLAKE3 over UTF-8 without a leading BOM, with CRLF as LF.
const TEXT: &str = "blake3-lf-1";
/// The algorithm's name for the checksum over tokens: comments and white space left out, directives kept.
const TOKENS: &str = "blake3-tokens-1";

/// How many bytes of tokens are hashed at a time.
const BUFFER: usize = 16 << 10;

/// A digest with the name of its algorithm, written `blake3-lf-1:<64 hex digits>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum(String);

impl Checksum {
    /// Returns the checksum of a normalised text.
    pub fn of_text(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// Returns the checksum of bytes that count as they are (a file of a baseline).
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(format!("{TEXT}:{}", blake3::hash(bytes).to_hex()))
    }

    /// Returns the checksum of what a hasher was fed.
    pub fn of_hasher(hasher: &blake3::Hasher) -> Self {
        Self(format!("{TEXT}:{}", hasher.finalize().to_hex()))
    }

    /// Returns the checksum of a sequence of tokens; a length in front of each keeps `a b` apart from `ab`.
    pub fn of_tokens<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = blake3::Hasher::new();
        // BLAKE3 is slow on scraps and fast on what fills its lanes.
        let mut buffer = Vec::with_capacity(BUFFER);
        for token in tokens {
            buffer.extend_from_slice(&(token.len() as u64).to_le_bytes());
            buffer.extend_from_slice(token.as_bytes());
            if buffer.len() >= BUFFER - 64 {
                hasher.update(&buffer);
                buffer.clear();
            }
        }
        hasher.update(&buffer);
        Self(format!("{TOKENS}:{}", hasher.finalize().to_hex()))
    }

    /// Returns `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if this version of the tool can compute such a checksum.
    pub fn is_known(&self) -> bool {
        matches!(self.0.split_once(':'), Some((TEXT | TOKENS, _)))
    }

    /// Returns the first 12 digits, for people.
    pub fn short(&self) -> &str {
        let digits = self.0.split_once(':').map_or(self.0.as_str(), |(_, digits)| digits);
        digits.get(..12).unwrap_or(digits)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Checksum {
    type Err = std::convert::Infallible;

    /// Takes a checksum as it was stored, whatever its algorithm.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl From<String> for Checksum {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl serde::Serialize for Checksum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Checksum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?))
    }
}

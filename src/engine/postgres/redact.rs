//! Keeps secrets out of what people read: by value, wherever they turn up, not by the look of a text.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// The secrets of one target in every spelling in which they may appear.
#[derive(Clone, Default)]
pub(super) struct Redactor(Vec<String>);

impl Redactor {
    /// Adds a secret: as it is, and in each of the ways a URL or a keyword string spells it.
    pub(super) fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let encoded = percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string();
        let escaped = secret.replace('\\', "\\\\").replace('\'', "\\'");
        for spelling in [secret.to_owned(), encoded.to_lowercase(), encoded, escaped, secret.replace('\'', "''")] {
            if !self.0.contains(&spelling) {
                self.0.push(spelling);
            }
        }
        // The longest first: a spelling that holds another one must go as a whole.
        self.0.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    }

    /// Returns the text with each secret replaced by `***`.
    pub(super) fn clean(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| blanked(&text, secret))
    }
}

/// The letters from which on a secret is nothing that other words hold by chance.
const LONG: usize = 8;

/// A short word goes only where it stands alone: with the password `x`, `syntax` stays a word.
fn blanked(text: &str, secret: &str) -> String {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    if secret.len() >= LONG || !secret.chars().all(word) {
        return text.replace(secret, "***");
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        if !text[..at].ends_with(word) && !text[end..].starts_with(word) {
            cleaned.push_str(&text[copied..at]);
            cleaned.push_str("***");
            copied = end;
        }
    }
    cleaned + &text[copied..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_in_every_spelling() {
        let mut redactor = Redactor::default();
        redactor.add("p@ss'w/rd");
        for text in ["x p@ss'w/rd y", "x p%40ss%27w%2Frd y", "x p%40ss%27w%2frd y", "x p@ss''w/rd y", "x p@ss\\'w/rd y"]
        {
            assert_eq!(redactor.clean(text), "x *** y");
        }
        assert_eq!(Redactor::default().clean("as it is"), "as it is");
    }

    #[test]
    fn a_short_one_goes_only_as_a_word() {
        let mut redactor = Redactor::default();
        redactor.add("x");
        assert_eq!(redactor.clean("syntax error at x, x=1"), "syntax error at ***, ***=1");
        assert_eq!(redactor.clean("postgresql://ann:x@localhost/x"), "postgresql://ann:***@localhost/***");
    }
}

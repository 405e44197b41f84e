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
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
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
}

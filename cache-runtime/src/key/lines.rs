//! Several texts in one buffer.
//!
//! A lookup that has to compare tags renders them, compares them, and on a hit has no further use for them: like the key they stay on the stack
//! while they are short.

use super::text::Text;

/// Encoded texts, none of which has a line break: that is escaped.
#[derive(Debug)]
pub(crate) struct Lines(Text);

impl Lines {
    pub(crate) fn new() -> Self {
        Self(Text::new(usize::MAX))
    }

    pub(crate) fn push(&mut self, line: &str) {
        let pushed = self.0.push(line).and_then(|()| self.0.push("\n"));
        pushed.expect("a text without a limit is never full");
    }

    /// Spares ASCII the check that it is UTF-8.
    #[inline]
    pub(crate) fn push_ascii(&mut self, line: &[u8]) {
        debug_assert!(!line.contains(&b'\n'));
        let pushed = self
            .0
            .push_ascii(line)
            .and_then(|()| self.0.push_ascii(b"\n"));
        pushed.expect("a text without a limit is never full");
    }

    /// What they are compared by: they need not be shown to be UTF-8 for it.
    #[inline]
    pub(crate) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.0.as_bytes().split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| &line[..line.len() - 1])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.as_str().split_terminator('\n')
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_come_back_as_they_were() {
        let mut lines = Lines::new();
        assert_eq!(lines.iter().count(), 0);
        let texts = ["a", "", &"b".repeat(200), "c"];
        texts.iter().for_each(|text| lines.push(text));
        lines.push_ascii(b"d");
        let texts = texts.into_iter().chain(["d"]);
        assert!(lines.iter().eq(texts.clone()));
        assert!(lines.bytes().eq(texts.map(str::as_bytes)));
    }
}

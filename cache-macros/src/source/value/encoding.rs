//! The encoding of a key's literal text.
//!
//! Whatever means something to keys, globs or a Redis Cluster is escaped, so that neither the text of a template nor an
//! argument can become structure. `:` stays: in a literal it is structure. The runtime encodes arguments by the
//! same table; literals are encoded here so that a lookup copies finished bytes.

/// The characters that become `%XX`, beside white space and control characters.
const SPECIAL: &str = "*?[]{}\\%#,()=~'";

/// Percent-encodes literal text of a key.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for letter in text.chars() {
        if SPECIAL.contains(letter) || letter.is_whitespace() || letter.is_control() {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        } else {
            encoded.push(letter);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn structure_stays_and_everything_special_is_escaped() {
        assert_eq!(encode("product:a-b_c.d/ü"), "product:a-b_c.d/ü");
        assert_eq!(encode("a b%*{}"), "a%20b%25%2A%7B%7D");
        assert_eq!(encode("\r\n\0\u{2003}"), "%0D%0A%00%E2%80%83");
        assert_eq!(encode("?[]\\#,()=~'"), "%3F%5B%5D%5C%23%2C%28%29%3D%7E%27");
    }
}

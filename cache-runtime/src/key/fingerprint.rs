//! Which template wrote an entry, as a number.
//!
//! `"product:{slug}"` with the slug `featured` and the literal `"product:featured"` are the same text with different
//! meanings. The entry therefore carries a fingerprint of its template with the placeholders blanked, and a reader
//! of another template sees a miss. It is computed at compile time (FNV-1a, 64 bits): it tells the templates of one
//! program apart, it does not withstand an attacker, and no attacker chooses templates.

/// The fingerprint of a key that came without a template; it agrees with every other.
pub(crate) const UNSPECIFIED: u64 = 0;

/// The fingerprint of a template whose placeholders are written `{}`. Never [`UNSPECIFIED`].
pub(crate) const fn fingerprint(template: &str) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    let bytes = template.as_bytes();
    let mut hash = OFFSET_BASIS;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(PRIME);
        at += 1;
    }
    if hash == UNSPECIFIED {
        OFFSET_BASIS
    } else {
        hash
    }
}

/// The fingerprint of several templates in their order, behind those that have the fingerprint `before`; [`UNSPECIFIED`] of none.
pub(crate) const fn fingerprint_all(before: u64, templates: &[&str]) -> u64 {
    let mut hash = before;
    let mut at = 0;
    while at < templates.len() {
        hash = hash.rotate_left(7) ^ fingerprint(templates[at]);
        at += 1;
    }
    if hash == UNSPECIFIED && !templates.is_empty() {
        1
    } else {
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::{UNSPECIFIED, fingerprint};

    #[test]
    fn agrees_with_the_published_vectors() {
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn tells_a_placeholder_from_a_literal() {
        assert_ne!(fingerprint("product:{}"), fingerprint("product:featured"));
        assert_ne!(fingerprint(""), UNSPECIFIED);
    }
}

//! A line of `Forwarded` (RFC 7239, section 4).
//!
//! It is read whole or not at all. A client can begin a quoted string that it does not end; what its proxy appends would then stand inside
//! of it, and a lenient reader would take a name the client chose for the proxy's. With every rule of the grammar kept, such a line
//! has no reading.

use std::borrow::Cow;
use std::net::IpAddr;

use super::hop;
use crate::words;

/// The `for` of each element, in order; nothing for one that names no address. Nothing at all for a line out of order.
pub(super) fn hops(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut rest = Rest(line);
    let mut hops = Vec::new();
    loop {
        rest.skip_space();
        // Lists may have empty elements (RFC 9110, section 5.6.1.2): they name nobody, and are no hop.
        if let Some(hop) = rest.element()? {
            hops.push(hop);
        }
        rest.skip_space();
        if rest.0.is_empty() {
            return Some(hops);
        }
        rest.eat(',').then_some(())?;
    }
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Pairs with `;` between; `Some(None)` if there are none.
    fn element(&mut self) -> Option<Option<Option<IpAddr>>> {
        let (mut pairs, mut hop) = (0, None);
        loop {
            if !self.0.starts_with([';', ',', ' ', '\t']) && !self.0.is_empty() {
                let name = self.token()?;
                self.eat('=').then_some(())?;
                let value = self.value()?;
                if name.eq_ignore_ascii_case("for") {
                    // "Each parameter MUST NOT occur more than once per field-value" (element).
                    hop.is_none().then_some(())?;
                    hop = Some(hop::parse(&value));
                }
                pairs += 1;
            }
            if !self.eat(';') {
                let element = (pairs > 0).then_some(hop.flatten());
                return Some(element);
            }
        }
    }

    fn value(&mut self) -> Option<Cow<'a, str>> {
        let (value, rest) = words::value(self.0)?;
        self.0 = rest;
        Some(value)
    }

    fn token(&mut self) -> Option<&'a str> {
        let (token, rest) = words::token(self.0)?;
        self.0 = rest;
        Some(token)
    }

    fn eat(&mut self, char: char) -> bool {
        let rest = self.0.strip_prefix(char);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }
}

#[cfg(test)]
mod tests {
    use super::hops;

    fn read(line: &str) -> Option<Vec<String>> {
        let name = |hop: Option<std::net::IpAddr>| hop.map_or("?".to_owned(), |it| it.to_string());
        Some(hops(line)?.into_iter().map(name).collect())
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        for (line, read_as) in [
            ("for=\"_gazonk\"", "?"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            (
                "for=192.0.2.43, for=198.51.100.17",
                "192.0.2.43 198.51.100.17",
            ),
            (
                "for=192.0.2.43, for=\"[2001:db8:cafe::17]\"",
                "192.0.2.43 2001:db8:cafe::17",
            ),
            ("for=_hidden, for=_SEVKISEK", "? ?"),
            (
                "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown",
                "192.0.2.43 2001:db8:cafe::17 ?",
            ),
        ] {
            assert_eq!(
                read(line).map(|it| it.join(" ")).as_deref(),
                Some(read_as),
                "{line}"
            );
        }
    }

    #[test]
    fn an_element_without_a_for_is_a_hop_without_a_name() {
        assert_eq!(
            read("for=192.0.2.1, proto=https").unwrap(),
            ["192.0.2.1", "?"]
        );
        assert_eq!(read("for=192.0.2.1, , ").unwrap(), ["192.0.2.1"]);
    }

    #[test]
    fn separators_inside_of_quotes_separate_nothing() {
        assert_eq!(
            read("host=\"a,for=6.6.6.6;\\\"\";for=192.0.2.1").unwrap(),
            ["192.0.2.1"]
        );
    }

    #[test]
    fn a_line_out_of_order_is_not_read() {
        for line in [
            "for=\", for=192.0.2.1",
            "for=\"x\\, for=192.0.2.1",
            "for=\"6.6.6.6, for=\"[2001:db8::1]\"",
            "for=6.6.6.6;for=7.7.7.7",
            "for=192.0.2.1 for=6.6.6.6",
            "for",
            "for=",
            "=192.0.2.1",
            "for=[2001:db8::1]",
            "192.0.2.1",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}

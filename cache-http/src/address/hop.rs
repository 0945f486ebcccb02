//! One hop of a list: an address, as proxies write it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; with a mapped address as the IPv4 it is.
/// Nothing for whatever else.
pub(super) fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches([' ', '\t']);
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']');
    let address = (text.parse::<IpAddr>().ok())
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .or_else(|| Some(bracketed()?.parse::<Ipv6Addr>().ok()?.into()))
        // RFC 7239 allows a port that is no number (`:_hidden`).
        .or_else(|| {
            let (address, port) = text.rsplit_once(':')?;
            let hidden = port.strip_prefix('_')?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            (!hidden.is_empty() && hidden.chars().all(is_name)).then_some(())?;
            let bare = address
                .strip_prefix('[')
                .and_then(|it| it.strip_suffix(']'));
            match bare {
                Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::from),
                None => address.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::from),
            }
        })?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_way_to_write_an_address_is_read() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1\t", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("192.0.2.1:_p", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]:_p", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ] {
            assert_eq!(parse(text), Some(address.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_an_address() {
        for text in [
            "",
            "unknown",
            "_hidden",
            "192.0.2",
            "192.0.2.1:x",
            "192.0.2.1:_",
            "192.0.2.1 192.0.2.2",
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]:_p",
            "\"192.0.2.1\"",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

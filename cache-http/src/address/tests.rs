use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use super::{Address, Peer, household};

fn seen(address: &Address, peer: Option<&str>, lines: &[(&str, &str)]) -> Option<String> {
    let mut extensions = Extensions::new();
    if let Some(peer) = peer {
        let ip: IpAddr = peer.parse().unwrap();
        extensions.insert(Peer(SocketAddr::new(ip, 4711)));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let client = address.of(&headers, &extensions);
    client.map(|client| client.to_string())
}

fn x(lines: &[&str], peer: &str) -> String {
    let address = Address::x_forwarded_for(["10.0.0.0/8", "fd00::/8"]).unwrap();
    let lines: Vec<_> = lines.iter().map(|&it| ("x-forwarded-for", it)).collect();
    seen(&address, Some(peer), &lines).unwrap()
}

#[test]
fn without_trusted_proxies_headers_mean_nothing() {
    let lines = [("x-forwarded-for", "6.6.6.6"), ("forwarded", "for=6.6.6.6")];
    let peer = Some("192.0.2.1");
    assert_eq!(seen(&Address::peer(), peer, &lines).as_deref(), peer);
    let none_trusted = Address::x_forwarded_for([]).unwrap();
    assert_eq!(seen(&none_trusted, peer, &lines).as_deref(), peer);
}

#[test]
fn a_stranger_cannot_speak_for_others() {
    assert_eq!(x(&["6.6.6.6"], "192.0.2.1"), "192.0.2.1");
    assert_eq!(x(&["10.0.0.9, 6.6.6.6"], "192.0.2.1"), "192.0.2.1");
}

#[test]
fn what_the_client_wrote_before_its_proxy_is_not_read() {
    assert_eq!(x(&["6.6.6.6, 192.0.2.1"], "10.0.0.1"), "192.0.2.1");
    assert_eq!(
        x(&["10.0.0.7, 192.0.2.1, 10.0.0.2"], "10.0.0.1"),
        "192.0.2.1"
    );
    // A proxy may write a line of its own.
    assert_eq!(x(&["6.6.6.6", "192.0.2.1"], "10.0.0.1"), "192.0.2.1");
    assert_eq!(
        x(&["6.6.6.6, garbage", "192.0.2.1", "10.0.0.2"], "10.0.0.1"),
        "192.0.2.1"
    );
}

#[test]
fn a_hop_that_cannot_be_read_ends_the_walk_at_the_proxy_that_wrote_it() {
    assert_eq!(x(&["6.6.6.6, garbage"], "10.0.0.1"), "10.0.0.1");
    assert_eq!(x(&["6.6.6.6, unknown, 10.0.0.2"], "10.0.0.1"), "10.0.0.2");
    assert_eq!(x(&[], "10.0.0.1"), "10.0.0.1");
}

#[test]
fn a_client_inside_is_the_outermost_hop() {
    assert_eq!(x(&["10.3.3.3, 10.0.0.2"], "10.0.0.1"), "10.3.3.3");
}

#[test]
fn mapped_addresses_are_their_ipv4() {
    assert_eq!(x(&["192.0.2.1"], "::ffff:10.0.0.1"), "192.0.2.1");
    assert_eq!(x(&["[::ffff:192.0.2.1]:9"], "fd00::1"), "192.0.2.1");
    assert_eq!(x(&["6.6.6.6"], "::ffff:192.0.2.1"), "192.0.2.1");
}

#[test]
fn only_the_named_header_is_read() {
    let address = Address::forwarded(["10.0.0.0/8"]).unwrap();
    let lines = [
        ("x-forwarded-for", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6, for=192.0.2.1;proto=https"),
    ];
    assert_eq!(
        seen(&address, Some("10.0.0.1"), &lines).as_deref(),
        Some("192.0.2.1")
    );
    let open_quote = [("forwarded", "for=6.6.6.6;host=\", for=192.0.2.1")];
    assert_eq!(
        seen(&address, Some("10.0.0.1"), &open_quote).as_deref(),
        Some("10.0.0.1")
    );
}

#[test]
fn a_peer_without_an_address_is_a_proxy_only_if_so_named() {
    let lines = [("x-forwarded-for", "192.0.2.1")];
    let address = Address::x_forwarded_for(["10.0.0.0/8"]).unwrap();
    assert_eq!(seen(&address, None, &lines), None);
    let address = address.unix_socket();
    assert_eq!(seen(&address, None, &lines).as_deref(), Some("192.0.2.1"));
    assert_eq!(seen(&address, None, &[]), None);
    assert_eq!(
        seen(&address, Some("192.0.2.7"), &lines).as_deref(),
        Some("192.0.2.7")
    );
}

#[cfg(feature = "axum")]
#[test]
fn axum_says_who_the_peer_is() {
    let mut extensions = Extensions::new();
    let peer: SocketAddr = "192.0.2.1:9".parse().unwrap();
    extensions.insert(axum::extract::ConnectInfo(peer));
    let client = Address::peer().of(&HeaderMap::new(), &extensions);
    assert_eq!(client, Some(peer.ip()));
}

#[test]
fn a_network_of_ipv6_is_one_household() {
    let of = |text: &str| household(text.parse().unwrap()).to_string();
    assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(of("2001:db8:1:2::9"), "2001:db8:1:2::");
    assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    assert_eq!(of("192.0.2.1"), "192.0.2.1");
}

/// What a client may send: pieces that mean something in these headers, in any order.
fn forged() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("for="),
        Just("For=\""),
        Just("6.6.6.6"),
        Just("\"6.6.6.6\""),
        Just("\""),
        Just("\\"),
        Just(","),
        Just(", "),
        Just(";"),
        Just("by="),
        Just("host=\"a"),
        Just("10.0.0.1"),
        Just("[2001:db8::6]"),
        Just(":80"),
        Just("unknown"),
        Just("="),
        Just(" "),
        Just("proto=https"),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// However the client begins the line, what the proxy appends to it decides: the client's own address, or, where the line makes no
    /// sense, the proxy's.
    #[test]
    fn whatever_a_client_sends_it_is_itself_or_its_proxy(forged in forged(), ipv6: bool) {
        let (plain, named) = if ipv6 {
            ("2001:db8:1::1", "for=\"[2001:db8:1::1]:99\";proto=\"https\"")
        } else {
            ("192.0.2.1", "for=192.0.2.1;proto=https")
        };
        for (address, name, own) in [
            (Address::x_forwarded_for(["10.0.0.0/8"]).unwrap(), "x-forwarded-for", plain),
            (Address::forwarded(["10.0.0.0/8"]).unwrap(), "forwarded", named),
        ] {
            let line = format!("{forged}, {own}");
            let client = seen(&address, Some("10.0.0.1"), &[(name, &line)]).unwrap();
            prop_assert!([plain, "10.0.0.1"].contains(&client.as_str()), "{}: {}", line, client);
        }
    }
}

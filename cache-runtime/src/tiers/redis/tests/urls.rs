//! Endpoints from URLs.

use crate::tiers::redis::endpoint::Address;
use crate::tiers::redis::{Endpoint, parse};

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp {
        host: host.to_owned(),
        port,
        tls: false,
    }
}

fn account(endpoint: &Endpoint) -> (Option<&str>, Option<&str>) {
    (endpoint.user.as_deref(), endpoint.password.as_deref())
}

#[test]
fn addresses_and_accounts_are_read() {
    let plain = parse("redis://cache.example").unwrap();
    assert!(plain.address == tcp("cache.example", 6379));
    assert_eq!((account(&plain), plain.database), ((None, None), 0));

    let full = parse("redis://me:p%40ss%2F%23:x@[::1]:7000/3").unwrap();
    assert!(full.address == tcp("::1", 7000));
    assert_eq!(account(&full), (Some("me"), Some("p@ss/#:x")));
    assert_eq!(full.database, 3);

    let default_user = parse("redis://:secret@10.0.0.1:1/").unwrap();
    assert_eq!(account(&default_user), (None, Some("secret")));
    assert!(parse("redis://:@host").unwrap().password.is_none());

    for scheme in ["redis+unix", "unix"] {
        let socket = parse(&format!(
            "{scheme}:///run/a%20b.sock?db=2&user=u&pass=p%26q"
        ))
        .unwrap();
        assert!(socket.address == Address::Socket("/run/a b.sock".into()));
        assert_eq!(account(&socket), (Some("u"), Some("p&q")));
        assert_eq!(socket.database, 2);
    }
}

#[test]
fn errors_name_the_part_and_hide_the_password() {
    for (url, part) in [
        ("localhost:6379", "scheme"),
        ("http://:s3cret@host", "`http`"),
        ("redis-cluster://:s3cret@a,b", "`redis-cluster`"),
        ("redis://", "host"),
        ("redis://:s3cret@:6379", "host"),
        ("redis://:s3cret@ho st", "host"),
        ("redis://:s3cret@host:99999", "port"),
        ("redis://:s3cret@host:0", "port"),
        ("redis://:s3cret@host:x", "port"),
        ("redis://:s3cret@[::1", "`]`"),
        ("redis://:s3cret@[nonsense]", "IPv6"),
        ("redis://:s3cret@host/x", "database `x`"),
        ("redis://:s3cret@host/-1", "database `-1`"),
        ("redis://:s3cret@host?protocol=9", "`protocol`"),
        ("redis://:s3cret@host#insecure", "`#`"),
        ("redis://:s3c/ret@host", "%2F"),
        ("redis://:s3c#ret@host", "%2F"),
        ("redis://:s3c@ret@host", "%40"),
        ("redis://:s3cret%zz@host", "%25"),
        ("redis://:s3cret%ff@host", "UTF-8"),
        ("redis://s3cret@host", "password"),
        ("redis://me:s3cret", "port"),
        ("unix://relative/path", "absolute"),
        ("unix://", "absolute"),
        ("unix:///p?pass=s3cret&dbs=1", "`dbs`"),
    ] {
        let error = parse(url).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(part), "{url}: {text}");
        assert!(
            !text.contains("s3c") && !text.contains("ret"),
            "{url}: {text}"
        );
    }
}

#[test]
fn nothing_shows_the_password() {
    let endpoint = parse("redis://someone:s3cret@host:1/2").unwrap();
    assert_eq!(endpoint.to_string(), "redis://host:1/2");
    let tier = crate::tiers::redis::RedisTier::new("shop", endpoint.clone(), super::limits(1));
    for text in [format!("{endpoint:?}"), format!("{tier:?}")] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    let quoted = "ERR unknown command 'AUTH', with args beginning with: 'someone' 's3cr";
    assert_eq!(endpoint.redact(quoted), "ERR unknown command 'AUTH'");
    assert_eq!(endpoint.redact("s3cret is wrong"), "*** is wrong");
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_without_the_feature_names_it() {
    let error = parse("rediss://host").unwrap_err().to_string();
    assert!(error.contains("`tls`"), "{error}");
}

#[cfg(feature = "tls")]
#[test]
fn tls_is_a_property_of_the_address() {
    let endpoint = parse("rediss://host").unwrap();
    assert!(
        endpoint.address
            == Address::Tcp {
                host: "host".to_owned(),
                port: 6379,
                tls: true
            }
    );
}

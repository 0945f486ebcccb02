//! Endpoints from URLs.

use crate::tiers::redis::endpoint::{Account, Address, Sentinels, Topology};
use crate::tiers::redis::{Endpoint, parse};

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp {
        host: host.to_owned(),
        port,
        tls: false,
    }
}

fn account(endpoint: &Endpoint) -> (Option<&str>, Option<&str>) {
    parts(&endpoint.account)
}

fn parts(account: &Account) -> (Option<&str>, Option<&str>) {
    (account.user.as_deref(), account.password.as_deref())
}

fn is_at(endpoint: &Endpoint, address: &Address) -> bool {
    matches!(&endpoint.topology, Topology::One(at) if at == address)
}

#[test]
fn addresses_and_accounts_are_read() {
    let plain = parse("redis://cache.example").unwrap();
    assert!(is_at(&plain, &tcp("cache.example", 6379)));
    assert_eq!((account(&plain), plain.database), ((None, None), 0));

    let full = parse("redis://me:p%40ss%2F%23:x@[::1]:7000/3").unwrap();
    assert!(is_at(&full, &tcp("::1", 7000)));
    assert_eq!(account(&full), (Some("me"), Some("p@ss/#:x")));
    assert_eq!(full.database, 3);

    let default_user = parse("redis://:secret@10.0.0.1:1/").unwrap();
    assert_eq!(account(&default_user), (None, Some("secret")));
    assert!(parse("redis://:@host").unwrap().account.password.is_none());

    for scheme in ["redis+unix", "unix"] {
        let socket = parse(&format!(
            "{scheme}:///run/a%20b%26c.sock?db=2&user=u&pass=p%26q"
        ))
        .unwrap();
        assert!(is_at(&socket, &Address::Socket("/run/a b&c.sock".into())));
        assert_eq!(account(&socket), (Some("u"), Some("p&q")));
        assert_eq!(socket.database, 2);
    }
}

fn sentinels(endpoint: &Endpoint) -> &Sentinels {
    match &endpoint.topology {
        Topology::Sentinels(sentinels) => sentinels,
        Topology::One(_) | Topology::Cluster(_) => panic!("no Sentinels: {endpoint}"),
    }
}

#[test]
fn nodes_of_a_cluster_are_read() {
    let nodes = |endpoint: &Endpoint| match &endpoint.topology {
        Topology::Cluster(seeds) => seeds.clone(),
        Topology::One(_) | Topology::Sentinels(_) => panic!("no cluster: {endpoint}"),
    };
    for scheme in ["redis-cluster", "redis+cluster", "Redis-Cluster"] {
        let full = parse(&format!("{scheme}://me:p%40ss@one:1,[::1]:2,three/0")).unwrap();
        assert_eq!(
            nodes(&full),
            [tcp("one", 1), tcp("::1", 2), tcp("three", 6379)]
        );
        assert_eq!(account(&full), (Some("me"), Some("p@ss")));
        assert_eq!(full.to_string(), "redis-cluster://one:1,[::1]:2,three:6379");
    }
}

#[test]
fn sentinels_and_what_they_call_the_primary_are_read() {
    let plain = parse("redis-sentinel://one/shop").unwrap();
    let known = sentinels(&plain);
    assert!(known.addresses == [tcp("one", 26379)]);
    assert_eq!((known.primary.as_str(), known.tls), ("shop", false));
    assert_eq!((account(&plain), plain.database), ((None, None), 0));
    assert_eq!(parts(&known.account), (None, None));

    for scheme in ["redis-sentinel", "redis+sentinel", "Redis-Sentinel"] {
        let full = parse(&format!(
            "{scheme}://me:p%40ss@one:1,[::1]:2,three/my%20shop/3?sentinel_username=ops&sentinel_password=s%26t"
        ))
        .unwrap();
        let known = sentinels(&full);
        assert!(known.addresses == [tcp("one", 1), tcp("::1", 2), tcp("three", 26379)]);
        assert_eq!(known.primary, "my shop");
        assert_eq!(parts(&known.account), (Some("ops"), Some("s&t")));
        assert_eq!(account(&full), (Some("me"), Some("p@ss")));
        assert_eq!(full.database, 3);
    }

    let password = parse("redis-sentinel://one/shop/?sentinel_user=&sentinel_password=p").unwrap();
    assert_eq!(
        parts(&sentinels(&password).account),
        (None, Some("p")),
        "its default user"
    );
    assert_eq!(
        account(&password),
        (None, None),
        "it is not that of the servers"
    );
}

#[test]
fn errors_name_the_part_and_hide_the_password() {
    for (url, part) in [
        ("localhost:6379", "scheme"),
        ("http://:s3cret@host", "`http`"),
        ("redis-ring://:s3cret@a,b", "`redis-ring`"),
        ("redis-cluster://:s3cret@a,b/1", "a cluster has only one"),
        ("redis-cluster://:s3cret@a,b/x", "a cluster has only one"),
        ("redis-cluster://:s3cret@a,b:6379,b", "twice"),
        ("redis-cluster://:s3cret@a,,b", "host"),
        ("redis-cluster://:s3cret@a?db=1", "parameter 1"),
        ("redis-cluster://me@a", "password"),
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
        ("redis://:s3cret@host?protocol=9", "parameter 1"),
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
        ("unix:///p?pass=s3cret&dbs=1", "parameter 2"),
        (
            "redis-sentinel://:s3cret@a,b",
            "redis-sentinel://host,host/NAME",
        ),
        (
            "redis-sentinel://:s3cret@a,b//0",
            "redis-sentinel://host,host/NAME",
        ),
        ("redis-sentinel://:s3cret@a,,b/shop", "host"),
        ("redis-sentinel://:s3cret@/shop", "host"),
        ("redis-sentinel://:s3cret@a,b:x/shop", "port"),
        ("redis-sentinel://:s3cret@a,b,a:26379/shop", "twice"),
        ("redis-sentinel://:s3cret@a/shop/x", "database `x`"),
        ("redis-sentinel://:s3cret@a/shop/0/1", "database `0/1`"),
        (
            "redis-sentinel://a/shop?sentinel_password=s3cret&password=1",
            "parameter 2",
        ),
        ("unix:///p?pass=s3c&ret", "%26"),
        ("redis-sentinel://a/shop?sentinel_password=s3c&ret=1", "%26"),
        ("redis:///:?s3cret@host", "%3F"),
        (
            "redis-sentinel://a/shop?sentinel_username=s3cret",
            "`sentinel_password=…`",
        ),
        ("redis-sentinel://a/shop?sentinel_password=s3c@ret", "%40"),
        (
            "redis-sentinel://a/shop&sentinel_password=s3cret",
            "begin with `?`",
        ),
        (
            "redis-sentinel://a/shop/0&sentinel_password=s3cret",
            "begin with `?`",
        ),
        ("redis://host&pass=s3cret", "begin with `?`"),
        ("unix:///p&pass=s3cret", "%26"),
        ("unix:///p?db=1?pass=s3cret", "database in"),
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

    let url =
        "redis-sentinel://someone:s3cret@a,b:2/shop/1?sentinel_user=u&sentinel_password=gehe1m";
    let endpoint = parse(url).unwrap();
    assert_eq!(endpoint.to_string(), "redis-sentinel://a:26379,b:2/shop/1");
    assert_eq!(endpoint.redact("s3cret, gehe1m"), "***, ***");
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_without_the_feature_names_it() {
    for url in ["rediss://host", "rediss-sentinel://host/shop"] {
        let error = parse(url).unwrap_err().to_string();
        assert!(error.contains("`tls`"), "{error}");
    }
}

#[cfg(feature = "tls")]
#[test]
fn tls_is_a_property_of_the_address() {
    let endpoint = parse("rediss://host").unwrap();
    let secure = |port| Address::Tcp {
        host: "host".to_owned(),
        port,
        tls: true,
    };
    assert!(is_at(&endpoint, &secure(6379)));
    let endpoint = parse("rediss-sentinel://host/shop").unwrap();
    let sentinels = sentinels(&endpoint);
    assert!(sentinels.tls && sentinels.addresses == [secure(26379)]);
    assert_eq!(endpoint.to_string(), "rediss-sentinel://host:26379/shop/0");
}

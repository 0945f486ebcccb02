//! An endpoint from one URL.
//!
//! | URL | what is meant |
//! | --- | --- |
//! | `redis://[[user]:password@]host[:port][/db]` | one server |
//! | `redis+unix:///path[?db=…&user=…&pass=…]`, `unix://…` | one server, by its socket |
//! | `redis-sentinel://[[user]:password@]host[:port][,host[:port]…]/name[/db][?sentinel_username=…&sentinel_password=…]` | the primary that these Sentinels call `name` |
//! | `redis-cluster://[[user]:password@]host[:port][,host[:port]…]` | the cluster that these nodes belong to |
//!
//! `rediss://…`, `rediss-cluster://…` and `rediss-sentinel://…` are the same with TLS (feature `tls`), the latter to Sentinels and servers. The account before the `@` is
//! that of the servers, as in the URLs of other clients. The scheme is spelt as lettuce and fred spell it; `redis+sentinel://`, as in Python, is the same.
//!
//! Percent-encoded parts are decoded. Reading a URL touches no network, and whatever it does not understand is an error: an
//! option that does nothing would be worse. Errors name the part that is wrong and never quote what
//! stands where a password could.

use std::fmt;

use super::endpoint::{Account, Address, Endpoint, Sentinels, Topology};
use super::url::{self, Parts};

const DEFAULT_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const SCHEMES: &str = "`redis://`, `rediss://`, `redis-sentinel://`, `rediss-sentinel://`, `redis-cluster://`, `rediss-cluster://`, `redis+unix://` or `unix://`";

/// Why a URL cannot be used. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadUrl(Box<str>);

impl BadUrl {
    pub(super) fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadUrl {}

/// Reads a URL; no network.
pub(crate) fn parse(url: &str) -> Result<Endpoint, BadUrl> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(BadUrl::new(format!(
            "the Redis URL has no scheme: write {SCHEMES} and an address"
        )));
    };
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "redis" => tcp(rest, false),
        "redis-sentinel" | "redis+sentinel" => sentinels(rest, false),
        "redis-cluster" | "redis+cluster" => cluster(rest, false),
        "rediss" if cfg!(feature = "tls") => tcp(rest, true),
        "rediss-sentinel" | "rediss+sentinel" if cfg!(feature = "tls") => sentinels(rest, true),
        "rediss-cluster" | "rediss+cluster" if cfg!(feature = "tls") => cluster(rest, true),
        "rediss" | "rediss-sentinel" | "rediss+sentinel" | "rediss-cluster" | "rediss+cluster" => {
            Err(BadUrl::new(format!(
                "a `{scheme}://` URL needs the feature `tls` of `cache-runtime`"
            )))
        }
        "redis+unix" | "unix" if cfg!(unix) => socket(rest),
        "redis+unix" | "unix" => Err(BadUrl::new("this platform has no unix sockets")),
        other
            if other
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            Err(BadUrl::new(format!(
                "unknown scheme `{other}` in the Redis URL: write {SCHEMES}"
            )))
        }
        _ => Err(BadUrl::new(format!(
            "the Redis URL does not begin with a scheme: write {SCHEMES}"
        ))),
    }
}

fn tcp(rest: &str, tls: bool) -> Result<Endpoint, BadUrl> {
    let parts = Parts::split(rest)?;
    if !parts.query()?.is_empty() {
        return Err(unknown_parameter(0, "has none"));
    }
    let address = tcp_address(parts.address, DEFAULT_PORT, tls)?;
    let database = match parts.path.trim_matches('/') {
        "" => 0,
        number => database(number)?,
    };
    endpoint(Topology::One(address), account(&parts)?, database)
}

fn socket(rest: &str) -> Result<Endpoint, BadUrl> {
    let parts = Parts::split(rest)?;
    if !parts.address.is_empty() || parts.path.is_empty() {
        return Err(BadUrl::new(
            "the socket's path in the Redis URL is not absolute: write `redis+unix:///path`",
        ));
    }
    let path = url::decode(parts.path, "path")?;
    let (mut number, mut account) = (0, Account::default());
    for (at, (name, value)) in parts.query()?.into_iter().enumerate() {
        match name.as_str() {
            "db" => number = database(&value)?,
            "user" => account.user = Some(value),
            "pass" => account.password = Some(value),
            _ => return Err(unknown_parameter(at, "knows `db`, `user` and `pass`")),
        }
    }
    endpoint(Topology::One(Address::Socket(path.into())), account, number)
}

fn sentinels(rest: &str, tls: bool) -> Result<Endpoint, BadUrl> {
    let parts = Parts::split(rest)?;
    let addresses = addresses(&parts, SENTINEL_PORT, tls)?;
    let path = parts.path.strip_prefix('/').unwrap_or(parts.path);
    let (name, number) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() {
        return Err(BadUrl::new(
            "the Redis URL does not say what the Sentinels call the primary: write `redis-sentinel://host,host/NAME`",
        ));
    }
    let mut known = Account::default();
    for (at, (name, value)) in parts.query()?.into_iter().enumerate() {
        match name.as_str() {
            "sentinel_username" | "sentinel_user" => known.user = Some(value),
            "sentinel_password" => known.password = Some(value),
            _ => {
                let known = "knows `sentinel_username` and `sentinel_password`";
                return Err(unknown_parameter(at, known));
            }
        }
    }
    let topology = Topology::Sentinels(Sentinels {
        addresses,
        primary: url::decode(name, "primary's name")?,
        account: checked(known, "write `sentinel_password=…` as well")?,
        tls,
    });
    let number = match number {
        "" => 0,
        number => database(number)?,
    };
    endpoint(topology, account(&parts)?, number)
}

fn cluster(rest: &str, tls: bool) -> Result<Endpoint, BadUrl> {
    let parts = Parts::split(rest)?;
    if !parts.query()?.is_empty() {
        return Err(unknown_parameter(0, "has none"));
    }
    let seeds = addresses(&parts, DEFAULT_PORT, tls)?;
    if !matches!(parts.path.trim_matches('/'), "" | "0") {
        return Err(BadUrl::new(
            "the Redis URL names a database, and a cluster has only one: leave it out",
        ));
    }
    endpoint(Topology::Cluster(seeds), account(&parts)?, 0)
}

/// Several, separated by commas.
fn addresses(parts: &Parts<'_>, default_port: u16, tls: bool) -> Result<Vec<Address>, BadUrl> {
    let mut addresses = Vec::new();
    for address in parts.address.split(',') {
        let address = tcp_address(address, default_port, tls)?;
        if addresses.contains(&address) {
            return Err(BadUrl::new("the Redis URL names an address twice"));
        }
        addresses.push(address);
    }
    Ok(addresses)
}

fn tcp_address(text: &str, default_port: u16, tls: bool) -> Result<Address, BadUrl> {
    let (host, port) = url::host_and_port(text)?;
    Ok(Address::Tcp {
        host,
        port: port.unwrap_or(default_port),
        tls,
    })
}

/// By its place: what looks like its name may be the rest of a password with an `&` or a `?` in it.
fn unknown_parameter(at: usize, known: &str) -> BadUrl {
    BadUrl::new(format!(
        "parameter {} of the Redis URL is unknown: this scheme {known} (in a password, write `%26` for `&` and `%3F` for `?`)",
        at + 1
    ))
}

/// Quoted in its error only where it cannot be another parameter behind a second `?`.
fn database(number: &str) -> Result<u32, BadUrl> {
    number.parse().map_err(|_| {
        let is_one_word = number
            .chars()
            .all(|c| c.is_alphanumeric() || "-/".contains(c));
        let quoted = if is_one_word {
            format!(" `{number}`")
        } else {
            String::new()
        };
        BadUrl::new(format!(
            "the database{quoted} in the Redis URL is not a number"
        ))
    })
}

fn account(parts: &Parts<'_>) -> Result<Account, BadUrl> {
    let (user, password) = parts.account()?;
    Ok(Account { user, password })
}

fn checked(mut account: Account, write: &str) -> Result<Account, BadUrl> {
    account.user = account.user.filter(|user| !user.is_empty());
    account.password = account.password.filter(|password| !password.is_empty());
    if account.user.is_some() && account.password.is_none() {
        return Err(BadUrl::new(format!(
            "the Redis URL has a user but no password: {write}"
        )));
    }
    Ok(account)
}

fn endpoint(topology: Topology, account: Account, database: u32) -> Result<Endpoint, BadUrl> {
    let write = "write `user:password@`, or `:password@` for the default user";
    Ok(Endpoint {
        topology,
        account: checked(account, write)?,
        database,
        // Whose limits they are is known to the tier.
        max_value_bytes: 0,
        #[cfg(feature = "test-util")]
        hosts: None,
    })
}

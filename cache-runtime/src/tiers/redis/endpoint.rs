//! Where the server is and who we are there, from one URL.
//!
//! `redis://[[user]:password@]host[:port][/db]`, `rediss://…` for TLS (feature `tls`), and
//! `redis+unix:///path[?db=…&user=…&pass=…]` or `unix://…` for a socket. Percent-encoded parts are
//! decoded. Reading a URL touches no network, and whatever it does not understand is an error: an
//! option that does nothing would be worse.
//!
//! A password must not reach logs, errors or `Debug`. So errors name the part that is wrong and never
//! quote what stands where a password could, and texts of the server pass through [`Endpoint::words`].
//!
//! With TLS the server's certificate is checked against the system's roots, read at each connection;
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::fault::words;
use super::url::{self, Parts};

const DEFAULT_PORT: u16 = 6379;
const SCHEMES: &str = "`redis://`, `rediss://`, `redis+unix://` or `unix://`";

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

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Address {
    Tcp { host: String, port: u16, tls: bool },
    Socket(PathBuf),
}

/// A server and an account on it.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(super) address: Address,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

/// Reads a URL; no network.
pub(crate) fn parse(url: &str) -> Result<Endpoint, BadUrl> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(BadUrl::new(format!(
            "the Redis URL has no scheme: write {SCHEMES} and an address"
        )));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "redis" => tcp(rest, false),
        "rediss" if cfg!(feature = "tls") => tcp(rest, true),
        "rediss" => Err(BadUrl::new(
            "a `rediss://` URL needs the feature `tls` of `cache-runtime`",
        )),
        "redis+unix" | "unix" if cfg!(unix) => socket(rest),
        "redis+unix" | "unix" => Err(BadUrl::new("this platform has no unix sockets")),
        other => Err(BadUrl::new(format!(
            "unknown scheme `{}` in the Redis URL: write {SCHEMES}",
            other.escape_debug()
        ))),
    }
}

fn tcp(rest: &str, tls: bool) -> Result<Endpoint, BadUrl> {
    let parts = Parts::split(rest)?;
    if let Some((name, _)) = parts.query()?.first() {
        return Err(unknown_parameter(name, "has none"));
    }
    let (host, port) = url::host_and_port(parts.address)?;
    let database = match parts.path.trim_matches('/') {
        "" => 0,
        number => database(number)?,
    };
    let (user, password) = parts.account()?;
    Endpoint {
        address: Address::Tcp {
            host,
            port: port.unwrap_or(DEFAULT_PORT),
            tls,
        },
        user,
        password,
        database,
    }
    .checked()
}

fn socket(rest: &str) -> Result<Endpoint, BadUrl> {
    let parts = Parts::split(rest)?;
    if !parts.address.is_empty() || parts.path.is_empty() {
        return Err(BadUrl::new(
            "the socket's path in the Redis URL is not absolute: write `redis+unix:///path`",
        ));
    }
    let path = url::decode(parts.path, "path")?;
    let mut endpoint = Endpoint {
        address: Address::Socket(path.into()),
        user: None,
        password: None,
        database: 0,
    };
    for (name, value) in parts.query()? {
        match name.as_str() {
            "db" => endpoint.database = database(&value)?,
            "user" => endpoint.user = Some(value),
            "pass" => endpoint.password = Some(value),
            _ => return Err(unknown_parameter(&name, "knows `db`, `user` and `pass`")),
        }
    }
    endpoint.checked()
}

fn unknown_parameter(name: &str, known: &str) -> BadUrl {
    BadUrl::new(format!(
        "unknown parameter `{}` in the Redis URL: this scheme {known}",
        name.escape_debug()
    ))
}

fn database(number: &str) -> Result<u32, BadUrl> {
    number.parse().map_err(|_| {
        BadUrl::new(format!(
            "the database `{}` in the Redis URL is not a number",
            number.escape_debug()
        ))
    })
}

impl Endpoint {
    fn checked(mut self) -> Result<Self, BadUrl> {
        self.user = self.user.filter(|user| !user.is_empty());
        self.password = self.password.filter(|password| !password.is_empty());
        if self.user.is_some() && self.password.is_none() {
            return Err(BadUrl::new(
                "the Redis URL has a user but no password: write `user:password@`, or `:password@` for the default user",
            ));
        }
        Ok(self)
    }

    /// The client for this address. The account is not in it: we sign in ourselves, so that a refusal
    /// comes with the server's own words.
    pub(super) fn client(&self) -> redis::RedisResult<redis::Client> {
        use redis::IntoConnectionInfo;
        #[cfg(feature = "tls")]
        super::link::choose_provider();
        let address = match &self.address {
            Address::Tcp {
                host,
                port,
                tls: false,
            } => redis::ConnectionAddr::Tcp(host.clone(), *port),
            Address::Tcp {
                host,
                port,
                tls: true,
            } => redis::ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: false,
                tls_params: None,
            },
            Address::Socket(path) => redis::ConnectionAddr::Unix(path.clone()),
        };
        let info = address.into_connection_info()?;
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        redis::Client::open(
            info.set_redis_settings(settings)
                .set_tcp_settings(tcp_settings()),
        )
    }

    /// The same for who subscribes. It speaks RESP3, whose first word has to bring the account along.
    pub(super) fn subscriber(&self) -> redis::RedisResult<redis::Client> {
        use redis::IntoConnectionInfo;
        let info = self.client()?.get_connection_info().clone();
        let mut settings = info
            .redis_settings()
            .clone()
            .set_protocol(redis::ProtocolVersion::RESP3);
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        redis::Client::open(info.set_redis_settings(settings).into_connection_info()?)
    }

    /// What an error says, without this account's password and without the arguments some servers
    /// quote in "unknown command".
    pub(super) fn words(&self, error: &redis::RedisError) -> String {
        self.redact(&words(error))
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let end = text.find("with args beginning with").unwrap_or(text.len());
        let text = text[..end].trim_end_matches([' ', ',']);
        match &self.password {
            Some(password) => text.replace(password.as_str(), "***"),
            None => text.to_owned(),
        }
    }
}

/// A vanished peer must be noticed in seconds, also while nothing is sent and by the kernel alone.
///
/// `NODELAY` costs throughput on a loaded link (the client library's default, Nagle's algorithm, merges
/// small commands: 290,000 against 220,000 hits a second from 64 callers, over loopback). Without it a
/// command sent while another waits for its answer is kept back until that answer comes: one slow
/// command would delay all.
fn tcp_settings() -> redis::io::tcp::TcpSettings {
    let probes = redis::io::tcp::socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(10))
        .with_interval(Duration::from_secs(5));
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "android"))]
    let probes = probes.with_retries(3);
    let settings = redis::io::tcp::TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(probes);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let settings = settings.set_user_timeout(Duration::from_secs(3));
    settings
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, port, tls } => {
                let scheme = if *tls { "rediss" } else { "redis" };
                let (open, close) = if host.contains(':') {
                    ("[", "]")
                } else {
                    ("", "")
                };
                write!(f, "{scheme}://{open}{host}{close}:{port}/{}", self.database)
            }
            Address::Socket(path) => {
                write!(f, "redis+unix://{}?db={}", path.display(), self.database)
            }
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

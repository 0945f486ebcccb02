//! How an address is reached.
//!
//! Names are resolved at each connection, so one that means another server from now on is followed by
//! the next.
//!
//! With TLS the server's certificate is checked against the system's roots, read at each connection;
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.

use std::time::Duration;

use redis::IntoConnectionInfo;

use super::endpoint::{Address, Endpoint};
#[cfg(feature = "test-util")]
use crate::ports::Hosts;

impl Endpoint {
    /// The client for an address. The account is not in it: we sign in ourselves, so that a refusal
    /// comes with the server's own words.
    pub(super) fn client(&self, address: &Address) -> redis::RedisResult<redis::Client> {
        #[cfg(feature = "tls")]
        super::link::choose_provider();
        let info = place(address).into_connection_info()?;
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        redis::Client::open(
            info.set_redis_settings(settings)
                .set_tcp_settings(tcp_settings()),
        )
    }

    /// The same for who subscribes. It speaks RESP3, whose first word has to bring the account along.
    pub(super) fn subscriber(&self, address: &Address) -> redis::RedisResult<redis::Client> {
        let info = self.client(address)?.get_connection_info().clone();
        let mut settings = info
            .redis_settings()
            .clone()
            .set_protocol(redis::ProtocolVersion::RESP3);
        if let Some(password) = &self.account.password {
            settings = settings.set_password(password);
        }
        if let Some(user) = &self.account.user {
            settings = settings.set_username(user);
        }
        redis::Client::open(info.set_redis_settings(settings).into_connection_info()?)
    }

    /// What every connection has in common. Deadlines are ours, around each call: a second timer
    /// inside would only cost.
    pub(super) fn config(&self) -> redis::AsyncConnectionConfig {
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        #[cfg(feature = "test-util")]
        if let Some(hosts) = &self.hosts {
            return config.set_dns_resolver(Resolver(hosts.clone()));
        }
        config
    }
}

fn place(address: &Address) -> redis::ConnectionAddr {
    match address {
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

/// A test's own names.
#[cfg(feature = "test-util")]
struct Resolver(Hosts);

#[cfg(feature = "test-util")]
impl redis::io::AsyncDNSResolver for Resolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> redis::RedisFuture<'a, Box<dyn Iterator<Item = std::net::SocketAddr> + Send + 'a>> {
        let found = self.0.resolve(host, port);
        Box::pin(async move { Ok(Box::new(found?.into_iter()) as Box<_>) })
    }
}

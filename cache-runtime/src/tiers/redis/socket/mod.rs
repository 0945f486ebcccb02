//! The socket under a connection.
//!
//! It is made here and not by the client library, which lets nobody look at what arrives before it keeps it: see [`walk`]. Where the library reads, it reads
//! through [`bounded`].
//!
//! Names are resolved at each connection, so one that means another server from now on is followed by
//! the next.
//!
//! With TLS the server's certificate is checked against the system's roots, read at each connection;
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.

mod bounded;
#[cfg(feature = "tls")]
mod tls;
mod walk;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

pub(super) use self::bounded::Bounded;
pub(super) use self::walk::Walk;
use super::endpoint::{Address, Endpoint};

/// Whatever bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

/// What an answer may have beyond the largest value of this process: the header of an entry, a batch of a scan, and the values of builds
/// that allow more.
const BESIDE: u64 = 16 << 20;

impl Endpoint {
    /// What an answer may have.
    pub(super) fn most_of_an_answer(&self) -> u64 {
        BESIDE.saturating_add(self.max_value_bytes as u64)
    }
}

/// Connects to an address.
pub(super) async fn open(endpoint: &Endpoint, address: &Address) -> io::Result<Box<dyn Stream>> {
    Ok(match address {
        Address::Tcp { host, port, tls } => {
            let stream = reach(resolve(endpoint, host, *port).await?).await?;
            settle(&stream)?;
            match tls {
                false => Box::new(stream),
                #[cfg(feature = "tls")]
                true => Box::new(tls::secure(host, stream).await?),
                // A URL that asks for it is refused when it is read.
                #[cfg(not(feature = "tls"))]
                true => return Err(io::ErrorKind::Unsupported.into()),
            }
        }
        #[cfg(unix)]
        Address::Socket(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
        #[cfg(not(unix))]
        Address::Socket(_) => return Err(io::ErrorKind::Unsupported.into()),
    })
}

async fn resolve(endpoint: &Endpoint, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    #[cfg(feature = "test-util")]
    if let Some(hosts) = &endpoint.hosts {
        return hosts.resolve(host, port);
    }
    #[cfg(not(feature = "test-util"))]
    let _ = endpoint;
    Ok(lookup_host((host, port)).await?.collect())
}

/// The first that answers: one that swallows packets must not keep us from the others.
async fn reach(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts: JoinSet<_> = addresses.into_iter().map(TcpStream::connect).collect();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    while let Some(attempt) = attempts.join_next().await {
        match attempt.map_err(io::Error::other).and_then(|it| it) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// A vanished peer must be noticed in seconds, also while nothing is sent and by the kernel alone.
///
/// `NODELAY` costs throughput on a loaded link (Nagle's algorithm merges small commands: 290,000 against 220,000 hits a second from 64
/// callers, over loopback). Without it a command sent while another waits for its answer is kept back until that answer comes: one slow
/// command would delay all.
fn settle(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(10))
        .with_interval(Duration::from_secs(5));
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "android"))]
    let probes = probes.with_retries(3);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(Duration::from_secs(3)))?;
    Ok(())
}

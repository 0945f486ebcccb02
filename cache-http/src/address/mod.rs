//! Who the client is.
//!
//! A limit by address is worth what the address is worth. The peer of the connection cannot be forged, and behind a proxy it is
//! the proxy. What a proxy says of its client can be forged by everybody else, and the client writes the beginning of the list itself.
//! So: nobody is trusted unless named; one header is read, which must be the one the proxies write; and it is read from the right, from the
//! nearest hop outwards, past trusted proxies only. The first hop that is not trusted is the client, whatever stands left of it.
//!
//! A line that cannot be read, or a hop without an address (`unknown`, `_hidden`), ends the walk: the client is then the last hop that is known, a
//! trusted proxy, so that nonsense can at most put its senders into one bucket.

mod forwarded;
mod hop;
mod network;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::header::{FORWARDED, HeaderName};
use http::{Extensions, HeaderMap};

pub use network::{InvalidNetwork, Network};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the connection's other end, for services without axum: put it into the request's extensions. With axum it is
/// `into_make_service_with_connect_info::<SocketAddr>()` that does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How the address of a client is found.
///
/// ```
/// use cache_http::address::Address;
///
/// // Nobody stands between: the peer is the client.
/// let direct = Address::peer();
/// // A load balancer in 10/8 writes `X-Forwarded-For`.
/// let balanced = Address::x_forwarded_for(["10.0.0.0/8"])?;
/// # Ok::<(), cache_http::address::InvalidNetwork>(())
/// ```
#[derive(Clone, Debug)]
pub struct Address {
    said: Said,
    trusted: Vec<Network>,
    unnamed_peer: Unnamed,
}

/// The hops of a line, each with its address if it names one; nothing for a line that cannot be read.
type ReadLine = fn(&str) -> Option<Vec<Option<IpAddr>>>;

/// What proxies say of whom they speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Forwarded,
    XForwardedFor,
}

/// What a peer without an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unnamed {
    Nobody,
    Proxy,
}

impl Address {
    /// The peer of the connection; no header is read.
    #[must_use]
    pub const fn peer() -> Self {
        Self {
            said: Said::Nothing,
            trusted: Vec::new(),
            unnamed_peer: Unnamed::Nobody,
        }
    }

    /// What these proxies write into `Forwarded` (RFC 7239).
    ///
    /// # Errors
    ///
    /// If one of them is no network: `10.0.0.0/8`, `2001:db8::/32`, or an address alone.
    pub fn forwarded<'a>(
        proxies: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidNetwork> {
        Self::said_by(Said::Forwarded, proxies)
    }

    /// What these proxies write into `X-Forwarded-For`.
    ///
    /// # Errors
    ///
    /// As [`forwarded`](Self::forwarded).
    pub fn x_forwarded_for<'a>(
        proxies: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidNetwork> {
        Self::said_by(Said::XForwardedFor, proxies)
    }

    fn said_by<'a>(
        said: Said,
        proxies: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidNetwork> {
        let trusted: Result<_, _> = proxies.into_iter().map(str::parse).collect();
        Ok(Self {
            said,
            trusted: trusted?,
            ..Self::peer()
        })
    }

    /// A peer without an address (the proxy speaks through a unix socket) is a trusted proxy.
    #[must_use]
    pub const fn unix_socket(mut self) -> Self {
        self.unnamed_peer = Unnamed::Proxy;
        self
    }

    /// The client, with mapped addresses (`::ffff:192.0.2.1`) as the IPv4 they are. Nothing if neither the connection nor a
    /// trusted proxy has named one.
    #[must_use]
    pub fn of(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        let peer = peer_of(extensions).map(|peer| peer.ip().to_canonical());
        match peer {
            Some(peer) if !self.trusts(peer) => Some(peer),
            None if self.unnamed_peer == Unnamed::Nobody => None,
            known => self.beyond(known, headers),
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Walks outwards from a trusted hop.
    fn beyond(&self, mut known: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let (name, read): (_, ReadLine) = match self.said {
            Said::Nothing => return known,
            Said::Forwarded => (&FORWARDED, forwarded::hops),
            Said::XForwardedFor => (&X_FORWARDED_FOR, |line| {
                Some(line.split(',').map(hop::parse).collect())
            }),
        };
        for line in headers.get_all(name).iter().rev() {
            let Some(hops) = line.to_str().ok().and_then(read) else {
                return known;
            };
            for hop in hops.into_iter().rev() {
                let Some(hop) = hop else { return known };
                known = Some(hop);
                if !self.trusts(hop) {
                    return known;
                }
            }
        }
        known
    }
}

fn peer_of(extensions: &Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(info) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(info.0);
    }
    extensions.get::<Peer>().map(|peer| peer.0)
}

/// Whom an address stands for in a limit: an IPv4 address is one host; of IPv6 whoever has one address has the other 2^64 of its
/// network as well (RFC 6177), so that network is one client.
#[must_use]
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
    }
}

#[cfg(test)]
mod tests;

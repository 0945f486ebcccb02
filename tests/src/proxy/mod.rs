//! A TCP hop between a client and a server that can be told to misbehave.
//!
//! A server that is killed or paused shows one half of what networks do. The other half (packets that go nowhere while
//! both ends believe in the connection, resets, delays) needs somebody in between. The proxy forwards bytes and knows
//! nothing of what they mean, but for who has subscribed and who replicates; what it does to them can be changed at any moment and holds for
//! connections that are already open.
//!
//! A replica whose primary is announced by the proxy's address comes this way too. It is let through: what lies between servers is another
//! network, and a replica that lags would make every failover lose more than the test knows. [`Proxy::include_replicas`] is for who wants that.

mod connection;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::connection::Connection;
use crate::ports;

/// What the proxy does to every connection, old and new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forwards at once.
    Pass,
    /// Forwards replies this much later, so that a round trip takes that much longer.
    Delay(Duration),
    /// The same, and only what comes to a subscriber.
    DelayMessages(Duration),
    /// Forwards no more than so many bytes of each reply a second.
    Throttle(u32),
    /// Accepts connections and bytes, and forwards nothing. What was held back is forwarded when the mode ends.
    BlackHole,
    /// Refuses new connections; open ones go on.
    Refuse,
}

/// What all connections follow. Connections are numbered in the order of their arrival.
#[derive(Clone, Copy, Debug)]
struct Orders {
    mode: Mode,
    /// Connections below this number forward nothing any more, whatever the mode.
    swallowed_below: u64,
    /// Connections below this number are reset.
    reset_below: u64,
    /// Connections below this number end within their next reply.
    cut_below: u64,
    /// To connections below this number nothing is said any more, and they are told so.
    half_closed_below: u64,
    /// Replicas follow as well.
    with_replicas: bool,
}

impl Orders {
    const NONE: Orders = Orders {
        mode: Mode::Pass,
        swallowed_below: 0,
        reset_below: 0,
        cut_below: 0,
        half_closed_below: 0,
        with_replicas: false,
    };
}

/// A running proxy; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    orders: watch::Sender<Orders>,
    listening: watch::Receiver<bool>,
    accepted: Arc<AtomicU64>,
    acceptor: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Proxy {
    /// A proxy on a port of its own that passes everything to `upstream`, which need not be up.
    pub async fn start(upstream: SocketAddr) -> Proxy {
        let listener = listen().await;
        let addr = listener
            .local_addr()
            .expect("a bound listener has an address");
        let (orders, followed) = watch::channel(Orders::NONE);
        let (told, listening) = watch::channel(true);
        let accepted = Arc::new(AtomicU64::new(0));
        let acceptor = Acceptor {
            addr,
            upstream,
            orders: followed,
            listening: told,
            accepted: Arc::clone(&accepted),
        };
        Proxy {
            addr,
            orders,
            listening,
            accepted,
            acceptor: tokio::spawn(acceptor.run(listener)),
        }
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections have been accepted so far.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// From now on replicas follow as everybody does.
    pub fn include_replicas(&self) {
        self.orders
            .send_modify(|orders| orders.with_replicas = true);
    }

    /// Changes what happens to every connection; returns once the port is open or closed accordingly.
    pub async fn set(&self, mode: Mode) {
        self.orders.send_modify(|orders| orders.mode = mode);
        let mut listening = self.listening.clone();
        let done = listening
            .wait_for(|&listening| listening == (mode != Mode::Refuse))
            .await;
        done.expect("the acceptor lives as long as the proxy");
    }

    /// Stops forwarding on the connections there are, for good and without closing them; new ones work. What a
    /// firewall does that forgets its table.
    pub fn black_hole_existing(&self) {
        let next = self.accepted();
        self.orders
            .send_modify(|orders| orders.swallowed_below = next);
    }

    /// Resets (RST) every connection there is; new ones work.
    pub fn reset_all(&self) {
        let next = self.accepted();
        self.orders.send_modify(|orders| orders.reset_below = next);
    }

    /// Closes every connection there is in the middle of the next that comes back on it; new ones work.
    pub fn cut_existing(&self) {
        let next = self.accepted();
        self.orders.send_modify(|orders| orders.cut_below = next);
    }

    /// Closes the way back of every connection there is: the client reads the end, and what it goes on sending arrives and is done. New
    /// connections work.
    pub fn half_close_existing(&self) {
        let next = self.accepted();
        self.orders
            .send_modify(|orders| orders.half_closed_below = next);
    }
}

async fn listen() -> TcpListener {
    for _ in 0..10 {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, ports::free())).await {
            return listener;
        }
    }
    panic!("ten free ports in a row were taken by somebody else");
}

struct Acceptor {
    addr: SocketAddr,
    upstream: SocketAddr,
    orders: watch::Receiver<Orders>,
    listening: watch::Sender<bool>,
    accepted: Arc<AtomicU64>,
}

impl Acceptor {
    async fn run(mut self, listener: TcpListener) {
        // Connections end with the acceptor, which ends with the proxy.
        let mut connections = JoinSet::new();
        let mut listener = Some(listener);
        loop {
            tokio::select! {
                changed = self.orders.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.open_or_close(&mut listener).await;
                }
                client = accept(listener.as_ref()) => {
                    let number = self.accepted.fetch_add(1, Ordering::SeqCst);
                    let connection = Connection::new(number, self.orders.clone());
                    connections.spawn(connection.run(client, self.upstream));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn open_or_close(&mut self, listener: &mut Option<TcpListener>) {
        let wanted = self.orders.borrow().mode != Mode::Refuse;
        if !wanted {
            *listener = None;
        } else if listener.is_none() {
            let again = TcpListener::bind(self.addr).await;
            *listener = Some(again.expect("nobody else takes a port below the ephemeral range"));
        }
        self.listening.send_replace(wanted);
    }
}

async fn accept(listener: Option<&TcpListener>) -> tokio::net::TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        // A client that gave up while queued is an error here and nobody's concern.
        if let Ok((client, _)) = listener.accept().await {
            return client;
        }
    }
}

#[cfg(test)]
mod tests;

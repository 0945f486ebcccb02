//! One client's connection through the proxy: two pumps that look at the orders before every write.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Mode, Orders};

/// Throttled replies are forwarded in pieces, one in so long.
const PIECE: Duration = Duration::from_millis(20);

/// A connection's place in the order of arrival, and what it is told.
#[derive(Clone)]
pub(super) struct Connection {
    number: u64,
    orders: watch::Receiver<Orders>,
    subscribes: Arc<AtomicBool>,
    replicates: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(number: u64, orders: watch::Receiver<Orders>) -> Self {
        Self {
            number,
            orders,
            subscribes: Arc::default(),
            replicates: Arc::default(),
        }
    }

    /// Forwards until one side closes, then closes the other; resets both when told to.
    pub(super) async fn run(self, mut client: TcpStream, upstream: SocketAddr) {
        let Ok(mut server) = TcpStream::connect(upstream).await else {
            // Nothing behind the proxy should look like nothing there, not like a server that hangs up politely.
            reset(&client);
            return;
        };
        // The proxy must not add the delays of Nagle's algorithm to what is measured.
        let _ = client.set_nodelay(true).and(server.set_nodelay(true));
        let told_to_reset = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            tokio::select! {
                _ = self.clone().requests(from_client, to_server) => false,
                _ = self.clone().replies(from_server, to_client) => false,
                () = self.clone().ordered(|orders| orders.reset_below) => true,
            }
        };
        if told_to_reset {
            reset(&client);
            reset(&server);
        }
    }

    async fn requests<R, W>(mut self, mut from: R, mut to: W) -> io::Result<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            for (word, seen) in [
                (b"SUBSCRIBE", &self.subscribes),
                (b"\nREPLCONF", &self.replicates),
            ] {
                if buffer[..read].windows(word.len()).any(|it| it == word) {
                    seen.store(true, Ordering::SeqCst);
                }
            }
            self.gate().await;
            to.write_all(&buffer[..read]).await?;
        }
    }

    async fn replies<R, W>(mut self, mut from: R, mut to: W) -> io::Result<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let half_closed = self.clone().ordered(|orders| orders.half_closed_below);
        tokio::pin!(half_closed);
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = tokio::select! {
                read = from.read(&mut buffer) => read?,
                () = &mut half_closed => {
                    to.shutdown().await?;
                    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
                    return Ok(());
                }
            };
            if read == 0 {
                return Ok(());
            }
            let delay = self.gate().await;
            if !delay.is_zero() {
                sleep(delay).await;
                // The orders may have changed meanwhile, and a black hole lets nothing through.
                self.gate().await;
            }
            let reply = &buffer[..read];
            if self.number < self.told().cut_below {
                return to.write_all(&reply[..read / 2]).await;
            }
            self.forward(reply, &mut to).await?;
        }
    }

    /// At once, or piece by piece for as long as the mode says so.
    async fn forward<W: AsyncWrite + Unpin>(
        &mut self,
        mut reply: &[u8],
        to: &mut W,
    ) -> io::Result<()> {
        while let Mode::Throttle(a_second) = self.told().mode
            && !reply.is_empty()
        {
            let in_time = f64::from(a_second) * PIECE.as_secs_f64();
            let (piece, rest) = reply.split_at((in_time as usize).clamp(1, reply.len()));
            to.write_all(piece).await?;
            sleep(PIECE.max(Duration::from_secs(1) / a_second.max(1))).await;
            self.gate().await;
            reply = rest;
        }
        to.write_all(reply).await
    }

    /// Waits until bytes may go on; returns how much later.
    async fn gate(&mut self) -> Duration {
        loop {
            self.orders.mark_unchanged();
            let orders = self.told();
            match orders.mode {
                _ if self.number < orders.swallowed_below => {}
                Mode::BlackHole => {}
                Mode::Delay(delay) => return delay,
                Mode::DelayMessages(delay) if self.subscribes.load(Ordering::SeqCst) => {
                    return delay;
                }
                Mode::Pass | Mode::Refuse | Mode::Throttle(_) | Mode::DelayMessages(_) => {
                    return Duration::ZERO;
                }
            }
            if self.orders.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// What it is to follow at present.
    fn told(&self) -> Orders {
        let orders = *self.orders.borrow();
        if self.replicates.load(Ordering::SeqCst) && !orders.with_replicas {
            return Orders::NONE;
        }
        orders
    }

    /// Waits until the connections that are meant are so many that this is among them.
    async fn ordered(mut self, below: fn(&Orders) -> u64) {
        while self.number >= below(&self.told()) {
            if self.orders.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Makes the close that follows a reset.
fn reset(stream: &TcpStream) {
    // Fails only on a socket that is closed already.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

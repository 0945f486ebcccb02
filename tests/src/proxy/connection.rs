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

/// A connection's place in the order of arrival, and what it is told.
#[derive(Clone)]
pub(super) struct Connection {
    number: u64,
    orders: watch::Receiver<Orders>,
    subscribed: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(number: u64, orders: watch::Receiver<Orders>) -> Self {
        Self {
            number,
            orders,
            subscribed: Arc::default(),
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
                _ = self.clone().pump(from_client, to_server, Direction::Requests) => false,
                _ = self.clone().pump(from_server, to_client, Direction::Replies) => false,
                () = self.reset_ordered() => true,
            }
        };
        if told_to_reset {
            reset(&client);
            reset(&server);
        }
    }

    async fn pump<R, W>(mut self, mut from: R, mut to: W, direction: Direction) -> io::Result<()>
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
            let asks = direction == Direction::Requests;
            if asks && buffer[..read].windows(9).any(|word| word == b"SUBSCRIBE") {
                self.subscribed.store(true, Ordering::SeqCst);
            }
            let delay = self.gate().await;
            if !asks && !delay.is_zero() {
                sleep(delay).await;
                // The orders may have changed meanwhile, and a black hole lets nothing through.
                self.gate().await;
            }
            to.write_all(&buffer[..read]).await?;
        }
    }

    /// Waits until bytes may go on; returns how much later.
    async fn gate(&mut self) -> Duration {
        loop {
            let orders = *self.orders.borrow_and_update();
            match orders.mode {
                _ if self.number < orders.swallowed_below => {}
                Mode::BlackHole => {}
                Mode::Delay(delay) => return delay,
                Mode::DelayMessages(delay) if self.subscribed.load(Ordering::SeqCst) => {
                    return delay;
                }
                Mode::Pass | Mode::Refuse | Mode::DelayMessages(_) => return Duration::ZERO,
            }
            if self.orders.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn reset_ordered(mut self) {
        let number = self.number;
        if self
            .orders
            .wait_for(|orders| number < orders.reset_below)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Requests,
    Replies,
}

/// Makes the close that follows a reset.
fn reset(stream: &TcpStream) {
    // Fails only on a socket that is closed already.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

//! The database of a fleet: versions of rows, in the process of the test, so that it survives every process it kills.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The running database; dropping it ends it.
#[derive(Debug)]
pub struct Database {
    addr: SocketAddr,
    acceptor: JoinHandle<()>,
}

impl Drop for Database {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Database {
    /// Starts one with so many rows, all of version 1.
    ///
    /// # Panics
    /// If the system has no free port.
    pub async fn start(rows: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("the system has a free port");
        let addr = listener
            .local_addr()
            .expect("a bound listener has an address");
        let rows: Arc<[AtomicU64]> = (0..rows).map(|_| AtomicU64::new(1)).collect();
        let acceptor = tokio::spawn(accept(listener, rows));
        Self { addr, acceptor }
    }

    /// Where it is.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn accept(listener: TcpListener, rows: Arc<[AtomicU64]>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&rows)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A request is a byte that says what to do and the row's number; the answer is its version.
async fn serve(mut stream: TcpStream, rows: Arc<[AtomicU64]>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let change = stream.read_u8().await? == CHANGE;
        let row = usize::try_from(stream.read_u64().await?).map_err(io::Error::other)?;
        let row = rows
            .get(row)
            .ok_or_else(|| io::Error::other("no such row"))?;
        let version = if change {
            row.fetch_add(1, Ordering::SeqCst) + 1
        } else {
            row.load(Ordering::SeqCst)
        };
        stream.write_u64(version).await?;
    }
}

const READ: u8 = 0;
const CHANGE: u8 = 1;

/// A process's way to the database: as many connections as it has requests under way.
#[derive(Debug)]
pub struct Connections {
    addr: SocketAddr,
    idle: Mutex<Vec<TcpStream>>,
}

impl Connections {
    /// To the database at this address.
    pub fn to(addr: SocketAddr) -> Self {
        Self {
            addr,
            idle: Mutex::default(),
        }
    }

    /// The version of a row.
    ///
    /// # Errors
    /// If the database is gone.
    pub async fn read(&self, row: usize) -> io::Result<u64> {
        self.ask(READ, row).await
    }

    /// Changes a row and returns its version.
    ///
    /// # Errors
    /// If the database is gone.
    pub async fn change(&self, row: usize) -> io::Result<u64> {
        self.ask(CHANGE, row).await
    }

    /// A connection whose request was dropped is dropped with it.
    async fn ask(&self, what: u8, row: usize) -> io::Result<u64> {
        let idle = self.idle.lock().expect("no holder panics").pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => TcpStream::connect(self.addr).await?,
        };
        let mut request = [what; 9];
        request[1..].copy_from_slice(&(row as u64).to_be_bytes());
        stream.write_all(&request).await?;
        let version = stream.read_u64().await?;
        self.idle.lock().expect("no holder panics").push(stream);
        Ok(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_change_one_by_one_for_everybody() {
        let database = Database::start(2).await;
        let (one, other) = (
            Connections::to(database.addr()),
            Connections::to(database.addr()),
        );
        assert_eq!(one.read(1).await.unwrap(), 1);
        assert_eq!(one.change(1).await.unwrap(), 2);
        assert_eq!(other.read(1).await.unwrap(), 2);
        assert_eq!(other.read(0).await.unwrap(), 1);
        assert!(other.read(2).await.is_err());
    }
}

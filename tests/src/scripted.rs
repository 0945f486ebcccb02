//! A server that says what a test has it say, and leaves the rest to a real one behind it.
//!
//! What a real server never does (a reply that is torn, endless or one byte a second) has to be said by somebody who knows what was
//! asked: so this hop reads commands, one after the other, and a script decides about each. Everything that nobody decides about is
//! asked of the server behind, and answered in its bytes. Once a connection has subscribed it is passed on as it is.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// What becomes of a command.
#[derive(Clone, Debug)]
pub enum Say {
    /// The server behind answers it.
    Pass,
    /// The same; its answer is this much later.
    After(Duration),
    /// These bytes are the answer.
    Bytes(Vec<u8>),
    /// The same, and the connection is closed behind them.
    Last(Vec<u8>),
    /// These bytes, one in each such time.
    Drip(Vec<u8>, Duration),
    /// These bytes, then as many zeros as anybody reads, to so many.
    Endless(Vec<u8>, usize),
    /// Nothing, and the next is read.
    Nothing,
}

type Script = Arc<dyn Fn(&[Vec<u8>]) -> Say + Send + Sync>;

/// The running hop; dropping it closes its port and all connections.
pub struct Scripted {
    addr: SocketAddr,
    script: Arc<Mutex<Script>>,
    figures: Arc<Figures>,
    acceptor: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Figures {
    accepted: AtomicU64,
    sent: AtomicU64,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Scripted {
    /// Everything is left to the server behind, until [`say`](Self::say).
    ///
    /// # Panics
    /// If the system has no free port.
    pub async fn start(behind: SocketAddr) -> Scripted {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("the system has a free port");
        let addr = listener.local_addr();
        let script: Script = Arc::new(|_: &[Vec<u8>]| Say::Pass);
        let script = Arc::new(Mutex::new(script));
        let figures = Arc::<Figures>::default();
        let (followed, counted) = (Arc::clone(&script), Arc::clone(&figures));
        let acceptor = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                counted.accepted.fetch_add(1, Ordering::SeqCst);
                let (script, figures) = (Arc::clone(&followed), Arc::clone(&counted));
                connections.spawn(serve(client, behind, script, figures));
            }
        });
        Scripted {
            addr: addr.expect("a bound listener has an address"),
            script,
            figures,
            acceptor,
        }
    }

    /// What is said from now on, on open connections too: names and arguments of a command are the parts.
    ///
    /// # Panics
    /// If a script has panicked.
    pub fn say(&self, script: impl Fn(&[Vec<u8>]) -> Say + Send + Sync + 'static) {
        *self.script.lock().expect("no script panics") = Arc::new(script);
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("redis://{}", self.addr)
    }

    /// How many connections have been accepted so far.
    pub fn accepted(&self) -> u64 {
        self.figures.accepted.load(Ordering::SeqCst)
    }

    /// How many bytes of [`Say::Endless`] somebody has taken.
    pub fn taken(&self) -> u64 {
        self.figures.sent.load(Ordering::SeqCst)
    }
}

async fn serve(
    client: TcpStream,
    behind: SocketAddr,
    script: Arc<Mutex<Script>>,
    figures: Arc<Figures>,
) -> io::Result<()> {
    let server = TcpStream::connect(behind).await?;
    client.set_nodelay(true).and(server.set_nodelay(true))?;
    let (mut client, mut server) = (BufReader::new(client), BufReader::new(server));
    loop {
        let mut raw = Vec::new();
        let parts = frame(&mut client, &mut raw).await?;
        let script = Arc::clone(&script.lock().expect("no script panics"));
        let delay = match script(&parts) {
            Say::Pass => Duration::ZERO,
            Say::After(delay) => delay,
            Say::Nothing => continue,
            Say::Bytes(bytes) => {
                client.write_all(&bytes).await?;
                continue;
            }
            Say::Last(bytes) => return client.write_all(&bytes).await,
            Say::Drip(bytes, each) => {
                for byte in bytes {
                    client.write_all(&[byte]).await?;
                    sleep(each).await;
                }
                continue;
            }
            Say::Endless(bytes, most) => {
                client.write_all(&bytes).await?;
                let zeros = [0; 64 * 1024];
                for _ in 0..most.div_ceil(zeros.len()) {
                    client.write_all(&zeros).await?;
                    figures.sent.fetch_add(zeros.len() as u64, Ordering::SeqCst);
                }
                continue;
            }
        };
        server.write_all(&raw).await?;
        if is(&parts, "SUBSCRIBE") {
            return copy_bidirectional(&mut client, &mut server).await.map(drop);
        }
        let mut answer = Vec::new();
        frame(&mut server, &mut answer).await?;
        sleep(delay).await;
        client.write_all(&answer).await?;
    }
}

/// Whether the command has this name.
pub fn is(parts: &[Vec<u8>], name: &str) -> bool {
    parts
        .first()
        .is_some_and(|first| first.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether the command is about a key with this in it.
pub fn about(parts: &[Vec<u8>], what: &str) -> bool {
    let what = what.as_bytes();
    parts
        .iter()
        .any(|part| part.windows(what.len()).any(|window| window == what))
}

/// Reads one command or answer, of RESP2 or 3: its bytes, and the strings in it.
async fn frame(stream: &mut BufReader<TcpStream>, raw: &mut Vec<u8>) -> io::Result<Vec<Vec<u8>>> {
    let (mut left, mut parts) = (1_u64, Vec::new());
    while left > 0 {
        left -= 1;
        let begin = raw.len();
        if stream.read_until(b'\n', raw).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&raw[begin..]).into_owned();
        let number: i64 = line[1..].trim_end().parse().unwrap_or(-1);
        let Ok(number) = u64::try_from(number) else {
            continue;
        };
        match raw[begin] {
            b'$' | b'=' | b'!' => {
                let mut bytes = vec![0; usize::try_from(number).unwrap_or(usize::MAX) + 2];
                stream.read_exact(&mut bytes).await?;
                raw.extend_from_slice(&bytes);
                bytes.truncate(bytes.len() - 2);
                parts.push(bytes);
            }
            b'*' | b'~' | b'>' => left += number,
            b'%' => left += 2 * number,
            b'|' => left += 2 * number + 1,
            _ => {}
        }
    }
    Ok(parts)
}

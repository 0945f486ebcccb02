//! The origin behind the cached functions: outside every process under test, so that it alone knows how often it was
//! asked.
//!
//! A count kept in Redis would go with the Redis the test kills, and one kept in a worker goes with the worker. So the
//! origin is a small server of the test: functions reach it through a [`Source`], the test directs it through
//! [`Origin`]. A load sees the value as it was when the load began, whatever is committed while it is on its way: that
//! is what makes it old.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::eventually::PATIENCE;

/// How a load ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// With the value.
    Value,
    /// With [`Down`].
    Fail,
    /// The function that asked panics.
    Panic,
}

/// The origin's error. It is `Clone`, so waiters share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the origin is down")
    }
}

impl std::error::Error for Down {}

#[derive(Debug)]
struct State {
    /// What was committed; the rest is 1.
    values: HashMap<String, u64>,
    begun: HashMap<String, Vec<Instant>>,
    failing: HashSet<String>,
    inside: u64,
    most: u64,
    hold: usize,
    /// Loads held so far, and how the first of them were let go.
    held: usize,
    released: Vec<End>,
    delay: Duration,
}

#[derive(Debug, Serialize, Deserialize)]
enum Request {
    Load(String),
    Commit(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    end: End,
    value: u64,
}

/// The running origin; dropping it ends every load on its way.
#[derive(Debug)]
pub struct Origin {
    addr: SocketAddr,
    state: watch::Sender<State>,
    acceptor: JoinHandle<()>,
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Origin {
    /// Starts an origin that answers every load at once with 1.
    pub async fn start() -> Origin {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("the system has a free port");
        let addr = listener
            .local_addr()
            .expect("a bound listener has an address");
        let state = watch::Sender::new(State {
            values: HashMap::new(),
            begun: HashMap::new(),
            failing: HashSet::new(),
            inside: 0,
            most: 0,
            hold: 0,
            held: 0,
            released: Vec::new(),
            delay: Duration::ZERO,
        });
        let acceptor = tokio::spawn(accept(listener, state.clone()));
        Origin {
            addr,
            state,
            acceptor,
        }
    }

    /// The way functions reach it.
    pub fn source(&self) -> Source {
        Source { addr: self.addr }
    }

    /// Every load takes this long.
    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// From now on every load of a key fails, or none.
    pub fn fails(&self, key: &str, fails: bool) {
        self.state.send_modify(|state| {
            if fails {
                state.failing.insert(key.to_owned());
            } else {
                state.failing.remove(key);
            }
        });
    }

    /// The next `loads` loads wait until they are released.
    pub fn hold(&self, loads: usize) {
        self.state.send_modify(|state| state.hold += loads);
    }

    /// Ends the loads that are held, those that come later included where fewer were held than [`Origin::hold`] said.
    pub fn release(&self, end: End) {
        self.state.send_modify(|state| {
            let all = state.held + state.hold;
            state.released.resize(all, end);
        });
    }

    /// Changes what loads that begin from now on see; returns it.
    pub fn commit(&self, key: &str) -> u64 {
        commit(&self.state, key)
    }

    /// How many loads of a key have begun.
    pub fn loads(&self, key: &str) -> u64 {
        self.moments(key).len() as u64
    }

    /// When loads of a key have begun.
    pub fn moments(&self, key: &str) -> Vec<Instant> {
        let state = self.state.borrow();
        state.begun.get(key).cloned().unwrap_or_default()
    }

    /// The most loads on their way at once, of all keys.
    pub fn most_at_once(&self) -> u64 {
        self.state.borrow().most
    }

    /// Waits until so many loads of a key have begun.
    ///
    /// # Panics
    /// If that takes longer than anything under test may.
    pub async fn begun(&self, key: &str, loads: u64) {
        let mut states = self.state.subscribe();
        let begun = states.wait_for(|state| {
            state
                .begun
                .get(key)
                .is_some_and(|it| it.len() as u64 >= loads)
        });
        let begun = timeout(PATIENCE, begun).await;
        assert!(
            begun.is_ok(),
            "{} loads of {key} instead of {loads}",
            self.loads(key)
        );
    }
}

/// A function's way to the origin, in this process or another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    addr: SocketAddr,
}

impl Source {
    /// Asks the origin.
    ///
    /// # Errors
    /// [`Down`], if the test says so.
    ///
    /// # Panics
    /// If the test says so, or if the origin is gone.
    pub async fn load(&self, key: &str) -> Result<u64, Down> {
        let reply = self.ask(&Request::Load(key.to_owned())).await;
        match reply.end {
            End::Value => Ok(reply.value),
            End::Fail => Err(Down),
            // Without the hook, which would tell of it among what fails.
            End::Panic => std::panic::resume_unwind(Box::new("on purpose")),
        }
    }

    /// Writes to the origin and returns what it has now.
    pub async fn commit(&self, key: &str) -> u64 {
        self.ask(&Request::Commit(key.to_owned())).await.value
    }

    async fn ask(&self, request: &Request) -> Reply {
        let mut stream = TcpStream::connect(self.addr)
            .await
            .expect("the origin is there");
        let mut line = serde_json::to_string(request).expect("strings are JSON");
        line.push('\n');
        stream
            .write_all(line.as_bytes())
            .await
            .expect("the origin reads");
        let mut reply = String::new();
        let read = BufReader::new(stream).read_line(&mut reply).await;
        read.expect("the origin answers");
        serde_json::from_str(&reply).expect("the origin answers in JSON")
    }
}

async fn accept(listener: TcpListener, state: watch::Sender<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, state: watch::Sender<State>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let reply = match serde_json::from_str(&line)? {
        Request::Commit(key) => Reply {
            end: End::Value,
            value: commit(&state, &key),
        },
        Request::Load(key) => load(&state, &key).await,
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

fn commit(state: &watch::Sender<State>, key: &str) -> u64 {
    let mut value = 0;
    state.send_modify(|state| {
        let stored = state.values.entry(key.to_owned()).or_insert(1);
        *stored += 1;
        value = *stored;
    });
    value
}

async fn load(state: &watch::Sender<State>, key: &str) -> Reply {
    let mut reply = Reply {
        end: End::Value,
        value: 1,
    };
    let mut held = None;
    let mut delay = Duration::ZERO;
    state.send_modify(|state| {
        let begun = state.begun.entry(key.to_owned()).or_default();
        begun.push(Instant::now());
        if state.failing.contains(key) {
            reply.end = End::Fail;
        }
        state.inside += 1;
        state.most = state.most.max(state.inside);
        reply.value = state.values.get(key).copied().unwrap_or(1);
        delay = state.delay;
        if state.hold > 0 {
            state.hold -= 1;
            held = Some(state.held);
            state.held += 1;
        }
    });
    tokio::time::sleep(delay).await;
    if let Some(place) = held {
        let mut states = state.subscribe();
        let released = states.wait_for(|state| state.released.len() > place).await;
        // The sender is this function's argument.
        reply.end = released.expect("the origin is there").released[place];
    }
    state.send_modify(|state| state.inside -= 1);
    reply
}

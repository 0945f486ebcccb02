//! Real `redis-server` processes, one per value, on free ports, and gone when the value is dropped.
//!
//! Several tests run at once, several checkouts may, and a developer has a Redis of his own: so each server has its
//! own port, folder and process, writes nothing to disk, and is known by its process id before a test sees it.
//! Valkey serves as well where there is no `redis-server`.

mod builder;
mod certificates;
pub mod cluster;
mod endpoint;
mod monitor;
mod process;
mod sentinels;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use self::builder::Builder;
pub use self::certificates::Flaw;
pub use self::monitor::{Command, Monitor};
pub use self::sentinels::{PRIMARY, Sentinels, Settings};

use self::endpoint::Endpoint;
use self::process::{Launch, Process};
use crate::eventually;
use crate::proxy::Proxy;
use crate::resp::Resp;
use crate::signal;

/// A running server; dropping it kills the process and removes its folder.
#[derive(Debug)]
pub struct RedisServer {
    launch: Launch,
    endpoint: Endpoint,
    process: Mutex<Option<Process>>,
}

impl RedisServer {
    /// Starts a server without password, TLS or unix socket.
    pub async fn start() -> RedisServer {
        RedisServer::builder().start().await
    }

    /// Starts a server with more than the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where clients of the test connect: by TLS or by the unix socket if the server was built with one, else by TCP.
    pub fn url(&self) -> String {
        self.launch.url(&self.endpoint)
    }

    /// The plain TCP address under a `redis://` URL, whatever else the server listens on.
    pub fn tcp_url(&self) -> String {
        self.endpoint.tcp_url(self.endpoint.port)
    }

    /// The same server, reached through a proxy.
    pub fn url_via(&self, proxy: &Proxy) -> String {
        self.endpoint.tcp_url(proxy.addr().port())
    }

    /// The plain TCP address.
    pub fn addr(&self) -> SocketAddr {
        self.endpoint.addr()
    }

    /// Where it listens with TLS, if it does.
    pub(crate) fn tls_port(&self) -> Option<u16> {
        self.launch.tls.as_ref().map(|(port, _)| *port)
    }

    /// Where it hears the other nodes of its cluster.
    ///
    /// # Panics
    /// If it was not built for one.
    pub(crate) fn bus_port(&self) -> u16 {
        self.launch.bus_port.expect("a node of a cluster has one")
    }

    /// The certificate (PEM) of the authority that signed the server's, for a server with TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.launch.ca_file()
    }

    /// The server's own folder.
    pub fn folder(&self) -> &Path {
        self.launch.folder.path()
    }

    /// Runs one command on a connection of its own, hidden from every [`Monitor`].
    ///
    /// # Panics
    /// If the server cannot be reached; errors the server answers with are [`Resp::Error`].
    pub async fn cli<A: AsRef<[u8]>>(&self, command: &[A]) -> Resp {
        self.try_cli(command)
            .await
            .unwrap_or_else(|error| panic!("no answer from {}: {error}", self.addr()))
    }

    /// As [`RedisServer::cli`], for a server that may be down.
    ///
    /// # Errors
    /// If the server cannot be reached or does not answer in time.
    pub async fn try_cli<A: AsRef<[u8]>>(&self, command: &[A]) -> std::io::Result<Resp> {
        self.endpoint.connect().await?.command(command).await
    }

    /// Waits until this replica has what its primary has now.
    ///
    /// # Panics
    /// If it does not get it in time.
    pub async fn has_all_of(&self, primary: &RedisServer) {
        let wanted = eventually::some("the primary says how much it has", async || {
            primary.offset("master_repl_offset:").await
        })
        .await;
        eventually::holds("the replica has what its primary has", async || {
            // It may be the primary by now.
            let has = match self.offset("slave_repl_offset:").await {
                None => self.offset("master_repl_offset:").await,
                has => has,
            };
            has.is_some_and(|has| has >= wanted)
        })
        .await;
    }

    /// `None` while it does not answer: who demotes a server closes its connections.
    async fn offset(&self, name: &str) -> Option<u64> {
        let told = self.try_cli(&["INFO", "replication"]).await.ok()?;
        told.text()
            .lines()
            .find_map(|line| line.strip_prefix(name)?.parse().ok())
    }

    /// Records the commands clients send from now on.
    pub async fn monitor(&self) -> Monitor {
        Monitor::start(self.endpoint.clone()).await
    }

    /// Changes what clients must authenticate with and disconnects those that are connected. A server that is down
    /// comes back with the new password.
    pub async fn set_password(&self, password: Option<&str>) {
        let connection = self.endpoint.connect().await;
        self.endpoint.set_password(password);
        if let Ok(mut connection) = connection {
            let set = connection
                .command(&["CONFIG", "SET", "requirepass", password.unwrap_or_default()])
                .await;
            assert!(
                matches!(set, Ok(Resp::Simple(_))),
                "the password was not set: {set:?}"
            );
            // Who has authenticated stays so; the test means everybody.
            let _ = connection
                .command(&["CLIENT", "KILL", "TYPE", "normal"])
                .await;
        }
    }

    /// Pauses the process (SIGSTOP): the kernel goes on accepting connections, and nothing answers.
    pub fn stop(&self) {
        signal::stop(self.pid());
    }

    /// Lets a paused process go on (SIGCONT).
    pub fn cont(&self) {
        signal::resume(self.pid());
    }

    /// Kills the process (SIGKILL) and returns when it is gone. Nothing to do for a server that is down.
    pub fn kill(&self) {
        drop(self.process.lock().expect("no holder panics").take());
    }

    /// Starts the server again on the same port, empty or with what `SAVE` has left in its folder; kills it first if it runs.
    pub async fn restart(&self) {
        self.kill();
        let process = process::start(&self.launch, &self.endpoint).await;
        let process =
            process.unwrap_or_else(|failure| panic!("the server does not come back: {failure}"));
        *self.process.lock().expect("no holder panics") = Some(process);
    }

    /// The process id.
    ///
    /// # Panics
    /// If the server was killed.
    pub fn pid(&self) -> u32 {
        let pid = self
            .process
            .lock()
            .expect("no holder panics")
            .as_ref()
            .map(Process::id);
        pid.expect("the server was killed")
    }
}

/// The program on `PATH`.
///
/// # Panics
/// If there is none, saying how to get one.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["redis-server", "valkey-server"]
        .iter()
        .flat_map(|name| {
            std::env::split_paths(&path)
                .map(move |folder| folder.join(name))
                .collect::<Vec<_>>()
        })
        .find(|file| file.is_file())
        .expect("these tests need `redis-server` on PATH; `cargo xtask test` installs it")
}

#[cfg(test)]
mod tests;

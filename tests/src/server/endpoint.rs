//! How the harness itself reaches a server: always by plain TCP, and recognisable.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::TcpStream;

use crate::resp::{Client, Resp};

/// The harness's way to one server, with the addresses its own connections came from: a monitor leaves those out.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) port: u16,
    password: Arc<Mutex<Option<String>>>,
    own: Arc<Mutex<HashSet<String>>>,
}

impl Endpoint {
    pub(super) fn new(port: u16, password: Option<&str>) -> Endpoint {
        let password = Arc::new(Mutex::new(password.map(str::to_owned)));
        Endpoint {
            port,
            password,
            own: Arc::default(),
        }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn password(&self) -> Option<String> {
        self.password.lock().expect("no holder panics").clone()
    }

    pub(super) fn set_password(&self, password: Option<&str>) {
        *self.password.lock().expect("no holder panics") = password.map(str::to_owned);
    }

    /// The server's URL, or that of a proxy's port which leads to it.
    pub(super) fn tcp_url(&self, port: u16) -> String {
        format!("redis://{}127.0.0.1:{port}", self.user_part())
    }

    /// What stands before the host in a URL.
    pub(super) fn user_part(&self) -> String {
        self.password()
            .map(|password| format!(":{password}@"))
            .unwrap_or_default()
    }

    /// An authenticated connection.
    pub(super) async fn connect(&self) -> io::Result<Client<TcpStream>> {
        let stream = TcpStream::connect(self.addr()).await?;
        self.own
            .lock()
            .expect("no holder panics")
            .insert(stream.local_addr()?.to_string());
        let mut client = Client::new(stream);
        if let Some(password) = self.password()
            && let Resp::Error(refusal) = client.command(&["AUTH", &password]).await?
        {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal));
        }
        Ok(client)
    }

    pub(super) fn is_own(&self, client: &str) -> bool {
        self.own.lock().expect("no holder panics").contains(client)
    }
}

//! Where the server is and who we are there.
//!
//! A password must not reach logs, errors or `Debug`: texts of a server pass through [`Endpoint::words`],
//! and what is shown of an endpoint has no account in it.

use std::fmt;
use std::path::PathBuf;

use super::fault::words;
#[cfg(feature = "test-util")]
use crate::ports::Hosts;

/// Where something listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp { host: String, port: u16, tls: bool },
    Socket(PathBuf),
}

/// Who we are; without a password nobody in particular.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

/// Which server is meant.
#[derive(Clone)]
pub(super) enum Topology {
    /// The one at this address.
    One(Address),
    /// The primary of a name, wherever these say it is.
    Sentinels(Sentinels),
    /// All primaries of the cluster that these belong to.
    Cluster(Vec<Address>),
}

/// Who knows where a primary is.
#[derive(Clone)]
pub(super) struct Sentinels {
    pub(super) addresses: Vec<Address>,
    /// What they call the primary.
    pub(super) primary: String,
    pub(super) account: Account,
    /// Whether they, and the servers they name, speak TLS.
    pub(super) tls: bool,
}

/// A server and an account on it.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(super) topology: Topology,
    pub(super) account: Account,
    pub(super) database: u32,
    /// What a value may have; answers that are far larger are refused.
    pub(super) max_value_bytes: usize,
    /// In the place of the system's resolver.
    #[cfg(feature = "test-util")]
    pub(super) hosts: Option<Hosts>,
}

impl Account {
    /// The command that signs in, where there is anybody to sign in as.
    pub(super) fn sign_in(&self) -> Option<redis::Cmd> {
        let password = self.password.as_ref()?;
        let mut command = redis::cmd("AUTH");
        if let Some(user) = &self.user {
            command.arg(user);
        }
        command.arg(password);
        Some(command)
    }
}

impl Endpoint {
    #[cfg(feature = "test-util")]
    pub(crate) fn with_hosts(self, hosts: Option<Hosts>) -> Self {
        Self { hosts, ..self }
    }

    /// What an error says, without our passwords and without the arguments some servers quote in
    /// "unknown command".
    pub(super) fn words(&self, error: &redis::RedisError) -> String {
        self.redact(&words(error))
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let end = text.find("with args beginning with").unwrap_or(text.len());
        let text = text[..end].trim_end_matches([' ', ',']).to_owned();
        let redacted = |text: String, password: &String| text.replace(password.as_str(), "***");
        self.passwords().fold(text, redacted)
    }

    fn passwords(&self) -> impl Iterator<Item = &String> {
        let sentinels = match &self.topology {
            Topology::One(_) | Topology::Cluster(_) => None,
            Topology::Sentinels(sentinels) => sentinels.account.password.as_ref(),
        };
        self.account.password.iter().chain(sentinels)
    }
}

impl fmt::Display for Address {
    /// As in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secure = |tls: &bool| if *tls { "s" } else { "" };
        let database = self.database;
        match &self.topology {
            Topology::One(address @ Address::Tcp { tls, .. }) => {
                write!(f, "redis{}://{address}/{database}", secure(tls))
            }
            Topology::One(socket @ Address::Socket(_)) => {
                write!(f, "redis+unix://{socket}?db={database}")
            }
            Topology::Cluster(seeds) => {
                let is_tls = |seed: &Address| matches!(seed, Address::Tcp { tls: true, .. });
                let all: Vec<_> = seeds.iter().map(Address::to_string).collect();
                let secure = secure(&seeds.iter().any(is_tls));
                write!(f, "redis{secure}-cluster://{}", all.join(","))
            }
            Topology::Sentinels(it) => {
                let all: Vec<_> = it.addresses.iter().map(Address::to_string).collect();
                let (all, primary) = (all.join(","), &it.primary);
                let secure = secure(&it.tls);
                write!(f, "redis{secure}-sentinel://{all}/{primary}/{database}")
            }
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

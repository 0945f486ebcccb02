//! A primary, its replicas, and the Sentinels that watch them, all real processes.
//!
//! Sentinels are told to lose patience within half a second, so that a test of a failover takes seconds. How long they then
//! take to agree is theirs: up to a second of it is random.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::RedisServer;
use super::certificates::Shared;
use crate::eventually;
use crate::resp::Resp;

/// What these Sentinels call the primary.
pub const PRIMARY: &str = "shop-primary";

const SENTINELS: usize = 3;

/// Sentinels that were not run for two seconds trust nobody, themselves included, for half a minute (TILT), and again if that happens again.
const PATIENCE: Duration = Duration::from_secs(100);

/// Servers under Sentinels; all of them end with this value.
#[derive(Debug)]
pub struct Sentinels {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
    settings: Settings,
    tls: Option<Shared>,
}

/// What a test may ask for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Replicas beside the primary; none means one.
    pub replicas: usize,
    /// What clients of the servers must authenticate with; letters and digits.
    pub password: Option<&'static str>,
    /// What clients of the Sentinels must authenticate with; letters and digits.
    pub sentinel_password: Option<&'static str>,
    /// Sentinels announce the primary as `localhost` instead of by its address.
    pub host_names: bool,
    /// Everybody speaks TLS with everybody, under one authority.
    pub tls: bool,
}

impl Settings {
    /// Starts them, and waits until the Sentinels know each other and could do their work.
    ///
    /// # Panics
    /// If something does not come up.
    pub async fn start(self) -> Sentinels {
        let mut all = Sentinels {
            servers: Vec::new(),
            sentinels: Vec::new(),
            tls: self.tls.then(Shared::make),
            settings: self,
        };
        for _ in 0..=all.settings.replicas.max(1) {
            all.add_server().await;
        }
        for _ in 0..SENTINELS {
            all.add_sentinel().await;
        }
        all.settled().await;
        all
    }
}

impl Sentinels {
    /// A primary, a replica and three Sentinels, without passwords or TLS.
    pub async fn start() -> Sentinels {
        Settings::default().start().await
    }

    /// Where clients connect: all Sentinels, with the accounts.
    pub fn url(&self) -> String {
        let scheme = if self.settings.tls { "rediss" } else { "redis" };
        let account = self.settings.password.map(|it| format!(":{it}@"));
        let known = self.settings.sentinel_password;
        let known = known.map(|it| format!("?sentinel_password={it}"));
        let sentinels: Vec<_> = self.sentinels.iter().map(|it| self.way_to(it)).collect();
        format!(
            "{scheme}-sentinel://{}{}/{PRIMARY}{}",
            account.unwrap_or_default(),
            sentinels.join(","),
            known.unwrap_or_default()
        )
    }

    /// The Sentinels.
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// The servers, the first primary first.
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The certificate (PEM) of the authority that signed everybody's, with TLS.
    pub fn ca_file(&self) -> Option<&std::path::Path> {
        self.tls.as_ref().map(|tls| tls.files.authority.as_path())
    }

    /// The server that one Sentinel calls the primary, `None` while it does not answer.
    pub async fn named_by(&self, sentinel: &RedisServer) -> Option<&RedisServer> {
        let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY];
        let answer = sentinel.try_cli(&question).await.ok()?.list();
        let port: u16 = answer.get(1)?.parse().ok()?;
        let is_it = |server: &&RedisServer| self.port_of(server) == port;
        self.servers.iter().find(is_it)
    }

    /// The server that more than half of the Sentinels call the primary.
    ///
    /// # Panics
    /// If they do not agree in time.
    pub async fn primary(&self) -> &RedisServer {
        let ask = async || self.agreed().await;
        eventually::some_within(PATIENCE, "the Sentinels agree", ask).await
    }

    /// Waits until more than half of the Sentinels call another server than this one the primary.
    ///
    /// # Panics
    /// If they do not in time.
    pub async fn primary_other_than(&self, old: &RedisServer) -> &RedisServer {
        eventually::some_within(PATIENCE, "the Sentinels name another primary", async || {
            self.agreed().await.filter(|it| it.addr() != old.addr())
        })
        .await
    }

    /// Has the Sentinels replace the primary though nothing is wrong with it, and returns when they have announced another.
    ///
    /// # Panics
    /// If they do not.
    pub async fn fail_over(&self) -> &RedisServer {
        let old = self.primary().await;
        let command = ["SENTINEL", "FAILOVER", PRIMARY];
        eventually::some_within(PATIENCE, "a Sentinel begins a failover", async || {
            let answer = self.sentinels[0].cli(&command).await;
            matches!(answer, Resp::Simple(_)).then_some(())
        })
        .await;
        self.primary_other_than(old).await
    }

    /// Waits until all servers are up and every one but the primary, whichever that is, is linked to it.
    ///
    /// A server that comes back as a primary is left to itself until nobody has suspected it for eight seconds.
    ///
    /// # Panics
    /// If they are not in time.
    pub async fn in_order(&self) {
        eventually::some_within(
            PATIENCE,
            "every server but the primary is its replica",
            async || {
                let primary = self.agreed().await?;
                let of = format!("master_port:{}", self.port_of(primary));
                for server in &self.servers {
                    // Who demotes a server closes its connections, this one too.
                    let told = server.try_cli(&["INFO", "replication"]).await;
                    let told = told.map(|told| told.text()).unwrap_or_default();
                    let has = |line: &str| told.lines().any(|it| it == line);
                    let is_replica = has(&of) && has("master_link_status:up");
                    let is_primary = server.addr() == primary.addr() && has("role:master");
                    if !is_primary && !is_replica {
                        return None;
                    }
                }
                Some(())
            },
        )
        .await;
    }

    async fn agreed(&self) -> Option<&RedisServer> {
        let mut named: Vec<&RedisServer> = Vec::new();
        for sentinel in &self.sentinels {
            // One that is paused does not hold up the others.
            let name = self.named_by(sentinel);
            let name = tokio::time::timeout(Duration::from_millis(200), name).await;
            named.extend(name.ok().flatten());
        }
        let votes = |it: &&RedisServer| {
            named
                .iter()
                .filter(|other| other.addr() == it.addr())
                .count()
        };
        let agreed = named.iter().find(|it| votes(it) * 2 > self.sentinels.len());
        agreed.copied()
    }

    async fn add_server(&mut self) {
        let mut arguments = self.common();
        if self.settings.host_names {
            arguments.extend(["--replica-announce-ip", "localhost"].map(str::to_owned));
        }
        if let Some(password) = self.settings.password {
            arguments.extend(["--masterauth", password].map(str::to_owned));
        }
        if let Some(primary) = self.servers.first() {
            arguments.extend(["--replicaof".to_owned(), self.host().to_owned()]);
            arguments.push(self.port_of(primary).to_string());
        }
        let arguments = [
            &arguments[..],
            &["--repl-diskless-sync-delay".to_owned(), "0".to_owned()],
        ]
        .concat();
        let mut builder = RedisServer::builder().args(&arguments);
        if let Some(password) = self.settings.password {
            builder = builder.password(password);
        }
        if let Some(tls) = &self.tls {
            builder = builder.tls_of(tls.files.clone());
        }
        self.servers.push(builder.start().await);
    }

    async fn add_sentinel(&mut self) {
        let (host, port) = (self.host(), self.port_of(&self.servers[0]));
        let mut lines = format!(
            "sentinel resolve-hostnames yes\n\
             sentinel monitor {PRIMARY} {host} {port} 2\n\
             sentinel down-after-milliseconds {PRIMARY} 400\n\
             sentinel failover-timeout {PRIMARY} 3000\n"
        );
        if self.settings.host_names {
            lines += "sentinel announce-hostnames yes\n";
        }
        if let Some(password) = self.settings.password {
            lines += &format!("sentinel auth-pass {PRIMARY} {password}\n");
        }
        let mut builder = RedisServer::builder().args(&self.common());
        if let Some(password) = self.settings.sentinel_password {
            lines += &format!("sentinel sentinel-pass {password}\n");
            builder = builder.password(password);
        }
        if let Some(tls) = &self.tls {
            builder = builder.tls_of(tls.files.clone());
        }
        self.sentinels.push(builder.sentinel(&lines).start().await);
    }

    /// Each Sentinel knows the others and the replicas.
    async fn settled(&self) {
        let (replicas, others) = (self.servers.len() - 1, self.sentinels.len() - 1);
        for sentinel in &self.sentinels {
            eventually::holds("the Sentinel knows everybody", async || {
                let told = sentinel.cli(&["SENTINEL", "MASTER", PRIMARY]).await.list();
                let is = |name: &str, count: usize| {
                    told.chunks(2)
                        .any(|it| it[0] == name && it[1] == count.to_string())
                };
                is("num-slaves", replicas) && is("num-other-sentinels", others)
            })
            .await;
        }
        self.in_order().await;
    }

    fn common(&self) -> Vec<String> {
        let tls: &[&str] = if self.tls.is_some() {
            &["--tls-replication", "yes"]
        } else {
            &[]
        };
        tls.iter().map(|&it| it.to_owned()).collect()
    }

    fn host(&self) -> &'static str {
        if self.settings.host_names {
            "localhost"
        } else {
            "127.0.0.1"
        }
    }

    fn port_of(&self, server: &RedisServer) -> u16 {
        server.tls_port().unwrap_or(server.addr().port())
    }

    fn way_to(&self, server: &RedisServer) -> String {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port_of(server))).to_string()
    }
}

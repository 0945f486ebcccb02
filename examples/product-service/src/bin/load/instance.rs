//! An instance of the service in a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;

use product_service::config::Config;
use product_service::server::{Server, told_to_stop};
use product_service::telemetry;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Failure;
use crate::connection::Connection;

/// Ends with the value.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) address: SocketAddr,
    _process: Child,
}

impl Instance {
    pub(crate) async fn start(
        cache: &str,
        database: &str,
        redis: Option<&str>,
    ) -> Result<Instance, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("serve")
            // A limit would be what is measured, and so would a log.
            .envs([
                ("PORT", "0"),
                ("REQUESTS_PER_MINUTE", "off"),
                ("RUST_LOG", "error"),
            ])
            .envs([
                ("CACHE", cache),
                ("DATABASE_URL", database),
                ("REDIS_URL", redis.unwrap_or_default()),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn()?;
        let out = process.stdout.take().ok_or("it has no output")?;
        let line = BufReader::new(out)
            .lines()
            .next_line()
            .await?
            .ok_or("the service does not start")?;
        Ok(Instance {
            address: line.parse()?,
            _process: process,
        })
    }

    /// How many statements about products it has sent to its database.
    pub(crate) async fn queries(&self) -> Result<u64, Failure> {
        let metrics = Connection::open(self.address)
            .await?
            .get("/metrics", None)
            .await?
            .body;
        let metrics = String::from_utf8_lossy(&metrics);
        let counted = metrics
            .lines()
            .filter(|line| line.starts_with("product_queries_total"));
        Ok(counted
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum())
    }
}

/// What the other process does: the service itself.
pub(crate) async fn serve() -> Result<(), Failure> {
    let config = Config::from_env()?;
    let _logs = telemetry::logs(&config)?;
    let server = Server::start(&config).await?;
    println!("{}", server.address()?);
    server.run(told_to_stop()?).await;
    Ok(())
}

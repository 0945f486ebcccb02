//! The life of an instance: set up, serve, finish.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use cache_runtime::{BuildError, Cache, Evict, Finding, Severity};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::config::Config;
use crate::db::{Db, Found};
use crate::http::{self, connections};
use crate::shop::Shop;
use crate::telemetry;

/// How long requests may go on once the process was told to end; orchestrators kill after 30 s.
const GRACE: Duration = Duration::from_secs(20);
/// How long Redis is waited for. An instance that starts while it is down serves from its own memory, and joins the others when it is back.
const CONNECTING: Duration = Duration::from_secs(1);
/// How long the cache may take to tell Redis what it still has to.
const CLOSING: Duration = Duration::from_secs(3);

/// An instance that has its port and its database.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    router: Router,
    shop: Shop,
    upkeep: Upkeep,
}

impl Server {
    /// Connects to the database, creates what is not there, and takes the port.
    ///
    /// # Errors
    /// If the configuration, the database or the port does not allow it.
    pub async fn start(config: &Config) -> Result<Server, Box<dyn Error + Send + Sync>> {
        let metrics = telemetry::figures()?;
        let cache = cache(config).map_err(|error| format!("REDIS_URL: {error}"))?;
        cache.install()?;
        let opened = Db::open(&config.database_url).await;
        let (db, found) = opened.map_err(|error| format!("DATABASE_URL: {error}"))?;
        // What it finds instead is part of the report.
        let _ = cache.ready(CONNECTING).await;
        tell(&cache.report().await);
        if found == Found::Nothing {
            tracing::info!("the database was empty, and is filled");
            // What the fleet remembers is of a database that is no more.
            if let Err(error) = cache.evict(Evict::all()).await {
                tracing::warn!(%error, "what was cached of an earlier database is evicted when Redis is back");
            }
        }
        let shop = Shop::new(db, cache);
        let upkeep = Upkeep::start(metrics.clone());
        let router = http::router(shop.clone(), config, metrics);
        let listener = TcpListener::bind(config.listen).await?;
        Ok(Server {
            listener,
            router,
            shop,
            upkeep,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` comes, finishes the requests that are under way, and puts everything down.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let Server {
            listener,
            router,
            shop,
            upkeep,
        } = self;
        let under_way = connections::serve(listener, router, stop).await;
        tracing::info!("no new requests; finishing those under way");
        if timeout(GRACE, under_way.shutdown()).await.is_err() {
            tracing::warn!(after = ?GRACE, "requests still under way are cut off");
        }
        // What evicts when it is done needs the cache.
        shop.changes.close();
        if timeout(GRACE, shop.changes.wait()).await.is_err() {
            tracing::warn!(after = ?GRACE, "changes still under way are cut off");
        }
        let unfinished = shop.cache.close(CLOSING).await;
        if !unfinished.is_nothing() {
            tracing::warn!(?unfinished, "the cache could not finish");
        }
        if timeout(CLOSING, shop.db.close()).await.is_err() {
            tracing::warn!(after = ?CLOSING, "the database's connections are cut off");
        }
        drop(upkeep);
        tracing::info!("ended");
    }
}

fn cache(config: &Config) -> Result<Cache, BuildError> {
    let builder = Cache::builder("product-service").redis_budget(config.redis_budget);
    match &config.redis_url {
        Some(url) => builder.redis(url).build(),
        None => builder.build(),
    }
}

/// What is set up wrongly is said where somebody looks: at the start.
fn tell(findings: &[Finding]) {
    for finding in findings {
        let code = finding.code;
        match finding.severity {
            Severity::Error => tracing::error!(code, "{finding}"),
            Severity::Warning => tracing::warn!(code, "{finding}"),
            _ => tracing::info!(code, "{finding}"),
        }
    }
}

/// Ctrl-C, and what orchestrators send; heard from this call on, not from when it is first waited for.
///
/// # Errors
/// If the system does not tell of signals.
#[cfg(unix)]
pub fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

/// Ctrl-C.
///
/// # Errors
/// None; where there are other signals, there may be.
#[cfg(not(unix))]
pub fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// Keeps histograms small when nobody scrapes them; ends with the server.
#[derive(Debug)]
struct Upkeep(JoinHandle<()>);

impl Upkeep {
    fn start(metrics: PrometheusHandle) -> Upkeep {
        Upkeep(tokio::spawn(async move {
            let mut ticks = interval(Duration::from_secs(5));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                metrics.run_upkeep();
            }
        }))
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

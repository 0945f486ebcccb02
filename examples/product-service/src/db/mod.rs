//! One pool, and one SQL for SQLite and PostgreSQL.
//!
//! Through sqlx's `Any` driver the repositories are written once: parameters are `$1`, identifiers are text, numbers are
//! 64 bits. What the two databases do not share is in this file: how a connection is set up, and how a set-up
//! keeps a second instance waiting.

mod seed;

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Transaction};
use tokio::time::{Instant, sleep};

/// In order, and never changed once they were released.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/0001_shop.sql")];
/// Any number, the same in all instances: who holds it sets the database up.
const SETUP_LOCK: i64 = 7_046_029_254;

/// How long PostgreSQL works on a statement, or waits for a lock, before it refuses: less than a request may take, so that a client that leaves does not leave a connection behind that works
/// for nobody. SQLite has no such bound and waits 5 s for a lock; its statements are this process's own work.
const LONGEST_STATEMENT: Duration = Duration::from_secs(5);
/// What PostgreSQL says then (`query_canceled`).
const CANCELED: &str = "57014";

/// What SQLite says where another connection has the lock (`SQLITE_BUSY`).
const BUSY: &str = "5";
/// How long an instance waits for another one that makes the file, as SQLite itself does elsewhere.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The database of the shop.
#[derive(Clone, Debug)]
pub struct Db {
    pool: AnyPool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// Products, as they were left.
    Shop,
    /// Nothing: the tables were made and filled.
    Nothing,
}

impl Db {
    /// Connects, migrates and, the first time, seeds.
    ///
    /// # Errors
    /// If the database cannot be reached or refuses.
    pub async fn open(url: &str) -> Result<(Db, Found), sqlx::Error> {
        sqlx::any::install_default_drivers();
        let kind = if url.starts_with("sqlite:") {
            Kind::Sqlite
        } else {
            Kind::Postgres
        };
        if let (Kind::Sqlite, Some(folder)) = (kind, folder(url)) {
            std::fs::create_dir_all(folder)?;
        }
        let options = AnyPoolOptions::new()
            // SQLite has one writer at a time; its readers are this machine's cores.
            .max_connections(if kind == Kind::Sqlite { 8 } else { 16 })
            // A request that waits longer for a connection is answered with an error instead.
            .acquire_timeout(Duration::from_secs(3));
        let pool = match kind {
            Kind::Postgres => options.after_connect(bound).connect(url).await?,
            Kind::Sqlite => options.connect(&created(url)).await?,
        };
        let db = Db { pool, kind };
        let found = db.set_up().await?;
        Ok((db, found))
    }

    /// Where statements go.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// What it says instead.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        self.pool.execute("SELECT 1").await.map(drop)
    }

    /// Gives the connections back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Everything in one transaction, alone: instances may start at the same time, and one that is killed leaves nothing half done.
    async fn set_up(&self) -> Result<Found, sqlx::Error> {
        if self.kind == Kind::Sqlite {
            self.write_ahead().await?;
        }
        let mut transaction = self.begin_alone().await?;
        transaction
            .execute("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)")
            .await?;
        let done: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM migrations")
            .fetch_one(&mut *transaction)
            .await?;
        for (version, migration) in (1_i64..)
            .zip(MIGRATIONS)
            .filter(|(version, _)| *version > done)
        {
            sqlx::raw_sql(migration).execute(&mut *transaction).await?;
            sqlx::query("INSERT INTO migrations (version) VALUES ($1)")
                .bind(version)
                .execute(&mut *transaction)
                .await?;
        }
        if done == 0 {
            seed::fill(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(if done == 0 {
            Found::Nothing
        } else {
            Found::Shop
        })
    }

    /// Readers do not wait for the writer, and a commit is one write. It is a property of the file.
    ///
    /// SQLite waits for no lock in this statement, whatever its timeout is: of two instances that make the file at once, one is refused and tries again.
    async fn write_ahead(&self) -> Result<(), sqlx::Error> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.pool.execute("PRAGMA journal_mode = WAL").await {
                Err(sqlx::Error::Database(error))
                    if error.code().is_some_and(|code| code == BUSY) && Instant::now() < until =>
                {
                    sleep(PAUSE).await;
                }
                done => return done.map(drop),
            }
        }
    }

    async fn begin_alone(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.kind {
            // A plain `BEGIN` becomes a writer with its first write, too late to wait for another one.
            Kind::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Kind::Postgres => {
                let mut transaction = self.pool.begin().await?;
                // The first start fills the database, and the others wait for it, however long that takes.
                transaction
                    .execute("SET LOCAL statement_timeout = 0")
                    .await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(SETUP_LOCK)
                    .execute(&mut *transaction)
                    .await?;
                Ok(transaction)
            }
        }
    }
}

/// Whether the database has too much to do: there is no connection left, or a statement took too long.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code == CANCELED),
        _ => false,
    }
}

/// Gives a new connection to PostgreSQL its bound.
fn bound(
    connection: &mut AnyConnection,
    _: PoolConnectionMetadata,
) -> BoxFuture<'_, Result<(), sqlx::Error>> {
    let statement = format!("SET statement_timeout = {}", LONGEST_STATEMENT.as_millis());
    Box::pin(async move { connection.execute(statement.as_str()).await.map(drop) })
}

/// The folder of the file, if it is one.
fn folder(url: &str) -> Option<&Path> {
    let file = url.trim_start_matches("sqlite:").trim_start_matches("//");
    Path::new(file.split('?').next()?).parent()
}

/// Asks for the file to be made, unless the URL says what to do.
fn created(url: &str) -> String {
    if url.contains("mode=") {
        return url.to_owned();
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}mode=rwc")
}

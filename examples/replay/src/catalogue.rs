//! The origin: a table of products in a SQLite file that all processes read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Error, OpenFlags, Row, params};
use serde::{Deserialize, Serialize};

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) price_cents: i64,
}

/// The table, with idle connections; handles share them.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    file: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// Creates the table if need be and adds the products it lacks. The names contain `run`, so that a value cached by an
/// earlier run over another table is a wrong value and not a lucky one.
pub(crate) fn fill(
    file: &Path,
    products: impl IntoIterator<Item = u32>,
    run: &str,
) -> Result<(), Error> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL)",
    )?;
    let transaction = connection.transaction()?;
    let mut insert = transaction.prepare("INSERT OR IGNORE INTO products VALUES (?1, ?2, ?3)")?;
    for id in products {
        insert.execute(params![
            id,
            format!("product {id} of {run}"),
            i64::from(id) * 7 % 9_900 + 99
        ])?;
    }
    drop(insert);
    transaction.commit()
}

impl Catalogue {
    /// The table in this file, which is opened when it is first read.
    pub(crate) fn open(file: &Path) -> Catalogue {
        Catalogue {
            file: file.to_owned(),
            idle: Arc::default(),
        }
    }

    /// One product, by a query of its own.
    pub(crate) async fn product(&self, id: u32) -> Result<Product, Error> {
        let catalogue = self.clone();
        let query = move || {
            catalogue.with_connection(|connection| {
                let mut select = connection
                    .prepare_cached("SELECT id, name, price_cents FROM products WHERE id = ?1")?;
                select.query_row([id], from_row)
            })
        };
        // SQLite blocks its thread, and a runtime's threads are for futures.
        tokio::task::spawn_blocking(query)
            .await
            .expect("the query does not panic")
    }

    /// The whole table.
    pub(crate) fn all(&self) -> Result<HashMap<u32, Product>, Error> {
        self.with_connection(|connection| {
            let mut select = connection.prepare("SELECT id, name, price_cents FROM products")?;
            select
                .query_map([], from_row)?
                .map(|row| row.map(|product| (product.id, product)))
                .collect()
        })
    }

    fn with_connection<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle.lock().expect("no holder panics").pop();
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open_with_flags(&self.file, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        let rows = query(&connection);
        self.idle.lock().expect("no holder panics").push(connection);
        rows
    }
}

fn from_row(row: &Row<'_>) -> Result<Product, Error> {
    Ok(Product {
        id: row.get(0)?,
        name: row.get(1)?,
        price_cents: row.get(2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn table_holds_what_was_filled_in_and_keeps_what_was_there() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let file = folder.path().join("products.sqlite");
        fill(&file, [1, 2], "first").expect("a new file");
        fill(&file, [2, 3], "second").expect("an existing file");
        let catalogue = Catalogue::open(&file);
        let all = catalogue.all().expect("the table is there");
        assert_eq!(all.len(), 3);
        assert_eq!(all[&2].name, "product 2 of first");
        assert_eq!(catalogue.product(3).await.as_ref(), Ok(&all[&3]));
        assert_eq!(catalogue.product(4).await, Err(Error::QueryReturnedNoRows));
    }
}

//! The statements about products, and nothing else: no cache, no HTTP.

use std::sync::Arc;

use metrics::counter;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, FromRow, Row};
use uuid::Uuid;

use super::{Change, Changed, Draft, Page, Product, Search, Sort};
use crate::db::Db;
use crate::error::Error;

const COLUMNS: &str = "id, name, description, category, price_cents, version";

/// The table of products.
#[derive(Clone, Debug)]
pub struct Products {
    db: Db,
}

/// A value of a condition that is put together at run time.
enum Value {
    Text(String),
    Number(i64),
}

/// `WHERE` and the values in it. `Any` knows no query builder whose placeholders both databases read.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Products {
    /// A view on the database.
    pub fn new(db: Db) -> Products {
        Products { db }
    }

    /// The product, if there is one.
    ///
    /// # Errors
    /// If the database does not answer; so for all of them.
    pub async fn find(&self, id: Uuid) -> Result<Option<Product>, Error> {
        counter!("product_queries_total", "query" => "find").increment(1);
        let sql = format!("SELECT {COLUMNS} FROM products WHERE id = $1");
        let product = sqlx::query_as(&sql).bind(id.to_string());
        Ok(product.fetch_optional(self.db.pool()).await?)
    }

    /// A page, and how many results there are in all.
    pub async fn search(&self, search: &Search) -> Result<Page, Error> {
        counter!("product_queries_total", "query" => "search").increment(1);
        let Conditions { sql, mut values } = Conditions::of(search);
        let (limit, offset) = (values.len() + 1, values.len() + 2);
        let order = order(search.sort);
        // The window counts what the conditions let through, before the page is cut out: one query, one snapshot.
        let sql = format!(
            "SELECT {COLUMNS}, COUNT(*) OVER () AS total FROM products {sql} ORDER BY {order} LIMIT ${limit} OFFSET ${offset}"
        );
        values.push(Value::Number(i64::from(search.size)));
        values.push(Value::Number(
            i64::from(search.page - 1) * i64::from(search.size),
        ));
        let query = values.into_iter().fold(sqlx::query(&sql), Value::bind);
        let rows = query.fetch_all(self.db.pool()).await?;
        let total = match rows.first() {
            Some(row) => row.try_get("total")?,
            None if search.page == 1 => 0,
            // Beyond the last page there is no row to say it.
            None => self.count(search).await?,
        };
        let items = rows
            .iter()
            .map(Product::from_row)
            .collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            total,
            page: search.page,
            size: search.size,
        })
    }

    async fn count(&self, search: &Search) -> Result<i64, Error> {
        counter!("product_queries_total", "query" => "count").increment(1);
        let Conditions { sql, values } = Conditions::of(search);
        let sql = format!("SELECT COUNT(*) FROM products {sql}");
        let query = values.into_iter().fold(sqlx::query(&sql), Value::bind);
        Ok(query.fetch_one(self.db.pool()).await?.try_get(0)?)
    }

    /// Puts a new one in.
    pub async fn insert(&self, id: Uuid, draft: &Draft) -> Result<Product, Error> {
        let product = Product {
            id,
            name: draft.name.trim().to_owned(),
            description: draft.description.clone(),
            category: draft.category.clone(),
            price_cents: draft.price_cents,
            version: 1,
        };
        let sql = format!("INSERT INTO products ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)");
        sqlx::query(&sql)
            .bind(product.id.to_string())
            .bind(&product.name)
            .bind(&product.description)
            .bind(&product.category)
            .bind(product.price_cents)
            .bind(product.version)
            .execute(self.db.pool())
            .await?;
        Ok(product)
    }

    /// Changes one, if nobody else has changed it since.
    pub async fn update(&self, id: Uuid, change: &Change) -> Result<Changed, Error> {
        let before = self.find(id).await?.ok_or(Error::NotFound("product"))?;
        if before.version != change.version {
            return Err(Error::Conflict {
                current: before.version,
            });
        }
        let sql = format!(
            "UPDATE products SET name = $3, description = $4, category = $5, price_cents = $6, version = version + 1 \
             WHERE id = $1 AND version = $2 RETURNING {COLUMNS}"
        );
        let product: Option<Product> = sqlx::query_as(&sql)
            .bind(id.to_string())
            .bind(change.version)
            .bind(change.name.trim())
            .bind(&change.description)
            .bind(&change.category)
            .bind(change.price_cents)
            .fetch_optional(self.db.pool())
            .await?;
        match product {
            // The version is still the one that was read, and so is the category.
            Some(product) => Ok(Changed {
                product: Arc::new(product),
                from: before.category,
            }),
            None => Err(self.conflict(id).await),
        }
    }

    /// Takes one out; it is what was there.
    pub async fn delete(&self, id: Uuid) -> Result<Product, Error> {
        let sql = format!("DELETE FROM products WHERE id = $1 RETURNING {COLUMNS}");
        let product = sqlx::query_as(&sql).bind(id.to_string());
        let product: Option<Product> = product.fetch_optional(self.db.pool()).await?;
        product.ok_or(Error::NotFound("product"))
    }

    async fn conflict(&self, id: Uuid) -> Error {
        match self.find(id).await {
            Ok(Some(product)) => Error::Conflict {
                current: product.version,
            },
            Ok(None) => Error::NotFound("product"),
            Err(error) => error,
        }
    }
}

impl Value {
    fn bind<'q>(
        query: Query<'q, Any, AnyArguments<'q>>,
        value: Value,
    ) -> Query<'q, Any, AnyArguments<'q>> {
        match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        }
    }
}

impl Conditions {
    fn of(search: &Search) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some(category) = &search.category {
            conditions.and("category = $", Value::Text(category.clone()));
        }
        if let Some(price) = search.min_price {
            conditions.and("price_cents >= $", Value::Number(price));
        }
        if let Some(price) = search.max_price {
            conditions.and("price_cents <= $", Value::Number(price));
        }
        if let Some(text) = &search.text {
            let like = format!(
                "%{}%",
                text.replace('\\', r"\\")
                    .replace('%', r"\%")
                    .replace('_', r"\_")
            );
            conditions.and(
                r"LOWER(name || ' ' || description) LIKE $ ESCAPE '\'",
                Value::Text(like),
            );
        }
        conditions
    }

    /// The `$` of the condition gets the value's number.
    fn and(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        let word = if self.sql.is_empty() { "WHERE" } else { " AND" };
        let condition = condition.replace('$', &format!("${}", self.values.len()));
        self.sql += &format!("{word} {condition}");
    }
}

/// The id makes every order total: without it a product could stand on two pages, or on none.
fn order(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "id DESC",
        Sort::Name => "name, id",
        Sort::Cheapest => "price_cents, id",
        Sort::Dearest => "price_cents DESC, id",
    }
}

impl<'r> FromRow<'r, AnyRow> for Product {
    fn from_row(row: &'r AnyRow) -> Result<Product, sqlx::Error> {
        let id: &str = row.try_get("id")?;
        Ok(Product {
            id: Uuid::parse_str(id).map_err(|error| sqlx::Error::Decode(error.into()))?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            category: row.try_get("category")?,
            price_cents: row.try_get("price_cents")?,
            version: row.try_get("version")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_numbered_and_text_is_no_pattern() {
        let search = Search {
            category: Some("lamps".to_owned()),
            text: Some("50%_off".to_owned()),
            max_price: Some(900),
            ..Search::default()
        };
        let conditions = Conditions::of(&search);
        assert_eq!(
            conditions.sql,
            r"WHERE category = $1 AND price_cents <= $2 AND LOWER(name || ' ' || description) LIKE $3 ESCAPE '\'"
        );
        assert!(matches!(&conditions.values[2], Value::Text(text) if text == r"%50\%\_off%"));
    }
}

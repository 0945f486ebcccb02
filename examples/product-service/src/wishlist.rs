//! What a user would like to have.
//!
//! Kept and cached as ids: the products come from their own entries, so that a new price needs no eviction here.

use std::sync::Arc;

use axum::extract::State;
use cache_runtime::{cache_evict, cacheable};
use futures_util::future::try_join_all;
use metrics::counter;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::account::User;
use crate::db::Db;
use crate::error::Error;
use crate::http::extract::Path;
use crate::http::problem::Problem;
use crate::product::Product;
use crate::shop::Shop;

/// How many products a wishlist holds, which bounds the answer as well.
const LONGEST: i64 = 200;

/// The wishlists of all users, cached.
#[derive(Clone, Debug)]
pub struct Wishlists {
    db: Db,
}

/// Whether the product is on the list now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Toggled {
    /// It is.
    pub wished: bool,
}

impl Wishlists {
    /// Over this database.
    pub fn new(db: Db) -> Wishlists {
        Wishlists { db }
    }

    /// The products a user wishes for.
    ///
    /// * `scope`: the user owns the entry. It is part of the key, so no user is ever given another one's, and everything of a user can be evicted
    ///   at once when the account goes.
    /// * No `stale_if_error`: who has just taken something off the list does not want to see it again.
    ///
    /// # Errors
    /// If the database does not answer.
    #[cacheable(key = "wishlist", scope = "user:{user}", ttl = "10m")]
    pub async fn of(&self, user: Uuid) -> Result<Arc<Vec<Uuid>>, Error> {
        counter!("product_queries_total", "query" => "wishlist").increment(1);
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT product_id FROM wishes WHERE user_id = $1 ORDER BY product_id",
        )
        .bind(user.to_string())
        .fetch_all(self.db.pool())
        .await?;
        Ok(Arc::new(
            ids.iter()
                .filter_map(|id| Uuid::parse_str(id).ok())
                .collect(),
        ))
    }

    /// Puts a product on the list, or takes it off.
    ///
    /// The eviction is of one entry of one user. Two clicks at once are one after the other, because both write the row of the user first: SQLite has one
    /// writer, and PostgreSQL one for each row. Without that two clicks could both find room for the last product.
    ///
    /// # Errors
    /// If there is no such product, the list is full, or the database does not answer.
    #[cache_evict(key = "wishlist", scope = "user:{user}")]
    pub async fn toggle(&self, user: Uuid, product: Uuid) -> Result<Toggled, Error> {
        let mut transaction = self.db.pool().begin().await?;
        let its_turn = sqlx::query("UPDATE users SET name = name WHERE id = $1")
            .bind(user.to_string())
            .execute(&mut *transaction)
            .await?;
        if its_turn.rows_affected() == 0 {
            return Err(Error::NotFound("user"));
        }
        let taken_off = sqlx::query("DELETE FROM wishes WHERE user_id = $1 AND product_id = $2")
            .bind(user.to_string())
            .bind(product.to_string())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if taken_off == 0 {
            let put_on = sqlx::query(
                "INSERT INTO wishes (user_id, product_id) SELECT $1, $2 \
                 WHERE (SELECT COUNT(*) FROM wishes WHERE user_id = $1) < $3",
            )
            .bind(user.to_string())
            .bind(product.to_string())
            .bind(LONGEST)
            .execute(&mut *transaction)
            .await
            .map_err(|error| if_gone(error, "product"))?;
            if put_on.rows_affected() == 0 {
                return Err(Error::Full {
                    what: "wishlist",
                    most: LONGEST,
                });
            }
        }
        transaction.commit().await?;
        Ok(Toggled {
            wished: taken_off == 0,
        })
    }
}

/// A row that refers to what is not there, or not any more: only the database can tell, at the moment it writes.
fn if_gone(error: sqlx::Error, what: &'static str) -> Error {
    let refers_to_nothing = error
        .as_database_error()
        .is_some_and(|error| error.is_foreign_key_violation());
    if refers_to_nothing {
        return Error::NotFound(what);
    }
    error.into()
}

pub(crate) fn routes() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        .routes(routes!(wishlist))
        .routes(routes!(toggle))
}

/// My wishlist.
#[utoipa::path(
    get, path = "/wishlist", tag = "wishlist",
    responses(
        (status = 200, description = "The products on it", body = Vec<Product>),
        (status = 401, description = "Nobody is logged in", body = Problem),
    )
)]
async fn wishlist(
    State(shop): State<Shop>,
    user: User,
) -> Result<axum::Json<Vec<Arc<Product>>>, Problem> {
    let ids = shop.wishlists.of(user.id).await?;
    // Most of them are in memory. What was deleted since is left out.
    let products = try_join_all(ids.iter().map(|id| shop.catalogue.product(*id))).await?;
    Ok(axum::Json(products.into_iter().flatten().collect()))
}

/// Puts a product on my wishlist, or takes it off.
#[utoipa::path(
    post, path = "/wishlist/{id}", tag = "wishlist", params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "Whether it is on it now", body = Toggled),
        (status = 401, description = "Nobody is logged in", body = Problem),
        (status = 404, description = "There is no such product", body = Problem),
        (status = 409, description = "The wishlist is full: it has 200 products, and this would be one more", body = Problem),
    )
)]
async fn toggle(
    State(shop): State<Shop>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<axum::Json<Toggled>, Problem> {
    Ok(axum::Json(shop.wishlists.toggle(user.id, id).await?))
}

//! What a product is, and what may be said about one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::validation::{Checks, Validate};

/// Beyond this many results nobody turns pages; the bound keeps `OFFSET` from reading the whole table.
const LAST_PAGE: u32 = 1_000;
const LARGEST_PAGE: u32 = 100;
const SMALLEST_PAGE: u32 = 1;
/// A million of whatever the currency is.
const DEAREST: i64 = 100_000_000;

/// A product of the shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// A UUID of version 7: later ones sort later.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The shelf it stands on.
    pub category: String,
    /// Its price, in hundredths.
    pub price_cents: i64,
    /// How often it was changed, and one more.
    pub version: i64,
}

/// A product as somebody wants it to be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// 1 to 40 lower-case letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9-]{1,40}$")]
    pub category: String,
    /// 0 to 100,000,000.
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub price_cents: i64,
}

/// A product as it shall be, and the version it was made from.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// As the product was read: it is refused if somebody else has changed it since.
    #[schema(minimum = 1)]
    pub version: i64,
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// 1 to 40 lower-case letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9-]{1,40}$")]
    pub category: String,
    /// 0 to 100,000,000.
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub price_cents: i64,
}

/// What an update did.
#[derive(Clone, Debug)]
pub struct Changed {
    /// As it is now.
    pub product: Arc<Product>,
    /// The shelf it stood on before.
    pub from: String,
}

/// Which products, in which order, which page. What is asked in two ways is the same `Search`, and so the same cache entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// Only this category.
    pub category: Option<String>,
    /// Only names and descriptions that contain this, in upper or lower case.
    pub text: Option<String>,
    /// No cheaper ones.
    pub min_price: Option<i64>,
    /// No dearer ones.
    pub max_price: Option<i64>,
    /// Newest first if not said.
    pub sort: Sort,
    /// From 1 to 1,000.
    #[param(minimum = 1, maximum = 1000)]
    pub page: u32,
    /// How many on a page, from 1 to 100; 20 if not said.
    #[param(minimum = 1, maximum = 100)]
    pub size: u32,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Newest first.
    #[default]
    Newest,
    /// By name.
    Name,
    /// Cheapest first.
    Cheapest,
    /// Dearest first.
    Dearest,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page {
    /// The products.
    pub items: Vec<Product>,
    /// How many there are on all pages.
    pub total: i64,
    /// From 1.
    pub page: u32,
    /// How many fit on a page.
    pub size: u32,
}

impl Default for Search {
    fn default() -> Search {
        Search {
            category: None,
            text: None,
            min_price: None,
            max_price: None,
            sort: Sort::default(),
            page: 1,
            size: 20,
        }
    }
}

impl Search {
    /// One spelling for everything that means the same: `?text=` is no text, `Blue  TENT` is `blue tent`.
    pub fn canonical(mut self) -> Search {
        self.category = self.category.filter(|category| !category.is_empty());
        self.text = self
            .text
            .map(|text| {
                text.to_lowercase()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .filter(|text| !text.is_empty());
        self.min_price = self.min_price.filter(|price| *price > 0);
        self
    }

    /// The label under which the list is evicted: a list of one category does not change when another one does.
    pub(crate) fn shelf(&self) -> &str {
        // No category has this name: they are in lower case.
        self.category.as_deref().unwrap_or("ALL")
    }
}

impl Validate for Draft {
    fn check(&self, checks: &mut Checks) {
        product(
            checks,
            &self.name,
            &self.description,
            &self.category,
            self.price_cents,
        );
    }
}

impl Validate for Change {
    fn check(&self, checks: &mut Checks) {
        checks.that(self.version >= 1, "version", "is at least 1");
        product(
            checks,
            &self.name,
            &self.description,
            &self.category,
            self.price_cents,
        );
    }
}

impl Validate for Search {
    fn check(&self, checks: &mut Checks) {
        let category = self.category.as_deref().unwrap_or_default();
        checks.that(
            category.is_empty() || is_category(category),
            "category",
            CATEGORY,
        );
        let text = self.text.as_deref().unwrap_or_default();
        checks.that(
            text.chars().count() <= 100 && is_line(text),
            "text",
            "has at most 100 characters, and no control characters",
        );
        checks.that(
            self.min_price.is_none_or(|price| price >= 0),
            "min_price",
            "is not negative",
        );
        checks.that(
            self.max_price
                .is_none_or(|price| price >= self.min_price.unwrap_or(0)),
            "max_price",
            "is not below `min_price`",
        );
        checks.that(
            (1..=LAST_PAGE).contains(&self.page),
            "page",
            "is from 1 to 1,000",
        );
        checks.that(
            (SMALLEST_PAGE..=LARGEST_PAGE).contains(&self.size),
            "size",
            "is from 1 to 100",
        );
    }
}

const CATEGORY: &str = "is 1 to 40 lower-case letters, digits and hyphens";

fn product(checks: &mut Checks, name: &str, description: &str, category: &str, price_cents: i64) {
    let letters = name.trim().chars().count();
    checks.that(
        (1..=120).contains(&letters) && is_line(name),
        "name",
        "has 1 to 120 characters, and no control characters",
    );
    // PostgreSQL has no NUL in a text.
    checks.that(
        description.chars().count() <= 2_000 && !description.contains('\0'),
        "description",
        "has at most 2,000 characters, and no NUL",
    );
    checks.that(is_category(category), "category", CATEGORY);
    checks.that(
        (0..=DEAREST).contains(&price_cents),
        "price_cents",
        "is from 0 to 100,000,000",
    );
}

fn is_line(text: &str) -> bool {
    !text.contains(char::is_control)
}

fn is_category(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(query: &str) -> Search {
        let uri = format!("/?{query}").parse().expect("it is a URI");
        let query = axum::extract::Query::<Search>::try_from_uri(&uri);
        query.expect("it is a search").0.canonical()
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        assert_eq!(
            search("text=Blue++TENT&page=1"),
            search("size=20&text=blue+tent")
        );
        assert_eq!(search("category=&text=+&min_price=0"), Search::default());
        assert_ne!(search("text=tent"), search("text=tents"));
    }

    #[test]
    fn every_broken_rule_is_named() {
        let draft = Draft {
            name: "  ".to_owned(),
            description: "x".repeat(2_001),
            category: "Tents & more".to_owned(),
            price_cents: -1,
        };
        let mut checks = Checks::default();
        draft.check(&mut checks);
        let fields: Vec<_> = checks.failed.iter().map(|failed| failed.field).collect();
        assert_eq!(fields, ["name", "description", "category", "price_cents"]);
    }
}

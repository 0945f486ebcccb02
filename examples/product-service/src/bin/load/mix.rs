//! What is asked for: mostly products and lists, a few of them nearly always, and now and then a change.

use std::fmt;

use fastrand::Rng;
use product_service::product::{Change, Page, Product};

use crate::Failure;
use crate::connection::Connection;
use crate::instance::Instance;

const SEED: u64 = 1;
/// As many shelves, orders and pages as people look at.
const LISTS: usize = 120;

/// The addresses, the most popular ones first.
#[derive(Debug)]
pub(crate) struct Mix {
    products: Vec<String>,
    lists: Vec<String>,
    /// At which share of all requests each rank ends, for products and for lists.
    product_ranks: Vec<f64>,
    list_ranks: Vec<f64>,
}

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    Read(&'a str),
    Wishlist,
    /// Read it, make it a cent dearer.
    Change(&'a str),
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mix {
            products, lists, ..
        } = self;
        write!(
            f,
            "{} products and {} lists by Zipf's law: 75 % products, 20 % lists, 4.8 % wishlists, 0.2 % changes",
            products.len(),
            lists.len()
        )
    }
}

impl Mix {
    /// Of the products that are there.
    pub(crate) async fn of(instance: &Instance) -> Result<Mix, Failure> {
        let mut connection = Connection::open(instance.address).await?;
        let mut products = Vec::new();
        for page in 1.. {
            let path = format!("/api/products?size=100&page={page}");
            let answer = connection.get(&path, None).await?;
            let page: Page = serde_json::from_slice(&answer.body)?;
            if page.items.is_empty() {
                break;
            }
            products.extend(page.items);
        }
        let mut shelves: Vec<String> = products
            .iter()
            .map(|product| product.category.clone())
            .collect();
        shelves.sort_unstable();
        shelves.dedup();
        let mut lists: Vec<String> = vec!["/api/products".to_owned()];
        for page in 1..=4 {
            for sort in ["newest", "cheapest", "dearest", "name"] {
                let of_shelf =
                    |shelf| format!("/api/products?category={shelf}&sort={sort}&page={page}");
                lists.extend(shelves.iter().map(of_shelf));
            }
        }
        lists.truncate(LISTS);
        let mut products: Vec<String> = products
            .iter()
            .map(|product| format!("/api/products/{}", product.id))
            .collect();
        // What is popular has nothing to do with what is new.
        Rng::with_seed(SEED).shuffle(&mut products);
        let (product_ranks, list_ranks) = (ranks(products.len()), ranks(lists.len()));
        Ok(Mix {
            products,
            lists,
            product_ranks,
            list_ranks,
        })
    }

    pub(crate) fn next(&self, random: &mut Rng) -> Step<'_> {
        let product = |random: &mut Rng| &*self.products[rank(&self.product_ranks, random)];
        match random.u16(0..1_000) {
            0..750 => Step::Read(product(random)),
            750..950 => Step::Read(&self.lists[rank(&self.list_ranks, random)]),
            950..998 => Step::Wishlist,
            _ => Step::Change(product(random)),
        }
    }
}

/// A product as it was read, a cent dearer.
pub(crate) fn dearer(body: &[u8]) -> Option<String> {
    let Product {
        name,
        description,
        category,
        price_cents,
        version,
        ..
    } = serde_json::from_slice(body).ok()?;
    let change = Change {
        version,
        name,
        description,
        category,
        price_cents: price_cents + 1,
    };
    serde_json::to_string(&change).ok()
}

/// The n-th most popular is asked for in proportion to 1/n.
fn ranks(number: usize) -> Vec<f64> {
    let total: f64 = (1..=number).map(|rank| 1.0 / rank as f64).sum();
    let shares = (1..=number).map(|rank| 1.0 / rank as f64 / total);
    let cumulated = shares.scan(0.0, |sum, share| {
        *sum += share;
        Some(*sum)
    });
    cumulated.collect()
}

fn rank(ranks: &[f64], random: &mut Rng) -> usize {
    let point = random.f64();
    // Rounding may leave the last one a little below 1.
    ranks
        .partition_point(|upto| *upto <= point)
        .min(ranks.len() - 1)
}

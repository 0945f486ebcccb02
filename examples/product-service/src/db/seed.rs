//! What an empty shop is filled with: the same on every machine and in every run, so that figures can be compared and a
//! README can name a product.

use fastrand::Rng;
use sqlx::{Any, Transaction};
use uuid::{Builder, Uuid};

/// Enough that no page holds them and a search has something to do.
pub(super) const PRODUCTS: u64 = 3_000;
const SEED: u64 = 1;
/// Rows of one statement: a statement for each row would make the first start take seconds.
const ROWS: usize = 250;
/// 1 January 2026; the products follow a minute apart, so that "newest" means something.
const OPENED: u64 = 1_767_225_600_000;

/// A category, its things, and the price of a usual one in cents.
const SHELVES: [(&str, [&str; 6], i64); 8] = [
    (
        "books",
        [
            "novel",
            "atlas",
            "cookbook",
            "anthology",
            "biography",
            "dictionary",
        ],
        2_200,
    ),
    (
        "coffee",
        [
            "espresso beans",
            "filter beans",
            "grinder",
            "kettle",
            "moka pot",
            "dripper",
        ],
        3_400,
    ),
    (
        "garden",
        [
            "watering can",
            "trowel",
            "rake",
            "planter",
            "hedge shears",
            "lantern",
        ],
        2_900,
    ),
    (
        "instruments",
        [
            "ukulele",
            "melodica",
            "kalimba",
            "tambourine",
            "recorder",
            "metronome",
        ],
        6_800,
    ),
    (
        "lamps",
        [
            "desk lamp",
            "floor lamp",
            "reading light",
            "pendant",
            "night light",
            "lantern",
        ],
        5_400,
    ),
    (
        "outdoor",
        [
            "tent",
            "sleeping bag",
            "stove",
            "backpack",
            "water filter",
            "hammock",
        ],
        9_900,
    ),
    (
        "stationery",
        [
            "notebook",
            "fountain pen",
            "pencil case",
            "stapler",
            "desk pad",
            "ink",
        ],
        1_400,
    ),
    (
        "toys",
        [
            "puzzle",
            "train set",
            "kite",
            "building blocks",
            "marble run",
            "yo-yo",
        ],
        2_600,
    ),
];
const STYLES: [&str; 12] = [
    "Alpine", "Blue", "Classic", "Copper", "Folding", "Little", "Nordic", "Oak", "Pocket",
    "Sturdy", "Travel", "Walnut",
];

/// Demo accounts; their passwords are in the README and protect nothing. Made once, because making one takes a while on purpose.
const USERS: [(&str, &str); 3] = [
    (
        "ada",
        "$argon2id$v=19$m=19456,t=2,p=1$300BEoA0RbNneOaaqxnN3g$EG++2DBXdzc51kok6/jGUHEwr89HTRwIHbKVYJU7TPg",
    ),
    (
        "grace",
        "$argon2id$v=19$m=19456,t=2,p=1$mf8BUJ/uVFal9EOpq/pJmA$l+jcDKINJBHczI95e5HQes5P3Sm+WkgT9YCpBDeDeH4",
    ),
    (
        "linus",
        "$argon2id$v=19$m=19456,t=2,p=1$NOiUflGJPenTpt6SPij7Mw$C0evTFXYa2zWkXX+0sAqHSUTMW3vAP1k0HBni0e9a0s",
    ),
];

pub(super) async fn fill(transaction: &mut Transaction<'_, Any>) -> Result<(), sqlx::Error> {
    let mut random = Rng::with_seed(SEED);
    let numbers: Vec<u64> = (0..PRODUCTS).collect();
    for numbers in numbers.chunks(ROWS) {
        let rows: Vec<String> = (0..numbers.len())
            .map(|row| placeholders(row * 5))
            .collect();
        let statement = format!(
            "INSERT INTO products (id, name, description, category, price_cents, version) VALUES {}",
            rows.join(", ")
        );
        let mut query = sqlx::query(&statement);
        for &number in numbers {
            let product = Product::new(number, &mut random);
            query = query
                .bind(product.id.to_string())
                .bind(product.name)
                .bind(product.description)
                .bind(product.category)
                .bind(product.price_cents);
        }
        query.execute(&mut **transaction).await?;
    }
    for (number, (name, hash)) in (0..).zip(USERS) {
        sqlx::query("INSERT INTO users (id, name, password_hash) VALUES ($1, $2, $3)")
            .bind(id(number, &mut random).to_string())
            .bind(name)
            .bind(hash)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// The values of a row whose first parameter is the one after `before`.
fn placeholders(before: usize) -> String {
    let [id, name, description, category, price] = [1, 2, 3, 4, 5].map(|column| before + column);
    format!("(${id}, ${name}, ${description}, ${category}, ${price}, 1)")
}

struct Product {
    id: Uuid,
    name: String,
    description: String,
    category: &'static str,
    price_cents: i64,
}

impl Product {
    fn new(number: u64, random: &mut Rng) -> Product {
        let (category, things, usual) = SHELVES[random.usize(..SHELVES.len())];
        let thing = things[random.usize(..things.len())];
        let style = STYLES[random.usize(..STYLES.len())];
        Product {
            id: id(number, random),
            name: format!("{style} {thing} {}", number + 1),
            description: format!("{style} {thing}, from our {category} shelf."),
            category,
            price_cents: usual / 2 + random.i64(0..usual * 2),
        }
    }
}

/// As `Uuid::now_v7` would have made it at that time.
fn id(number: u64, random: &mut Rng) -> Uuid {
    let mut noise = [0; 10];
    random.fill(&mut noise);
    Builder::from_unix_timestamp_millis(OPENED + number * 60_000, &noise).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shop_is_the_same_every_time() {
        let ids = || {
            let mut random = Rng::with_seed(SEED);
            (0..5)
                .map(|number| Product::new(number, &mut random).id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(), ids());
        assert!(ids().is_sorted(), "later ones sort later");
        assert_eq!(placeholders(5), "($6, $7, $8, $9, $10, 1)");
    }
}

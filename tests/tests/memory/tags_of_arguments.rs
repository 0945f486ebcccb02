//! Tags made of arguments: a call is answered only by what carries every tag that its own arguments give.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{Cache, Evict, Policy, Served, cache_put, cacheable, key, traced};
use serde::Serialize;
use tests::caches::{assert_nothing_left, in_memory};
use tests::crowd::Crowd;
use tests::origin::Origin;

/// What the functions below read.
#[derive(Debug, Default)]
struct Table(AtomicU64);

impl Table {
    fn holds(value: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(value)))
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn write(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

struct Order {
    id: u64,
    customer_id: u64,
}

#[cacheable(key = "doc:{id}", tags = ["viewer:{viewer}"])]
async fn doc(table: &Table, id: u64, viewer: u64) -> u64 {
    table.read()
}

#[cacheable(key = "order:{order.id}", tags = ["orders", "customer:{order.customer_id}"])]
async fn total(table: &Table, order: &Order) -> u64 {
    table.read()
}

#[cache_put(key = "order:{order.id}", tags = ["orders", "customer:{customer}"])]
async fn set_total(order: &Order, customer: u64, total: u64) -> u64 {
    total
}

#[cacheable(key = "pair:{one}:{other}", tags = "of:{one}")]
async fn of_one(table: &Table, one: &str, other: &str) -> u64 {
    table.read()
}

#[cacheable(key = "pair:{one}:{other}", tags = "of:{other}")]
async fn of_other(table: &Table, one: &str, other: &str) -> u64 {
    table.read()
}

#[cacheable(key = "pair:{one}:{other}", tags = "of:{third}")]
async fn of_third(table: &Table, one: &str, other: &str, third: &str) -> u64 {
    table.read()
}

#[cacheable(key = "basket", scope = "{tenant}:{user}", tags = "of:{user}")]
async fn basket(table: &Table, tenant: &str, user: &str) -> u64 {
    table.read()
}

#[cacheable(key = "basket", scope = "{user}:{tenant}", tags = "of:{user}")]
async fn basket_turned(table: &Table, tenant: &str, user: &str) -> u64 {
    table.read()
}

#[cacheable(key = "page:{id}", tags = ["author:{result}"])]
async fn page(table: &Table, id: u64) -> u64 {
    table.read()
}

#[cacheable(key = "page:{id}", tags = ["for:{reader}", "author:{result}"])]
async fn page_for(table: &Table, id: u64, reader: u64) -> u64 {
    table.read()
}

/// The key tells it.
#[cacheable(key = "product:{id}", tags = "shelf:{id % 100}")]
async fn on_shelf(table: &Table, id: u64) -> u64 {
    table.read()
}

#[cacheable(key = "product:{id}", tags = "shelf:{id % 10}")]
async fn on_larger_shelf(table: &Table, id: u64) -> u64 {
    table.read()
}

#[cacheable(key = "product:{id}", tags = "shelf:{!id % 100}")]
async fn of_eight_bytes(table: &Table, id: u64) -> u64 {
    table.read()
}

/// The same text as that of the one above, and another tag.
#[cacheable(key = "product:{id}", tags = "shelf:{!id % 100}")]
async fn of_one_byte(table: &Table, id: u8) -> u64 {
    table.read()
}

#[cache_put(key = "product:{id}", tags = "shelf:{id % 100}")]
async fn put_on_shelf(id: u64, value: u64) -> u64 {
    value
}

/// A number whose remainders are what somebody has written down elsewhere: no key tells them.
#[derive(Clone, Copy)]
struct Moved<'t>(u64, &'t Table);

impl Serialize for Moved<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl std::ops::Rem<u64> for Moved<'_> {
    type Output = u64;

    fn rem(self, by: u64) -> u64 {
        (self.0 + self.1.read()) % by
    }
}

#[cacheable(key = "moved:{id}", tags = "shelf:{*id % 100}")]
async fn where_it_is(id: &Moved<'_>) -> u64 {
    id.1.read()
}

async fn answered<T>(cache: &Cache, call: impl Future<Output = T>) -> (T, Served) {
    let (value, served) = cache.as_current(traced(call)).await;
    (value, served.expect("the call was annotated"))
}

#[tokio::test]
async fn an_eviction_reaches_who_would_have_given_the_tag() {
    let (cache, table) = (in_memory(), Table::holds(1));
    assert_eq!(answered(&cache, doc(&table, 7, 1)).await.0, 1);
    assert_eq!(answered(&cache, doc(&table, 7, 2)).await.0, 1);
    table.write(2);
    cache.evict(Evict::tag("viewer:2")).await.unwrap();
    assert_eq!(answered(&cache, doc(&table, 7, 2)).await.0, 2);
}

#[tokio::test]
async fn a_tag_that_is_computed_of_the_key_evicts_what_it_is_computed_for() {
    let (cache, table) = (in_memory(), Table::holds(1));
    for (id, is) in [
        (207, Served::Loaded),
        (207, Served::Memory),
        (8, Served::Loaded),
    ] {
        assert_eq!(answered(&cache, on_shelf(&table, id)).await, (1, is));
    }
    table.write(2);
    cache.evict(Evict::tag("shelf:7")).await.unwrap();
    assert_eq!(
        answered(&cache, on_shelf(&table, 207)).await,
        (2, Served::Loaded)
    );
    assert_eq!(
        answered(&cache, on_shelf(&table, 8)).await,
        (1, Served::Memory)
    );
    cache.as_current(put_on_shelf(8, 3)).await;
    assert_eq!(
        answered(&cache, on_shelf(&table, 8)).await,
        (3, Served::Memory)
    );
}

#[tokio::test]
async fn what_is_computed_otherwise_or_in_another_type_is_another_tag() {
    let (cache, table) = (in_memory(), Table::holds(1));
    let (one, other) = (on_shelf(&table, 17), on_larger_shelf(&table, 17));
    assert_eq!(answered(&cache, one).await, (1, Served::Loaded));
    assert_eq!(answered(&cache, other).await, (1, Served::Loaded));
    let (one, other) = (of_eight_bytes(&table, 9), of_one_byte(&table, 9));
    assert_eq!(answered(&cache, one).await, (1, Served::Loaded));
    assert_eq!(answered(&cache, other).await, (1, Served::Loaded));
}

#[tokio::test]
async fn an_operator_of_somebody_elses_type_is_asked_every_time() {
    let (cache, table) = (in_memory(), Table::holds(1));
    let id = &Moved(7, &table);
    for (value, is) in [(1, Served::Loaded), (1, Served::Memory)] {
        assert_eq!(answered(&cache, where_it_is(id)).await, (value, is));
    }
    // The same key, and another tag.
    table.write(2);
    assert_eq!(answered(&cache, where_it_is(id)).await, (2, Served::Loaded));
    table.write(3);
    cache.evict(Evict::tag("shelf:9")).await.unwrap();
    table.write(2);
    assert_eq!(answered(&cache, where_it_is(id)).await, (2, Served::Loaded));
}

#[tokio::test]
async fn the_same_argument_is_answered_from_memory() {
    let (cache, table) = (in_memory(), Table::holds(1));
    let (order, renamed) = (
        Order {
            id: 7,
            customer_id: 1,
        },
        Order {
            id: 7,
            customer_id: 2,
        },
    );
    for (order, is) in [
        (&order, Served::Loaded),
        (&order, Served::Memory),
        (&renamed, Served::Loaded),
        (&renamed, Served::Memory),
    ] {
        assert_eq!(answered(&cache, total(&table, order)).await, (1, is));
    }
    table.write(2);
    cache.evict(Evict::tag("customer:2")).await.unwrap();
    assert_eq!(answered(&cache, total(&table, &renamed)).await.0, 2);
    cache.evict(Evict::tag("orders")).await.unwrap();
    assert_eq!(
        answered(&cache, total(&table, &renamed)).await,
        (2, Served::Loaded)
    );
}

#[tokio::test]
async fn a_put_with_the_same_tags_answers_a_read() {
    let (cache, table) = (in_memory(), Table::holds(1));
    let order = Order {
        id: 7,
        customer_id: 1,
    };
    cache.as_current(set_total(&order, 1, 5)).await;
    assert_eq!(
        answered(&cache, total(&table, &order)).await,
        (5, Served::Memory)
    );
    cache.as_current(set_total(&order, 2, 6)).await;
    assert_eq!(
        answered(&cache, total(&table, &order)).await,
        (1, Served::Loaded),
        "it was put for another customer"
    );
    let policy = Policy::new().tags(["customer:1", "more", "orders"]);
    cache.put(&key!("order:{7}"), 7_u64, &policy).await.unwrap();
    assert_eq!(
        answered(&cache, total(&table, &order)).await,
        (7, Served::Memory),
        "it carries what is asked for, and more"
    );
}

#[tokio::test]
async fn a_load_is_joined_only_by_who_gives_the_same_tags() {
    #[cacheable(key = "slow:{id}", tags = ["viewer:{viewer}"])]
    async fn slow(origin: Arc<Origin>, table: Arc<Table>, id: u64, viewer: u64) -> u64 {
        let value = table.read();
        origin.run().await;
        value
    }
    let (cache, origin, table) = (in_memory(), Origin::closed(), Table::holds(1));
    let call = |viewer: u64| {
        let (cache, origin, table) = (cache.clone(), Arc::clone(&origin), Arc::clone(&table));
        move |_| {
            let (cache, origin, table) = (cache.clone(), Arc::clone(&origin), Arc::clone(&table));
            async move { cache.as_current(slow(origin, table, 7, viewer)).await }
        }
    };
    let first = Crowd::of(3, call(1)).await;
    table.write(2);
    cache.evict(Evict::tag("viewer:2")).await.unwrap();
    let second = Crowd::of(3, call(2)).await;
    assert_eq!(origin.runs(), 2, "each viewer's callers share a load");
    origin.open_gate();
    assert_eq!(first.answers().await, [1, 1, 1]);
    assert_eq!(second.answers().await, [2, 2, 2]);
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn calls_by_hand_compare_their_tags() {
    let (cache, table) = (in_memory(), Table::holds(1));
    let (key, load) = (key!("by hand:{7}"), async || table.read());
    let read = async |tags: &[&str]| {
        let policy = Policy::new().tags(tags.iter().copied());
        cache.get_or_load(&key, &policy, load).await
    };
    assert_eq!(read(&["viewer:1", "docs"]).await, 1);
    table.write(2);
    assert_eq!(read(&["docs", "viewer:1"]).await, 1, "in any order");
    assert_eq!(read(&["docs"]).await, 1, "it carries this one as well");
    assert_eq!(read(&[]).await, 1);
    assert_eq!(read(&["docs", "viewer:2"]).await, 2);
    cache.evict(Evict::tag("viewer:1")).await.unwrap();
    assert_eq!(cache.get::<u64>(&key).await, Some(2));
}

#[tokio::test]
async fn which_argument_a_tag_is_made_of_counts() {
    let (cache, table) = (in_memory(), Table::holds(1));
    let loaded = (1, Served::Loaded);
    assert_eq!(answered(&cache, of_one(&table, "a", "b")).await, loaded);
    assert_eq!(answered(&cache, of_other(&table, "a", "b")).await, loaded);
    table.write(2);
    cache.evict(Evict::tag("of:b")).await.unwrap();
    assert_eq!(answered(&cache, of_other(&table, "a", "b")).await.0, 2);
    let third = answered(&cache, of_third(&table, "a", "b", "b")).await;
    assert_eq!(
        third,
        (2, Served::Memory),
        "of another function, and of this tag"
    );
    let third = answered(&cache, of_third(&table, "a", "b", "c")).await;
    assert_eq!(third, (2, Served::Loaded));

    table.write(1);
    assert_eq!(answered(&cache, basket(&table, "a", "b")).await, loaded);
    assert_eq!(
        answered(&cache, basket_turned(&table, "b", "a")).await,
        loaded
    );
    table.write(2);
    cache.evict(Evict::tag("of:a")).await.unwrap();
    assert_eq!(answered(&cache, basket_turned(&table, "b", "a")).await.0, 2);
}

#[tokio::test]
async fn tags_of_the_value_are_asked_for_by_template() {
    let (cache, table) = (in_memory(), Table::holds(1));
    let policy = Policy::new().tags(["for:1"]);
    cache.put(&key!("page:{7}"), 3_u64, &policy).await.unwrap();
    let loaded = answered(&cache, page_for(&table, 7, 1)).await;
    assert_eq!(loaded, (1, Served::Loaded), "that one named no author");
    let of_memory = (1, Served::Memory);
    assert_eq!(answered(&cache, page_for(&table, 7, 1)).await, of_memory);
    assert_eq!(answered(&cache, page(&table, 7)).await, of_memory);
    let loaded = answered(&cache, page_for(&table, 7, 2)).await;
    assert_eq!(loaded, (1, Served::Loaded));
    cache.evict(Evict::tag("author:1")).await.unwrap();
    let loaded = answered(&cache, page_for(&table, 7, 2)).await;
    assert_eq!(loaded, (1, Served::Loaded));
}

/// Fails once it has been told to.
struct Moody(std::cell::Cell<bool>);

impl Serialize for Moody {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.get() {
            return Err(serde::ser::Error::custom("not now"));
        }
        serializer.serialize_u64(1)
    }
}

#[tokio::test]
async fn a_tag_without_a_text_is_answered_by_nothing() {
    #[cacheable(key = "moody:{id}", tags = ["of:{moody}"])]
    async fn of(id: u64, moody: &Moody) -> u64 {
        let _ = moody;
        id
    }
    let (cache, moody) = (in_memory(), Moody(false.into()));
    assert_eq!(answered(&cache, of(7, &moody)).await, (7, Served::Loaded));
    assert_eq!(answered(&cache, of(7, &moody)).await, (7, Served::Memory));
    moody.0.set(true);
    assert!(matches!(
        answered(&cache, of(7, &moody)).await,
        (7, Served::Bypassed(_))
    ));
}

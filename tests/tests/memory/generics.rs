//! Generic functions: every instantiation has entries of its own.

use std::fmt::Debug;
use std::marker::PhantomData;

use cache_runtime::{Key, Served, cache_put, cacheable, traced};
use serde::{Serialize, de::DeserializeOwned};
use tests::caches::{assert_nothing_left, in_memory};

/// What is told apart.
trait Row: Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    const NAME: &'static str;
    fn of(id: u64) -> Self;
}

impl Row for u64 {
    const NAME: &'static str = "number";
    fn of(id: u64) -> Self {
        id
    }
}

impl Row for String {
    const NAME: &'static str = "text";
    fn of(id: u64) -> Self {
        format!("text {id}")
    }
}

/// Another row with the JSON of `u64`.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
#[serde(transparent)]
struct Id(u64);

impl Row for Id {
    const NAME: &'static str = "id";
    fn of(id: u64) -> Self {
        Self(id + 1_000)
    }
}

#[cacheable(ttl = "1h")]
async fn by_default<T: Row>(id: u64) -> T {
    T::of(id)
}

#[cacheable(key = "row:{id}", ttl = "1h")]
async fn explicit<T: Row>(id: u64) -> T {
    T::of(id)
}

#[cacheable(key = "{T::NAME}:{id}", ttl = "1h")]
async fn named<T>(id: u64) -> Option<T>
where
    T: Row,
{
    Some(T::of(id))
}

#[cacheable(ttl = "1h")]
async fn sized<const N: usize>(id: u64) -> Vec<u64> {
    vec![id; N]
}

#[cache_put(key = "row:{id}", ttl = "1h")]
async fn put<T: Row>(id: u64, value: T) -> T {
    value
}

struct Table<T, const SHARD: u8>(PhantomData<T>);

impl<T: Row, const SHARD: u8> Table<T, SHARD> {
    #[cacheable(skip(self), ttl = "1h")]
    async fn row(&self, id: u64) -> Result<T, String> {
        Ok(T::of(id + u64::from(SHARD) * 100))
    }

    #[cacheable(ttl = "1h")]
    async fn first() -> T {
        T::of(u64::from(SHARD))
    }
}

#[cacheable(key = "into:{id}", ttl = "1h")]
async fn with_impl(id: impl Into<u64> + Copy + Serialize + Send) -> u64 {
    id.into()
}

#[tokio::test]
async fn default_keys_of_instantiations_do_not_collide() {
    let cache = in_memory();
    let calls = async {
        for round in [Served::Loaded, Served::Memory] {
            assert_eq!(traced(by_default::<u64>(7)).await, (7, Some(round)));
            assert_eq!(traced(by_default::<Id>(7)).await, (Id(1_007), Some(round)));
            assert_eq!(
                traced(by_default::<String>(7)).await,
                ("text 7".to_owned(), Some(round))
            );
            assert_eq!(traced(sized::<2>(7)).await, (vec![7; 2], Some(round)));
            assert_eq!(traced(sized::<3>(7)).await, (vec![7; 3], Some(round)));
        }
    };
    cache.as_current(calls).await;
    assert!(
        cache
            .inspect(&Key::new("memory.generics.by_default<u64>:7"))
            .await
            .is_some()
    );
}

#[tokio::test]
async fn default_keys_of_generic_types_do_not_collide() {
    let cache = in_memory();
    let calls = async {
        for round in [Served::Loaded, Served::Memory] {
            let round = Some(round);
            assert_eq!(
                traced(Table::<u64, 1>(PhantomData).row(7)).await,
                (Ok(107), round)
            );
            assert_eq!(
                traced(Table::<u64, 2>(PhantomData).row(7)).await,
                (Ok(207), round)
            );
            assert_eq!(
                traced(Table::<Id, 1>(PhantomData).row(7)).await,
                (Ok(Id(1_107)), round)
            );
            assert_eq!(traced(Table::<u64, 1>::first()).await, (1, round));
            assert_eq!(traced(Table::<Id, 1>::first()).await, (Id(1_001), round));
        }
    };
    cache.as_current(calls).await;
}

#[tokio::test]
async fn under_one_explicit_key_another_instantiation_reads_as_a_miss() {
    let cache = in_memory();
    let calls = async {
        for _ in 0..2 {
            assert_eq!(traced(explicit::<u64>(7)).await, (7, Some(Served::Loaded)));
            assert_eq!(traced(explicit::<u64>(7)).await, (7, Some(Served::Memory)));
            // The JSON of the two is the same; the value is not.
            assert_eq!(
                traced(explicit::<Id>(7)).await,
                (Id(1_007), Some(Served::Loaded))
            );
            assert_eq!(traced(explicit::<String>(7)).await.1, Some(Served::Loaded));
        }
    };
    cache.as_current(calls).await;
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_key_that_names_the_type_keeps_them_side_by_side() {
    let cache = in_memory();
    let calls = async {
        for round in [Served::Loaded, Served::Memory] {
            assert_eq!(traced(named::<u64>(7)).await, (Some(7), Some(round)));
            assert_eq!(
                traced(named::<String>(7)).await,
                (Some("text 7".to_owned()), Some(round))
            );
        }
    };
    cache.as_current(calls).await;
    assert_eq!(cache.get::<u64>(&Key::new("number:7")).await, Some(7));
}

#[tokio::test]
async fn a_put_of_the_same_instantiation_is_read() {
    let cache = in_memory();
    let calls = async {
        put::<u64>(7, 70).await;
        assert_eq!(traced(explicit::<u64>(7)).await, (70, Some(Served::Memory)));
        put::<Id>(7, Id(71)).await;
        assert_eq!(traced(explicit::<u64>(7)).await, (7, Some(Served::Loaded)));
    };
    cache.as_current(calls).await;
}

#[tokio::test(start_paused = true)]
async fn two_instantiations_do_not_share_a_load_that_runs() {
    let cache = in_memory();
    let (one, other) = tokio::join!(
        cache.as_current(explicit::<u64>(7)),
        cache.as_current(explicit::<Id>(7))
    );
    assert_eq!((one, other), (7, Id(1_007)));
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn arguments_of_impl_trait_enter_the_key_by_value() {
    let cache = in_memory();
    let calls = async {
        assert_eq!(with_impl(7_u32).await, 7);
        assert_eq!(with_impl(8_u8).await, 8);
        assert_eq!(traced(with_impl(7_u32)).await, (7, Some(Served::Memory)));
    };
    cache.as_current(calls).await;
}

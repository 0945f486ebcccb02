//! The forms a function may have, as they behave: what is cached is what the body returned, once.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use cache_runtime::{Served, cache_evict, cache_put, cacheable, traced};
use tests::caches::{assert_nothing_left, in_memory};
use tests::origin::Origin;

/// Calls twice; the first has to load and the second has to hit, with the same value.
macro_rules! cached {
    ($cache:expr, $call:expr => $value:expr) => {{
        let value = $value;
        assert_eq!(
            $cache.as_current(traced($call)).await,
            (value.clone(), Some(Served::Loaded))
        );
        assert_eq!(
            $cache.as_current(traced($call)).await,
            (value, Some(Served::Memory))
        );
    }};
}

struct Shop {
    tenant: u64,
    origin: Arc<Origin>,
}

fn shop(tenant: u64) -> Shop {
    Shop {
        tenant,
        origin: Origin::open(),
    }
}

impl Shop {
    #[cacheable(key = "ref:{self.tenant}:{id}")]
    async fn by_ref(&self, id: u64) -> u64 {
        self.tenant * 100 + id * 10 + self.origin.run().await
    }

    #[cacheable(key = "typed:{self.tenant}:{id}")]
    #[expect(
        clippy::needless_arbitrary_self_type,
        reason = "this form is what is tested"
    )]
    async fn by_typed_ref(self: &Self, id: u64) -> u64 {
        self.by_ref(id).await
    }

    #[cacheable(key = "arc:{self.tenant}:{id}")]
    async fn by_arc(self: Arc<Self>, id: u64) -> u64 {
        self.tenant * 100 + id * 10 + self.origin.run().await
    }

    #[cacheable(key = "mut:{id}")]
    async fn by_mut(&mut self, id: u64) -> u64 {
        self.tenant += id;
        self.tenant
    }

    #[cacheable(key = "boxed:{self.tenant}:{id}")]
    fn boxed(&self, id: u64) -> Pin<Box<dyn Future<Output = Result<u64, String>> + Send + '_>> {
        Box::pin(async move { Ok(self.tenant * 100 + id * 10 + self.origin.run().await) })
    }

    #[cacheable]
    async fn associated(id: u64, name: Cow<'_, str>) -> String {
        format!("{id} {name}")
    }
}

trait Products {
    fn native(&self, id: u64) -> impl Future<Output = u64> + Send;
}

impl Products for Shop {
    #[cacheable(key = "native:{self.tenant}:{id}")]
    async fn native(&self, id: u64) -> u64 {
        self.tenant * 100 + id * 10 + self.origin.run().await
    }
}

#[async_trait]
trait Repository: Send + Sync {
    async fn product(&self, id: u64, name: &str)
    -> Result<Option<String>, std::num::ParseIntError>;
    async fn rename(&self, id: u64, name: &str) -> Result<u64, String>;
    async fn update(&self, id: u64, name: &str) -> Option<String>;
}

#[async_trait]
impl Repository for Shop {
    #[cacheable(key = "product:{self.tenant}:{id}")]
    async fn product(
        &self,
        id: u64,
        name: &str,
    ) -> Result<Option<String>, std::num::ParseIntError> {
        let number: u64 = name.parse()?;
        if number == 0 {
            return Ok(None);
        }
        let run = self.origin.run().await;
        Ok(Some(format!("{id}: {number} in run {run}")))
    }

    #[cache_evict(key = "product:{self.tenant}:{result}")]
    async fn rename(&self, id: u64, name: &str) -> Result<u64, String> {
        if name.is_empty() {
            Err("no name".to_owned())
        } else {
            Ok(id)
        }
    }

    #[cache_put(key = "product:{self.tenant}:{id}")]
    async fn update(&self, id: u64, name: &str) -> Option<String> {
        Some(format!("{id}: {name}"))
    }
}

#[async_trait(?Send)]
trait Local {
    async fn local(&self, id: u64) -> u64;
}

#[async_trait(?Send)]
impl Local for Shop {
    #[cacheable(key = "local:{id}")]
    async fn local(&self, id: u64) -> u64 {
        let not_send = Rc::new(id);
        tokio::task::yield_now().await;
        *not_send + self.tenant
    }
}

type Aliased<T> = Result<T, String>;
type Twice<T> = Aliased<Option<T>>;

mod other {
    /// A `Result` that is none.
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Result(pub(crate) u64);
}

#[cacheable(key = "aliased:{id}")]
async fn aliased(origin: &Origin, id: u64) -> Aliased<u64> {
    let run = origin.run().await;
    if id == 0 {
        Err(format!("run {run}"))
    } else {
        Ok(run)
    }
}

#[cacheable(key = "twice:{id}", negative_ttl = 60)]
async fn twice(origin: &Origin, id: u64) -> Twice<u64> {
    let run = origin.run().await;
    Ok((id > 0).then_some(run))
}

#[cacheable(key = "no result")]
async fn no_result() -> other::Result {
    other::Result(7)
}

#[cacheable(key = "body:{text}")]
async fn with_control_flow(text: &str) -> Result<Vec<u64>, std::num::ParseIntError> {
    macro_rules! parsed {
        ($text:expr) => {
            $text.parse::<u64>()?
        };
    }
    let mut numbers = vec![];
    for part in text.split(',') {
        if part.is_empty() {
            return Ok(numbers);
        }
        numbers.push(parsed!(part));
    }
    Ok(numbers)
}

#[cacheable(key = "shared:{id}")]
async fn shared(id: u64) -> Arc<Vec<u64>> {
    Arc::new(vec![id])
}

#[cacheable(key = "unit")]
async fn unit(origin: &Origin) {
    origin.run().await;
}

#[cacheable(key = "patterns:{a}:{b}")]
async fn patterns((a, b): (u64, u64), mut c: u64, _: &str) -> u64 {
    c += a + b;
    c
}

#[cacheable(key = "large:{id}")]
async fn large(id: u64) -> u64 {
    let bytes = [1_u8; 4_096];
    tokio::task::yield_now().await;
    id + u64::from(bytes[usize::try_from(id).unwrap_or(0)])
}

#[tokio::test]
async fn every_kind_of_receiver_is_cached_by_its_key() {
    let cache = in_memory();
    let (one, mut two) = (Arc::new(shop(1)), shop(2));
    cached!(cache, one.by_ref(3) => 131);
    cached!(cache, two.by_ref(3) => 231);
    cached!(cache, one.by_typed_ref(3) => 131);
    cached!(cache, Arc::clone(&one).by_arc(4) => 142);
    cached!(cache, one.boxed(5) => Ok(153));
    cached!(cache, one.native(6) => 164);
    cached!(cache, two.by_mut(3) => 5);
    cached!(cache, Shop::associated(1, Cow::Borrowed("a")) => "1 a".to_owned());
    assert_eq!(two.tenant, 5, "the body of a hit does not run");
}

#[tokio::test]
async fn methods_of_an_async_trait_work_through_a_trait_object() {
    let cache = in_memory();
    let shop: Box<dyn Repository> = Box::new(shop(1));
    cached!(cache, shop.product(1, "5") => Ok(Some("1: 5 in run 1".to_owned())));
    assert!(cache.as_current(shop.product(2, "x")).await.is_err());
    assert_eq!(cache.as_current(shop.product(2, "0")).await, Ok(None));
    assert!(cache.as_current(shop.rename(1, "")).await.is_err());
    assert_eq!(
        cache.as_current(shop.product(1, "5")).await,
        Ok(Some("1: 5 in run 1".to_owned()))
    );
    assert_eq!(cache.as_current(shop.rename(1, "b")).await, Ok(1));
    cached!(cache, shop.product(1, "5") => Ok(Some("1: 5 in run 2".to_owned())));
    cache.as_current(shop.update(1, "put")).await;
    assert_eq!(
        cache.as_current(shop.product(1, "5")).await,
        Ok(Some("1: put".to_owned()))
    );
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_body_that_is_not_send_runs_on_a_local_set() {
    let cache = in_memory();
    let local = tokio::task::LocalSet::new();
    let current = cache.clone();
    let both = local.run_until(async move {
        let call = |id| {
            let current = current.clone();
            tokio::task::spawn_local(async move { current.as_current(shop(10).local(id)).await })
        };
        let (one, other, third) = (call(1), call(1), call(2));
        (
            one.await.unwrap(),
            other.await.unwrap(),
            third.await.unwrap(),
        )
    });
    assert_eq!(both.await, (11, 11, 12));
    let stats = cache.stats().total;
    assert_eq!((stats.loads, stats.shared), (2, 1));
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn results_are_recognised_through_aliases() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(
        cache.as_current(aliased(&origin, 0)).await,
        Err("run 1".to_owned())
    );
    assert_eq!(
        cache.as_current(aliased(&origin, 0)).await,
        Err("run 2".to_owned())
    );
    cached!(cache, aliased(&origin, 1) => Ok(3));
    cached!(cache, twice(&origin, 0) => Ok(None));
    cached!(cache, twice(&origin, 1) => Ok(Some(5)));
    cached!(cache, no_result() => other::Result(7));
}

#[tokio::test]
async fn control_flow_and_macros_in_the_body_mean_what_they_meant() {
    let cache = in_memory();
    cached!(cache, with_control_flow("1,2") => Ok(vec![1, 2]));
    cached!(cache, with_control_flow("1,,x") => Ok(vec![1]));
    assert!(cache.as_current(with_control_flow("1,x")).await.is_err());
    cached!(cache, patterns((1, 2), 3, "ignored") => 6);
    cached!(cache, unit(&Origin::open()) => ());
}

#[tokio::test]
async fn a_hit_of_an_arc_is_the_same_arc() {
    let cache = in_memory();
    let first = cache.as_current(shared(1)).await;
    let second = cache.as_current(shared(1)).await;
    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn the_future_of_a_call_is_small_whatever_its_body_holds() {
    assert!(
        size_of_val(&large(1)) <= 512,
        "{} bytes",
        size_of_val(&large(1))
    );
    let cache = in_memory();
    cached!(cache, large(1) => 2);
}

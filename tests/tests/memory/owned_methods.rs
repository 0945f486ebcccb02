//! What a method sees whose load may outlive its call: a receiver under another name, which nothing in the body can tell.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use cache_runtime::cacheable;
use tests::caches::{assert_nothing_left, in_memory};

#[derive(Clone)]
struct Shop {
    tenant: u64,
    names: Vec<String>,
}

fn shop(tenant: u64) -> Shop {
    Shop {
        tenant,
        names: vec!["a".to_owned()],
    }
}

/// What modules are called, to be met by paths.
fn module() -> u64 {
    1000
}

macro_rules! twice {
    ($value:expr) => {
        $value + $value
    };
}

macro_rules! with_method {
    ($($method:tt)*) => {
        struct Wrapped(u64);
        impl Wrapped {
            $($method)*
        }
    };
}

impl Shop {
    #[cacheable(key = "ref:{self.tenant}:{id}", background_refresh)]
    async fn by_ref(&self, id: u64) -> u64 {
        let this: &Self = self;
        this.tenant * 100 + id
    }

    #[cacheable(key = "arc:{self.tenant}:{id}", background_refresh)]
    async fn by_arc(self: Arc<Self>, id: u64) -> u64 {
        let this: Arc<Self> = self;
        this.tenant * 100 + id
    }

    #[cacheable(key = "typed:{self.tenant}", background_refresh)]
    #[expect(
        clippy::needless_arbitrary_self_type,
        reason = "this form is what is tested"
    )]
    async fn by_typed_ref(self: &Self) -> u64 {
        self.tenant
    }

    #[cacheable(key = "arc ref:{self.tenant}", background_refresh)]
    async fn by_arc_ref(self: &Arc<Self>) -> usize {
        let this: &Arc<Self> = self;
        Arc::strong_count(this).min(1)
    }

    #[cacheable(key = "value:{self.tenant}", background_refresh)]
    async fn by_value(mut self, name: &str) -> Vec<String> {
        self.names.push(name.to_owned());
        self.names
    }

    #[cacheable(key = "boxed:{self.tenant}:{id}", background_refresh)]
    fn boxed<'a>(
        &'a self,
        id: &'a u64,
    ) -> Pin<Box<dyn Future<Output = Result<u64, String>> + Send + 'a>> {
        let tenant = self.tenant;
        Box::pin(async move { Ok(tenant * 100 + self.tenant + *id) })
    }

    #[cacheable(key = "everything:{self.tenant}", background_refresh)]
    async fn everything(&self, text: &str) -> String {
        use self::Shop as Own;
        use std::fmt::{self, Write as _};

        struct Inner {
            pub(self) tenant: u64,
        }
        impl fmt::Display for Inner {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "<{}>", self.tenant)
            }
        }
        trait Named {
            fn name(&self) -> String {
                self.text().to_owned()
            }
            fn text(&self) -> &str;
        }
        impl Named for Own {
            fn text(&self) -> &str {
                &self.names[0]
            }
        }
        with_method! {
            fn get(&self) -> u64 {
                self.0
            }
        }
        macro_rules! tenant {
            () => {
                self.tenant
            };
        }
        const OFFSET: u64 = 1;
        let inner = Inner {
            tenant: self.tenant,
        };
        let closure = |add: u64| self.tenant + add;
        let number = twice!(self.tenant) + tenant!() + closure(OFFSET) + self::module();
        let mut out = format!("{} {} {text} ", self.name(), self.tenant);
        if !(self.tenant > 100) && text != "{self}" {
            let _ = write!(out, "{inner} {{self}} {}", Wrapped(number).get());
        }
        out
    }
}

trait Products {
    fn native(&self, id: u64) -> impl Future<Output = u64> + Send;
}

impl Products for Shop {
    #[cacheable(key = "native:{self.tenant}:{id}", background_refresh)]
    async fn native(&self, id: u64) -> u64 {
        self.tenant * 100 + id
    }
}

#[derive(Clone)]
struct Repo<T, const N: usize>(T);

impl<T: AsRef<[u64]> + Clone + Send + Sync + 'static, const N: usize> Repo<T, N> {
    #[cacheable(key = "nth", background_refresh)]
    async fn nth(&self) -> Option<u64> {
        self.0.as_ref().get(N).copied()
    }
}

#[async_trait]
trait Repository: Send + Sync {
    async fn product(&self, id: u64, name: &str) -> Result<Option<String>, String>;
    async fn shared(self: Arc<Self>, (a, b): (u64, u64), mut c: u64) -> u64;
}

#[async_trait]
impl Repository for Shop {
    #[cacheable(key = "product:{self.tenant}:{id}", hard_timeout = "1m", on_timeout = |timeout| timeout.to_string())]
    async fn product(&self, id: u64, name: &str) -> Result<Option<String>, String> {
        if name.is_empty() {
            return Err("no name".to_owned());
        }
        tokio::task::yield_now().await;
        let number: u64 = name.parse().map_err(|_| "no number".to_owned())?;
        Ok(Some(format!("{}:{id}:{number}", self.tenant)))
    }

    #[cacheable(key = "shared:{self.tenant}:{c}", background_refresh)]
    async fn shared(self: Arc<Self>, (a, b): (u64, u64), mut c: u64) -> u64 {
        c += a + b;
        self.tenant * 100 + c
    }
}

/// Calls twice: the first has to load and the second has to hit.
macro_rules! sees {
    ($call:expr => $value:expr) => {{
        let cache = in_memory();
        assert_eq!(cache.as_current($call).await, $value);
        assert_eq!(cache.as_current($call).await, $value, "a hit");
        assert_eq!(cache.stats().total.l1_hits, 1);
        assert_nothing_left(&cache);
    }};
}

#[tokio::test]
async fn every_kind_of_receiver_is_what_it_was() {
    let shop = Arc::new(shop(3));
    sees!(shop.by_ref(1) => 301);
    sees!(Arc::clone(&shop).by_arc(2) => 302);
    sees!(shop.by_typed_ref() => 3);
    sees!(shop.by_arc_ref() => 1);
    sees!(Shop::clone(&shop).by_value("b") => ["a", "b"]);
    sees!(shop.boxed(&4) => Ok(307));
    sees!(shop.native(5) => 305);
    sees!(Repo::<_, 1>(vec![7, 8]).nth() => Some(8));
}

#[tokio::test]
async fn self_means_the_receiver_where_it_did_and_nowhere_else() {
    sees!(shop(3).everything("x") => "a 3 x <3> {self} 1013");
}

#[tokio::test]
async fn methods_of_an_async_trait_work_through_a_trait_object() {
    let shop: Arc<dyn Repository> = Arc::new(shop(3));
    sees!(shop.product(1, "5") => Ok(Some("3:1:5".to_owned())));
    sees!(Arc::clone(&shop).shared((1, 2), 3) => 306);
    let cache = in_memory();
    for (name, error) in [("", "no name"), ("x", "no number")] {
        let result = cache.as_current(shop.product(1, name)).await;
        assert_eq!(result, Err(error.to_owned()));
    }
}

//! moka by itself: `sync` reads with `get` and inserts what it missed, `future` goes through `get_with`, which is single flight as well.

use common::{Blob, Candidate, Product, Run, Selection, keys, origin};
use moka::{future, sync};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(600);

fn main() {
    let run = Run::from_arguments();
    let room = run.capacity() as u64;
    match run.variant() {
        "sync" => run.measure(Blocking::new(room)),
        "future" => run.measure(Awaited::new(room)),
        _ => run.unknown(),
    }
}

/// A service has its caches in a struct that lives as long as the process.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// An empty one allocates next to nothing, so that all of them can be there.
fn blocking<K, V>(room: u64) -> &'static sync::Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    kept(
        sync::Cache::builder()
            .max_capacity(room)
            .time_to_live(TTL)
            .build(),
    )
}

fn awaited<K, V>(room: u64) -> &'static future::Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    kept(
        future::Cache::builder()
            .max_capacity(room)
            .time_to_live(TTL)
            .build(),
    )
}

type Three = (String, u32, bool);

#[derive(Clone, Copy)]
struct Blocking {
    shared: &'static sync::Cache<u64, Arc<Product>>,
    owned: &'static sync::Cache<u64, Product>,
    three: &'static sync::Cache<Three, Arc<Product>>,
    text: &'static sync::Cache<String, Arc<Product>>,
    blob: &'static sync::Cache<u64, Blob>,
    shared_blob: &'static sync::Cache<u64, Arc<Blob>>,
    /// Entries can be invalidated by what their keys are like.
    filed: &'static sync::Cache<u64, Product>,
}

impl Blocking {
    fn new(room: u64) -> Blocking {
        Blocking {
            shared: blocking(room),
            owned: blocking(room),
            three: blocking(room),
            text: blocking(room),
            blob: blocking(room),
            shared_blob: blocking(room),
            filed: kept(
                sync::Cache::builder()
                    .max_capacity(room)
                    .time_to_live(TTL)
                    .support_invalidation_closures()
                    .build(),
            ),
        }
    }
}

impl Candidate for Blocking {
    async fn shared(self, id: u64) -> Arc<Product> {
        if let Some(value) = self.shared.get(&id) {
            return value;
        }
        let value = origin::shared(id).await;
        self.shared.insert(id, Arc::clone(&value));
        value
    }

    async fn owned(self, id: u64) -> Product {
        if let Some(value) = self.owned.get(&id) {
            return value;
        }
        let value = origin::owned(id).await;
        self.owned.insert(id, value.clone());
        value
    }

    async fn three(self, category: &'static str, page: u32, ascending: bool) -> Arc<Product> {
        let key = (category.to_owned(), page, ascending);
        if let Some(value) = self.three.get(&key) {
            return value;
        }
        let value = origin::shared(keys::number_of_three(category, page, ascending)).await;
        self.three.insert(key, Arc::clone(&value));
        value
    }

    async fn text(self, slug: &'static str) -> Arc<Product> {
        if let Some(value) = self.text.get(slug) {
            return value;
        }
        let value = origin::shared(keys::number_of_text(slug)).await;
        self.text.insert(slug.to_owned(), Arc::clone(&value));
        value
    }

    async fn blob(self, id: u64) -> Blob {
        if let Some(value) = self.blob.get(&id) {
            return value;
        }
        let value = origin::blob(id).await;
        self.blob.insert(id, value.clone());
        value
    }

    async fn shared_blob(self, id: u64) -> Arc<Blob> {
        if let Some(value) = self.shared_blob.get(&id) {
            return value;
        }
        let value = Arc::new(origin::blob(id).await);
        self.shared_blob.insert(id, Arc::clone(&value));
        value
    }

    async fn filed(self, id: u64) -> Product {
        if let Some(value) = self.filed.get(&id) {
            return value;
        }
        let value = origin::owned(id).await;
        self.filed.insert(id, value.clone());
        value
    }

    async fn evict(self, selection: Selection, id: u64) {
        match selection {
            Selection::Key => self.filed.invalidate(&id),
            Selection::Region => self.filed.invalidate_all(),
            Selection::Pattern => {
                let shelf = id % Selection::SHELVES;
                let stands_there = move |id: &u64, _: &Product| id % Selection::SHELVES == shelf;
                let known = self.filed.invalidate_entries_if(stands_there);
                known.expect("closures are supported");
            }
            Selection::Tag => selection.unsupported().await,
        }
    }
}

#[derive(Clone, Copy)]
struct Awaited {
    shared: &'static future::Cache<u64, Arc<Product>>,
    owned: &'static future::Cache<u64, Product>,
    three: &'static future::Cache<Three, Arc<Product>>,
    text: &'static future::Cache<String, Arc<Product>>,
    blob: &'static future::Cache<u64, Blob>,
    shared_blob: &'static future::Cache<u64, Arc<Blob>>,
}

impl Awaited {
    fn new(room: u64) -> Awaited {
        Awaited {
            shared: awaited(room),
            owned: awaited(room),
            three: awaited(room),
            text: awaited(room),
            blob: awaited(room),
            shared_blob: awaited(room),
        }
    }
}

impl Candidate for Awaited {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        self.shared.get_with(id, origin::shared(id))
    }

    fn owned(self, id: u64) -> impl Future<Output = Product> + Send {
        self.owned.get_with(id, origin::owned(id))
    }

    fn three(
        self,
        category: &'static str,
        page: u32,
        ascending: bool,
    ) -> impl Future<Output = Arc<Product>> + Send {
        let number = keys::number_of_three;
        let load = async move { origin::shared(number(category, page, ascending)).await };
        self.three
            .get_with((category.to_owned(), page, ascending), load)
    }

    fn text(self, slug: &'static str) -> impl Future<Output = Arc<Product>> + Send {
        let load = async move { origin::shared(keys::number_of_text(slug)).await };
        self.text.get_with_by_ref(slug, load)
    }

    fn blob(self, id: u64) -> impl Future<Output = Blob> + Send {
        self.blob.get_with(id, origin::blob(id))
    }

    fn shared_blob(self, id: u64) -> impl Future<Output = Arc<Blob>> + Send {
        let load = async move { Arc::new(origin::blob(id).await) };
        self.shared_blob.get_with(id, load)
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        self.shared.get_with(id, origin::slow(id))
    }
}

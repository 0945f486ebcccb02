//! The bare map that this project's memory tier is made of: what is left to pay for is everything around it.
//!
//! `ready` is the floor: a `u64` that is a key already, no time to live. `deadline` is what a user would write next: the entry carries a deadline and
//! every read asks `Instant::now()`. A slow origin goes through `get_or_insert_async`, the map's own single flight.
//! The others are in [`ladder`].

mod ladder;

use crate::ladder::{Mixed, Texted};
use common::{Blob, Candidate, Form, Product, Run, Selection, keys, origin};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TTL: Duration = Duration::from_secs(600);

fn main() {
    let run = Run::from_arguments();
    match run.variant() {
        "ready" => run.measure(Ready::new(&run)),
        "deadline" => run.measure(Deadline(kept(run.room(Form::Shared)))),
        "text" => run.measure(Texted::new(&run)),
        "mixed" => run.measure(Mixed::<false>::new(&run)),
        "timed" => run.measure(Mixed::<true>::new(&run)),
        _ => run.unknown(),
    }
}

/// A service has its caches in a struct that lives as long as the process. The map allocates for all it is to hold.
fn kept<K: Hash + Eq, V: Clone>(room: usize) -> &'static Cache<K, V> {
    Box::leak(Box::new(Cache::new(room)))
}

#[derive(Clone, Copy)]
struct Ready {
    shared: &'static Cache<u64, Arc<Product>>,
    owned: &'static Cache<u64, Product>,
    three: &'static Cache<Three, Arc<Product>>,
    text: &'static Cache<String, Arc<Product>>,
    blob: &'static Cache<u64, Blob>,
    shared_blob: &'static Cache<u64, Arc<Blob>>,
    slow: &'static Cache<u64, Arc<Product>>,
}

impl Ready {
    fn new(run: &Run) -> Ready {
        Ready {
            shared: kept(run.room(Form::Shared)),
            owned: kept(run.room(Form::Owned)),
            three: kept(run.room(Form::Three)),
            text: kept(run.room(Form::Text)),
            blob: kept(run.room(Form::Blob)),
            shared_blob: kept(run.room(Form::SharedBlob)),
            slow: kept(run.room(Form::Slow)),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Three {
    category: String,
    page: u32,
    ascending: bool,
}

/// The three arguments, borrowed: a hit copies no text.
#[derive(Hash)]
struct ThreeRef<'a> {
    category: &'a str,
    page: u32,
    ascending: bool,
}

impl Equivalent<Three> for ThreeRef<'_> {
    fn equivalent(&self, key: &Three) -> bool {
        self.category == key.category && self.page == key.page && self.ascending == key.ascending
    }
}

impl Candidate for Ready {
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
        if let Some(value) = self.three.get(&ThreeRef {
            category,
            page,
            ascending,
        }) {
            return value;
        }
        let value = origin::shared(keys::number_of_three(category, page, ascending)).await;
        let category = category.to_owned();
        self.three.insert(
            Three {
                category,
                page,
                ascending,
            },
            Arc::clone(&value),
        );
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

    async fn slow(self, id: u64) -> Arc<Product> {
        let load = async { Ok::<_, Infallible>(origin::slow(id).await) };
        let Ok(value) = self.slow.get_or_insert_async(&id, load).await;
        value
    }

    fn filed(self, id: u64) -> impl Future<Output = Product> + Send {
        self.owned(id)
    }

    async fn evict(self, selection: Selection, id: u64) {
        match selection {
            Selection::Key => drop(self.owned.remove(&id)),
            Selection::Region => self.owned.clear(),
            Selection::Pattern => {
                let shelf = id % Selection::SHELVES;
                self.owned.retain(|id, _| id % Selection::SHELVES != shelf);
            }
            Selection::Tag => selection.unsupported().await,
        }
    }
}

#[derive(Clone, Copy)]
struct Deadline(&'static Cache<u64, (Instant, Arc<Product>)>);

impl Candidate for Deadline {
    async fn shared(self, id: u64) -> Arc<Product> {
        if let Some((deadline, value)) = self.0.get(&id)
            && Instant::now() < deadline
        {
            return value;
        }
        let value = origin::shared(id).await;
        self.0
            .insert(id, (Instant::now() + TTL, Arc::clone(&value)));
        value
    }
}

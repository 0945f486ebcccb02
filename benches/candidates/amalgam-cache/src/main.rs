//! amalgam's `get_or_set` in memory. Its keys are text, so the number is written out first.

use amalgam::{Cache, ClearMode, EntryOptions};
use common::{Candidate, Product, Run, Selection, origin};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

const SHELVES: u64 = Selection::SHELVES;

fn main() {
    let run = Run::from_arguments();
    if run.variant() != "get_or_set" {
        run.unknown();
    }
    let capacity = run.capacity() as u64;
    run.measure_made(async move {
        Amalgam {
            shared: made(capacity),
            owned: made(capacity),
        }
    });
}

/// A cache of one type of values. An empty one allocates next to nothing.
fn made<V: Clone + Send + Sync + 'static>(capacity: u64) -> &'static Cache<V> {
    let cache = Cache::builder()
        .max_capacity(capacity)
        .default_options(EntryOptions::new(Duration::from_secs(600)))
        .try_build();
    Box::leak(Box::new(cache.expect("nothing of it can be wrong")))
}

#[derive(Clone, Copy)]
struct Amalgam {
    shared: &'static Cache<Arc<Product>>,
    owned: &'static Cache<Product>,
}

impl Candidate for Amalgam {
    async fn shared(self, id: u64) -> Arc<Product> {
        let load = move |_| async move { Ok::<_, Infallible>(origin::shared(id).await) };
        self.shared
            .get_or_set(format!("product:{id}"), load)
            .await
            .expect("the origin does not fail")
    }

    async fn text(self, slug: &'static str) -> Arc<Product> {
        let load = move |_| async move {
            Ok::<_, Infallible>(origin::shared(common::keys::number_of_text(slug)).await)
        };
        self.shared
            .get_or_set(slug, load)
            .await
            .expect("the origin does not fail")
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        let load = move |_| async move { Ok::<_, Infallible>(origin::slow(id).await) };
        self.shared
            .get_or_set(format!("slow:{id}"), load)
            .await
            .expect("the origin does not fail")
    }

    async fn filed(self, id: u64) -> Product {
        let load = move |_| async move { Ok::<_, Infallible>(origin::owned(id).await) };
        self.owned
            .get_or_set(filed(id), load)
            .tags([format!("shelf:{}", id % SHELVES)])
            .await
            .expect("the origin does not fail")
    }

    async fn evict(self, selection: Selection, id: u64) {
        match selection {
            Selection::Key => {
                let removed = self.owned.remove(filed(id)).await;
                removed.expect("nothing is asked over a network");
            }
            Selection::Tag => {
                let tag = format!("shelf:{}", id % SHELVES);
                let removed = self.owned.remove_by_tag(tag).await;
                removed.expect("nothing is asked over a network");
            }
            Selection::Region => {
                let cleared = self.owned.clear(ClearMode::Remove).await;
                cleared.expect("nothing is asked over a network");
            }
            Selection::Pattern => selection.unsupported().await,
        }
    }
}

fn filed(id: u64) -> String {
    format!("shelf:{}:item:{id}:card", id % SHELVES)
}

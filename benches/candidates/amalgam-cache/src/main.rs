//! amalgam's `get_or_set` in memory. Its keys are text, so the number is written out first.

use amalgam::{Cache, EntryOptions};
use common::{Candidate, Product, Run, origin};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    let run = Run::from_arguments();
    if run.variant() != "get_or_set" {
        run.unknown();
    }
    let capacity = run.capacity() as u64;
    run.measure_made(async move {
        let cache = Cache::builder()
            .max_capacity(capacity)
            .default_options(EntryOptions::new(Duration::from_secs(600)))
            .try_build();
        Amalgam(Box::leak(Box::new(
            cache.expect("nothing of it can be wrong"),
        )))
    });
}

#[derive(Clone, Copy)]
struct Amalgam(&'static Cache<Arc<Product>>);

impl Candidate for Amalgam {
    async fn shared(self, id: u64) -> Arc<Product> {
        let load = move |_| async move { Ok::<_, Infallible>(origin::shared(id).await) };
        self.0
            .get_or_set(format!("product:{id}"), load)
            .await
            .expect("the origin does not fail")
    }

    async fn text(self, slug: &'static str) -> Arc<Product> {
        let load = move |_| async move {
            Ok::<_, Infallible>(origin::shared(common::keys::number_of_text(slug)).await)
        };
        self.0
            .get_or_set(slug, load)
            .await
            .expect("the origin does not fail")
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        let load = move |_| async move { Ok::<_, Infallible>(origin::slow(id).await) };
        self.0
            .get_or_set(format!("slow:{id}"), load)
            .await
            .expect("the origin does not fail")
    }
}

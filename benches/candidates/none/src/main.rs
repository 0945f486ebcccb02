//! The floors without a cache: a table that is indexed, and the origin itself.

use common::{Blob, Candidate, Product, Run, origin};
use std::sync::{Arc, OnceLock};

fn main() {
    let run = Run::from_arguments();
    match run.variant() {
        "table" => run.measure(Table {
            products: origin::table(),
            blobs: blobs(&run),
        }),
        "origin" => run.measure(Origin),
        _ => run.unknown(),
    }
}

/// What no cache can beat: the value is there, at its number.
#[derive(Clone, Copy)]
struct Table {
    products: &'static [Arc<Product>],
    blobs: &'static [Arc<Blob>],
}

fn blobs(run: &Run) -> &'static [Arc<Blob>] {
    static BLOBS: OnceLock<Vec<Arc<Blob>>> = OnceLock::new();
    let length = run.parameters().number("length", 100) as usize;
    // Only where they are asked for: together they may be as large as all that fits the measure.
    let count = match run.parameters().word("value", "shared") {
        "blob" | "shared_blob" => run.parameters().number("entries", origin::PRODUCTS),
        _ => 0,
    };
    BLOBS.get_or_init(|| {
        (0..count)
            .map(|id| Arc::new(Blob::numbered(id, length)))
            .collect()
    })
}

impl Candidate for Table {
    async fn shared(self, id: u64) -> Arc<Product> {
        Arc::clone(&self.products[id as usize])
    }

    async fn owned(self, id: u64) -> Product {
        Product::clone(&self.products[id as usize])
    }

    async fn blob(self, id: u64) -> Blob {
        Blob::clone(&self.blobs[id as usize])
    }

    async fn shared_blob(self, id: u64) -> Arc<Blob> {
        Arc::clone(&self.blobs[id as usize])
    }
}

/// What a miss runs anyway.
#[derive(Clone, Copy)]
struct Origin;

impl Candidate for Origin {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        origin::shared(id)
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        origin::slow(id)
    }
}

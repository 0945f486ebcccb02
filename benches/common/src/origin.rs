//! What the caches stand in front of: one that answers at once, and one that takes its time.
//!
//! Values are made before anything is measured; the quick origin copies one out of a table. It counts how often it is run, with
//! one relaxed addition: a measure of hits that ran it has measured something else.

use crate::product::{Blob, Document, Product};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// How many different products there are. Key `n` holds product `n % PRODUCTS`, so ten million keys do not need ten million products.
pub const PRODUCTS: u64 = 10_000;

static TABLE: LazyLock<Vec<Arc<Product>>> = LazyLock::new(|| {
    (0..PRODUCTS)
        .map(|id| Arc::new(Product::numbered(id)))
        .collect()
});
static RUNS: AtomicU64 = AtomicU64::new(0);
static BLOB_LENGTH: AtomicUsize = AtomicUsize::new(100);
static DELAY_MS: AtomicU64 = AtomicU64::new(50);
static LOADS: Mutex<Vec<Load>> = Mutex::new(Vec::new());

/// One run of the slow origin that went to its end, or has not (yet).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) id: u64,
    pub(crate) ended: Option<Instant>,
}

/// All products, for the floor that only indexes them.
pub fn table() -> &'static [Arc<Product>] {
    &TABLE
}

/// Answers at once.
pub async fn shared(id: u64) -> Arc<Product> {
    RUNS.fetch_add(1, Relaxed);
    Arc::clone(&TABLE[(id % PRODUCTS) as usize])
}

/// Answers at once, with a copy.
pub async fn owned(id: u64) -> Product {
    RUNS.fetch_add(1, Relaxed);
    Product::clone(&TABLE[(id % PRODUCTS) as usize])
}

/// Bytes of the length that the run asked for.
pub async fn blob(id: u64) -> Blob {
    RUNS.fetch_add(1, Relaxed);
    Blob::numbered(id, BLOB_LENGTH.load(Relaxed))
}

/// A text of the length that the run asked for.
pub async fn document(id: u64) -> Document {
    RUNS.fetch_add(1, Relaxed);
    Document::numbered(id, BLOB_LENGTH.load(Relaxed))
}

/// Takes as long as the run asked for, and leaves a record of itself.
pub async fn slow(id: u64) -> Arc<Product> {
    RUNS.fetch_add(1, Relaxed);
    let mine = {
        let mut loads = LOADS.lock().expect("nothing panics under this lock");
        loads.push(Load { id, ended: None });
        loads.len() - 1
    };
    tokio::time::sleep(Duration::from_millis(DELAY_MS.load(Relaxed))).await;
    LOADS.lock().expect("nothing panics under this lock")[mine].ended = Some(Instant::now());
    Arc::clone(&TABLE[(id % PRODUCTS) as usize])
}

/// How often any origin was run in this process.
pub(crate) fn runs() -> u64 {
    RUNS.load(Relaxed)
}

/// The runs of the slow origin for this key, in the order in which they began.
pub(crate) fn loads_of(id: u64) -> Vec<Load> {
    let loads = LOADS.lock().expect("nothing panics under this lock");
    loads.iter().filter(|load| load.id == id).copied().collect()
}

/// Makes the values, so that no measure pays for it.
pub(crate) fn prepare(blob_length: usize, delay: Duration) {
    LazyLock::force(&TABLE);
    BLOB_LENGTH.store(blob_length, Relaxed);
    DELAY_MS.store(delay.as_millis() as u64, Relaxed);
}

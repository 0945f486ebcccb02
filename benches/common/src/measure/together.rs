//! Brings keys into a cache that is slow to fill, by many tasks at once.

use crate::origin;
use crate::product::Value;
use tokio::task::JoinSet;

const TASKS: u64 = 64;

/// Every key below `keys`, and looks at what comes back.
pub(crate) async fn fill<V, F, Fut>(keys: u64, call: F)
where
    V: Value,
    F: Fn(u64) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = V> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(async move {
            for id in (task..keys).step_by(TASKS as usize) {
                let number = call(id).await.number();
                assert_eq!(number, id % origin::PRODUCTS, "another key's value");
            }
        });
    }
    tasks.join_all().await;
}

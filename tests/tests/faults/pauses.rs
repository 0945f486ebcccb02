//! A process that was stopped, and has missed what happened meanwhile.

use std::time::Duration;

use tests::fleet::Fleet;
use tests::scenarios::Function::Product;
use tests::scenarios::What;
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::key;
use tests::server::RedisServer;

use crate::kit::{in_form, measured, short};

#[tokio::test]
async fn fault_68_the_first_call_after_a_stop_is_not_served_from_memory() {
    // With one thread nothing is heard between the stop and that call: only the time tells that something may have been missed.
    let fleet = Fleet::builder().env("TOKIO_WORKER_THREADS", "1");
    let crew = Crew::on(RedisServer::start().await, fleet, 2).await;
    assert_eq!(crew.product(0).await.0, 1);
    assert_eq!(crew.product(0).await, (1, "Memory".to_owned()));
    let pause = in_form(Duration::from_secs(10), Duration::from_secs(4));
    let first = crew.call_after_a_stop(0, "first", Product);
    let meanwhile = async {
        crew.waiting(0, "first").await;
        crew.worker(0).stop();
        crew.origin.commit(&key(7));
        crew.evict(1, What::Key(key(7))).await;
        assert_eq!(crew.product(1).await, (2, "Loaded".to_owned()));
        tokio::time::sleep(pause).await;
        crew.worker(0).cont();
    };
    let (first, ()) = tokio::join!(first, meanwhile);
    assert_eq!(first.values.into_keys().collect::<Vec<_>>(), [2]);
    assert!(!first.served.contains_key("Memory"), "{:?}", first.served);
    measured(
        68,
        format_args!(
            "stopped for {}: the first call is {:?}",
            short(pause),
            first.served
        ),
    );
}

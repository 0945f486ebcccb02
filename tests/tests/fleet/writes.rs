//! Evictions and puts in one process while another loads or puts: what was loaded before a write is cached nowhere after it.

use tests::eventually;
use tests::scenarios::Function::{Owned, Product, Rename, Save};
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::key;
use tests::scenarios::origin::End;
use tests::scenarios::{Answers, Function, What};

/// One of every kind that reaches product 7.
fn kinds() -> [What; 7] {
    [
        What::Key(key(7)),
        What::Pattern("prod*:?".to_owned()),
        What::Pattern("product:*".to_owned()),
        What::Tag("about:7".to_owned()),
        What::Scope("owner:7".to_owned()),
        What::Region("product".to_owned()),
        What::All,
    ]
}

/// Who carries what is evicted.
fn of(what: &What) -> Function {
    match what {
        What::Tag(_) | What::Scope(_) => Owned,
        _ => Product,
    }
}

/// Whether a load elsewhere loses its lease. What only a generation keeps out may reach Redis, and is dead there.
fn breaks_leases(what: &What) -> bool {
    match what {
        What::Key(_) => true,
        What::Pattern(pattern) => !pattern.ends_with(":*"),
        _ => false,
    }
}

/// Worker 0 loads with so many callers, worker `evicting` evicts meanwhile.
async fn evicted_during_a_load(callers: usize, evicting: usize, what: What) {
    let (crew, answers) = evict_during_a_load(callers, evicting, &what).await;
    assert_eq!(
        answers.values.get(&1),
        Some(&callers),
        "those who waited before get the value: {what:?} {answers:?}"
    );
    let refused = evicting == 0 || breaks_leases(&what);
    assert!(!refused || !crew.in_redis().await, "{what:?}");
    let read = async |worker| crew.one(worker, of(&what)).await;
    let new = eventually::some("the loading process reads what is new", async || {
        let (value, served) = read(0).await;
        // It may hear of what another process evicts a little later.
        (value == 2 || evicting == 0).then_some((value, served))
    });
    assert_eq!(new.await, (2, "Loaded".to_owned()), "{what:?}");
    assert_eq!(read(1).await, (2, "Redis".to_owned()), "{what:?}");
    crew.nothing_is_left(0..2).await;
}

async fn evict_during_a_load(callers: usize, evicting: usize, what: &What) -> (Crew, Answers) {
    let crew = Crew::of(2).await;
    crew.origin.hold(1);
    let calls = crew.call(0, "callers", of(what), callers);
    let evict = async {
        crew.origin.begun(&key(7), 1).await;
        crew.waiting(0, "callers").await;
        crew.origin.commit(&key(7));
        crew.evict(evicting, what.clone()).await;
        crew.origin.release(End::Value);
    };
    let (answers, ()) = tokio::join!(calls, evict);
    if evicting == 0 || breaks_leases(what) {
        assert_eq!(crew.figure(0, "refused_stores").await, 1, "{what:?}");
    }
    (crew, answers)
}

#[tokio::test]
async fn what_the_loading_process_evicts_is_not_cached() {
    for what in kinds() {
        evicted_during_a_load(50, 0, what).await;
    }
}

#[tokio::test]
async fn what_another_process_evicts_is_not_cached() {
    for what in kinds() {
        evicted_during_a_load(1, 1, what).await;
    }
}

/// The loading process hears of the eviction only when its store is refused. Who joined after the load began may have
/// come after the eviction, so it gets a value that was loaded since.
#[tokio::test]
async fn waiters_of_a_load_another_process_evicted_are_answered_and_leave_nothing_old() {
    let (crew, answers) = evict_during_a_load(50, 1, &What::Key(key(7))).await;
    assert_eq!(answers.len(), 50);
    assert_eq!(answers.errors + answers.panics, 0);
    assert!(
        answers.values.contains_key(&1),
        "the leader at least: {answers:?}"
    );
    assert!(
        answers.values.keys().all(|value| [1, 2].contains(value)),
        "{answers:?}"
    );
    assert_eq!(crew.product(0).await.0, 2);
    assert_eq!(crew.product(1).await, (2, "Redis".to_owned()));
    assert_eq!(crew.origin.loads(&key(7)), 2);
    crew.nothing_is_left(0..2).await;
}

#[tokio::test]
async fn annotated_eviction_reaches_what_another_process_stored() {
    let crew = Crew::of(2).await;
    assert_eq!(crew.product(0).await, (1, "Loaded".to_owned()));
    let renamed = crew.call(1, "rename", Rename, 1).await;
    assert_eq!(renamed.values.into_keys().collect::<Vec<_>>(), [2]);
    assert_eq!(crew.product(1).await, (2, "Loaded".to_owned()));
}

#[tokio::test]
async fn what_one_process_puts_another_reads() {
    let crew = Crew::of(2).await;
    assert_eq!(crew.product(0).await.0, 1);
    let saved = crew.call(0, "save", Save, 1).await;
    assert_eq!(saved.values.into_keys().collect::<Vec<_>>(), [2]);
    assert_eq!(crew.product(0).await, (2, "Memory".to_owned()));
    assert_eq!(crew.product(1).await, (2, "Redis".to_owned()));
    assert_eq!(crew.origin.loads(&key(7)), 1);
    crew.nothing_is_left(0..2).await;
}

#[tokio::test]
async fn what_one_process_puts_leaves_the_memory_of_another() {
    let crew = Crew::of(2).await;
    assert_eq!(crew.product(0).await.0, 1);
    eventually::holds("the other has it in memory", async || {
        crew.product(1).await == (1, "Memory".to_owned())
    })
    .await;
    crew.call(0, "save", Save, 1).await;
    eventually::holds("the other reads what was put", async || {
        crew.product(1).await.0 == 2
    })
    .await;
    assert_eq!(crew.origin.loads(&key(7)), 1);
}

#[tokio::test]
async fn puts_that_meet_leave_nothing_or_the_newest() {
    let crew = Crew::of(3).await;
    assert_eq!(crew.product(0).await.0, 1);
    crew.origin.hold(2);
    // Both have committed before either stores.
    let slow = crew.call(0, "slow", Save, 1);
    let fast = async {
        crew.origin.begun("save:7", 1).await;
        crew.call(1, "fast", Save, 1).await
    };
    let meet = async {
        crew.origin.begun("save:7", 2).await;
        crew.origin.release(End::Value);
    };
    tokio::join!(slow, fast, meet);
    assert_eq!(crew.product(2).await.0, 3);
    assert_eq!(
        crew.product(0).await.0,
        3,
        "the one that came too late evicted its own memory too"
    );
    crew.nothing_is_left(0..3).await;
}

#[tokio::test]
async fn load_beside_a_put_is_not_stored() {
    let crew = Crew::of(2).await;
    crew.origin.hold(1);
    let put = crew.call(0, "save", Save, 1);
    let beside = async {
        crew.origin.begun("save:7", 1).await;
        let (_, served) = crew.product(1).await;
        assert_eq!(served, "Loaded", "a put is not waited for");
        assert!(!crew.in_memory(1).await && !crew.in_redis().await);
        crew.origin.release(End::Value);
    };
    tokio::join!(put, beside);
    assert_eq!(crew.product(1).await, (2, "Redis".to_owned()));
}

#[tokio::test]
async fn failed_put_evicts() {
    let crew = Crew::of(2).await;
    assert_eq!(crew.product(0).await.0, 1);
    crew.origin.hold(1);
    let put = crew.call(0, "save", Save, 1);
    let fail = async {
        crew.origin.begun("save:7", 1).await;
        crew.origin.release(End::Fail);
    };
    assert_eq!(tokio::join!(put, fail).0.errors, 1);
    assert!(!crew.in_redis().await && !crew.in_memory(0).await);
    assert_eq!(crew.product(0).await, (2, "Loaded".to_owned()));
    crew.nothing_is_left(0..2).await;
}

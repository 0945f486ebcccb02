//! Requests that have a session in hand while it ends.

use std::sync::Arc;

use cache_http::session::SessionStore;
use tests::caches;
use tests::scenarios::processes::process;
use tests::server::RedisServer;
use tokio::task::JoinSet;
use tower_sessions::Session;
use tower_sessions::session::Id;

/// A request with this cookie.
fn request(store: &SessionStore, id: Option<Id>) -> Session {
    Session::new(id, Arc::new(store.clone()), None)
}

async fn login(store: &SessionStore, user: &str) -> Id {
    let session = request(store, None);
    session
        .insert("user", user)
        .await
        .expect("the store answers");
    session.save().await.expect("the store answers");
    session.id().expect("it was saved")
}

async fn user_of(store: &SessionStore, id: Id) -> Option<String> {
    request(store, Some(id))
        .get("user")
        .await
        .expect("the store answers")
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Load,
    Change,
    Cycle,
    Save,
}

/// What somebody else does meanwhile.
#[derive(Clone, Copy, Debug)]
enum Ending {
    All,
    One,
    Logout,
}

async fn take(session: &Session, step: Step) {
    match step {
        Step::Load => drop(
            session
                .get::<String>("user")
                .await
                .expect("the store answers"),
        ),
        Step::Change => session
            .insert("changed", true)
            .await
            .expect("the store answers"),
        Step::Cycle => session.cycle_id().await.expect("the store answers"),
        Step::Save => session.save().await.expect("the store answers"),
    }
}

/// Every ending at every point of every request that began before it: nothing of the session is left, under no id.
#[tokio::test]
async fn what_was_ended_is_not_saved_back_to_life() {
    use Step::{Change, Cycle, Load, Save};
    let requests: [&[Step]; 6] = [
        &[Load, Change, Save],
        &[Load, Cycle, Save],
        &[Load, Change, Cycle, Change, Save],
        &[Load, Cycle, Save, Change, Save],
        &[Load, Cycle, Save, Cycle, Save],
        &[Load, Cycle, Cycle, Save],
    ];
    let server = RedisServer::start().await;
    let (here, there) = (process(&server).await, process(&server).await);
    let memory = SessionStore::new(&caches::in_memory());
    let pairs = [
        (SessionStore::new(&here), SessionStore::new(&there)),
        (memory.clone(), memory),
    ];
    for (one, other) in pairs {
        for steps in requests {
            for at in 1..=steps.len() {
                for ending in [Ending::All, Ending::One, Ending::Logout] {
                    let about = format!("{steps:?}, {ending:?} before step {at}");
                    let id = login(&one, "alice").await;
                    let session = request(&one, Some(id));
                    let mut ids = vec![id];
                    let mut known = id;
                    for (step, &what) in steps.iter().enumerate() {
                        if step == at {
                            end(&other, known, ending).await;
                        }
                        take(&session, what).await;
                        known = session.id().unwrap_or(known);
                        ids.push(known);
                    }
                    if at == steps.len() {
                        end(&other, known, ending).await;
                    }
                    let moved_on = !matches!(ending, Ending::All) && moved(steps, at);
                    for id in ids {
                        let user = user_of(&other, id).await;
                        assert!(user.is_none() || moved_on, "{about}: {user:?}");
                    }
                    other.revoke_all("alice").await.unwrap();
                }
            }
        }
    }
}

/// Whether the session that was ended by its id had been left already: the request had deleted it, and had not yet said what it is called now.
fn moved(steps: &[Step], at: usize) -> bool {
    let cycled = steps[..at].iter().rposition(|&it| it == Step::Cycle);
    let saved = steps[..at].iter().rposition(|&it| it == Step::Save);
    cycled > saved
}

/// In a task of its own, as another request is.
async fn end(store: &SessionStore, id: Id, ending: Ending) {
    let store = store.clone();
    let ended = tokio::spawn(async move { end_here(&store, id, ending).await });
    ended.await.expect("it does not panic");
}

async fn end_here(store: &SessionStore, id: Id, ending: Ending) {
    match ending {
        Ending::All => drop(store.revoke_all("alice").await.expect("the store answers")),
        Ending::One => drop(
            store
                .revoke("alice", SessionStore::digest(&id))
                .await
                .expect("the store answers"),
        ),
        Ending::Logout => request(store, Some(id))
            .flush()
            .await
            .expect("the store answers"),
    }
}

#[tokio::test]
async fn a_login_that_comes_later_is_not_ended() {
    let server = RedisServer::start().await;
    let store = SessionStore::new(&process(&server).await);
    let old = login(&store, "alice").await;
    // The password was checked and the session loaded before, the user put into it after.
    let visitor = request(&store, None);
    visitor.insert("cart", 1).await.unwrap();
    visitor.save().await.unwrap();
    let visitor = request(&store, visitor.id());
    visitor.get::<u32>("cart").await.unwrap();
    store.revoke_all("alice").await.unwrap();
    visitor.cycle_id().await.unwrap();
    visitor.insert("user", "alice").await.unwrap();
    visitor.save().await.unwrap();
    assert_eq!(
        user_of(&store, visitor.id().unwrap()).await.as_deref(),
        Some("alice")
    );
    assert_eq!(user_of(&store, old).await, None);
}

#[tokio::test]
async fn of_two_requests_that_change_the_id_one_goes_on() {
    let server = RedisServer::start().await;
    let store = SessionStore::new(&process(&server).await);
    let id = login(&store, "alice").await;
    let mut both = JoinSet::new();
    for _ in 0..2 {
        let session = request(&store, Some(id));
        session.get::<String>("user").await.unwrap();
        both.spawn(async move {
            session.cycle_id().await.unwrap();
            session.save().await.unwrap();
            session.id().unwrap()
        });
    }
    let mut alive = 0;
    for id in both.join_all().await {
        alive += usize::from(user_of(&store, id).await.is_some());
    }
    assert_eq!(alive, 1);
    assert_eq!(store.sessions_of("alice").await.unwrap().len(), 1);
}

/// A logout by one tab, a save by another that knows the session as it was.
#[tokio::test]
async fn a_session_that_became_nobodys_is_not_somebodys_again() {
    let server = RedisServer::start().await;
    let store = SessionStore::new(&process(&server).await);
    let id = login(&store, "alice").await;
    let slow = request(&store, Some(id));
    slow.insert("late", true).await.unwrap();
    let quick = request(&store, Some(id));
    quick.remove::<String>("user").await.unwrap();
    quick.save().await.unwrap();
    slow.save().await.unwrap();
    assert_eq!(user_of(&store, id).await, None);
    assert_eq!(store.sessions_of("alice").await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_survives_in_a_crowd() {
    let server = RedisServer::start().await;
    let (here, there) = (process(&server).await, process(&server).await);
    let stores = [SessionStore::new(&here), SessionStore::new(&there)];
    for round in 0..30 {
        let mut crowd = JoinSet::new();
        for member in 0..6 {
            let store = stores[member % 2].clone();
            let first = login(&store, "alice").await;
            crowd.spawn(async move {
                let mut ids = vec![first];
                for turn in 0..8 {
                    let session = request(&store, ids.last().copied());
                    if session.get::<String>("user").await.unwrap().is_none() {
                        break;
                    }
                    session.insert("turn", turn).await.unwrap();
                    if (turn + member).is_multiple_of(3) {
                        session.cycle_id().await.unwrap();
                    }
                    session.save().await.unwrap();
                    ids.extend(session.id());
                }
                ids
            });
        }
        tokio::time::sleep(std::time::Duration::from_micros(moment_of(round))).await;
        stores[1].revoke_all("alice").await.unwrap();
        for id in crowd.join_all().await.into_iter().flatten() {
            assert_eq!(user_of(&stores[0], id).await, None, "round {round}");
        }
    }
}

/// Another moment in each round, over the few milliseconds a crowd takes.
fn moment_of(round: u64) -> u64 {
    round * 7919 % 4000
}

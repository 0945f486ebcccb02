//! Steps that no request of a test can bring about alone, in Redis and in memory.

use ::tests::scenarios::processes::process;
use ::tests::server::RedisServer;
use tower_sessions_core::session::Id;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn session(n: i128) -> SessionDigest {
    SessionDigest::of(&Id(n))
}

fn draft(owner: Owner) -> Draft {
    Draft {
        data: Bytes::from_static(b"{}"),
        life: HOUR,
        owner,
    }
}

async fn shelves() -> (RedisServer, [Shelf; 2]) {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let redis = RedisShelf::new(cache.redis().unwrap());
    let memory = MemoryShelf::new(5000);
    (server, [Shelf::Redis(redis), Shelf::Memory(memory)])
}

#[tokio::test]
async fn a_session_that_is_buried_is_not_created_by_what_was_asked_before() {
    let (_server, [shelf, _]) = shelves().await;
    let (alice, bob) = (UserDigest::of("alice"), UserDigest::of("bob"));
    let mark = shelf
        .enlist(alice, session(1), HOUR, Expected::Any)
        .await
        .unwrap()
        .unwrap();
    let owned = draft(Owner::Now(alice, mark));
    assert!(shelf.create(session(1), &owned).await.unwrap());
    assert_eq!(shelf.bury(session(1), Some(bob)).await.unwrap(), None);
    assert!(
        shelf.load(session(1)).await.unwrap().is_some(),
        "it is not his"
    );
    let had = shelf.bury(session(1), Some(alice)).await.unwrap().unwrap();
    assert_eq!((had.user, had.marks), (Some(alice), Marks::one(mark)));
    assert_eq!(shelf.bury(session(2), None).await.unwrap(), None);
    for buried in [session(1), session(2)] {
        assert!(!shelf.create(buried, &owned).await.unwrap());
        assert!(shelf.load(buried).await.unwrap().is_none());
        assert!(shelf.describe(buried).await.unwrap().is_none());
        assert_eq!(
            shelf.save(buried, &owned, None).await.unwrap(),
            Saved::Refused
        );
        assert_eq!(shelf.delete(buried, None).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_list_is_bounded_and_its_user_ends_without_it() {
    let (server, shelves) = shelves().await;
    let alice = UserDigest::of("alice");
    for shelf in shelves {
        let listed = i128::try_from(MOST_LISTED).unwrap() + 20;
        let mut mark = None;
        for n in 0..listed {
            // Later ones end later.
            let life = HOUR + Duration::from_secs(u64::try_from(n).unwrap());
            mark = shelf
                .enlist(alice, session(n), life, Expected::Any)
                .await
                .unwrap();
        }
        let (told, sessions) = shelf.list(alice).await.unwrap();
        assert_eq!((told, sessions.len()), (mark, MOST_LISTED));
        assert!(!sessions.contains(&session(0)) && sessions.contains(&session(listed - 1)));
        shelf.replace(alice, Change::Gone).await.unwrap();
        assert_eq!(shelf.mark(alice).await.unwrap(), None);
        let marks = Marks([mark, None]);
        let gone = shelf
            .enlist(alice, session(0), HOUR, Expected::OneOf(marks))
            .await;
        assert_eq!(gone.unwrap(), None);
        let next = shelf
            .enlist(alice, session(0), HOUR, Expected::Any)
            .await
            .unwrap();
        assert_ne!(next, mark);
    }
    let keys = server.cli(&["KEYS", "*session*"]).await.list();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let left = server.cli(&["PTTL", &key]).await.int();
        assert!(left > 3_600_000, "the mark outlives its sessions: {left}");
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_in_memory_are_bounded_and_end() {
    let shelf = MemoryShelf::new(100);
    let alice = UserDigest::of("alice");
    let mark = shelf
        .enlist(alice, session(-1), HOUR, Expected::Any)
        .unwrap();
    shelf.create(session(-1), &draft(Owner::Now(alice, mark)));
    for n in 0..1000 {
        let short = Draft {
            life: Duration::from_secs(60),
            ..draft(Owner::Nobody)
        };
        assert!(shelf.create(session(n), &short));
        assert!(shelf.len() <= 100);
    }
    assert!(
        shelf.load(session(-1)).is_some(),
        "what ends last is dropped last"
    );
    assert!(shelf.load(session(999)).is_some());
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(shelf.load(session(999)).is_none());
    assert_eq!(shelf.mark(alice), Some(mark));
    tokio::time::advance(HOUR).await;
    assert!(shelf.load(session(-1)).is_none());
    assert_eq!(shelf.mark(alice), None);
}

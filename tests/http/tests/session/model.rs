//! Sessions in Redis and sessions in memory, asked the same in the same order.

use std::sync::Arc;

use cache_http::session::SessionStore;
use tests::caches;
use tests::scenarios::processes::process;
use tests::server::RedisServer;
use tower_sessions::Session;
use tower_sessions::session::Id;

const VISITORS: usize = 3;

const USERS: [&str; 2] = ["alice", "bob"];

/// A store, what its visitors' cookies say, and a request of each that takes its time.
struct World {
    store: SessionStore,
    cookies: [Option<Id>; VISITORS],
    slow: [Option<Session>; VISITORS],
}

impl World {
    fn of(store: SessionStore) -> World {
        World {
            store,
            cookies: [None; VISITORS],
            slow: [const { None }; VISITORS],
        }
    }

    fn request(&self, visitor: usize) -> Session {
        let store = Arc::new(self.store.clone());
        Session::new(self.cookies[visitor], store, None)
    }

    /// Does one thing, and tells what can be seen of it.
    async fn step(&mut self, [what, who, whom]: [usize; 3]) -> String {
        let user = USERS[whom % USERS.len()];
        match what {
            0 => {
                let session = self.request(who);
                session.cycle_id().await.expect("the store answers");
                session
                    .insert("user", user)
                    .await
                    .expect("the store answers");
                self.save(who, &session).await
            }
            1 | 2 => {
                let session = self.request(who);
                let before: Option<u32> = session.get("count").await.expect("the store answers");
                let count = before.unwrap_or_default() + 1;
                session
                    .insert("count", count)
                    .await
                    .expect("the store answers");
                format!("{before:?} {}", self.save(who, &session).await)
            }
            3 => {
                let session = self.request(who);
                session.flush().await.expect("the store answers");
                self.cookies[who] = None;
                "out".to_owned()
            }
            4 => format!("{:?}", self.store.revoke_all(user).await.is_ok()),
            5 | 6 => {
                let Some(id) = self.cookies[whom % VISITORS] else {
                    return String::new();
                };
                let digest = SessionStore::digest(&id);
                let user = USERS[who % USERS.len()];
                if what == 5 {
                    format!("{:?}", self.store.revoke(user, digest).await)
                } else {
                    format!("{:?}", self.store.revoke_others(user, digest).await.is_ok())
                }
            }
            7 => {
                let session = self.request(who);
                session
                    .insert("late", whom)
                    .await
                    .expect("the store answers");
                self.slow[who] = Some(session);
                "begun".to_owned()
            }
            8 | 9 => {
                let Some(session) = self.slow[who].take() else {
                    return String::new();
                };
                if what == 9 {
                    session.cycle_id().await.expect("the store answers");
                }
                self.save(who, &session).await
            }
            _ => {
                let session = self.request(who);
                session
                    .remove::<String>("user")
                    .await
                    .expect("the store answers");
                self.save(who, &session).await
            }
        }
    }

    async fn save(&mut self, visitor: usize, session: &Session) -> String {
        session.save().await.expect("the store answers");
        self.cookies[visitor] = session.id();
        self.seen().await
    }

    /// Who everybody is, and how many sessions everybody has.
    async fn seen(&self) -> String {
        let mut seen = String::new();
        for visitor in 0..VISITORS {
            let session = self.request(visitor);
            let user: Option<String> = session.get("user").await.expect("the store answers");
            let count: Option<u32> = session.get("count").await.expect("the store answers");
            let late: Option<usize> = session.get("late").await.expect("the store answers");
            seen += &format!("{user:?} {count:?} {late:?}; ");
        }
        for user in USERS {
            let listed = self
                .store
                .sessions_of(user)
                .await
                .expect("the store answers");
            seen += &format!("{user}: {}; ", listed.len());
        }
        seen
    }
}

#[tokio::test]
async fn redis_and_memory_agree() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    for seed in 0..25_u64 {
        let mut shared = World::of(SessionStore::new(&cache));
        let mut alone = World::of(SessionStore::new(&caches::in_memory()));
        for user in USERS {
            shared.store.revoke_all(user).await.unwrap();
        }
        let mut state = seed + 1;
        let mut random = |below: u64| {
            // Enough to be different each time, and the same for a seed (xorshift64, Marsaglia 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below).unwrap()
        };
        let mut history = Vec::new();
        for _ in 0..30 {
            let step = [random(11), random(3), random(3)];
            history.push(step);
            let (one, other) = (shared.step(step).await, alone.step(step).await);
            assert_eq!(one, other, "{history:?}");
            let (one, other) = (shared.seen().await, alone.seen().await);
            assert_eq!(one, other, "{history:?}");
        }
    }
}

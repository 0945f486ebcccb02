//! Endings that Redis has not confirmed.
//!
//! They are done in this process at once. Before this process reads or writes any session in Redis again they are done there, so that nothing comes back here
//! that was ended here. They are lost with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use super::digest::{SessionDigest, UserDigest};

/// Something to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ending {
    /// A session.
    Of(SessionDigest),
    /// A session, if it is this user's.
    OfUser(UserDigest, SessionDigest),
    /// All sessions of a user.
    All(UserDigest),
    /// All sessions of a user but one.
    Others(UserDigest, SessionDigest),
}

/// So many wait at most,
const MOST: usize = 10_000;
/// and so many more that only a user or the service can ask for: anybody can log out of sessions that there never were.
const MORE: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Each with the number of the request that asked for it last.
    endings: HashMap<Ending, u64>,
    requests: u64,
}

impl Queue {
    fn inner(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().expect("no holder panics")
    }

    /// False if there is no room.
    pub(super) fn add(&self, ending: Ending) -> bool {
        let mut waiting = self.inner();
        let most = match ending {
            Ending::Of(_) => MOST,
            Ending::OfUser(..) | Ending::All(_) | Ending::Others(..) => MOST + MORE,
        };
        let room = waiting.endings.len() < most || waiting.endings.contains_key(&ending);
        if room {
            waiting.requests += 1;
            let request = waiting.requests;
            waiting.endings.insert(ending, request);
        }
        room
    }

    /// Some of them, with what [`done`](Self::done) wants to know.
    pub(super) fn some(&self, most: usize) -> Vec<(Ending, u64)> {
        let waiting = self.inner();
        let endings = waiting.endings.iter().take(most);
        endings
            .map(|(ending, request)| (*ending, *request))
            .collect()
    }

    /// It was done, as of that request: not if it was asked for again since.
    pub(super) fn done(&self, ending: Ending, request: u64) {
        let mut waiting = self.inner();
        if waiting.endings.get(&ending) == Some(&request) {
            waiting.endings.remove(&ending);
        }
    }

    pub(super) fn has(&self, ending: &Ending) -> bool {
        self.inner().endings.contains_key(ending)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inner().endings.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tower_sessions_core::session::Id;

    use super::{Ending, MORE, MOST, Queue};
    use crate::session::digest::{SessionDigest, UserDigest};

    #[test]
    fn sessions_that_there_never_were_leave_room_for_what_users_ask_for() {
        let queue = Queue::default();
        let of = |n: usize| Ending::Of(SessionDigest::of(&Id(n as i128)));
        assert!((0..MOST).all(|n| queue.add(of(n))));
        assert!(
            !queue.add(of(MOST)) && queue.add(of(0)),
            "there is no room but for what waits"
        );
        let all = |n: usize| Ending::All(UserDigest::of(&n.to_string()));
        assert!((0..MORE).all(|n| queue.add(all(n))));
        assert!(!queue.add(all(MORE)));
    }
}

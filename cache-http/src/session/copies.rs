//! What this process knows of sessions, for the time Redis does not answer.
//!
//! A service whose sessions are gone with Redis has no users while it is away. So each session that was loaded or written here is kept here as well, as it was last
//! known: served for a while from the last time Redis confirmed it, changed by those who save it, and written back later. Bounded in number and in bytes; when there is no
//! room, the oldest of a few picked at random makes it, and one that is still to be written back last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::task;
use tokio::time::Instant;

use super::digest::{SessionDigest, UserDigest};
use super::shelf::{Marks, Removed};

/// A session as it was last known here.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) data: Bytes,
    pub(super) ends: Instant,
    pub(super) user: Option<UserDigest>,
    pub(super) marks: Marks,
    pub(super) state: State,
}

/// How a copy stands to what is in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is what Redis had then, written so often.
    Confirmed { at: Instant, version: u64 },
    /// It was changed here since; `anew`: its user is one it had not.
    Changed {
        at: Instant,
        version: u64,
        anew: bool,
    },
    /// It was created here, for a user who had to have one of these marks, where some are named.
    Born { of: Option<Marks> },
    /// Nobody could be asked whether there is such a session; what was put into it is kept here, until somebody can.
    Doubtful,
}

/// How many copies are looked at to find one to drop.
const LOOKED_AT: usize = 8;

/// A session that was deleted is remembered for as long as a request may take to give it another id.
const TAKEN: Duration = Duration::from_secs(600);

/// So many of them.
const MOST_TAKEN: usize = 10_000;

#[derive(Debug)]
pub(super) struct Copies {
    /// How long a copy is served after it was last confirmed.
    grace: Duration,
    most: usize,
    most_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    copies: HashMap<SessionDigest, (Copy, usize)>,
    names: Vec<SessionDigest>,
    bytes: usize,
    /// How often something was ended here. What was read before it may have ended as well.
    endings: u64,
    taken: HashMap<(SessionDigest, Option<task::Id>), (Removed, Instant)>,
}

/// The endings there had been when something began to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(u64);

impl Copies {
    pub(super) fn new(grace: Duration, most: usize, most_bytes: usize) -> Self {
        Self {
            grace,
            most,
            most_bytes,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder panics")
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.inner().endings)
    }

    /// Takes in what Redis has said, unless something ended since it was asked.
    pub(super) fn confirm(&self, session: SessionDigest, copy: Copy, since: Ticket) {
        if self.grace.is_zero() {
            return;
        }
        let mut inner = self.inner();
        if inner.endings == since.0 {
            inner.insert(session, copy, self.most, self.most_bytes);
        }
    }

    /// Takes in what was done here without Redis.
    pub(super) fn change(&self, session: SessionDigest, copy: Copy) {
        if self.grace.is_zero() {
            return;
        }
        self.inner()
            .insert(session, copy, self.most, self.most_bytes);
    }

    /// A copy, whatever its state and age.
    pub(super) fn get(&self, session: SessionDigest) -> Option<Copy> {
        Some(self.inner().copies.get(&session)?.0.clone())
    }

    /// A copy that may be served.
    pub(super) fn to_serve(&self, session: SessionDigest) -> Option<Copy> {
        let now = Instant::now();
        let copy = self.get(session).filter(|copy| copy.ends > now)?;
        let served = match copy.state {
            State::Confirmed { at, .. } | State::Changed { at, .. } => now - at <= self.grace,
            State::Born { .. } | State::Doubtful => true,
        };
        served.then_some(copy)
    }

    /// Drops a copy, if it is still this one.
    pub(super) fn settle(
        &self,
        session: SessionDigest,
        copy: &Copy,
        state: Option<(State, Marks)>,
    ) {
        let mut inner = self.inner();
        let Some((known, _)) = inner.copies.get_mut(&session) else {
            return;
        };
        if known.state != copy.state || known.data != copy.data {
            return;
        }
        match state {
            Some((state, marks)) => (known.state, known.marks) = (state, marks),
            None => inner.drop_copy(session),
        }
    }

    /// Takes in what was done here without Redis, unless something ended since; whether it did.
    pub(super) fn change_since(&self, session: SessionDigest, copy: Copy, since: Ticket) -> bool {
        let unchanged = self.inner().endings == since.0;
        if unchanged {
            self.change(session, copy);
        }
        unchanged
    }

    /// There is no such session.
    pub(super) fn forget(&self, session: SessionDigest) {
        self.inner().drop_copy(session);
    }

    pub(super) fn is_unsettled(&self, session: SessionDigest) -> bool {
        let inner = self.inner();
        let copy = inner.copies.get(&session);
        copy.is_some_and(|(copy, _)| !matches!(copy.state, State::Confirmed { .. }))
    }

    /// A session ended.
    pub(super) fn end(&self, session: SessionDigest) -> Option<Copy> {
        let mut inner = self.inner();
        inner.endings += 1;
        let copy = inner.copies.get(&session)?.0.clone();
        inner.drop_copy(session);
        Some(copy)
    }

    /// All sessions of a user ended, but for one perhaps; tells how many were known here.
    pub(super) fn end_all(&self, user: UserDigest, but: Option<SessionDigest>) -> usize {
        let mut inner = self.inner();
        inner.endings += 1;
        let of_user = inner
            .copies
            .iter()
            .filter(|(name, (copy, _))| copy.user == Some(user) && Some(**name) != but);
        let ended: Vec<_> = of_user.map(|(name, _)| *name).collect();
        for session in &ended {
            inner.drop_copy(*session);
        }
        inner
            .taken
            .retain(|(name, _), (it, _)| it.user != Some(user) || Some(*name) == but);
        ended.len()
    }

    /// Those that are still to be written back, or to be dropped.
    pub(super) fn unsettled(&self) -> Vec<SessionDigest> {
        let inner = self.inner();
        let unsettled = inner
            .copies
            .iter()
            .filter(|(_, (copy, _))| !matches!(copy.state, State::Confirmed { .. }));
        unsettled.map(|(name, _)| *name).collect()
    }

    /// This task has deleted a session.
    pub(super) fn took(&self, session: SessionDigest, removed: Removed) {
        let mut inner = self.inner();
        let now = Instant::now();
        if inner.taken.len() >= MOST_TAKEN {
            inner.taken.retain(|_, (_, at)| now - *at < TAKEN);
        }
        if inner.taken.len() < MOST_TAKEN {
            let by = task::try_id();
            inner.taken.insert((session, by), (removed, now));
        }
    }

    /// What the session had that this task has deleted, once.
    pub(super) fn taken(&self, session: SessionDigest) -> Option<Removed> {
        let taken = self.inner().taken.remove(&(session, task::try_id()));
        let (removed, at) = taken?;
        (at.elapsed() < TAKEN).then_some(removed)
    }
}

impl Inner {
    fn insert(&mut self, session: SessionDigest, copy: Copy, most: usize, most_bytes: usize) {
        self.drop_copy(session);
        if copy.data.len() > most_bytes {
            return;
        }
        while self.names.len() >= most || self.bytes + copy.data.len() > most_bytes {
            if !self.make_room() {
                return;
            }
        }
        self.bytes += copy.data.len();
        self.copies.insert(session, (copy, self.names.len()));
        self.names.push(session);
    }

    fn make_room(&mut self) -> bool {
        if self.names.is_empty() {
            return false;
        }
        let picked = (0..LOOKED_AT).map(|_| self.names[fastrand::usize(..self.names.len())]);
        let first = picked.min_by_key(|name| match self.copies[name].0.state {
            State::Confirmed { at, .. } => (0, Some(at)),
            State::Doubtful => (1, None),
            State::Changed { at, .. } => (2, Some(at)),
            State::Born { .. } => (3, None),
        });
        let first = first.expect("some were picked");
        if matches!(
            self.copies[&first].0.state,
            State::Changed { .. } | State::Born { .. }
        ) {
            tracing::warn!(
                "a session that was changed while Redis was away is lost: there are too many"
            );
        }
        self.drop_copy(first);
        true
    }

    fn drop_copy(&mut self, session: SessionDigest) {
        let Some((copy, place)) = self.copies.remove(&session) else {
            return;
        };
        self.bytes -= copy.data.len();
        self.names.swap_remove(place);
        if let Some(moved) = self.names.get(place) {
            let moved = self.copies.get_mut(moved);
            moved.expect("every name is a copy's").1 = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use tower_sessions_core::session::Id;

    use super::*;

    fn name(n: i128) -> SessionDigest {
        SessionDigest::of(&Id(n))
    }

    fn copy(user: &str, data: &'static str) -> Copy {
        let now = Instant::now();
        Copy {
            data: Bytes::from_static(data.as_bytes()),
            ends: now + Duration::from_secs(3600),
            user: Some(UserDigest::of(user)),
            marks: Marks::default(),
            state: State::Confirmed {
                at: now,
                version: 1,
            },
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_is_served_for_its_grace_and_to_its_end() {
        let copies = Copies::new(Duration::from_secs(60), 10, 1000);
        copies.confirm(name(1), copy("a", "x"), copies.ticket());
        let short = Copy {
            ends: Instant::now() + Duration::from_secs(5),
            ..copy("a", "y")
        };
        copies.confirm(name(2), short, copies.ticket());
        assert!(copies.to_serve(name(1)).is_some() && copies.to_serve(name(2)).is_some());
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(copies.to_serve(name(1)).is_some() && copies.to_serve(name(2)).is_none());
        tokio::time::advance(Duration::from_secs(55)).await;
        assert!(copies.to_serve(name(1)).is_none());
    }

    #[tokio::test]
    async fn what_was_read_before_an_ending_is_not_taken_in() {
        let copies = Copies::new(Duration::from_secs(60), 10, 1000);
        let before = copies.ticket();
        assert_eq!(copies.end_all(UserDigest::of("a"), None), 0);
        copies.confirm(name(1), copy("a", "x"), before);
        assert!(copies.get(name(1)).is_none());
        copies.confirm(name(1), copy("a", "x"), copies.ticket());
        copies.confirm(name(2), copy("a", "x"), copies.ticket());
        copies.confirm(name(3), copy("b", "x"), copies.ticket());
        assert_eq!(copies.end_all(UserDigest::of("a"), Some(name(2))), 1);
        assert!(copies.get(name(2)).is_some() && copies.get(name(3)).is_some());
    }

    #[tokio::test]
    async fn copies_are_bounded_in_number_and_bytes() {
        let copies = Copies::new(Duration::from_secs(60), 100, 1000);
        let kept = Copy {
            state: State::Born { of: None },
            ..copy("a", "0123456789")
        };
        copies.change(name(-1), kept);
        for n in 0..1000 {
            let data = if n % 2 == 0 {
                "0123456789"
            } else {
                "01234567890123456789"
            };
            copies.confirm(name(n), copy("a", data), copies.ticket());
            let inner = copies.inner();
            let bytes: usize = inner.copies.values().map(|(copy, _)| copy.data.len()).sum();
            assert_eq!(bytes, inner.bytes);
            assert!(bytes <= 1000 && inner.names.len() <= 100);
            assert!(
                inner
                    .names
                    .iter()
                    .enumerate()
                    .all(|(at, name)| inner.copies[name].1 == at)
            );
        }
        assert!(
            copies.get(name(-1)).is_some(),
            "what is unwritten goes last"
        );
    }

    #[tokio::test]
    async fn only_the_task_that_deleted_a_session_may_go_on_with_it() {
        let copies = std::sync::Arc::new(Copies::new(Duration::from_secs(60), 10, 1000));
        let user = Some(UserDigest::of("a"));
        let removed = Removed {
            user,
            marks: Marks::default(),
        };
        copies.took(name(1), removed);
        let others = std::sync::Arc::clone(&copies);
        let other = tokio::spawn(async move { others.taken(name(1)) });
        assert_eq!(other.await.unwrap(), None);
        assert_eq!(copies.taken(name(1)), Some(removed));
        assert_eq!(copies.taken(name(1)), None, "once");
        copies.took(name(1), removed);
        copies.end_all(UserDigest::of("a"), None);
        assert_eq!(copies.taken(name(1)), None, "not after a revocation");
    }
}

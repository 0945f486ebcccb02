//! Sessions in this process: for a service without Redis, and as the model the scripts are compared with.
//!
//! Bounded, because who has no session gets one by asking. When there is no room, one of a few picked at random makes it, the one that would end first. What has
//! ended is dropped when it is met, and each new session looks at two others for it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Change, Described, Draft, Expected, MOST_LISTED, Mark, Marks, Owner, Removed, Saved,
    SessionDigest, Stored, UserDigest,
};

/// How many are looked at to find one to drop.
const LOOKED_AT: usize = 8;

/// How many are looked at with each new session, to drop those that have ended: more than come.
const SWEPT: usize = 2;

/// See [`super`].
pub(in crate::session) struct MemoryShelf {
    most: usize,
    kept: Mutex<Kept>,
}

/// A user whose last session is gone is remembered so much longer: a request may be about to give it another id.
const AFTERWARDS: Duration = Duration::from_secs(600);

/// Users are looked through when there are twice as many as were left the last time, and no sooner than at so many.
const FEW_USERS: usize = 1024;

#[derive(Default)]
struct Kept {
    sessions: HashMap<SessionDigest, Session>,
    /// The names of all sessions, to pick from at random.
    names: Vec<SessionDigest>,
    users: HashMap<UserDigest, User>,
    /// How many users were left when they were last looked through.
    users_left: usize,
}

struct Session {
    data: Bytes,
    version: u64,
    created: Instant,
    seen: Instant,
    ends: Instant,
    user: Option<UserDigest>,
    marks: Marks,
    /// Where its name is.
    place: usize,
}

struct User {
    mark: Mark,
    ends: Instant,
    listed: HashMap<SessionDigest, Instant>,
}

impl fmt::Debug for MemoryShelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryShelf")
            .field("sessions", &self.kept().sessions.len())
            .finish_non_exhaustive()
    }
}

impl MemoryShelf {
    pub(in crate::session) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            kept: Mutex::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept().sessions.len()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no holder panics")
    }

    pub(super) fn load(&self, session: SessionDigest) -> Option<Stored> {
        let mut kept = self.kept();
        let it = kept.session(session)?;
        it.seen = Instant::now();
        Some(Stored {
            data: it.data.clone(),
            left: it.ends - it.seen,
            version: it.version,
            user: it.user,
            marks: it.marks,
        })
    }

    pub(super) fn create(&self, session: SessionDigest, draft: &Draft) -> bool {
        let mut kept = self.kept();
        if kept.session(session).is_some() {
            return false;
        }
        kept.make_room(self.most);
        let (now, place) = (Instant::now(), kept.names.len());
        let (user, marks) = match draft.owner {
            Owner::Now(user, mark) => (Some(user), Marks::one(mark)),
            Owner::Nobody | Owner::Still(_) => (None, Marks::default()),
        };
        let it = Session {
            data: draft.data.clone(),
            version: 1,
            created: now,
            seen: now,
            ends: now + draft.life,
            user,
            marks,
            place,
        };
        kept.sessions.insert(session, it);
        kept.names.push(session);
        true
    }

    pub(super) fn save(
        &self,
        session: SessionDigest,
        draft: &Draft,
        version: Option<u64>,
    ) -> Saved {
        let mut kept = self.kept();
        let Some(it) = kept.session(session) else {
            return Saved::Refused;
        };
        if version.is_some_and(|version| version != it.version) {
            return Saved::Refused;
        }
        match draft.owner {
            Owner::Nobody => (it.user, it.marks) = (None, Marks::default()),
            Owner::Now(user, mark) => (it.user, it.marks) = (Some(user), Marks::one(mark)),
            Owner::Still(user) if it.user == Some(user) => {}
            Owner::Still(_) => return Saved::Refused,
        }
        it.data = draft.data.clone();
        it.ends = Instant::now() + draft.life;
        it.version += 1;
        Saved::Done(it.version)
    }

    pub(super) fn delete(&self, session: SessionDigest, of: Option<UserDigest>) -> Option<Removed> {
        let mut kept = self.kept();
        let user = kept.session(session)?.user;
        if of.is_some() && user != of {
            return None;
        }
        kept.drop_session(session)
    }

    /// Nothing that was asked of this process comes later.
    pub(super) fn bury(&self, session: SessionDigest, of: Option<UserDigest>) -> Option<Removed> {
        self.delete(session, of)
    }

    pub(super) fn keep(&self, session: SessionDigest, mark: Mark, next: Mark) -> bool {
        let mut kept = self.kept();
        let it = kept.session(session).filter(|it| it.marks.has(Some(mark)));
        match it {
            Some(it) => {
                it.marks = Marks([Some(mark), Some(next)]);
                true
            }
            None => false,
        }
    }

    pub(super) fn describe(&self, session: SessionDigest) -> Option<Described> {
        let mut kept = self.kept();
        let it = kept.session(session)?;
        let (now, today) = (Instant::now(), SystemTime::now());
        Some(Described {
            user: it.user,
            marks: it.marks,
            created: today - (now - it.created),
            seen: today - (now - it.seen),
            expires: today + (it.ends - now),
        })
    }

    pub(super) fn mark(&self, user: UserDigest) -> Option<Mark> {
        self.kept().user(user).map(|it| it.mark)
    }

    pub(super) fn enlist(
        &self,
        user: UserDigest,
        session: SessionDigest,
        life: Duration,
        expected: Expected,
    ) -> Option<Mark> {
        let mut kept = self.kept();
        let known = kept.user(user).map(|it| it.mark);
        if let Expected::OneOf(marks) = expected
            && !marks.has(known)
        {
            return None;
        }
        kept.forget_users();
        let ends = Instant::now() + life;
        let it = kept.users.entry(user).or_insert_with(|| User {
            mark: Mark::random(),
            ends,
            listed: HashMap::new(),
        });
        it.ends = it.ends.max(ends);
        it.listed.insert(session, ends);
        if it.listed.len() > MOST_LISTED {
            let first = it.listed.iter().min_by_key(|(_, ends)| **ends);
            let first = *first.expect("there is more than one").0;
            it.listed.remove(&first);
        }
        Some(it.mark)
    }

    pub(super) fn replace(&self, user: UserDigest, change: Change) -> Option<Vec<SessionDigest>> {
        let mut kept = self.kept();
        match change {
            Change::Gone => {
                let gone = kept.users.remove(&user);
                let listed = gone.map(|it| it.listed).unwrap_or_default();
                Some(listed.into_keys().collect())
            }
            Change::To { from, to, keeping } => {
                let it = kept.user(user).filter(|it| it.mark == from)?;
                it.mark = to;
                let (kept, gone): (HashMap<_, _>, HashMap<_, _>) = std::mem::take(&mut it.listed)
                    .into_iter()
                    .partition(|(session, _)| *session == keeping);
                it.listed = kept;
                Some(gone.into_keys().collect())
            }
        }
    }

    pub(super) fn list(&self, user: UserDigest) -> (Option<Mark>, Vec<SessionDigest>) {
        let mut kept = self.kept();
        match kept.user(user) {
            Some(it) => (Some(it.mark), it.listed.keys().copied().collect()),
            None => (None, Vec::new()),
        }
    }

    pub(super) fn delist(&self, user: UserDigest, session: SessionDigest) {
        if let Some(it) = self.kept().users.get_mut(&user) {
            it.delist(session);
        }
    }
}

impl User {
    fn delist(&mut self, session: SessionDigest) {
        self.listed.remove(&session);
        if self.listed.is_empty() {
            self.ends = self.ends.min(Instant::now() + AFTERWARDS);
        }
    }
}

impl Kept {
    fn forget_users(&mut self) {
        if self.users.len() >= FEW_USERS.max(2 * self.users_left) {
            let now = Instant::now();
            self.users.retain(|_, user| user.ends > now);
            self.users_left = self.users.len();
        }
    }

    /// One that has not ended.
    fn session(&mut self, session: SessionDigest) -> Option<&mut Session> {
        if self.sessions.get(&session)?.ends <= Instant::now() {
            self.drop_session(session);
        }
        self.sessions.get_mut(&session)
    }

    fn user(&mut self, user: UserDigest) -> Option<&mut User> {
        if self.users.get(&user)?.ends <= Instant::now() {
            self.users.remove(&user);
        }
        self.users.get_mut(&user)
    }

    fn make_room(&mut self, most: usize) {
        for _ in 0..SWEPT.min(self.names.len()) {
            let place = fastrand::usize(..self.names.len().max(1));
            if let Some(&name) = self.names.get(place) {
                self.session(name);
            }
        }
        if self.sessions.len() < most {
            return;
        }
        let picked = (0..LOOKED_AT).map(|_| self.names[fastrand::usize(..self.names.len())]);
        let first = picked.min_by_key(|name| self.sessions[name].ends);
        if let Some(first) = first {
            self.drop_session(first);
        }
    }

    /// Drops a session, from its user's list as well.
    fn drop_session(&mut self, session: SessionDigest) -> Option<Removed> {
        let gone = self.sessions.remove(&session)?;
        self.names.swap_remove(gone.place);
        if let Some(moved) = self.names.get(gone.place) {
            let moved = self.sessions.get_mut(moved);
            moved.expect("every name is a session's").place = gone.place;
        }
        if let Some(user) = gone.user
            && let Some(it) = self.users.get_mut(&user)
        {
            it.delist(session);
        }
        Some(Removed {
            user: gone.user,
            marks: gone.marks,
        })
    }
}

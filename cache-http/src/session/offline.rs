//! Sessions while Redis does not answer, and the way back.
//!
//! Nothing here fails: a service goes on with what this process knows. What was changed is written back by the next request for that session, or by a task that tries
//! twice a second as long as something waits; always after the endings that wait ([`queue`](super::queue)), and only over what it was made from (`version`).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::copies::{Copy, State, Ticket};
use super::queue::Ending;
use super::record::{Origin, Read};
use super::shelf::{Away, Draft, Expected, Marks, Owner, Removed, Saved};
use super::store::{Answer, Created, Found, marks_of};
use super::{Inner, SessionDigest, SessionStore};
use crate::together;

/// How often what waits is tried, give or take a quarter.
const PAUSE: Duration = Duration::from_millis(500);

/// How many endings are asked for at once.
const AT_ONCE: usize = 64;

/// What a session that nobody knows is said to have left; it is nowhere kept.
const SOME_TIME: Duration = Duration::from_secs(3600);

impl Inner {
    /// A session as it is known here; else an empty one of that name, so that its cookie stays and its user is only for now nobody.
    pub(super) fn load_offline(&self, session: SessionDigest) -> Found {
        match self.copies.to_serve(session) {
            Some(copy) => Found {
                data: copy.data,
                left: copy.ends.saturating_duration_since(Instant::now()),
                origin: match copy.state {
                    State::Doubtful => Origin::Unknown,
                    _ => Origin::Session {
                        from: session,
                        user: copy.user,
                        marks: copy.marks,
                    },
                },
            },
            None => Found {
                data: Bytes::from_static(b"{}"),
                left: SOME_TIME,
                origin: Origin::Unknown,
            },
        }
    }

    /// What a copy becomes when it is saved here; nothing if it must not be.
    fn saved_offline(&self, session: SessionDigest, read: &Read, ends: Instant) -> Option<Copy> {
        let copy = |marks, state| Copy {
            data: read.data.clone(),
            ends,
            user: read.user,
            marks,
            state,
        };
        let known = match read.origin {
            // A login needs an id that the visitor did not bring along.
            Some(Origin::Unknown) => {
                return (read.user.is_none()).then(|| copy(Marks::default(), State::Doubtful));
            }
            Some(Origin::Session { user, .. }) => user,
            None => None,
        };
        let there = self.copies.get(session)?;
        let logs_in = read.user.is_some() && read.user != known;
        if !logs_in && read.user.is_some() && there.user != read.user {
            // It is another's by now, or nobody's.
            return None;
        }
        match there.state {
            State::Confirmed { at, version } => {
                let marks = if logs_in {
                    Marks::default()
                } else {
                    there.marks
                };
                Some(copy(
                    marks,
                    State::Changed {
                        at,
                        version,
                        anew: logs_in,
                    },
                ))
            }
            State::Changed { at, version, anew } => {
                let marks = if logs_in {
                    Marks::default()
                } else {
                    there.marks
                };
                let anew = logs_in || (anew && read.user.is_some());
                Some(copy(marks, State::Changed { at, version, anew }))
            }
            State::Born { of } => {
                let of = if logs_in || read.user.is_none() {
                    None
                } else {
                    of
                };
                Some(copy(Marks::default(), State::Born { of }))
            }
            State::Doubtful => None,
        }
    }

    /// Does in Redis what waits for it, before anything there is looked at: the endings, and what was changed of this session.
    pub(super) async fn settle(&self, session: Option<SessionDigest>) -> Answer<()> {
        let unsettled = session.filter(|session| self.copies.is_unsettled(*session));
        if self.queue.is_empty() && unsettled.is_none() {
            return Ok(());
        }
        let failures = self.failures.load(Ordering::Acquire);
        let _alone = self.settling.lock().await;
        if self.failures.load(Ordering::Acquire) != failures {
            return Err(Away);
        }
        let done = async {
            self.end_queued().await?;
            match unsettled {
                Some(session) => self.write_back(session).await,
                None => Ok(()),
            }
        };
        let done = done.await;
        if done.is_err() {
            self.failures.fetch_add(1, Ordering::AcqRel);
        }
        done
    }

    async fn end_queued(&self) -> Answer<()> {
        loop {
            let some = self.queue.some(AT_ONCE);
            if some.is_empty() {
                return Ok(());
            }
            let ended = some.into_iter().map(|(ending, request)| async move {
                self.end_late(ending).await?;
                self.queue.done(ending, request);
                Ok(())
            });
            let ended: Answer<Vec<()>> = together::all(ended).await.into_iter().collect();
            ended?;
        }
    }

    /// Writes a copy back. What has become of the session meanwhile is worth more than what was done here.
    async fn write_back(&self, session: SessionDigest) -> Answer<()> {
        let Some(copy) = self.copies.get(session) else {
            return Ok(());
        };
        let life = copy.ends.saturating_duration_since(Instant::now());
        let draft = |owner| Draft {
            data: copy.data.clone(),
            life,
            owner,
        };
        let written = match copy.state {
            State::Confirmed { .. } => return Ok(()),
            _ if life.is_zero() => None,
            State::Doubtful => {
                self.shelf.describe(session).await?;
                None
            }
            State::Changed { version, anew, .. } => {
                let owner = match copy.user {
                    None => Owner::Nobody,
                    Some(user) if !anew => Owner::Still(user),
                    Some(user) => {
                        let mark = self
                            .shelf
                            .enlist(user, session, life, Expected::Any)
                            .await?;
                        Owner::Now(user, mark.ok_or(Away)?)
                    }
                };
                let saved = self
                    .shelf
                    .save(session, &draft(owner), Some(version))
                    .await?;
                let marks = match owner {
                    Owner::Still(_) => copy.marks,
                    owner => marks_of(owner),
                };
                Some((saved, marks))
            }
            State::Born { of } => {
                let expected = of.map_or(Expected::Any, Expected::OneOf);
                let owner = match copy.user {
                    None => Some(Owner::Nobody),
                    Some(user) => {
                        let mark = self.shelf.enlist(user, session, life, expected).await?;
                        mark.map(|mark| Owner::Now(user, mark))
                    }
                };
                match owner {
                    Some(owner) => {
                        Some((self.bear(session, &draft(owner)).await?, marks_of(owner)))
                    }
                    None => None,
                }
            }
        };
        let settled = written.and_then(|(saved, marks)| match saved {
            Saved::Done(version) => {
                let at = Instant::now();
                Some((State::Confirmed { at, version }, marks))
            }
            Saved::Refused => None,
        });
        self.copies.settle(session, &copy, settled);
        Ok(())
    }

    /// Creates a session whose creation may have been asked for once, without an answer.
    async fn bear(&self, session: SessionDigest, draft: &Draft) -> Answer<Saved> {
        if self.shelf.create(session, draft).await? {
            return Ok(Saved::Done(1));
        }
        self.shelf.save(session, draft, None).await
    }

    async fn settle_all(&self) -> Answer<()> {
        self.settle(None).await?;
        for session in self.copies.unsettled() {
            self.settle(Some(session)).await?;
        }
        Ok(())
    }

    fn is_settled(&self) -> bool {
        self.queue.is_empty() && self.copies.unsettled().is_empty()
    }
}

impl SessionStore {
    pub(super) fn save_offline(&self, session: SessionDigest, read: &Read, life: Duration) {
        match self
            .inner
            .saved_offline(session, read, Instant::now() + life)
        {
            Some(copy) => {
                self.inner.copies.change(session, copy);
                self.watch();
            }
            None => {
                tracing::debug!("a session is not saved: Redis is away, and it is not known here")
            }
        }
    }

    pub(super) fn create_offline(
        &self,
        session: SessionDigest,
        read: &Read,
        life: Duration,
        of: Expected,
        ticket: Ticket,
    ) -> Created {
        let copy = |of| Copy {
            data: read.data.clone(),
            ends: Instant::now() + life,
            user: read.user,
            marks: Marks::default(),
            state: State::Born { of },
        };
        let copies = &self.inner.copies;
        match of {
            Expected::Any => copies.change(session, copy(None)),
            // It goes on with what a user had. Whether that is what ended meanwhile is not worth finding out.
            Expected::OneOf(marks) => {
                if !copies.change_since(session, copy(Some(marks)), ticket) {
                    return Created::Refused;
                }
            }
        }
        self.watch();
        Created::Done(Marks::default())
    }

    pub(super) fn delete_offline(&self, session: SessionDigest) {
        let copy = self.inner.copies.end(session);
        if let Some(copy) = copy.filter(|copy| copy.user.is_some()) {
            let marks = match copy.state {
                State::Born { of } => of.unwrap_or_default(),
                _ => copy.marks,
            };
            let user = copy.user;
            self.inner.copies.took(session, Removed { user, marks });
        } else {
            self.inner.copies.taken(session);
        }
        if !self.inner.queue.add(Ending::Of(session)) {
            tracing::warn!(
                "a session that was deleted without Redis stays there until its end: too many wait"
            );
        }
        self.watch();
    }

    /// Sees to it that somebody tries to write back what waits, until nothing does or the store is gone.
    pub(super) fn watch(&self) {
        if self.inner.watched.swap(true, Ordering::AcqRel) {
            return;
        }
        let store = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PAUSE.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
                let Some(store) = store.upgrade() else {
                    return;
                };
                if store.settle_all().await.is_ok() {
                    store.watched.store(false, Ordering::Release);
                    // What came in just before has found that somebody was watching.
                    if store.is_settled() || store.watched.swap(true, Ordering::AcqRel) {
                        return;
                    }
                }
            }
        });
    }
}

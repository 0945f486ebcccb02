//! What `tower-sessions` asks of a store.

use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::time::Instant;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::{Error, Result, SessionStore as Store};

use super::copies::{Copy, State, Ticket};
use super::digest::UserDigest;
use super::record::{self, Origin, Read};
use super::shelf::{Away, Draft, Expected, Mark, Marks, Owner, Saved, Stored};
use super::{Inner, SessionDigest, SessionStore};
use crate::together;

/// An id of 128 random bits that is taken twice is no accident.
const ATTEMPTS: usize = 4;

/// A session is kept for no longer, whatever its record says.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

#[async_trait]
impl Store for SessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let read = record::read(record, &self.inner.field)?;
        let ticket = self.inner.copies.ticket();
        let Some(of) = self.inner.may_create(&read) else {
            tracing::debug!("a session that was ended meanwhile gets no other id");
            return Ok(());
        };
        for _ in 0..ATTEMPTS {
            let session = SessionDigest::of(&record.id);
            let created = self
                .inner
                .create(session, &read, life(record), of, ticket)
                .await;
            let created = match created {
                Ok(created) => created,
                Err(Away) => self.create_offline(session, &read, life(record), of, ticket),
            };
            match created {
                Created::Done(marks) => {
                    let user = read.user;
                    let origin = Origin::Session {
                        from: session,
                        user,
                        marks,
                    };
                    record::annotate(&mut record.data, &origin);
                    return Ok(());
                }
                Created::Refused => return Ok(()),
                Created::Taken => record.id = Id::default(),
            }
        }
        Err(Error::Backend("no id is free".to_owned()))
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let read = record::read(record, &self.inner.field)?;
        let session = SessionDigest::of(&record.id);
        if self.inner.save(session, &read, life(record)).await.is_err() {
            self.save_offline(session, &read, life(record));
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let session = SessionDigest::of(id);
        let found = match self.inner.load(session).await {
            Ok(None) => return Ok(None),
            Ok(Some(found)) => found,
            Err(Away) => self.inner.load_offline(session),
        };
        let Some(data) = record::data(&found.data, &found.origin) else {
            tracing::warn!("what is kept of a session cannot be read; it counts as none");
            return Ok(None);
        };
        let left = time::Duration::try_from(found.left).unwrap_or(time::Duration::WEEK);
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: OffsetDateTime::now_utc().saturating_add(left),
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let session = SessionDigest::of(id);
        if self.inner.delete(session).await.is_err() {
            self.delete_offline(session);
        }
        Ok(())
    }
}

/// How long a session lives from now on: a record says until when, by the clock it was made by, which is this one.
fn life(record: &Record) -> Duration {
    let left = record.expiry_date - OffsetDateTime::now_utc();
    Duration::try_from(left).unwrap_or_default().min(LONGEST)
}

/// What came of asking Redis.
pub(super) type Answer<T> = std::result::Result<T, Away>;

/// A session, to be made into a record.
pub(super) struct Found {
    pub(super) data: bytes::Bytes,
    pub(super) left: Duration,
    pub(super) origin: Origin,
}

/// What came of creating one.
pub(super) enum Created {
    Done(Marks),
    /// Its user's sessions were revoked.
    Refused,
    /// There is one of that name.
    Taken,
}

impl Inner {
    /// The marks that a new session's user has to have one of. Nothing if there must be no such session: its data are of a user's session that somebody else has ended.
    fn may_create(&self, read: &Read) -> Option<Expected> {
        match read.origin {
            Some(Origin::Session { from, user, .. }) if user.is_some() && user == read.user => {
                let removed = self.copies.taken(from)?;
                (removed.user == user).then_some(match removed.marks {
                    // It was created without Redis, and never was there.
                    marks if marks == Marks::default() => Expected::Any,
                    marks => Expected::OneOf(marks),
                })
            }
            _ => Some(Expected::Any),
        }
    }

    async fn create(
        &self,
        session: SessionDigest,
        read: &Read,
        life: Duration,
        of: Expected,
        ticket: Ticket,
    ) -> Answer<Created> {
        self.settle(None).await?;
        let owner = match read.user {
            None => Owner::Nobody,
            Some(user) => match self.shelf.enlist(user, session, life, of).await? {
                Some(mark) => Owner::Now(user, mark),
                None => return Ok(Created::Refused),
            },
        };
        let draft = Draft {
            data: read.data.clone(),
            life,
            owner,
        };
        if !self.shelf.create(session, &draft).await? {
            return Ok(Created::Taken);
        }
        let marks = marks_of(owner);
        self.copies
            .confirm(session, confirmed(read, life, marks, 1), ticket);
        Ok(Created::Done(marks))
    }

    async fn save(&self, session: SessionDigest, read: &Read, life: Duration) -> Answer<()> {
        if read.origin == Some(Origin::Unknown) {
            // It was read when nobody could be asked. What is there may be anything; what is here stays here.
            return Err(Away);
        }
        self.settle(Some(session)).await?;
        let ticket = self.copies.ticket();
        let (mut known, mut loaded) = (None, Marks::default());
        if let Some(Origin::Session { user, marks, .. }) = read.origin {
            (known, loaded) = (user, marks);
        }
        let draft = |owner| Draft {
            data: read.data.clone(),
            life,
            owner,
        };
        let (saved, marks) = match read.user {
            None => (
                self.shelf
                    .save(session, &draft(Owner::Nobody), None)
                    .await?,
                Marks::default(),
            ),
            Some(user) if Some(user) == known => {
                // The list and the mark are to last as long as the session; whether it is alive is seen when it is loaded.
                let draft = draft(Owner::Still(user));
                let of = Expected::OneOf(loaded);
                let last = self.shelf.enlist(user, session, life, of);
                let save = self.shelf.save(session, &draft, None);
                let (last, saved) = together::both(last, save).await;
                last?;
                (saved?, loaded)
            }
            Some(user) => {
                let mark = self
                    .shelf
                    .enlist(user, session, life, Expected::Any)
                    .await?;
                let mark = mark.ok_or(Away)?;
                let draft = draft(Owner::Now(user, mark));
                (
                    self.shelf.save(session, &draft, None).await?,
                    Marks::one(mark),
                )
            }
        };
        match saved {
            Saved::Done(version) => {
                self.copies
                    .confirm(session, confirmed(read, life, marks, version), ticket);
            }
            Saved::Refused => {
                self.copies.end(session);
                tracing::debug!("a session that was ended meanwhile is not saved");
            }
        }
        Ok(())
    }

    async fn load(&self, session: SessionDigest) -> Answer<Option<Found>> {
        if self.settle(Some(session)).await.is_err()
            && (self.copies.to_serve(session).is_some() || !self.queue.is_empty())
        {
            return Err(Away);
        }
        // A server that can be read and not written (it is full) still tells more than a copy that is too old.
        let ticket = self.copies.ticket();
        let guess = self.copies.get(session).and_then(|copy| copy.user);
        let (stored, mark) = self.look(session, guess).await?;
        let Some(stored) = stored else {
            self.copies.forget(session);
            return Ok(None);
        };
        if let Some(user) = stored.user {
            let mark = match guess {
                Some(guess) if guess == user => mark,
                _ => self.shelf.mark(user).await?,
            };
            if !stored.marks.has(mark) {
                self.copies.forget(session);
                return Ok(None);
            }
        }
        let now = Instant::now();
        let copy = Copy {
            data: stored.data.clone(),
            ends: now + stored.left.min(LONGEST),
            user: stored.user,
            marks: stored.marks,
            state: State::Confirmed {
                at: now,
                version: stored.version,
            },
        };
        self.copies.confirm(session, copy, ticket);
        let origin = Origin::Session {
            from: session,
            user: stored.user,
            marks: stored.marks,
        };
        let Stored { data, left, .. } = stored;
        Ok(Some(Found { data, left, origin }))
    }

    /// A session and, in the same round trip, the mark of whom it was last known to be of.
    async fn look(
        &self,
        session: SessionDigest,
        guess: Option<UserDigest>,
    ) -> Answer<(Option<Stored>, Option<Mark>)> {
        let Some(guess) = guess else {
            return Ok((self.shelf.load(session).await?, None));
        };
        let (stored, mark) = together::both(self.shelf.load(session), self.shelf.mark(guess)).await;
        Ok((stored?, mark?))
    }

    async fn delete(&self, session: SessionDigest) -> Answer<()> {
        self.settle(Some(session)).await?;
        let removed = self.shelf.delete(session, None).await?;
        self.copies.end(session);
        if let Some(removed) = removed
            && let Some(user) = removed.user
        {
            self.copies.took(session, removed);
            // The list is for people to look at; what is on it for nothing leaves it in time.
            let _ = self.shelf.delist(user, session).await;
        } else {
            // Somebody else has ended it; so did this task, perhaps, for another request.
            self.copies.taken(session);
        }
        Ok(())
    }
}

pub(super) fn marks_of(owner: Owner) -> Marks {
    match owner {
        Owner::Now(_, mark) => Marks::one(mark),
        Owner::Nobody | Owner::Still(_) => Marks::default(),
    }
}

fn confirmed(read: &Read, life: Duration, marks: Marks, version: u64) -> Copy {
    let now = Instant::now();
    Copy {
        data: read.data.clone(),
        ends: now + life,
        user: read.user,
        marks,
        state: State::Confirmed { at: now, version },
    }
}

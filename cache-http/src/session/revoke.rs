//! A user's sessions, and their ends.

use super::digest::UserDigest;
use super::queue::Ending;
use super::shelf::{Away, Change, Mark, Removed};
use super::store::Answer;
use super::{Inner, SessionDigest, SessionError, SessionInfo, SessionStore};
use crate::together;

/// Somebody else changes the mark each time: nobody has that many devices.
const ATTEMPTS: usize = 16;

/// How many sessions are asked for at once.
const AT_ONCE: usize = 64;

impl SessionStore {
    /// The sessions of a user that are alive, the one seen last first; a thousand at most.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`].
    pub async fn sessions_of(&self, user: &str) -> Result<Vec<SessionInfo>, SessionError> {
        let user = UserDigest::of(user);
        let found = self.inner.sessions_of(user).await;
        let mut found = found.map_err(|Away| SessionError::Unavailable)?;
        found.sort_by_key(|info| std::cmp::Reverse(info.last_seen));
        Ok(found)
    }

    /// Ends one session, if it is this user's; whether it was. From then on no request loads it, and none that has it in hand saves it or gives it another id.
    ///
    /// # Errors
    ///
    /// [`SessionError::Queued`] or [`SessionError::Forgotten`] if Redis did not confirm it.
    pub async fn revoke(&self, user: &str, session: SessionDigest) -> Result<bool, SessionError> {
        let user = UserDigest::of(user);
        self.revoked(Ending::OfUser(user, session))
            .await
            .map(|ended| ended > 0)
    }

    /// Ends all sessions of a user: after this, what was loaded, saved, created or given another id from any of them is dead, on every instance. How many were
    /// listed, dead ones perhaps among them. A login that comes through later is a new session.
    ///
    /// # Errors
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn revoke_all(&self, user: &str) -> Result<usize, SessionError> {
        self.revoked(Ending::All(UserDigest::of(user))).await
    }

    /// The same, but for one session, which goes on without a gap: the one that asks for it. It may get another id before or after.
    /// If it is none of the user's that is alive, all are ended.
    ///
    /// # Errors
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn revoke_others(
        &self,
        user: &str,
        keep: SessionDigest,
    ) -> Result<usize, SessionError> {
        self.revoked(Ending::Others(UserDigest::of(user), keep))
            .await
    }

    /// Dropped on the way, it is queued.
    async fn revoked(&self, ending: Ending) -> Result<usize, SessionError> {
        let inner = &self.inner;
        // Here first, because Redis may take its time; and again below, for what was read there meanwhile.
        inner.end_here(ending);
        let mut asked = Asked {
            inner,
            ending,
            confirmed: false,
        };
        let ended = inner.end(ending).await;
        inner.end_here(ending);
        if let Ok(ended) = ended {
            asked.confirmed = true;
            return Ok(ended);
        }
        drop(asked);
        self.watch();
        Err(match inner.queue.has(&ending) {
            true => SessionError::Queued,
            false => SessionError::Forgotten,
        })
    }
}

/// An ending that is under way: dropped, it waits for who next looks at Redis.
struct Asked<'a> {
    inner: &'a Inner,
    ending: Ending,
    confirmed: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.confirmed {
            self.inner.queue.add(self.ending);
        }
    }
}

impl Inner {
    async fn sessions_of(&self, user: UserDigest) -> Answer<Vec<SessionInfo>> {
        self.settle(None).await?;
        let (mark, listed) = self.shelf.list(user).await?;
        let mut alive = Vec::new();
        for some in listed.chunks(AT_ONCE) {
            let asked = some.iter().map(|&session| async move {
                let described = self.shelf.describe(session).await?;
                Ok(described.map(|described| (session, described)))
            });
            let described: Answer<Vec<_>> = together::all(asked).await.into_iter().collect();
            // One that is listed and not the user's may be about to become so: it is left where it is.
            let alive_ones = described?.into_iter().flatten();
            alive.extend(alive_ones.filter(|(_, it)| it.user == Some(user) && it.marks.has(mark)));
        }
        let infos = alive.into_iter().map(|(session, it)| SessionInfo {
            id: session,
            created: it.created,
            last_seen: it.seen,
            expires: it.expires,
        });
        Ok(infos.collect())
    }

    fn end_here(&self, ending: Ending) {
        match ending {
            Ending::Of(session) => drop(self.copies.end(session)),
            Ending::OfUser(user, session) => {
                let copy = self.copies.get(session);
                if copy.is_some_and(|copy| copy.user == Some(user)) {
                    self.copies.end(session);
                }
            }
            Ending::All(user) => drop(self.copies.end_all(user, None)),
            Ending::Others(user, keep) => drop(self.copies.end_all(user, Some(keep))),
        }
    }

    /// Ends sessions in Redis, and tells how many.
    async fn end(&self, ending: Ending) -> Answer<usize> {
        match ending {
            Ending::Of(session) => {
                self.ended(session, self.shelf.delete(session, None).await?)
                    .await
            }
            Ending::OfUser(user, session) => {
                self.ended(session, self.shelf.delete(session, Some(user)).await?)
                    .await
            }
            Ending::All(user) => self.end_all(user).await,
            Ending::Others(user, keep) => self.end_others(user, keep).await,
        }
    }

    /// The same after an outage. A user's mark is no matter of time; a session that was created as Redis went away may come to be only now.
    pub(super) async fn end_late(&self, ending: Ending) -> Answer<usize> {
        match ending {
            Ending::Of(session) => {
                self.ended(session, self.shelf.bury(session, None).await?)
                    .await
            }
            Ending::OfUser(user, session) => {
                self.ended(session, self.shelf.bury(session, Some(user)).await?)
                    .await
            }
            other => self.end(other).await,
        }
    }

    async fn ended(&self, session: SessionDigest, removed: Option<Removed>) -> Answer<usize> {
        let Some(removed) = removed else {
            return Ok(0);
        };
        if let Some(user) = removed.user {
            // It is ended; that it is listed still is found out by who looks at the list.
            let _ = self.shelf.delist(user, session).await;
        }
        Ok(1)
    }

    async fn end_all(&self, user: UserDigest) -> Answer<usize> {
        let listed = self.shelf.replace(user, Change::Gone).await?;
        Ok(self.clear_away(user, listed.unwrap_or_default()).await)
    }

    /// First the session that stays is told the next mark, then the mark becomes that, so that at every moment it is alive.
    async fn end_others(&self, user: UserDigest, keep: SessionDigest) -> Answer<usize> {
        for _ in 0..ATTEMPTS {
            let Some(mark) = self.shelf.mark(user).await? else {
                return Ok(0);
            };
            let next = Mark::random();
            if !self.shelf.keep(keep, mark, next).await? {
                break;
            }
            let change = Change::To {
                from: mark,
                to: next,
                keeping: keep,
            };
            if let Some(listed) = self.shelf.replace(user, change).await? {
                return Ok(self.clear_away(user, listed).await);
            }
        }
        self.end_all(user).await
    }

    /// Frees the memory of sessions that are dead already.
    async fn clear_away(&self, user: UserDigest, dead: Vec<SessionDigest>) -> usize {
        let count = dead.len();
        for some in dead.chunks(AT_ONCE) {
            let gone = some
                .iter()
                .map(|&session| self.shelf.delete(session, Some(user)));
            together::all(gone).await;
        }
        count
    }
}

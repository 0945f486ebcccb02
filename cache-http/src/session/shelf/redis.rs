//! Sessions in Redis: a hash for each, and a mark and a sorted set for each user.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use cache_runtime::{CacheError, RedisHandle, RedisReply, RedisScript};

use super::{
    Away, Change, Described, Draft, Expected, MOST_LISTED, Mark, Marks, Owner, Removed, SIGHT,
    Saved, SessionDigest, Stored, UserDigest,
};

static LOAD: RedisScript = RedisScript::new(include_str!("../scripts/load.lua"));
static CREATE: RedisScript = RedisScript::new(include_str!("../scripts/create.lua"));
static SAVE: RedisScript = RedisScript::new(include_str!("../scripts/save.lua"));
static DELETE: RedisScript = RedisScript::new(include_str!("../scripts/delete.lua"));
static BURY: RedisScript = RedisScript::new(include_str!("../scripts/bury.lua"));
static KEEP: RedisScript = RedisScript::new(include_str!("../scripts/keep.lua"));
static DESCRIBE: RedisScript = RedisScript::new(include_str!("../scripts/describe.lua"));
static ENLIST: RedisScript = RedisScript::new(include_str!("../scripts/enlist.lua"));
static REPLACE: RedisScript = RedisScript::new(include_str!("../scripts/replace.lua"));
static LIST: RedisScript = RedisScript::new(include_str!("../scripts/list.lua"));

/// A connection that is gone has nothing left to be carried out so much later.
const REST: Duration = Duration::from_secs(60);

/// See [`super`].
pub(in crate::session) struct RedisShelf {
    redis: RedisHandle,
    /// Which store of all that write.
    writer: [u8; 8],
}

impl fmt::Debug for RedisShelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisShelf")
    }
}

impl RedisShelf {
    pub(in crate::session) fn new(redis: RedisHandle) -> Self {
        let writer = fastrand::u64(..).to_be_bytes();
        Self { redis, writer }
    }

    fn session(&self, session: SessionDigest) -> String {
        self.redis.key("session", &session.to_string())
    }

    /// A user's mark and list, in one slot.
    fn user(&self, user: UserDigest) -> [String; 2] {
        let user = user.to_string();
        ["session-mark", "session-list"].map(|kind| self.redis.key(kind, &user))
    }

    async fn run(
        &self,
        script: &RedisScript,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<RedisReply, Away> {
        told(self.redis.script(script, keys, arguments).await)
    }

    async fn about(
        &self,
        script: &RedisScript,
        session: SessionDigest,
        arguments: &[&[u8]],
    ) -> Result<Fields, Away> {
        let key = self.session(session);
        let reply = self.run(script, &[&key], arguments).await?;
        Ok(Fields::of(reply))
    }

    pub(super) async fn load(&self, session: SessionDigest) -> Result<Option<Stored>, Away> {
        let sight = SIGHT.as_millis().to_string();
        let fields = self.about(&LOAD, session, &[sight.as_bytes()]).await?;
        if fields.is_empty() {
            return Ok(None);
        }
        Ok(Some(Stored {
            data: fields.bytes(0)?,
            left: Duration::from_millis(fields.number(1)?),
            version: fields.number(2)?,
            user: fields.user(3)?,
            marks: fields.marks(4)?,
        }))
    }

    pub(super) async fn create(&self, session: SessionDigest, draft: &Draft) -> Result<bool, Away> {
        let (user, mark) = owner(draft.owner);
        let life = millis(draft.life);
        let arguments: [&[u8]; 5] = [&draft.data, life.as_bytes(), &user, &mark, &self.writer];
        let key = self.session(session);
        let reply = self.run(&CREATE, &[&key], &arguments).await?;
        Ok(reply == RedisReply::Int(1))
    }

    pub(super) async fn save(
        &self,
        session: SessionDigest,
        draft: &Draft,
        version: Option<u64>,
    ) -> Result<Saved, Away> {
        let (user, mark) = owner(draft.owner);
        let life = millis(draft.life);
        let version = version.map_or_else(String::new, |version| version.to_string());
        let arguments: [&[u8]; 6] = [
            &draft.data,
            life.as_bytes(),
            &user,
            &mark,
            version.as_bytes(),
            &self.writer,
        ];
        let fields = self.about(&SAVE, session, &arguments).await?;
        match fields.number(0)? {
            1 => Ok(Saved::Done(fields.number(1)?)),
            _ => Ok(Saved::Refused),
        }
    }

    pub(super) async fn delete(
        &self,
        session: SessionDigest,
        of: Option<UserDigest>,
    ) -> Result<Option<Removed>, Away> {
        let of = of.map_or_else(Vec::new, |user| user.bytes().to_vec());
        let fields = self.about(&DELETE, session, &[&of]).await?;
        fields.removed()
    }

    pub(super) async fn bury(
        &self,
        session: SessionDigest,
        of: Option<UserDigest>,
    ) -> Result<Option<Removed>, Away> {
        let of = of.map_or_else(Vec::new, |user| user.bytes().to_vec());
        let rest = millis(REST);
        let fields = self.about(&BURY, session, &[&of, rest.as_bytes()]).await?;
        fields.removed()
    }

    pub(super) async fn keep(
        &self,
        session: SessionDigest,
        mark: Mark,
        next: Mark,
    ) -> Result<bool, Away> {
        let arguments: [&[u8]; 2] = [&mark.to_bytes(), &next.to_bytes()];
        let key = self.session(session);
        let reply = self.run(&KEEP, &[&key], &arguments).await?;
        Ok(reply == RedisReply::Int(1))
    }

    pub(super) async fn describe(&self, session: SessionDigest) -> Result<Option<Described>, Away> {
        let fields = self.about(&DESCRIBE, session, &[]).await?;
        if fields.is_empty() {
            return Ok(None);
        }
        let time = |millis: u64| UNIX_EPOCH + Duration::from_millis(millis);
        Ok(Some(Described {
            user: fields.user(0)?,
            marks: fields.marks(1)?,
            created: time(fields.number(3)?),
            seen: time(fields.number(4)?),
            expires: time(fields.number(6)?) + Duration::from_millis(fields.number(5)?),
        }))
    }

    pub(super) async fn mark(&self, user: UserDigest) -> Result<Option<Mark>, Away> {
        let [key, _] = self.user(user);
        let reply = told(self.redis.command(&key, &[b"GET", key.as_bytes()]).await)?;
        read_mark(&reply)
    }

    pub(super) async fn enlist(
        &self,
        user: UserDigest,
        session: SessionDigest,
        life: Duration,
        expected: Expected,
    ) -> Result<Option<Mark>, Away> {
        let (asks, Marks(marks)) = match expected {
            Expected::Any => (b"0", Marks::default()),
            Expected::OneOf(marks) => (b"1", marks),
        };
        let marks = marks.map(|mark| mark.map_or_else(Vec::new, |mark| mark.to_bytes().to_vec()));
        let (life, most) = (millis(life), MOST_LISTED.to_string());
        let arguments: [&[u8]; 7] = [
            session.bytes(),
            life.as_bytes(),
            &Mark::random().to_bytes(),
            asks,
            &marks[0],
            &marks[1],
            most.as_bytes(),
        ];
        let [mark, list] = self.user(user);
        let reply = self.run(&ENLIST, &[&mark, &list], &arguments).await?;
        read_mark(&reply)
    }

    pub(super) async fn replace(
        &self,
        user: UserDigest,
        change: Change,
    ) -> Result<Option<Vec<SessionDigest>>, Away> {
        let (from, to, keeping) = match change {
            Change::Gone => (Vec::new(), Vec::new(), Vec::new()),
            Change::To { from, to, keeping } => (
                from.to_bytes().to_vec(),
                to.to_bytes().to_vec(),
                keeping.bytes().to_vec(),
            ),
        };
        let [mark, list] = self.user(user);
        let arguments: [&[u8]; 3] = [&from, &to, &keeping];
        let reply = self.run(&REPLACE, &[&mark, &list], &arguments).await?;
        Ok(match reply {
            RedisReply::List(_) => Some(Fields::of(reply).sessions(0)),
            _ => None,
        })
    }

    pub(super) async fn list(
        &self,
        user: UserDigest,
    ) -> Result<(Option<Mark>, Vec<SessionDigest>), Away> {
        let [mark, list] = self.user(user);
        let reply = self.run(&LIST, &[&mark, &list], &[]).await?;
        let fields = Fields::of(reply);
        Ok((read_mark(fields.at(0)?)?, fields.sessions(1)))
    }

    pub(super) async fn delist(
        &self,
        user: UserDigest,
        session: SessionDigest,
    ) -> Result<(), Away> {
        let [_, list] = self.user(user);
        let words: [&[u8]; 3] = [b"ZREM", list.as_bytes(), session.bytes()];
        told(self.redis.command(&list, &words).await).map(drop)
    }
}

fn told(answer: Result<RedisReply, CacheError>) -> Result<RedisReply, Away> {
    answer.map_err(|error| {
        tracing::debug!(%error, "sessions do without Redis");
        Away
    })
}

fn millis(life: Duration) -> String {
    life.as_millis().max(1).to_string()
}

/// User and mark, as the scripts want them.
fn owner(owner: Owner) -> (Vec<u8>, Vec<u8>) {
    match owner {
        Owner::Nobody => (Vec::new(), Vec::new()),
        Owner::Still(user) => (user.bytes().to_vec(), Vec::new()),
        Owner::Now(user, mark) => (user.bytes().to_vec(), mark.to_bytes().to_vec()),
    }
}

fn read_mark(reply: &RedisReply) -> Result<Option<Mark>, Away> {
    match reply {
        RedisReply::Nil => Ok(None),
        RedisReply::Bytes(bytes) if bytes.is_empty() => Ok(None),
        RedisReply::Bytes(bytes) => Mark::from_bytes(bytes).map(Some).ok_or(Away),
        _ => Err(Away),
    }
}

/// A list as a script replies it. What none of ours replies reads as no answer.
struct Fields(Vec<RedisReply>);

impl Fields {
    fn of(reply: RedisReply) -> Self {
        match reply {
            RedisReply::List(fields) => Self(fields),
            _ => Self(Vec::new()),
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn at(&self, at: usize) -> Result<&RedisReply, Away> {
        self.0.get(at).ok_or(Away)
    }

    fn bytes(&self, at: usize) -> Result<bytes::Bytes, Away> {
        match self.at(at)? {
            RedisReply::Bytes(bytes) => Ok(bytes.clone()),
            _ => Err(Away),
        }
    }

    /// A session without an end, and one whose end is this moment, have less than nothing left.
    fn number(&self, at: usize) -> Result<u64, Away> {
        let number = self.at(at)?.as_int().ok_or(Away)?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    fn user(&self, at: usize) -> Result<Option<UserDigest>, Away> {
        let bytes = self.bytes(at)?;
        Ok(UserDigest::from_bytes(&bytes))
    }

    fn marks(&self, at: usize) -> Result<Marks, Away> {
        Ok(Marks([
            read_mark(self.at(at)?)?,
            read_mark(self.at(at + 1)?)?,
        ]))
    }

    fn removed(&self) -> Result<Option<Removed>, Away> {
        if self.is_empty() {
            return Ok(None);
        }
        Ok(Some(Removed {
            user: self.user(0)?,
            marks: self.marks(1)?,
        }))
    }

    fn sessions(&self, from: usize) -> Vec<SessionDigest> {
        let bytes = self.0.iter().skip(from).map(RedisReply::as_bytes);
        bytes
            .filter_map(|bytes| SessionDigest::from_bytes(bytes?))
            .collect()
    }
}

//! `GET api/inspect?key=…`: what is stored under a key, and where. Never the value.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use cache_runtime::{EntryInfo, Key, StoredInfo};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Shared, problem, readings, view::milliseconds};

#[derive(Debug, Deserialize)]
pub(super) struct Question {
    cache: Option<String>,
    key: String,
    scope: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    /// As it stands in Redis, without the cache's name; what was looked for if nothing is there.
    key: String,
    found: bool,
    #[serde(flatten)]
    entry: Option<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    /// The scope in the key, as evictions take it.
    scope: Option<String>,
    memory: Option<Stored>,
    redis: Option<Stored>,
    /// A load or a put of the key runs.
    leased: bool,
    held_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Stored {
    age_ms: u64,
    remaining_ms: u64,
    bytes: usize,
    version: u32,
    absent: bool,
    codec: &'static str,
    tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
struct Tag {
    /// As an eviction takes it.
    text: String,
    /// The text is a digest of a longer tag, which alone can be evicted.
    digest: bool,
}

pub(super) async fn answer(
    State(admin): State<Shared>,
    question: Result<Query<Question>, QueryRejection>,
) -> Response {
    let Ok(Query(question)) = question else {
        return problem(StatusCode::BAD_REQUEST, "say which `key`");
    };
    let Some(cache) = admin.cache(question.cache.as_deref()) else {
        return problem(
            StatusCode::NOT_FOUND,
            "name one of the caches of this page in `cache`",
        );
    };
    let keys = readings::keys(&question.key, question.scope.as_deref());
    for key in &keys {
        if let Some(found) = cache.cache.inspect(key).await {
            return Json(Answer::of(found)).into_response();
        }
    }
    let key = keys.first().map(Key::as_str).unwrap_or_default();
    Json(Answer {
        key: key.to_owned(),
        found: false,
        entry: None,
    })
    .into_response()
}

impl Answer {
    fn of(info: EntryInfo) -> Self {
        let segment = info.key.rsplit_once(":,").map(|(_, segment)| segment);
        // A digest, and the mark of the empty scope, are no text that an eviction takes.
        let scope = segment.filter(|it| !it.starts_with('#') && *it != "'");
        Self {
            found: true,
            entry: Some(Entry {
                scope: scope.map(|it| readings::decoded(it).unwrap_or_else(|| it.to_owned())),
                memory: info.memory.map(Stored::of),
                redis: info.redis.map(Stored::of),
                leased: info.leased,
                held_ms: info.held.map(milliseconds),
            }),
            key: info.key,
        }
    }
}

impl Stored {
    fn of(info: StoredInfo) -> Self {
        Self {
            age_ms: milliseconds(info.age),
            remaining_ms: milliseconds(info.remaining),
            bytes: info.size,
            version: info.version,
            absent: info.absent,
            codec: info.codec,
            tags: info.tags.into_iter().map(Tag::of).collect(),
        }
    }
}

impl Tag {
    fn of(encoded: String) -> Self {
        Self {
            // Text of a tag's own never begins with it unescaped.
            digest: encoded.contains('#'),
            text: readings::decoded(&encoded).unwrap_or(encoded),
        }
    }
}

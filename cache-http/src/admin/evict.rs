//! `POST api/evict`: evictions of every kind, and what came of them in words.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use cache_runtime::{Cache, CacheError, ErrorKind, Evict};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Shared, own_pages, problem, readings};

/// What to evict.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Needed where the router has several.
    cache: Option<String>,
    kind: Kind,
    #[serde(default)]
    value: String,
    /// Of a key.
    scope: Option<String>,
    /// Mark as past the ttl instead of removing.
    #[serde(default)]
    expire: bool,
    /// The name of the cache, where everything is meant.
    confirm: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Key,
    Pattern,
    Tag,
    Region,
    Scope,
    All,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Done {
    /// `done` everywhere, or `queued`: done here, and in Redis as soon as it answers.
    outcome: &'static str,
    /// What was selected.
    what: String,
    /// The whole of it for people.
    says: String,
}

pub(super) async fn answer(
    State(admin): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(why) = own_pages::refusal(&headers) {
        return problem(StatusCode::FORBIDDEN, why);
    }
    let wish: Wish = match serde_json::from_slice(&body) {
        Ok(wish) => wish,
        Err(why) => return problem(StatusCode::BAD_REQUEST, format!("not understood: {why}")),
    };
    let Some(cache) = admin.cache(wish.cache.as_deref()) else {
        return problem(
            StatusCode::NOT_FOUND,
            "name one of the caches of this page in `cache`",
        );
    };
    let selected = match wish.select(&cache.id) {
        Ok(selected) => selected,
        Err(why) => return problem(StatusCode::BAD_REQUEST, why),
    };
    let outcome = carry_out(&cache.cache, selected, wish.expire).await;
    let told = told(&wish, &outcome);
    // What is evicted may be a key, and logs show none.
    tracing::info!(cache = %cache.id, kind = ?wish.kind, expire = wish.expire, ok = outcome.is_ok(), "evicted from the administration");
    admin.watch().acted(&cache.id, &told.what, &told.says);
    (status(&outcome), Json(told)).into_response()
}

async fn carry_out(cache: &Cache, what: Evict, expire: bool) -> Result<(), CacheError> {
    match expire {
        true => cache.expire(what).await,
        false => cache.evict(what).await,
    }
}

impl Wish {
    fn select(&self, name: &str) -> Result<Evict, String> {
        let value = self.value.as_str();
        if self.is_everything() {
            return match self.confirm.as_deref() == Some(name) {
                true => Ok(Evict::all()),
                false => Err(format!(
                    "everything is evicted only with `\"confirm\": \"{name}\"`, the name of the cache"
                )),
            };
        }
        if value.is_empty() {
            return Err("say what to evict in `value`".to_owned());
        }
        if self.scope.is_some() && self.kind != Kind::Key {
            return Err(
                "`scope` goes with a key; everything of a scope is the kind `scope`".to_owned(),
            );
        }
        Ok(match self.kind {
            Kind::Key => Evict::keys(readings::keys(value, self.scope.as_deref())),
            Kind::Pattern => Evict::pattern(value),
            Kind::Tag => readings::tag(value),
            Kind::Region => readings::region(value),
            Kind::Scope => readings::scope(value),
            Kind::All => Evict::all(),
        })
    }

    /// By its kind, or by a pattern that means nothing else.
    fn is_everything(&self) -> bool {
        let stars = || !self.value.is_empty() && self.value.bytes().all(|byte| byte == b'*');
        self.kind == Kind::All || (self.kind == Kind::Pattern && stars())
    }

    fn what(&self) -> String {
        let value = &self.value;
        match (self.kind, self.scope.as_deref().filter(|it| !it.is_empty())) {
            _ if self.is_everything() => "everything".to_owned(),
            (Kind::Key, Some(scope)) => format!("key {value} in scope {scope}"),
            (Kind::Key, None) => format!("key {value}"),
            (Kind::Pattern, _) => format!("pattern {value}"),
            (Kind::Tag, _) => format!("tag {value}"),
            (Kind::Region, _) => format!("region {value}"),
            (Kind::Scope, _) => format!("scope {value}"),
            (Kind::All, _) => "everything".to_owned(),
        }
    }
}

fn told(wish: &Wish, outcome: &Result<(), CacheError>) -> Done {
    let what = wish.what();
    let verb = if wish.expire {
        "Marked as stale"
    } else {
        "Evicted"
    };
    let (outcome, says) = match outcome {
        Ok(()) => ("done", format!("{verb}: {what}.")),
        Err(error) if error.kind() == ErrorKind::Queued => (
            "queued",
            format!("{verb} in this process: {what}. For Redis it is queued: {error}."),
        ),
        Err(error) => ("failed", format!("Not done: {what}. {error}.")),
    };
    Done {
        outcome,
        what,
        says,
    }
}

fn status(outcome: &Result<(), CacheError>) -> StatusCode {
    match outcome.as_ref().map_err(CacheError::kind) {
        Ok(()) => StatusCode::OK,
        Err(ErrorKind::Queued) => StatusCode::ACCEPTED,
        Err(ErrorKind::Key | ErrorKind::Invalid) => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::Wish;

    fn wish(json: &str) -> Wish {
        serde_json::from_str(json).expect("it is a wish")
    }

    #[test]
    fn everything_needs_the_name_of_the_cache() {
        for all in [
            r#"{"kind":"all"}"#,
            r#"{"kind":"pattern","value":"**"}"#,
            r#"{"kind":"all","confirm":"yes"}"#,
        ] {
            let refused = wish(all).select("shop").expect_err("it is not confirmed");
            assert!(refused.contains("\"shop\""), "{refused}");
        }
        assert!(
            wish(r#"{"kind":"all","confirm":"shop"}"#)
                .select("shop")
                .is_ok()
        );
        assert!(
            wish(r#"{"kind":"pattern","value":"a*"}"#)
                .select("shop")
                .is_ok()
        );
    }

    #[test]
    fn an_empty_value_or_a_stray_scope_is_refused() {
        assert!(
            wish(r#"{"kind":"region","value":""}"#)
                .select("shop")
                .is_err()
        );
        assert!(
            wish(r#"{"kind":"tag","value":"a","scope":"b"}"#)
                .select("shop")
                .is_err()
        );
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for json in [
            r#"{"kind":"keys","value":"a"}"#,
            r#"{"kind":"key","value":"a","expires":true}"#,
            r#"{"value":"a"}"#,
        ] {
            assert!(serde_json::from_str::<Wish>(json).is_err(), "{json}");
        }
    }
}

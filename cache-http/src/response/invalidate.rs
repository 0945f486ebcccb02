//! What a request that changes something makes old (RFC 9111, section 4.4).
//!
//! **Problem.** After a PUT the response to a GET of the same URI is old, and a client may leave before the handler has answered.
//!
//! **Decision.** Everything stored for the path goes, with every query: a list is mostly changed by a POST to it, and is read with filters and pages. So does what `Location` and `Content-Location` name on the same host.
//! Only when that is done is the response handed on. A future that is dropped while the handler runs says nothing of what the handler has done: it evicts as well, and for two seconds nothing that is loaded meanwhile is stored.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use cache_runtime::Cache;
use http::{
    HeaderMap, HeaderName, StatusCode, Uri,
    header::{CONTENT_LOCATION, LOCATION},
    request::Parts,
};

use super::{
    ResponseCache,
    key::{host, original_path},
};

/// As long as an annotated write holds what it may have changed.
const UNKNOWN_OUTCOME_HOLD: Duration = Duration::from_secs(2);

/// A request that changes something, from before its handler runs; dropped without a response, it evicts.
#[derive(Debug)]
pub(super) struct Change {
    cache: Cache,
    path: String,
    /// Also where responses do not depend on it: what is named elsewhere is not ours to evict.
    host: Option<String>,
    is_over: bool,
}

impl Change {
    pub(super) fn of(cache: &Cache, head: &Parts) -> Self {
        Self {
            cache: cache.clone(),
            path: original_path(head),
            host: host(head),
            is_over: false,
        }
    }

    /// The handler has answered. Errors of the eviction are the cache's to repeat.
    pub(super) async fn answered(mut self, status: StatusCode, headers: &HeaderMap) {
        if !(status.is_success() || status.is_redirection()) {
            self.is_over = true;
            return;
        }
        let mut what = ResponseCache::evict_path(&self.path);
        for name in [LOCATION, CONTENT_LOCATION] {
            if let Some(path) = self.named(headers, &name) {
                what = what.and(ResponseCache::evict_path(&path));
            }
        }
        // From its first poll on it runs to its end by itself.
        let eviction = self.cache.evict(what);
        self.is_over = true;
        if let Err(error) = eviction.await {
            tracing::debug!(%error, "the responses of a path are evicted later");
        }
    }

    /// The path that a field names, if it is on this host.
    fn named(&self, headers: &HeaderMap, name: &HeaderName) -> Option<String> {
        let text = headers.get(name)?.to_str().ok()?;
        let text = text.split('#').next().unwrap_or_default();
        let uri: Uri = text.parse().ok()?;
        match uri.authority() {
            Some(authority) => {
                let host = self.host.as_deref()?;
                authority
                    .as_str()
                    .eq_ignore_ascii_case(host)
                    .then(|| uri.path().to_owned())
            }
            None if text.starts_with('/') && !text.starts_with("//") => Some(uri.path().to_owned()),
            // Relative to the path; what goes up in it names nothing that has to go.
            None => None,
        }
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if self.is_over || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let what = ResponseCache::evict_path(&self.path).hold(UNKNOWN_OUTCOME_HOLD);
        let mut eviction = Box::pin(self.cache.evict(what));
        // Polled once, it goes on without anybody.
        let _ = Pin::new(&mut eviction).poll(&mut Context::from_waker(Waker::noop()));
    }
}

#[cfg(test)]
mod tests {
    use cache_runtime::Cache;
    use http::{HeaderMap, HeaderValue, header::LOCATION};

    use super::Change;

    #[test]
    fn only_what_is_on_the_same_host_is_named() {
        let change = Change {
            cache: Cache::builder("test").build().unwrap(),
            path: "/a".to_owned(),
            host: Some("shop.example".to_owned()),
            is_over: true,
        };
        for (location, path) in [
            ("/a/7?x=1#y", Some("/a/7")),
            ("https://SHOP.example/b", Some("/b")),
            ("https://other.example/b", None),
            ("//shop.example/b", None),
            ("7", None),
            ("\u{1}", None),
        ] {
            let Ok(value) = HeaderValue::from_str(location) else {
                continue;
            };
            let headers = HeaderMap::from_iter([(LOCATION, value)]);
            assert_eq!(
                change.named(&headers, &LOCATION).as_deref(),
                path,
                "{location}"
            );
        }
    }
}

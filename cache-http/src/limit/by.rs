//! Whom a limit counts.

use std::sync::Once;

#[cfg(feature = "axum")]
use http::Method;
use http::request::Parts;

use crate::address::{Address, household};

/// Tells of whose count a request is.
///
/// A function `Fn(&Parts) -> Option<String>` does; so do [`Address`], [`User`], `Route`, and a pair of any two, which counts each combination.
pub trait By: Send + Sync + 'static {
    /// What a limit is called that is given no name.
    fn name(&self) -> String {
        "requests".to_owned()
    }

    /// Whose count it is; `None` for a request this limit does not concern. Any text: it is digested before it becomes part of a key.
    fn identity(&self, parts: &Parts) -> Option<String>;
}

impl<F> By for F
where
    F: Fn(&Parts) -> Option<String> + Send + Sync + 'static,
{
    fn identity(&self, parts: &Parts) -> Option<String> {
        self(parts)
    }
}

/// By [household](crate::address::household). Requests whose address is unknown are counted together, and that it is so is logged once.
impl By for Address {
    fn name(&self) -> String {
        "address".to_owned()
    }

    fn identity(&self, parts: &Parts) -> Option<String> {
        static UNKNOWN: Once = Once::new();
        let address = self.of(&parts.headers, &parts.extensions);
        if address.is_none() {
            UNKNOWN.call_once(|| {
                tracing::warn!(
                    "a rate limit by address meets a request without one, and counts all of these together; \
                     serve with `into_make_service_with_connect_info::<SocketAddr>()`"
                );
            });
        }
        Some(address.map_or_else(String::new, |address| household(address).to_string()))
    }
}

/// By the user that a function finds, in an extension that an outer layer has left or in a header it has checked. Requests without one are
/// not concerned: limit those by [`Address`].
#[derive(Clone, Copy, Debug)]
pub struct User<F>(pub F);

impl<F> By for User<F>
where
    F: Fn(&Parts) -> Option<String> + Send + Sync + 'static,
{
    fn name(&self) -> String {
        "user".to_owned()
    }

    fn identity(&self, parts: &Parts) -> Option<String> {
        self.0(parts)
    }
}

/// By method and route of axum (`GET /products/{id}`), whoever asks; with [`Address`] or [`User`] in a pair, each of them on each route. What no route
/// matches is counted together. So are GET and HEAD, which run the same handler, and all methods but those of RFC 9110 and PATCH: clients can make up as many as they like.
#[cfg(feature = "axum")]
#[derive(Clone, Copy, Debug)]
pub struct Route;

#[cfg(feature = "axum")]
impl By for Route {
    fn name(&self) -> String {
        "route".to_owned()
    }

    fn identity(&self, parts: &Parts) -> Option<String> {
        let path = parts.extensions.get::<axum::extract::MatchedPath>();
        let path = path.map_or("", axum::extract::MatchedPath::as_str);
        Some(format!("{} {path}", counted(&parts.method)))
    }
}

#[cfg(feature = "axum")]
fn counted(method: &Method) -> &str {
    let known = [
        Method::CONNECT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
        Method::TRACE,
    ];
    match *method {
        Method::GET | Method::HEAD => "GET",
        _ if known.contains(method) => method.as_str(),
        _ => "other",
    }
}

impl<A: By, B: By> By for (A, B) {
    fn name(&self) -> String {
        format!("{}-{}", self.0.name(), self.1.name())
    }

    fn identity(&self, parts: &Parts) -> Option<String> {
        let one = self.0.identity(parts)?;
        let other = self.1.identity(parts)?;
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        Some(format!("{}:{one}{other}", one.len()))
    }
}

//! Who may see the page and evict with it.
//!
//! **Problem.** A router that anybody can reach shows the keys of a service, which name its users, and empties its cache. A guard that is
//! forgotten is found by somebody else.
//!
//! **Decision.** There is no router without a guard, and no default one. What decides is the service's: a function of the request's head, or a secret. To
//! let everybody in is a guard too, with a name that is seen in a review.

use std::{fmt, future::Future, hint::black_box, pin::Pin, sync::Arc};

use axum::response::{IntoResponse, Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
    request::Parts,
};

/// Fewer bytes can be tried one after the other.
const SHORTEST_TOKEN: usize = 16;

type Verdict = Pin<Box<dyn Future<Output = Result<(), Response>> + Send>>;

/// Decides for each request to the administration whether it is answered.
///
/// It stands in front of everything below the router's path, the metrics and the files of the page among it.
#[derive(Clone)]
#[must_use = "a guard guards what it is passed to"]
pub struct Guard {
    judge: Arc<dyn Fn(Parts) -> Verdict + Send + Sync>,
    name: &'static str,
}

impl Guard {
    /// Who shows this secret: as `Authorization: Bearer SECRET`, or as the password of basic authentication with any user name, which
    /// is what a browser asks for. The others get 401. Compared in a time that tells of its length alone; it is for connections that
    /// nobody listens to, so for TLS.
    ///
    /// # Panics
    ///
    /// If the secret has fewer than 16 bytes, or some that no header carries. Let a generator make it.
    pub fn token(secret: impl Into<String>) -> Self {
        let secret = secret.into();
        assert!(
            secret.len() >= SHORTEST_TOKEN && secret.bytes().all(|byte| byte.is_ascii_graphic()),
            "the token of an administration guard has at least {SHORTEST_TOKEN} characters, all of them visible ASCII"
        );
        let judge = move |parts: Parts| -> Verdict {
            let allowed = shown(&parts.headers)
                .is_some_and(|shown| is_same(shown.as_bytes(), secret.as_bytes()));
            Box::pin(std::future::ready(match allowed {
                true => Ok(()),
                false => Err(challenge()),
            }))
        };
        Self {
            judge: Arc::new(judge),
            name: "token",
        }
    }

    /// Who this function says yes to, given the head of the request, with all that layers in front have put into its extensions. The others
    /// get 403.
    ///
    /// ```
    /// use cache_http::admin::Guard;
    ///
    /// #[derive(Clone)]
    /// struct Staff;                                                 // put there by the service's own authentication
    ///
    /// let guard = Guard::allow_if(|request| async move { request.extensions.get::<Staff>().is_some() });
    /// # let _ = guard;
    /// ```
    pub fn allow_if<F, Fut>(judge: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        Self::check(move |parts| {
            let verdict = judge(parts);
            async move {
                match verdict.await {
                    true => Ok(()),
                    false => Err(refused(StatusCode::FORBIDDEN, "not for you")),
                }
            }
        })
    }

    /// As [`allow_if`](Self::allow_if), with an answer of one's own for those who are not let in: a redirection to the login, say.
    pub fn check<F, Fut>(judge: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Response>> + Send + 'static,
    {
        Self {
            judge: Arc::new(move |parts| Box::pin(judge(parts))),
            name: "check",
        }
    }

    /// **Everybody.** For a machine nobody else can reach; a page in a browser on that machine can be made to reach it under another name
    /// (DNS rebinding).
    pub fn open() -> Self {
        Self {
            judge: Arc::new(|_| Box::pin(std::future::ready(Ok(())))),
            name: "OPEN",
        }
    }

    pub(super) async fn judge(&self, parts: Parts) -> Result<(), Response> {
        (self.judge)(parts).await
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.name).finish()
    }
}

/// The secret a request shows, if it shows one.
fn shown(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
    pair.split_once(':')
        .map(|(_, password)| password.to_owned())
}

/// Looks at every byte, whichever is the first that differs.
fn is_same(shown: &[u8], secret: &[u8]) -> bool {
    let differs = shown
        .iter()
        .zip(secret)
        .fold(0, |differs, (a, b)| black_box(differs | (a ^ b)));
    black_box(differs) == 0 && shown.len() == secret.len()
}

fn challenge() -> Response {
    let mut response = refused(
        StatusCode::UNAUTHORIZED,
        "show the token of the administration",
    );
    let asks = HeaderValue::from_static("Basic realm=\"cache administration\", charset=\"UTF-8\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, asks);
    response
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    (status, why).into_response()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

    use super::{Guard, is_same, shown};

    fn secret_of(value: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
        shown(&headers)
    }

    #[test]
    fn a_secret_is_shown_as_a_bearer_or_as_a_password() {
        assert_eq!(secret_of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(secret_of("bearer  abc").as_deref(), Some("abc"));
        // `ops:a:b`: a password may hold a colon.
        assert_eq!(secret_of("Basic b3BzOmE6Yg==").as_deref(), Some("a:b"));
        for nothing in ["abc", "Basic !", "Basic b3Bz", "Digest abc"] {
            assert_eq!(secret_of(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn only_the_same_text_is_the_same() {
        assert!(is_same(b"secret", b"secret"));
        for other in [&b"secreT"[..], b"Secret", b"secre", b"secrets", b""] {
            assert!(!is_same(other, b"secret"));
        }
    }

    #[test]
    #[should_panic(expected = "at least 16 characters")]
    fn a_short_token_is_refused_where_it_is_set() {
        let _ = Guard::token("admin");
    }
}

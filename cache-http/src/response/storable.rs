//! Whether a response may be stored, and on what terms (RFC 9111, section 3).
//!
//! A pure function of what was asked and what came. It says no wherever it is in doubt: a response that is not stored costs a call of the handler, one that is stored for the wrong audience is
//! shown to a stranger.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONTENT_RANGE, CONTENT_TYPE, SET_COOKIE, TRAILER, VARY},
};

use super::{
    directives::{ResponseDirectives, Seconds},
    freshness::{Audience, initial_age, lifetime},
};

/// A response that depends on more header fields than this depends on everything.
const MOST_VARYING: usize = 16;

/// Whom a request is from, as far as it matters for storing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) audience: Audience,
    /// It has an `Authorization` that means something.
    pub(super) authorized: bool,
    /// It has cookies that mean something.
    pub(super) cookies: bool,
}

/// On what terms a response is stored. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// From the making of the response.
    pub(super) lifetime: u64,
    /// What of the lifetime had gone by when it came.
    pub(super) age: u64,
    pub(super) stale: Staleness,
    /// The header fields of the request that chose it; sorted, each once.
    pub(super) vary: Vec<HeaderName>,
}

/// What a response allows beyond its freshness. Times are milliseconds; `None`: it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Staleness {
    pub(super) never: bool,
    pub(super) while_revalidate: Option<u64>,
    pub(super) if_error: Option<u64>,
}

/// The terms of a response that came now, `delay` milliseconds after it was asked for; or why it is not stored, in one word.
pub(super) fn judge(
    asker: Asker,
    status: StatusCode,
    headers: &HeaderMap,
    default: Option<Duration>,
    (now, delay): (u64, u64),
) -> Result<Terms, &'static str> {
    let directives = ResponseDirectives::of(headers);
    let kind = Kind::of(status).ok_or("status")?;
    // It asks caches that know the status to look away from a `no-store` beside it (RFC 9111, section 5.2.2.3).
    if directives.no_store && !directives.must_understand {
        return Err("no-store");
    }
    if directives.no_cache {
        return Err("no-cache");
    }
    if directives.private && asker.audience == Audience::Shared {
        return Err("private");
    }
    if headers.contains_key(SET_COOKIE) {
        return Err("set-cookie");
    }
    if headers.contains_key(CONTENT_RANGE) || headers.contains_key(TRAILER) {
        return Err("partial");
    }
    if is_event_stream(headers) {
        return Err("stream");
    }
    permits(asker, &directives)?;
    let vary = varying(headers)?;
    let default = default.filter(|_| kind == Kind::Heuristic);
    let lifetime = lifetime(&directives, headers, asker.audience, default, now);
    let lifetime = lifetime.ok_or("freshness")?;
    let age = initial_age(headers, delay, now).ok_or("age")?;
    if age >= lifetime {
        return Err("stale");
    }
    let stale = staleness(asker.audience, &directives);
    Ok(Terms {
        lifetime,
        age,
        stale,
        vary,
    })
}

/// What is known of a status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It can be stored without a lifetime of its own (RFC 9110, section 15.1).
    Heuristic,
    /// It can be stored with one.
    Explicit,
}

impl Kind {
    fn of(status: StatusCode) -> Option<Self> {
        match status.as_u16() {
            200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501 => {
                Some(Self::Heuristic)
            }
            302 | 303 | 307 => Some(Self::Explicit),
            _ => None,
        }
    }
}

/// Whether a response to somebody who has shown who he is may be shared (RFC 9111, section 3.5; of cookies it says nothing, so they need a word that is plainly about sharing).
fn permits(asker: Asker, directives: &ResponseDirectives) -> Result<(), &'static str> {
    let shared = directives.public || directives.s_maxage.get().is_some();
    if asker.authorized && !shared && !directives.must_revalidate {
        return Err("authorization");
    }
    if asker.cookies && !shared {
        return Err("cookie");
    }
    Ok(())
}

fn staleness(audience: Audience, directives: &ResponseDirectives) -> Staleness {
    let window = |seconds| match seconds {
        Seconds::Absent => None,
        Seconds::Of(seconds) => Some(seconds * 1_000),
        Seconds::Invalid => Some(0),
    };
    // For a shared cache `s-maxage` means `proxy-revalidate` as well (RFC 9111, section 5.2.2.10).
    let shared = directives.proxy_revalidate || directives.s_maxage != Seconds::Absent;
    Staleness {
        never: directives.must_revalidate || (shared && audience == Audience::Shared),
        while_revalidate: window(directives.stale_while_revalidate),
        if_error: window(directives.stale_if_error),
    }
}

/// The fields of `Vary`, sorted, each once.
fn varying(headers: &HeaderMap) -> Result<Vec<HeaderName>, &'static str> {
    let mut names = Vec::new();
    for line in headers.get_all(VARY) {
        let line = line.to_str().map_err(|_| "vary")?;
        for name in line
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            // `*` is a legal name of a field, so it is looked for first.
            if name == "*" {
                return Err("vary");
            }
            names.push(HeaderName::from_bytes(name.as_bytes()).map_err(|_| "vary")?);
        }
    }
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    if names.len() > MOST_VARYING {
        return Err("vary");
    }
    Ok(names)
}

/// A body of this type has no end.
fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    kind.is_some_and(|kind| {
        let stream = b"text/event-stream";
        kind.len() >= stream.len() && kind[..stream.len()].eq_ignore_ascii_case(stream)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

    use super::{Asker, Audience, Staleness, Terms, judge};

    const NOW: u64 = 1_700_000_000_000;
    const ANYBODY: Asker = Asker {
        audience: Audience::Shared,
        authorized: false,
        cookies: false,
    };
    const AUTHORIZED: Asker = Asker {
        authorized: true,
        ..ANYBODY
    };
    const WITH_COOKIES: Asker = Asker {
        cookies: true,
        ..ANYBODY
    };
    const OWNER: Asker = Asker {
        audience: Audience::Private,
        ..ANYBODY
    };

    fn judged(
        asker: Asker,
        status: u16,
        lines: &[&str],
        ttl: Option<Duration>,
    ) -> Result<Terms, &'static str> {
        let field = |line: &&str| {
            let (name, value) = line.split_once(": ").unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        let headers: HeaderMap = lines.iter().map(field).collect();
        judge(
            asker,
            StatusCode::from_u16(status).unwrap(),
            &headers,
            ttl,
            (NOW, 0),
        )
    }

    fn said(asker: Asker, control: &str) -> Result<Terms, &'static str> {
        judged(asker, 200, &[&format!("cache-control: {control}")], None)
    }

    #[test]
    fn the_words_of_a_response() {
        for (control, verdict) in [
            ("max-age=60", Ok(60)),
            ("s-maxage=90, max-age=60", Ok(90)),
            ("max-age=60, s-maxage=0", Err("stale")),
            ("max-age=0", Err("stale")),
            ("max-age=x", Err("stale")),
            ("max-age=60, max-age=61", Err("stale")),
            ("max-age=60 no-store", Err("stale")),
            ("public", Err("freshness")),
            ("immutable", Err("freshness")),
            ("immutable, max-age=60", Ok(60)),
            ("no-transform, max-age=60", Ok(60)),
            ("max-age=60, no-store", Err("no-store")),
            ("max-age=60, no-store=x", Err("no-store")),
            ("max-age=60, no-store, must-understand", Ok(60)),
            ("max-age=60, no-cache", Err("no-cache")),
            ("max-age=60, no-cache=\"x-a\"", Err("no-cache")),
            ("max-age=60, private", Err("private")),
            ("max-age=60, private=\"x-a\"", Err("private")),
            ("max-age=60, public, private", Err("private")),
        ] {
            let judged = said(ANYBODY, control).map(|terms| terms.lifetime / 1_000);
            assert_eq!(judged, verdict, "{control}");
        }
    }

    #[test]
    fn who_asks_matters() {
        for (asker, control, verdict) in [
            (AUTHORIZED, "max-age=60", Err("authorization")),
            (AUTHORIZED, "max-age=60, public", Ok(60)),
            (AUTHORIZED, "s-maxage=60", Ok(60)),
            (AUTHORIZED, "max-age=60, must-revalidate", Ok(60)),
            (
                AUTHORIZED,
                "max-age=60, proxy-revalidate",
                Err("authorization"),
            ),
            (AUTHORIZED, "max-age=60, s-maxage=x", Err("authorization")),
            (AUTHORIZED, "max-age=60, public, private", Err("private")),
            (WITH_COOKIES, "max-age=60", Err("cookie")),
            (WITH_COOKIES, "max-age=60, must-revalidate", Err("cookie")),
            (WITH_COOKIES, "max-age=60, public", Ok(60)),
            (WITH_COOKIES, "s-maxage=60", Ok(60)),
            (OWNER, "private, max-age=60", Ok(60)),
            (OWNER, "private, max-age=60, s-maxage=90", Ok(60)),
            (OWNER, "private, max-age=60, no-store", Err("no-store")),
        ] {
            let judged = said(asker, control).map(|terms| terms.lifetime / 1_000);
            assert_eq!(judged, verdict, "{asker:?} {control}");
        }
    }

    #[test]
    fn the_status_matters() {
        let ttl = Some(Duration::from_secs(5));
        let explicit =
            |status| judged(ANYBODY, status, &["cache-control: max-age=60"], ttl).is_ok();
        let default = |status| judged(ANYBODY, status, &[], ttl).is_ok();
        for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
            assert!(explicit(status) && default(status), "{status}");
            assert_eq!(judged(ANYBODY, status, &[], None), Err("freshness"));
        }
        for status in [302, 303, 307] {
            assert!(explicit(status) && !default(status), "{status}");
        }
        for status in [
            101, 201, 202, 206, 304, 400, 401, 403, 429, 500, 502, 503, 504, 599,
        ] {
            assert_eq!(
                judged(ANYBODY, status, &["cache-control: max-age=60"], ttl),
                Err("status")
            );
        }
        let unknown = judged(
            ANYBODY,
            299,
            &["cache-control: max-age=60, must-understand"],
            ttl,
        );
        assert_eq!(unknown, Err("status"));
    }

    #[test]
    fn other_fields_matter() {
        let with = |line| {
            judged(
                OWNER,
                200,
                &["cache-control: public, max-age=60", line],
                None,
            )
        };
        for (line, why) in [
            ("set-cookie: a=b", "set-cookie"),
            ("content-range: bytes 0-1/2", "partial"),
            ("trailer: x-sum", "partial"),
            ("content-type: Text/Event-Stream; charset=utf-8", "stream"),
            ("vary: *", "vary"),
            ("vary: accept, *", "vary"),
            ("vary: a b", "vary"),
            ("vary: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "vary"),
            ("age: 60", "stale"),
            ("age: x", "age"),
        ] {
            assert_eq!(with(line), Err(why), "{line}");
        }
        let terms = with("vary: Accept, ,accept-encoding , ACCEPT").unwrap();
        assert_eq!(terms.vary, ["accept", "accept-encoding"]);
        assert_eq!(with("age: 20").unwrap().age, 20_000);
    }

    #[test]
    fn what_may_be_served_stale() {
        let stale = |asker, control| said(asker, control).unwrap().stale;
        let never = Staleness {
            never: true,
            ..Staleness::default()
        };
        assert_eq!(stale(ANYBODY, "max-age=60"), Staleness::default());
        for control in [
            "max-age=60, must-revalidate",
            "max-age=60, proxy-revalidate",
            "s-maxage=60",
        ] {
            assert_eq!(stale(ANYBODY, control), never, "{control}");
        }
        assert_eq!(
            stale(OWNER, "max-age=60, proxy-revalidate"),
            Staleness::default()
        );
        assert_eq!(stale(OWNER, "max-age=60, must-revalidate"), never);
        let windows = stale(
            ANYBODY,
            "max-age=60, stale-while-revalidate=5, stale-if-error=x",
        );
        assert_eq!(
            (windows.while_revalidate, windows.if_error),
            (Some(5_000), Some(0))
        );
    }
}

//! `Cache-Control`, of requests and of responses.
//!
//! What cannot be read is never read as permission: a response whose directives are malformed, or say two things, is not fresh (RFC 9111, section 4.2.1), a directive that restricts
//! counts whatever its argument, and one that permits only without any. A request that cannot be read asks for a response of the handler's.

use http::{
    HeaderMap, HeaderValue,
    header::{CACHE_CONTROL, PRAGMA},
};

use crate::words;

/// What a number of seconds beyond this counts as (RFC 9111, section 1.2.2).
const MOST_SECONDS: u64 = 1 << 31;

/// A directive whose argument is a number of seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Seconds {
    #[default]
    Absent,
    Of(u64),
    /// No number, or two different ones.
    Invalid,
}

impl Seconds {
    fn read(argument: Option<&str>) -> Self {
        argument
            .and_then(delta_seconds)
            .map_or(Self::Invalid, Self::Of)
    }

    fn meet(&mut self, other: Self) {
        *self = match *self {
            Self::Absent => other,
            one if one == other => one,
            _ => Self::Invalid,
        };
    }

    pub(super) fn get(self) -> Option<u64> {
        match self {
            Self::Of(seconds) => Some(seconds),
            Self::Absent | Self::Invalid => None,
        }
    }
}

/// Digits alone; more than can be counted is as much as can be.
pub(super) fn delta_seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(MOST_SECONDS).min(MOST_SECONDS))
}

/// What a response says of its use by caches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResponseDirectives {
    pub(super) max_age: Seconds,
    pub(super) s_maxage: Seconds,
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) private: bool,
    pub(super) public: bool,
    pub(super) must_revalidate: bool,
    pub(super) proxy_revalidate: bool,
    pub(super) must_understand: bool,
    pub(super) stale_while_revalidate: Seconds,
    pub(super) stale_if_error: Seconds,
    /// Something there is no list of directives.
    pub(super) malformed: bool,
}

impl ResponseDirectives {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            read.malformed |= !each(value, |name, argument| read.take(name, argument));
        }
        read
    }

    fn take(&mut self, name: &str, argument: Option<&str>) {
        match name {
            "max-age" => self.max_age.meet(Seconds::read(argument)),
            "s-maxage" => self.s_maxage.meet(Seconds::read(argument)),
            "no-store" => self.no_store = true,
            // With fields as without: a cache may take the narrow form for the wide one (RFC 9111, sections 5.2.2.4 and 5.2.2.7).
            "no-cache" => self.no_cache = true,
            "private" => self.private = true,
            "public" => self.public |= argument.is_none(),
            "must-revalidate" => self.must_revalidate = true,
            "proxy-revalidate" => self.proxy_revalidate = true,
            "must-understand" => self.must_understand = true,
            "stale-while-revalidate" => self.stale_while_revalidate.meet(Seconds::read(argument)),
            "stale-if-error" => self.stale_if_error.meet(Seconds::read(argument)),
            // `immutable`, `no-transform` and what is unknown ask nothing of this cache: it neither revalidates what is fresh nor changes bodies.
            _ => {}
        }
    }
}

/// What a request says of the responses it accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestDirectives {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) only_if_cached: bool,
    pub(super) max_age: Option<u64>,
    pub(super) min_fresh: Option<u64>,
    /// Without an argument: however stale.
    pub(super) max_stale: Option<u64>,
}

impl RequestDirectives {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        if !headers.contains_key(CACHE_CONTROL) {
            let pragma = headers.get_all(PRAGMA).iter();
            let mut asks = false;
            for value in pragma {
                each(value, |name, _| asks |= name == "no-cache");
            }
            read.no_cache = asks;
            return read;
        }
        for value in headers.get_all(CACHE_CONTROL) {
            let is_list = each(value, |name, argument| read.take(name, argument));
            read.no_cache |= !is_list;
        }
        read
    }

    /// Whether nothing that is there will do.
    pub(super) fn asks_for_new(&self) -> bool {
        self.no_cache || self.max_age == Some(0)
    }

    /// Of two numbers the stricter counts.
    fn take(&mut self, name: &str, argument: Option<&str>) {
        let seconds = Seconds::read(argument).get();
        match name {
            "no-store" => self.no_store = true,
            "no-cache" => self.no_cache = true,
            "only-if-cached" => self.only_if_cached = true,
            "max-age" => match seconds {
                Some(seconds) => {
                    self.max_age = Some(self.max_age.map_or(seconds, |it| it.min(seconds)))
                }
                None => self.no_cache = true,
            },
            "min-fresh" => match seconds {
                Some(seconds) => {
                    self.min_fresh = Some(self.min_fresh.map_or(seconds, |it| it.max(seconds)))
                }
                None => self.no_cache = true,
            },
            "max-stale" => {
                let seconds = match argument {
                    None => MOST_SECONDS,
                    Some(_) => seconds.unwrap_or(0),
                };
                self.max_stale = Some(self.max_stale.map_or(seconds, |it| it.min(seconds)));
            }
            _ => {}
        }
    }
}

/// Hands out the directives of one line, names in lower case, arguments without their quotes; whether the line is a list of directives.
fn each(value: &HeaderValue, mut take: impl FnMut(&str, Option<&str>)) -> bool {
    let Ok(mut rest) = value.to_str() else {
        return false;
    };
    let mut is_list = true;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return is_list;
        }
        let (name, mut after) = words::token(rest).unwrap_or(("", rest));
        let mut argument = None;
        if let Some(text) = after.strip_prefix('=') {
            match words::value(text) {
                Some((read, left)) => (argument, after) = (Some(read), left),
                None => is_list = false,
            }
        }
        if name.is_empty() {
            is_list = false;
        } else {
            take(&name.to_ascii_lowercase(), argument.as_deref());
        }
        after = after.trim_start_matches([' ', '\t']);
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.is_empty() => after,
            // What follows a directive is no comma: whatever it was meant to be, the next one begins behind the next comma.
            None => {
                is_list = false;
                after.split_once(',').map_or("", |(_, next)| next)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::CACHE_CONTROL};

    use super::{MOST_SECONDS, RequestDirectives, ResponseDirectives, Seconds};

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|line| (CACHE_CONTROL, HeaderValue::from_static(line)));
        lines.collect()
    }

    fn response(line: &'static str) -> ResponseDirectives {
        ResponseDirectives::of(&headers(&[line]))
    }

    #[test]
    fn names_are_of_any_case_and_arguments_tokens_or_quoted() {
        let read = response("Max-Age=60, s-maxage=\"70\" ,PUBLIC,,\tmust-revalidate");
        assert_eq!(read.max_age, Seconds::Of(60));
        assert_eq!(read.s_maxage, Seconds::Of(70));
        assert!(read.public && read.must_revalidate && !read.malformed);
        assert_eq!(response(""), ResponseDirectives::default());
    }

    #[test]
    fn what_restricts_counts_with_any_argument_and_what_permits_only_without() {
        assert!(response("private=\"x-a, x-b\"").private);
        assert!(response("no-cache=\"set-cookie\"").no_cache);
        assert!(response("no-store=1").no_store);
        assert!(!response("public=1").public);
        let read = response("foo=\"a, private\", max-age=5");
        assert!(!read.private && !read.malformed, "it is in quotes");
        assert_eq!(read.max_age, Seconds::Of(5));
    }

    #[test]
    fn numbers_that_are_none_or_two_are_invalid() {
        for line in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1.5",
            "max-age=a",
            "max-age=\"\"",
            "max-age=1, max-age=2",
        ] {
            assert_eq!(response(line).max_age, Seconds::Invalid, "{line}");
        }
        assert_eq!(response("max-age=7, max-age=7").max_age, Seconds::Of(7));
        let apart = ResponseDirectives::of(&headers(&["max-age=1", "max-age=2"]));
        assert_eq!(apart.max_age, Seconds::Invalid);
        let much = response("max-age=99999999999999999999999");
        assert_eq!(much.max_age, Seconds::Of(MOST_SECONDS));
    }

    #[test]
    fn garbage_is_told_and_does_not_hide_what_follows() {
        for line in [
            "max-age=60; no-store",
            "=5, max-age=60",
            "max-age = 60",
            "foo=\"open, no-store",
            "@",
            "max-age=60 public",
        ] {
            assert!(response(line).malformed, "{line}");
        }
        let read = response("max-age=60; x, no-store");
        assert!(read.malformed && read.no_store);
        let binary = HeaderValue::from_bytes(b"max-age=60\xff").unwrap();
        let read = ResponseDirectives::of(&HeaderMap::from_iter([(CACHE_CONTROL, binary)]));
        assert!(read.malformed);
    }

    #[test]
    fn of_what_a_request_says_twice_the_stricter_counts() {
        let request = |line| RequestDirectives::of(&headers(&[line]));
        let read =
            request("max-age=5, max-age=3, min-fresh=2, min-fresh=4, max-stale, max-stale=9");
        assert_eq!(
            (read.max_age, read.min_fresh, read.max_stale),
            (Some(3), Some(4), Some(9))
        );
        assert_eq!(request("max-stale").max_stale, Some(MOST_SECONDS));
        assert_eq!(request("max-stale=x").max_stale, Some(0));
        assert!(request("max-age=x").no_cache && request("min-fresh").no_cache);
        assert!(request("only-if-cached, no-store").only_if_cached);
        assert!(request("@").no_cache);
    }

    #[test]
    fn pragma_counts_where_there_is_no_cache_control() {
        let mut headers = HeaderMap::new();
        headers.insert("pragma", HeaderValue::from_static("x, No-Cache"));
        assert!(RequestDirectives::of(&headers).no_cache);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=5"));
        assert!(!RequestDirectives::of(&headers).no_cache);
    }
}

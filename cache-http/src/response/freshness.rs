//! How long a response is fresh, and how old it is (RFC 9111, section 4.2).
//!
//! Milliseconds of the wall clock since 1970, as in all arithmetic with `Date`: processes on one Redis have to agree on the time to about a second, as HTTP has it anyway. When an entry *ends*
//! is not decided here but by the clocks of the cache; this is what is told of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{
    HeaderMap, HeaderName,
    header::{AGE, DATE, EXPIRES},
};

use super::directives::{ResponseDirectives, Seconds, delta_seconds};

const SECOND: u64 = 1_000;
/// Beyond this nobody counts.
const LONGEST: u64 = 100 * 365 * 24 * 3_600 * SECOND;

pub(super) fn now() -> u64 {
    millis(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .min(LONGEST)
}

/// A date of HTTP as a moment.
pub(super) fn moment(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    Some(millis(date.duration_since(UNIX_EPOCH).ok()?))
}

/// A moment as a date of HTTP.
pub(super) fn date(moment: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(moment.min(LONGEST)))
}

/// Who the freshness is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Whoever asks.
    Shared,
    /// One owner.
    Private,
}

/// How long a response is fresh, counted from its making; zero if it must not be used as it is.
pub(super) fn lifetime(
    directives: &ResponseDirectives,
    headers: &HeaderMap,
    audience: Audience,
    default: Option<Duration>,
    now: u64,
) -> Option<u64> {
    if directives.malformed {
        return Some(0);
    }
    let shared = match audience {
        Audience::Shared => directives.s_maxage,
        Audience::Private => Seconds::Absent,
    };
    for seconds in [shared, directives.max_age] {
        match seconds {
            Seconds::Absent => {}
            Seconds::Of(seconds) => return Some(seconds * SECOND),
            Seconds::Invalid => return Some(0),
        }
    }
    if headers.contains_key(EXPIRES) {
        let expires = only(headers, &EXPIRES).and_then(moment);
        let made = only(headers, &DATE).and_then(moment).unwrap_or(now);
        return Some(expires.map_or(0, |expires| expires.saturating_sub(made)));
    }
    default.map(millis)
}

/// How old a response is that took `delay` to come; `None` if it does not tell in a way that can be understood.
///
/// The delay counts also where no `Age` is told: what the handler has read, it may have read as soon as it was asked (RFC 9111, section 4.2.3).
pub(super) fn initial_age(headers: &HeaderMap, delay: u64, now: u64) -> Option<u64> {
    let told = match headers.contains_key(AGE) {
        true => delta_seconds(only(headers, &AGE)?.trim())? * SECOND,
        false => 0,
    };
    Some(apparent_age(headers, now).max(told.saturating_add(delay)))
}

/// Dates are of whole seconds.
fn apparent_age(headers: &HeaderMap, now: u64) -> u64 {
    let made = only(headers, &DATE).and_then(moment).unwrap_or(now);
    now.saturating_sub(made) / SECOND * SECOND
}

/// The value of a field that there is once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::{Audience, date, initial_age, lifetime, moment};
    use crate::response::{directives::ResponseDirectives, fields::headers};

    const NOW: u64 = 1_700_000_000_000;

    fn fresh(fields: &[(&'static str, &str)], audience: Audience) -> Option<u64> {
        let headers = headers(fields);
        let directives = ResponseDirectives::of(&headers);
        lifetime(&directives, &headers, audience, None, NOW).map(|lifetime| lifetime / 1_000)
    }

    #[test]
    fn what_is_said_first_counts() {
        use Audience::{Private, Shared};
        let (now, later) = (date(NOW), date(NOW + 90_000));
        let all = [
            ("cache-control", "max-age=30, s-maxage=60"),
            ("expires", &*later),
            ("date", &*now),
        ];
        assert_eq!(fresh(&all, Shared), Some(60));
        assert_eq!(fresh(&all, Private), Some(30));
        assert_eq!(fresh(&all[1..], Shared), Some(90));
        assert_eq!(
            fresh(&all[1..2], Shared),
            Some(90),
            "without a `Date`, from now"
        );
        assert_eq!(fresh(&[], Shared), None);
        let default = Some(Duration::from_millis(1_500));
        let directives = ResponseDirectives::default();
        assert_eq!(
            lifetime(&directives, &HeaderMap::new(), Shared, default, NOW),
            Some(1_500)
        );
    }

    #[test]
    fn what_cannot_be_understood_is_not_fresh() {
        let later = date(NOW + 90_000);
        for fields in [
            &[("cache-control", "max-age=x"), ("expires", &*later)][..],
            &[("cache-control", "s-maxage=1, s-maxage=2, max-age=60")],
            &[("cache-control", "max-age=60; x")],
            &[("expires", "0")],
            &[("expires", &*later), ("expires", &*later)],
            &[("expires", &*date(NOW - 1_000))],
        ] {
            assert_eq!(fresh(fields, Audience::Shared), Some(0), "{fields:?}");
        }
    }

    #[test]
    fn age_is_what_is_told_or_what_the_date_shows() {
        let age = |fields: &[(&'static str, &str)]| initial_age(&headers(fields), 250, NOW);
        let made = date(NOW - 20_000);
        assert_eq!(age(&[]), Some(250), "what it took to come");
        assert_eq!(age(&[("date", &*made)]), Some(20_000));
        assert_eq!(age(&[("age", "5")]), Some(5_250));
        assert_eq!(age(&[("age", "5"), ("date", &*made)]), Some(20_000));
        assert_eq!(
            age(&[("date", &*date(NOW + 60_000))]),
            Some(250),
            "a clock ahead of ours"
        );
        for strange in ["", "-1", "x", "1.5"] {
            assert_eq!(age(&[("age", strange)]), None, "{strange:?}");
        }
        assert_eq!(age(&[("age", "1"), ("age", "2")]), None);
    }

    #[test]
    fn dates_are_read_back() {
        assert_eq!(moment(&date(NOW)), Some(NOW));
        assert_eq!(moment("yesterday"), None);
    }
}

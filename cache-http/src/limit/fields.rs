//! What a response says of the limits it was counted in.
//!
//! Two forms, side by side, because clients read either: `RateLimit-Policy` and `RateLimit`, structured fields of the current draft
//! (draft-ietf-httpapi-ratelimit-headers-09), which name the limits; and the three of its early versions, which most clients know:
//! `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`. Of several limits the policy lists all, the others show the tightest. A layer around another adds its
//! own to the lists, and to the three only if it is tighter.

use std::fmt::Write;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::decision::{Verdict, seconds};
use super::rule::Rule;

static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static STATE: HeaderName = HeaderName::from_static("ratelimit");
static LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
static REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
static RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Says what the limits of a layer have made of a request: all that concerned it, and the verdict of the tightest that counted it.
pub(super) fn write(headers: &mut HeaderMap, rules: &[&Rule], tightest: Option<(&Rule, Verdict)>) {
    if !rules.is_empty() {
        let policies: Vec<_> = rules.iter().map(|rule| policy(rule)).collect();
        append(headers, &POLICY, &policies.join(", "));
    }
    let Some((rule, verdict)) = tightest else {
        return;
    };
    let (left, reset) = (verdict.left, seconds(verdict.full));
    append(
        headers,
        &STATE,
        &format!("{};r={left};t={reset}", string(&rule.name)),
    );
    let other = number(headers, &REMAINING);
    if other.is_none_or(|other| left < other) {
        for (name, number) in [
            (&LIMIT, rule.shared.most()),
            (&REMAINING, left),
            (&RESET, reset),
        ] {
            headers.insert(name, HeaderValue::from(number));
        }
    }
}

fn policy(rule: &Rule) -> String {
    let (n, per) = rule.quota;
    let mut policy = format!("{};q={n};w={}", string(&rule.name), seconds(per));
    let most = rule.shared.most();
    if most != u64::from(n) {
        let _ = write!(policy, ";burst={most}");
    }
    policy
}

/// A string of RFC 9651, section 3.3.3; what it cannot hold is shown as `_`.
fn string(text: &str) -> String {
    let mut string = String::with_capacity(text.len() + 2);
    string.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => string.extend(['\\', char]),
            ' '..='~' => string.push(char),
            _ => string.push('_'),
        }
    }
    string.push('"');
    string
}

fn append(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("printable ASCII alone");
    headers.append(name.clone(), value);
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limit::RateLimit;

    fn rule(limit: RateLimit) -> Rule {
        Rule::new(limit, 1)
    }

    fn verdict(left: u64, full: u64) -> Verdict {
        Verdict {
            allowed: true,
            left,
            full: Duration::from_millis(full),
            wait: Duration::ZERO,
        }
    }

    fn text(headers: &HeaderMap, name: &str) -> Vec<String> {
        let values = headers.get_all(name).iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn policies_are_listed_and_the_tightest_is_shown() {
        let minute = Duration::from_secs(60);
        let one = rule(RateLimit::gcra(100, minute).burst(20));
        let other = rule(RateLimit::sliding_window(1000, minute * 60).name("a \"b\"\\ é"));
        let mut headers = HeaderMap::new();
        write(
            &mut headers,
            &[&one, &other],
            Some((&one, verdict(7, 1001))),
        );
        let policy = r#""address";q=100;w=60;burst=20, "a \"b\"\\ _";q=1000;w=3600"#;
        assert_eq!(text(&headers, "ratelimit-policy"), [policy]);
        assert_eq!(text(&headers, "ratelimit"), ["\"address\";r=7;t=2"]);
        assert_eq!(text(&headers, "ratelimit-limit"), ["20"]);
        assert_eq!(text(&headers, "ratelimit-remaining"), ["7"]);
        assert_eq!(text(&headers, "ratelimit-reset"), ["2"]);
    }

    #[test]
    fn a_layer_around_another_adds_to_lists_and_keeps_the_tighter() {
        let inner = rule(RateLimit::gcra(5, Duration::from_secs(1)).name("inner"));
        let outer = rule(RateLimit::gcra(9, Duration::from_secs(1)).name("outer"));
        let mut headers = HeaderMap::new();
        write(&mut headers, &[&inner], Some((&inner, verdict(2, 0))));
        write(&mut headers, &[&outer], Some((&outer, verdict(8, 0))));
        assert_eq!(text(&headers, "ratelimit").len(), 2);
        assert_eq!(text(&headers, "ratelimit-limit"), ["5"]);
        write(&mut headers, &[&outer], Some((&outer, verdict(1, 0))));
        assert_eq!(text(&headers, "ratelimit-limit"), ["9"]);
        assert_eq!(text(&headers, "ratelimit-remaining"), ["1"]);
    }

    #[test]
    fn nothing_is_said_of_what_did_not_concern_it() {
        let mut headers = HeaderMap::new();
        write(&mut headers, &[], None);
        assert!(headers.is_empty());
    }
}

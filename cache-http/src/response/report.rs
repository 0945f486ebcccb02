//! `Cache-Status`: how a request was handled (RFC 9211).

use std::fmt::Write;

use http::{HeaderName, HeaderValue};

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Why a request went to the handler; the words of RFC 9211, section 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forward {
    /// This layer does not handle such requests.
    Bypass,
    /// Nor this method.
    Method,
    UriMiss,
    VaryMiss,
    Stale,
    /// The client has asked for it.
    Request,
}

impl Forward {
    const fn word(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Stale => "stale",
            Self::Request => "request",
        }
    }
}

/// How a request was handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Nothing: it was answered with what is stored.
    pub(super) forward: Option<Forward>,
    /// The status that the handler answered with.
    pub(super) status: Option<u16>,
    pub(super) stored: bool,
    /// Another's call of the handler was waited for.
    pub(super) collapsed: bool,
    /// Milliseconds it is still fresh, negative if it is no more.
    pub(super) ttl: Option<i64>,
    pub(super) detail: Option<&'static str>,
}

impl Report {
    pub(super) fn hit(ttl: i64) -> Self {
        Self {
            ttl: Some(ttl),
            ..Self::default()
        }
    }

    pub(super) fn forwarded(why: Forward) -> Self {
        Self {
            forward: Some(why),
            ..Self::default()
        }
    }

    pub(super) fn because(self, detail: &'static str) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }

    /// The member of the list that tells of it.
    pub(super) fn value(&self, cache: &str) -> HeaderValue {
        let mut line = String::with_capacity(64);
        line.push_str(cache);
        match (self.forward, self.ttl) {
            (Some(why), _) => {
                line.push_str("; fwd=");
                line.push_str(why.word());
            }
            // It was answered by nobody: nothing is stored, and the client did not want the handler asked.
            (None, None) => {}
            (None, Some(_)) => line.push_str("; hit"),
        }
        if let Some(status) = self.status {
            let _ = write!(line, "; fwd-status={status}");
        }
        if let Some(ttl) = self.ttl {
            let _ = write!(line, "; ttl={}", ttl.div_euclid(1_000));
        }
        if self.stored {
            line.push_str("; stored");
        }
        if self.collapsed {
            line.push_str("; collapsed");
        }
        if let Some(detail) = self.detail {
            line.push_str("; detail=");
            line.push_str(detail);
        }
        HeaderValue::try_from(line).expect("words, numbers and a quoted name are a value")
    }
}

/// The name of a cache as it begins a member: a token, or a string in quotes (RFC 9651).
pub(super) fn member(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*');
    let goes_on = |c: char| c.is_ascii_alphanumeric() || ":/!#$%&'*+-.^_`|~".contains(c);
    if starts && name.chars().all(goes_on) {
        return name.to_owned();
    }
    let mut quoted = String::from('"');
    for c in name.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{Forward, Report, member};

    #[test]
    fn a_member_tells_what_happened() {
        let miss = Report {
            status: Some(200),
            stored: true,
            ttl: Some(59_999),
            ..Report::forwarded(Forward::UriMiss)
        };
        for (report, value) in [
            (Report::hit(12_345), "shop; hit; ttl=12"),
            (Report::hit(-1), "shop; hit; ttl=-1"),
            (miss, "shop; fwd=uri-miss; fwd-status=200; ttl=59; stored"),
            (
                Report::forwarded(Forward::Bypass).because("range"),
                "shop; fwd=bypass; detail=range",
            ),
            (
                Report {
                    collapsed: true,
                    ..Report::forwarded(Forward::VaryMiss)
                },
                "shop; fwd=vary-miss; collapsed",
            ),
            (
                Report::default().because("only-if-cached"),
                "shop; detail=only-if-cached",
            ),
        ] {
            assert_eq!(report.value("shop"), value);
        }
    }

    #[test]
    fn a_name_is_a_token_or_a_string() {
        assert_eq!(member("shop"), "shop");
        assert_eq!(member("7 \"shops\" é"), "\"7 \\\"shops\\\" \"");
    }
}

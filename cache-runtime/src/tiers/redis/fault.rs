//! What a failed command means: for the caller, and for the connection.
//!
//! Some answers say that this connection will not do any more though the server lives: it became a
//! replica, it is loading, it wants a password it did not want before. The stock connection manager
//! treats them as final or passes them on for ever; here they mean "drop, reconnect, resolving names
//! again".

use crate::tiers::ErrorKind;

/// What the link does about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The connection is as good as before.
    None,
    /// Drop the connection and make a new one.
    Reconnect,
}

/// Answers after which a new connection may do better.
const RECONNECT: [&str; 5] = ["READONLY", "NOAUTH", "WRONGPASS", "LOADING", "MASTERDOWN"];

/// Kind and remedy of a failed command.
pub(super) fn judge(error: &redis::RedisError) -> (ErrorKind, Remedy) {
    match error.kind() {
        redis::ErrorKind::Io => (ErrorKind::Unavailable, Remedy::Reconnect),
        redis::ErrorKind::Parse => (ErrorKind::Protocol, Remedy::Reconnect),
        redis::ErrorKind::AuthenticationFailed => (ErrorKind::Unavailable, Remedy::Reconnect),
        redis::ErrorKind::UnexpectedReturnType => (ErrorKind::Protocol, Remedy::None),
        redis::ErrorKind::Server(_) | redis::ErrorKind::Extension => match lasting(error) {
            Some("READONLY") => (ErrorKind::Refused, Remedy::Reconnect),
            Some(_) => (ErrorKind::Unavailable, Remedy::Reconnect),
            None => (ErrorKind::Refused, Remedy::None),
        },
        _ => (ErrorKind::Protocol, Remedy::None),
    }
}

/// The code of an answer that only a new connection can change.
///
/// Redis 6.2 wraps an error raised inside a script: `ERR Error running script …: -READONLY …`.
fn lasting(error: &redis::RedisError) -> Option<&'static str> {
    let code = error.code()?;
    let wrapped = error.detail().filter(|_| code == "ERR");
    RECONNECT.into_iter().find(|known| {
        code == *known
            || wrapped.is_some_and(|text| {
                text.starts_with("Error running script") && text.contains(&format!(" -{known} "))
            })
    })
}

/// An error in the server's own words, where it has some.
pub(super) fn words(error: &redis::RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => error.to_string(),
    }
}

/// Whether the account may not do this, or the server knows no such command: asking again changes nothing.
pub(super) fn is_forbidden(error: &redis::RedisError) -> bool {
    let refused = |text: &str| {
        text.contains("NOPERM")
            || text.contains("unknown command")
            || text.contains("user executing the script can't")
            || text.contains("ACL failure")
    };
    error.code() == Some("NOPERM") || error.detail().is_some_and(refused)
}

/// Where a command belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// To this server from now on.
    Moved(String),
    /// This time only, and said to be meant.
    Ask(String),
}

impl Redirect {
    /// `host:port`, as the server says it; without a host it is the server's own.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::Moved(address) | Self::Ask(address) => address,
        }
    }
}

/// Where a server of a cluster sends us.
pub(super) fn redirect(error: &redis::RedisError) -> Option<Redirect> {
    use redis::ServerErrorKind::{Ask, Moved};
    let (address, _) = error.redirect_node()?;
    match error.kind() {
        redis::ErrorKind::Server(Moved) => Some(Redirect::Moved(address.to_owned())),
        redis::ErrorKind::Server(Ask) => Some(Redirect::Ask(address.to_owned())),
        _ => None,
    }
}

/// Whether some of several keys have moved to another server and the others not yet.
pub(super) fn is_torn(error: &redis::RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::TryAgain)
}

/// An answer that nothing of ours gives.
pub(super) fn unexpected(what: &'static str) -> redis::RedisError {
    redis::RedisError::from((redis::ErrorKind::UnexpectedReturnType, what))
}

/// Whether a key holds another Redis type than the command wants.
pub(super) fn is_wrong_type(error: &redis::RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(line: &str) -> redis::RedisError {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes())
            .and_then(redis::Value::extract_error)
            .unwrap_err()
    }

    #[test]
    fn answers_of_a_server_that_cannot_serve_mean_reconnect() {
        for code in RECONNECT {
            let (_, remedy) = judge(&answered(&format!("{code} because")));
            assert_eq!(remedy, Remedy::Reconnect, "{code}");
        }
        let old = "ERR Error running script (call to f_0a): @user_script:12: @user_script: 12: \
                   -READONLY You can't write against a read only replica. ";
        assert_eq!(
            judge(&answered(old)),
            (ErrorKind::Refused, Remedy::Reconnect)
        );
    }

    #[test]
    fn errors_are_shown_as_the_server_said_them() {
        for line in [
            "NOPERM this user has no permissions",
            "WRONGPASS invalid",
            "ALONE",
        ] {
            assert_eq!(words(&answered(line)), line);
        }
    }

    #[test]
    fn other_refusals_leave_the_connection_alone() {
        for line in [
            "OOM command not allowed",
            "NOPERM no",
            "ERR unknown",
            "WRONGTYPE Operation",
        ] {
            assert_eq!(
                judge(&answered(line)),
                (ErrorKind::Refused, Remedy::None),
                "{line}"
            );
        }
        assert!(is_wrong_type(&answered(
            "WRONGTYPE Operation against a key"
        )));
    }
}

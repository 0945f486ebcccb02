//! Whether a server is one to write to.
//!
//! A replica refuses writes, which is how it is noticed, unless it is told to take them (`replica-read-only no`): then it answers
//! everything, and what it was told is gone with its next synchronisation. So it is asked what it is, by `HELLO`, which needs no permission
//! from Redis 7 on. Who may not ask, or is not understood, has to do without.

use std::collections::HashMap;

/// An error, as if it had refused a write, if this is the answer of a replica.
pub(super) fn refuse_replica(hello: redis::Value) -> redis::RedisResult<()> {
    let told: HashMap<String, redis::Value> = redis::from_redis_value(hello).unwrap_or_default();
    let role = told.get("role").and_then(|role| match role {
        redis::Value::BulkString(role) => Some(role.as_slice()),
        _ => None,
    });
    match role {
        Some(b"replica" | b"slave") => Err(redis::make_extension_error(
            "READONLY".to_owned(),
            Some("the server is a replica, though it takes writes".to_owned()),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> redis::RedisResult<()> {
        refuse_replica(redis::parse_redis_value(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_replica_is_refused_in_either_protocol_and_nothing_else() {
        let role = "$5\r\nproto\r\n:2\r\n$4\r\nrole\r\n$7\r\nreplica\r\n";
        for replica in [format!("*4\r\n{role}"), format!("%2\r\n{role}")] {
            let error = answered(&replica).unwrap_err();
            assert_eq!(error.code(), Some("READONLY"));
        }
        let primary = "*2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n";
        for other in [primary, "*0\r\n", "+OK\r\n", ":7\r\n", "$-1\r\n"] {
            assert!(answered(other).is_ok(), "{other}");
        }
    }
}

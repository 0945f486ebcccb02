//! What came, as what was asked for.
//!
//! All bytes here have been walked over: they are whole answers. The library's parser makes and clears eight kilobytes for each, so it gets only what is rare: errors,
//! and what no RESP2 server says.

use bytes::Bytes;

use crate::tiers::redis::fault::unexpected;
use crate::tiers::redis::socket::Walk;

/// The text of a plain answer, not copied; `None` where there is none. An error answer is an error.
pub(in crate::tiers::redis) fn text(answer: &Bytes) -> redis::RedisResult<Option<Bytes>> {
    let end = b"\r\n".len();
    let begin = match (
        answer.first(),
        answer.iter().position(|byte| *byte == b'\n'),
    ) {
        (Some(b'$'), Some(line)) => line + 1,
        _ => return other(answer),
    };
    // Without a text the answer ends with the line.
    match answer.len().checked_sub(end) {
        Some(to) if begin <= to => Ok(Some(answer.slice(begin..to))),
        _ => Ok(None),
    }
}

fn other(answer: &Bytes) -> redis::RedisResult<Option<Bytes>> {
    match value(answer)?.extract_error()? {
        redis::Value::Nil => Ok(None),
        redis::Value::BulkString(text) => Ok(Some(text.into())),
        _ => Err(unexpected("not answered by a string")),
    }
}

/// One answer, whatever it is; an error answer is a value.
pub(in crate::tiers::redis) fn value(answer: &[u8]) -> redis::RedisResult<redis::Value> {
    let mut rest = answer;
    match usual(&mut rest, DEPTH) {
        Some(value) if rest.is_empty() => Ok(value),
        _ => redis::parse_redis_value(answer),
    }
}

/// Arrays within arrays; none of ours are as deep.
const DEPTH: usize = 8;

/// The next value, if it is of a usual kind and so is all that is in it.
fn usual(rest: &mut &[u8], depth: usize) -> Option<redis::Value> {
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let (kind, line) = rest[..end].split_first()?;
    let line = std::str::from_utf8(line).ok()?;
    let rest_of_it = &rest[end + 2..];
    *rest = rest_of_it;
    Some(match kind {
        b'+' if line == "OK" => redis::Value::Okay,
        b'+' => redis::Value::SimpleString(line.to_owned()),
        b':' => redis::Value::Int(line.parse().ok()?),
        b'$' | b'*' if line == "-1" => redis::Value::Nil,
        b'$' => {
            let length: usize = line.parse().ok()?;
            let text = rest.get(..length)?;
            *rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
            redis::Value::BulkString(text.to_vec())
        }
        b'*' => {
            let values: usize = line.parse().ok()?;
            let depth = depth.checked_sub(1)?;
            let values = (0..values)
                .map(|_| usual(rest, depth))
                .collect::<Option<_>>();
            redis::Value::Array(values?)
        }
        _ => return None,
    })
}

/// Each of several answers; error answers are among the values.
pub(super) fn values(answers: &Bytes) -> redis::RedisResult<Vec<redis::Value>> {
    each(answers).map(|answer| value(answer?)).collect()
}

/// The last of several answers.
pub(super) fn last(answers: &Bytes) -> redis::RedisResult<Bytes> {
    let nothing = || Err(unexpected("a command was not answered"));
    let last = each(answers).last().unwrap_or_else(nothing)?;
    Ok(answers.slice_ref(last))
}

/// Where one ends and the next begins.
fn each(answers: &[u8]) -> impl Iterator<Item = redis::RedisResult<&[u8]>> {
    // How large they are was asked when they came.
    let (mut walk, mut rest) = (Walk::new(u64::MAX), answers);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Ok(Some(end)) = walk.end(rest) else {
            rest = &[];
            return Some(Err(unexpected("answers that do not end")));
        };
        let answer;
        (answer, rest) = rest.split_at(end);
        Some(Ok(answer))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{usual, value};

    /// The library's opinion is the right one.
    fn agrees(answer: &[u8]) {
        let (ours, theirs) = (value(answer), redis::parse_redis_value(answer));
        let told = answer.escape_ascii();
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{told}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{told}: {ours:?}, {theirs:?}"),
        }
    }

    #[test]
    fn what_is_read_here_is_what_the_library_reads() {
        for answer in [
            &b"+OK\r\n"[..],
            b"+PONG\r\n",
            b":-7\r\n",
            b":0\r\n",
            b"$0\r\n\r\n",
            b"$3\r\na\r\n\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"*0\r\n",
            b"*3\r\n$1\r\na\r\n*2\r\n:1\r\n+OK\r\n$-1\r\n",
            b"*2\r\n:1\r\n-NOSCRIPT no such\r\n",
            b"-ERR no\r\n",
            b"%1\r\n+a\r\n+b\r\n",
            b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
            b":x\r\n",
            b"$5\r\nabc\r\n",
        ] {
            agrees(answer);
        }
    }

    #[test]
    fn what_scripts_answer_is_not_left_to_the_library() {
        let answer = b"*3\r\n$1\r\na\r\n*2\r\n:1\r\n+OK\r\n$-1\r\n";
        assert!(usual(&mut &answer[..], 8).is_some());
    }

    proptest! {
        #[test]
        fn torn_and_damaged_answers_never_panic(at in 0_usize..40, byte: u8) {
            let mut answer = b"*3\r\n$1\r\na\r\n*2\r\n:1\r\n+OK\r\n$-1\r\n".to_vec();
            let at = at.min(answer.len() - 1);
            answer[at] = byte;
            let _ = value(&answer);
            let _ = value(&answer[..at]);
        }
    }
}

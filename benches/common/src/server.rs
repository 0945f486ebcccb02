//! What a measure asks of the Redis server itself: how many commands it was sent, and how much memory it has in use.
//!
//! Over a connection of its own that knows three commands, so that neither a candidate's client nor its connection is asked. What it sends is not counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A server that the runner started for this run alone.
#[derive(Debug)]
pub(crate) struct Server(BufReader<TcpStream>);

/// Those of a [`Server`]'s own.
const OURS: [&str; 3] = ["info", "dbsize", "eval"];
/// Lengths of all keys and of what is under them, texts or fields of a hash and their texts.
const TEXTS: &str = "EVAL \"local sum = 0 \
    for _, key in ipairs(redis.call('KEYS', '*')) do \
        local type = redis.call('TYPE', key).ok \
        if type == 'string' then \
            sum = sum + #key + redis.call('STRLEN', key) \
        elseif type == 'hash' then \
            sum = sum + #key \
            for _, text in ipairs(redis.call('HGETALL', key)) do sum = sum + #text end \
        end \
    end \
    return sum\" 0";

/// One page of the keys, each with so many copies of itself under names of their own; what is a copy has no copies. Answers where the next page begins, 0 after the last.
const COPIES: &str = "local page = redis.call('SCAN', ARGV[1], 'COUNT', 1000) \
    for _, key in ipairs(page[2]) do \
        local start, ending = string.match(key, '^(.*item:%d+)(:card.*)$') \
        if start then \
            for n = 1, tonumber(ARGV[2]) do redis.call('COPY', key, start .. 'c' .. n .. ending) end \
        end \
    end \
    return page[1]";

impl Server {
    /// At a URL of the form `redis://host:port`.
    pub(crate) fn at(url: &str) -> Server {
        let address = url.strip_prefix("redis://").expect("the runner says so");
        let stream = TcpStream::connect(address).expect("the runner's server listens");
        Server(BufReader::new(stream))
    }

    /// Commands it has run, of whoever else; those in scripts by themselves.
    pub(crate) fn commands(&mut self) -> u64 {
        let told = self.ask("INFO commandstats");
        let calls = told.lines().filter_map(calls_of);
        calls
            .filter(|(name, _)| !OURS.contains(name))
            .map(|(_, calls)| calls)
            .sum()
    }

    /// Bytes it has asked of its allocator and not given back.
    pub(crate) fn used_memory(&mut self) -> u64 {
        self.field("INFO memory", "used_memory:")
    }

    /// Keys whose time was over, so far.
    pub(crate) fn expired(&mut self) -> u64 {
        self.field("INFO stats", "expired_keys:")
    }

    /// Its process.
    pub(crate) fn process(&mut self) -> u64 {
        self.field("INFO server", "process_id:")
    }

    /// Bytes of all keys and of what is under them.
    pub(crate) fn texts(&mut self) -> u64 {
        let told = self.ask(TEXTS);
        told.parse().expect("a sum is a number")
    }

    pub(crate) fn keys(&mut self) -> u64 {
        let told = self.ask("DBSIZE");
        told.parse().expect("a count is a number")
    }

    /// Gives each of the filed keys so many copies, page by page, so that it answers others in between.
    pub(crate) fn copy(&mut self, copies: u64) {
        let mut cursor = "0".to_owned();
        loop {
            cursor = self.ask(&format!("EVAL \"{COPIES}\" 0 {cursor} {copies}"));
            if cursor == "0" {
                break;
            }
        }
    }

    fn field(&mut self, command: &str, name: &str) -> u64 {
        let told = self.ask(command);
        let value = told.lines().find_map(|line| line.strip_prefix(name));
        let number = value.and_then(|value| value.trim().parse().ok());
        number.expect("the server tells it as a number")
    }

    /// The text of a bulk reply, or the digits of a number.
    fn ask(&mut self, command: &str) -> String {
        let broken = "the runner's server answers";
        let line = format!("{command}\r\n");
        self.0.get_mut().write_all(line.as_bytes()).expect(broken);
        let mut head = String::new();
        self.0.read_line(&mut head).expect(broken);
        let head = head.trim_end();
        if let Some(number) = head.strip_prefix(':') {
            return number.to_owned();
        }
        let length = head
            .strip_prefix('$')
            .and_then(|length| length.parse().ok());
        let length: usize = length.unwrap_or_else(|| panic!("`{command}`: {head}"));
        let mut text = vec![0; length + 2];
        self.0.read_exact(&mut text).expect(broken);
        text.truncate(length);
        String::from_utf8(text).expect("the server tells it in ASCII")
    }
}

/// `cmdstat_get:calls=21,usec=175,…`
fn calls_of(line: &str) -> Option<(&str, u64)> {
    let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    let (calls, _) = rest.split_once(',')?;
    Some((name, calls.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::calls_of;

    #[test]
    fn a_line_of_statistics_is_read() {
        let line = "cmdstat_client|setname:calls=21,usec=175,usec_per_call=8.33";
        assert_eq!(calls_of(line), Some(("client|setname", 21)));
        assert_eq!(calls_of("# Commandstats"), None);
    }
}

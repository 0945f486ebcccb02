//! What clients asked of a server, in the server's own words.
//!
//! `MONITOR` also shows what scripts do inside (`lua` lines) and what the harness asks; neither is a command a client
//! paid a round trip for, so neither is recorded.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::endpoint::Endpoint;
use crate::resp::{Client, PATIENCE, Resp};

/// One command as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// When the server ran it, by the server's clock.
    pub at: Duration,
    /// The client's address.
    pub client: String,
    /// The command's name and arguments.
    pub args: Vec<Vec<u8>>,
}

impl Command {
    /// The command's name in upper case.
    pub fn name(&self) -> String {
        self.args
            .first()
            .map(|name| String::from_utf8_lossy(name).to_uppercase())
            .unwrap_or_default()
    }

    /// Name and arguments, separated by spaces; for messages and for looking something up in.
    pub fn text(&self) -> String {
        self.args
            .iter()
            .map(|argument| String::from_utf8_lossy(argument))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A recording that goes on until it is dropped.
#[derive(Debug)]
pub struct Monitor {
    endpoint: Endpoint,
    lines: mpsc::UnboundedReceiver<Command>,
    reader: JoinHandle<()>,
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Monitor {
    pub(super) async fn start(endpoint: Endpoint) -> Monitor {
        let mut connection = endpoint.connect().await.expect("the server to watch is up");
        let answer = connection.command(&["MONITOR"]).await;
        assert!(
            matches!(answer, Ok(Resp::Simple(_))),
            "MONITOR was refused: {answer:?}"
        );
        let (sender, lines) = mpsc::unbounded_channel();
        let reader = tokio::spawn(read(connection, sender));
        Monitor {
            endpoint,
            lines,
            reader,
        }
    }

    /// The commands since the recording began or was last taken, up to this call.
    ///
    /// # Panics
    /// If the server went away, since the recording would be incomplete.
    pub async fn take(&mut self) -> Vec<Command> {
        let marker = format!("end-of-recording-{}", fastrand::u64(..));
        let mut connection = self
            .endpoint
            .connect()
            .await
            .expect("the watched server is up");
        connection
            .command(&["ECHO", &marker])
            .await
            .expect("the watched server answers");
        let mut commands = Vec::new();
        loop {
            let next = timeout(PATIENCE, self.lines.recv())
                .await
                .expect("the server shows a command it has run");
            let command = next.expect("the watched server went away");
            if self.endpoint.is_own(&command.client) {
                if command
                    .args
                    .last()
                    .is_some_and(|last| last == marker.as_bytes())
                {
                    return commands;
                }
            } else {
                commands.push(command);
            }
        }
    }

    /// As [`Monitor::take`], only the names.
    pub async fn names(&mut self) -> Vec<String> {
        self.take().await.iter().map(Command::name).collect()
    }

    /// Forgets what was recorded up to this call.
    pub async fn clear(&mut self) {
        self.take().await;
    }
}

async fn read(mut connection: Client<TcpStream>, sender: mpsc::UnboundedSender<Command>) {
    while let Ok(line) = connection.reply().await {
        if let Some(command) = parse(&line.text())
            && sender.send(command).is_err()
        {
            return;
        }
    }
}

/// Reads `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`; `None` for what a script did.
fn parse(line: &str) -> Option<Command> {
    let (at, rest) = line.split_once(" [")?;
    let (origin, arguments) = rest.split_once("] ")?;
    let (_database, client) = origin.split_once(' ')?;
    if client == "lua" {
        return None;
    }
    Some(Command {
        at: Duration::try_from_secs_f64(at.parse().ok()?).ok()?,
        client: client.to_owned(),
        args: unquote(arguments),
    })
}

/// Undoes the server's quoting: `\"`, `\\`, `\n`, `\r`, `\t`, `\a`, `\b` and `\xHH`.
fn unquote(text: &str) -> Vec<Vec<u8>> {
    let mut arguments = Vec::new();
    let mut bytes = text.bytes();
    while bytes.by_ref().any(|byte| byte == b'"') {
        let mut argument = Vec::new();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' => argument.extend(escaped(&mut bytes)),
                plain => argument.push(plain),
            }
        }
        arguments.push(argument);
    }
    arguments
}

fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    Some(match bytes.next()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'x' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
        other => other,
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_undone() {
        let command = parse(r#"1.5 [0 127.0.0.1:6] "set" "a \"b\" \\" "\x00\xff\r\n" """#)
            .expect("a client's line");
        assert_eq!(command.at, Duration::from_millis(1500));
        assert_eq!(command.client, "127.0.0.1:6");
        assert_eq!(
            command.args,
            [&b"set"[..], b"a \"b\" \\", b"\0\xff\r\n", b""]
        );
        assert_eq!(command.name(), "SET");
    }

    #[test]
    fn what_scripts_do_is_left_out() {
        assert_eq!(parse(r#"1.5 [0 lua] "get" "k""#), None);
        assert_eq!(parse("OK"), None);
    }
}

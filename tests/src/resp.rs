//! A Redis client small enough to trust: what the tests check must not be read by the code under test.
//!
//! It speaks RESP2 over any stream, one command at a time, and gives up after [`PATIENCE`].

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::time::timeout;

/// How long a reply may take before it is an error: far beyond any healthy server, short of a test runner's limit.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resp {
    /// A status such as `OK`.
    Simple(String),
    /// An error the server answered with.
    Error(String),
    /// An integer.
    Integer(i64),
    /// A string of bytes.
    Bulk(Vec<u8>),
    /// The null string or the null array.
    Nil,
    /// A list of replies.
    Array(Vec<Resp>),
}

impl Resp {
    /// The reply as text: statuses, errors, strings and integers; empty for nil.
    pub fn text(&self) -> String {
        match self {
            Resp::Simple(text) | Resp::Error(text) => text.clone(),
            Resp::Integer(number) => number.to_string(),
            Resp::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Resp::Nil => String::new(),
            Resp::Array(items) => items.iter().map(Resp::text).collect::<Vec<_>>().join(" "),
        }
    }

    /// The integer of the reply, also where the server wrote it as text.
    ///
    /// # Panics
    /// If the reply is no integer.
    pub fn int(&self) -> i64 {
        self.text()
            .parse()
            .unwrap_or_else(|_| panic!("not an integer: {self:?}"))
    }

    /// The texts of a list; empty for anything else.
    pub fn list(&self) -> Vec<String> {
        match self {
            Resp::Array(items) => items.iter().map(Resp::text).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether there was nothing under the key.
    pub fn is_nil(&self) -> bool {
        matches!(self, Resp::Nil)
    }
}

/// One connection.
#[derive(Debug)]
pub struct Client<S> {
    stream: BufStream<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Speaks RESP over a connected stream.
    pub fn new(stream: S) -> Client<S> {
        Client {
            stream: BufStream::new(stream),
        }
    }

    /// Sends a command and reads its reply; the server's own errors come back as [`Resp::Error`].
    ///
    /// # Errors
    /// If the connection ends, the reply is no RESP, or [`PATIENCE`] is over.
    pub async fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> io::Result<Resp> {
        let exchange = async {
            self.stream.write_all(&encode(arguments)).await?;
            self.stream.flush().await?;
            self.reply().await
        };
        timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|late| Err(late.into()))
    }

    /// Reads the next reply, however long it takes; for connections the server pushes to.
    ///
    /// # Errors
    /// If the connection ends or the reply is no RESP.
    pub async fn reply(&mut self) -> io::Result<Resp> {
        let line = self.line().await?;
        let Some((kind, rest)) = line.split_at_checked(1) else {
            return Err(malformed(&line));
        };
        match kind {
            "+" => Ok(Resp::Simple(rest.to_owned())),
            "-" => Ok(Resp::Error(rest.to_owned())),
            ":" => Ok(Resp::Integer(rest.parse().map_err(|_| malformed(&line))?)),
            "$" => self.bulk(length(&line)?).await,
            "*" => self.array(length(&line)?).await,
            _ => Err(malformed(&line)),
        }
    }

    async fn bulk(&mut self, length: Option<usize>) -> io::Result<Resp> {
        let Some(length) = length else {
            return Ok(Resp::Nil);
        };
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        Ok(Resp::Bulk(bytes))
    }

    async fn array(&mut self, length: Option<usize>) -> io::Result<Resp> {
        let Some(length) = length else {
            return Ok(Resp::Nil);
        };
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(Box::pin(self.reply()).await?);
        }
        Ok(Resp::Array(items))
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
        Ok(line)
    }
}

/// The length a line announces, `None` for null.
fn length(line: &str) -> io::Result<Option<usize>> {
    let length: i64 = line[1..].parse().map_err(|_| malformed(line))?;
    Ok(usize::try_from(length).ok())
}

fn malformed(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not RESP: {line:?}"))
}

fn encode<A: AsRef<[u8]>>(arguments: &[A]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        let argument = argument.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        bytes.extend_from_slice(argument);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> io::Result<Resp> {
        let (mut server, client) = tokio::io::duplex(1024);
        server.write_all(bytes).await?;
        drop(server);
        Client::new(client).reply().await
    }

    #[tokio::test]
    async fn every_kind_of_reply_is_read() {
        let nested = read(b"*5\r\n+OK\r\n:-7\r\n$4\r\na\r\nb\r\n$-1\r\n-ERR no\r\n")
            .await
            .expect("it is RESP");
        let expected = [
            Resp::Simple("OK".into()),
            Resp::Integer(-7),
            Resp::Bulk(b"a\r\nb".to_vec()),
            Resp::Nil,
            Resp::Error("ERR no".into()),
        ];
        assert_eq!(nested, Resp::Array(expected.to_vec()));
    }

    #[tokio::test]
    async fn garbage_and_a_closed_connection_are_errors() {
        assert_eq!(
            read(b"hello\r\n").await.expect_err("no RESP").kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(
            read(b"$x\r\n").await.expect_err("no length").kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(
            read(b"").await.expect_err("no reply").kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn commands_carry_any_bytes() {
        assert_eq!(
            encode(&[&b"SET"[..], b"k", b"\r\n\0"]),
            b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\r\n\0\r\n"
        );
    }
}

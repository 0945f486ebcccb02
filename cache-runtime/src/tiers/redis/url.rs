//! The pieces of a Redis URL.
//!
//! A generic URL parser gives one error for everything and misreads a password with an unescaped `/`,
//! `?`, `#` or `@` as a host. Here each piece has its own error, that mistake has a text of its own,
//! and no error quotes anything that could be a password.

use super::parse::BadUrl;

/// `[account@]address[/path][?query]`, still encoded.
#[derive(Clone, Copy)]
pub(super) struct Parts<'u> {
    account: Option<&'u str>,
    pub(super) address: &'u str,
    pub(super) path: &'u str,
    query: &'u str,
}

impl<'u> Parts<'u> {
    pub(super) fn split(rest: &'u str) -> Result<Self, BadUrl> {
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(authority_end);
        let (account, address) = match authority.rsplit_once('@') {
            Some((account, address)) => (Some(account), address),
            None => (None, authority),
        };
        let stray = |text: &str| text.contains('@');
        // The path of a socket, and its parameters, may well hold an `@`.
        let is_socket = authority.is_empty() && tail.starts_with('/');
        if account.is_some_and(stray) || (!is_socket && stray(tail)) {
            return Err(BadUrl::new(
                "the account in the Redis URL holds one of `/ ? # @` unescaped: write `%2F`, `%3F`, `%23`, `%40`",
            ));
        }
        if tail.contains('#') {
            return Err(BadUrl::new("a Redis URL has no `#` part"));
        }
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        // What follows may be a password, and hosts, sockets and primaries are named in errors.
        if address.contains('&') || path.contains('&') {
            return Err(BadUrl::new(
                "the Redis URL has an `&` before any `?`: its parameters begin with `?`; in a path, write `%26`",
            ));
        }
        Ok(Self {
            account,
            address,
            path,
            query,
        })
    }

    /// User and password.
    pub(super) fn account(&self) -> Result<(Option<String>, Option<String>), BadUrl> {
        let Some(account) = self.account else {
            return Ok((None, None));
        };
        let (user, password) = match account.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (account, None),
        };
        let password = password.map(|text| decode(text, "password")).transpose()?;
        Ok((Some(decode(user, "user")?), password))
    }

    /// The parameters, in order.
    pub(super) fn query(&self) -> Result<Vec<(String, String)>, BadUrl> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name, "parameter")?, decode(value, "parameter")?))
            })
            .collect()
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(super) fn host_and_port(address: &str) -> Result<(String, Option<u16>), BadUrl> {
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let Some((host, after)) = bracketed.split_once(']') else {
                return Err(BadUrl::new("the host in the Redis URL lacks a `]`"));
            };
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(BadUrl::new("the host in the Redis URL is no IPv6 address"));
            }
            (
                host,
                after
                    .strip_prefix(':')
                    .or((!after.is_empty()).then_some("?")),
            )
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    if host.is_empty() {
        return Err(BadUrl::new("the Redis URL has no host"));
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '%') {
        return Err(BadUrl::new(
            "the host in the Redis URL holds a character no host name has",
        ));
    }
    let port = port.map(|port| match port.parse::<u16>() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(BadUrl::new(
            "the port in the Redis URL is not a number from 1 to 65535",
        )),
    });
    Ok((host.to_owned(), port.transpose()?))
}

/// Decodes `%XX`; `what` names the piece in an error.
pub(super) fn decode(text: &str, what: &str) -> Result<String, BadUrl> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(BadUrl::new(format!(
                "a `%` in the {what} of the Redis URL is not followed by two hexadecimal digits: write `%25`"
            )));
        };
        bytes.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are one byte"));
    }
    String::from_utf8(bytes)
        .map_err(|_| BadUrl::new(format!("the {what} in the Redis URL is not UTF-8")))
}

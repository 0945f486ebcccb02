//! What the environment says. A value that cannot be read stops the start and is named: a service that guesses runs for
//! months with what nobody meant.

use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use cache_http::address::Address;

use crate::http::limits;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// `HOST` and `PORT`; 127.0.0.1:3000. Port 0 takes a free one. Not reachable from outside by default: the demo users'
    /// passwords are in the README.
    pub listen: SocketAddr,
    /// `DATABASE_URL`: `postgres://…` or `sqlite://…`; the file `data/shop.db` by default.
    pub database_url: String,
    /// `REDIS_URL`; without it the cache is this process's memory.
    pub redis_url: Option<String>,
    /// `REDIS_BUDGET_MS`: how long a request waits for Redis at most before it does without; 100 by default.
    pub redis_budget: Duration,
    /// `CACHE=off` asks the database every time, to see what the cache is worth.
    pub cached: bool,
    /// `ADMIN_TOKEN`; one is made and logged if there is none.
    pub admin_token: Option<String>,
    /// `REQUESTS_PER_MINUTE` of one address; 1,200 by default. `off` or 0: no limits at all.
    pub requests_per_minute: Option<NonZeroU32>,
    /// `TRUSTED_PROXIES`, networks with commas between: whose `X-Forwarded-For` is believed; nobody's by default.
    pub address: Address,
    /// `COOKIES=secure` where browsers reach it by TLS.
    pub secure_cookies: bool,
    /// `SESSION_SECONDS` until a session ends, counted from the login; two hours by default.
    pub session: Duration,
    /// `LOG=json` for one JSON object a line.
    pub json_logs: bool,
}

/// A variable whose value cannot be meant.
#[derive(Debug)]
pub struct Invalid {
    variable: &'static str,
    value: String,
    wanted: &'static str,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Invalid {
            variable,
            value,
            wanted,
        } = self;
        write!(f, "{variable} is {wanted}, not `{value}`")
    }
}

impl Error for Invalid {}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// The first variable that has no meaning.
    pub fn from_env() -> Result<Config, Invalid> {
        Config::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Config, Invalid> {
        let variables = Variables(variable);
        let host = variables.parsed("HOST", "an IP address", Ipv4Addr::LOCALHOST.into(), number)?;
        let port = variables.parsed("PORT", "a port", 3000, number)?;
        let database_url = variables.text("DATABASE_URL");
        Ok(Config {
            listen: SocketAddr::new(host, port),
            database_url: database_url.unwrap_or_else(|| "sqlite://data/shop.db".to_owned()),
            redis_url: variables.text("REDIS_URL"),
            redis_budget: variables.parsed(
                "REDIS_BUDGET_MS",
                "1 to 60,000",
                Duration::from_millis(100),
                milliseconds,
            )?,
            cached: variables.parsed("CACHE", "`on` or `off`", true, |word| {
                one_of(word, "off", "on")
            })?,
            admin_token: variables.parsed(
                "ADMIN_TOKEN",
                "at least 16 visible ASCII characters",
                None,
                token,
            )?,
            requests_per_minute: variables.parsed(
                "REQUESTS_PER_MINUTE",
                "a number or `off`",
                NonZeroU32::new(1_200),
                limit,
            )?,
            address: variables.parsed(
                "TRUSTED_PROXIES",
                "networks with commas between",
                Address::peer(),
                limits::address,
            )?,
            secure_cookies: variables.parsed("COOKIES", "`plain` or `secure`", false, |word| {
                one_of(word, "plain", "secure")
            })?,
            session: variables.parsed(
                "SESSION_SECONDS",
                "1 to 31,536,000",
                Duration::from_secs(7_200),
                seconds,
            )?,
            json_logs: variables.parsed("LOG", "`text` or `json`", false, |word| {
                one_of(word, "text", "json")
            })?,
        })
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::read(|_| None).expect("what is not set cannot be wrong")
    }
}

/// The environment, or what a test takes for it.
struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// An empty variable is an unset one: that is how compose files and CI leave one out.
    fn text(&self, name: &str) -> Option<String> {
        self.0(name).filter(|value| !value.is_empty())
    }

    fn parsed<T>(
        &self,
        variable: &'static str,
        wanted: &'static str,
        default: T,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Invalid> {
        let Some(value) = self.text(variable) else {
            return Ok(default);
        };
        parse(&value).ok_or(Invalid {
            variable,
            value,
            wanted,
        })
    }
}

fn number<T: FromStr>(value: &str) -> Option<T> {
    value.parse().ok()
}

fn milliseconds(value: &str) -> Option<Duration> {
    let milliseconds: u64 = number(value)?;
    (1..=60_000)
        .contains(&milliseconds)
        .then(|| Duration::from_millis(milliseconds))
}

fn limit(value: &str) -> Option<Option<NonZeroU32>> {
    match value {
        "off" => Some(None),
        _ => value.parse().ok().map(NonZeroU32::new),
    }
}

/// A shorter one could be tried out.
fn token(value: &str) -> Option<Option<String>> {
    (value.len() >= 16 && value.bytes().all(|b| b.is_ascii_graphic()))
        .then(|| Some(value.to_owned()))
}

/// No session lasts longer than a year.
fn seconds(value: &str) -> Option<Duration> {
    let seconds: u32 = value.parse().ok()?;
    (1..=31_536_000)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds.into()))
}

fn one_of(value: &str, no: &str, yes: &str) -> Option<bool> {
    (value == yes || value == no).then_some(value == yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, Invalid> {
        Config::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_has_to_be_set() {
        config(&[("REDIS_URL", "")]).expect("an empty variable is an unset one");
        let config = Config::default();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert!(
            config.cached
                && config.redis_url.is_none()
                && !config.secure_cookies
                && !config.json_logs
        );
    }

    #[test]
    fn what_has_no_meaning_is_named() {
        for (variable, value) in [
            ("PORT", "65536"),
            ("HOST", "shop"),
            ("CACHE", "no"),
            ("REQUESTS_PER_MINUTE", "-1"),
            ("TRUSTED_PROXIES", "10.0.0.0/99"),
            ("SESSION_SECONDS", "0"),
            ("REDIS_BUDGET_MS", "0"),
            ("ADMIN_TOKEN", "admin"),
        ] {
            let error = config(&[(variable, value)]).expect_err(value).to_string();
            assert!(error.contains(variable) && error.contains(value), "{error}");
        }
    }
}

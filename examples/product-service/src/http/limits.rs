//! How much one client may ask. The counts are in Redis, so they are of all instances together.

use std::time::Duration;

use axum::http::request::Parts;
use cache_http::address::Address;
use cache_http::limit::{RateLimit, RateLimits, User as ByUser};
use cache_runtime::Cache;

use crate::account::{Attempt, User};
use crate::config::Config;

const MINUTE: Duration = Duration::from_secs(60);
/// Attempts to log in from one address in a minute, and at once.
const LOGINS: (u32, u32) = (10, 5);
/// Attempts to log in under one name in a minute, and at once, whatever addresses they come from. Twice as many as from one address: whoever guesses from one alone
/// keeps nobody else from logging in.
const LOGINS_OF_A_NAME: (u32, u32) = (20, 10);
/// What one user may do in a minute on whatever takes a session.
const BY_USER: u32 = 120;

/// The layers; without limits they let everything through.
#[derive(Debug)]
pub(super) struct Limits {
    /// Around everything that is for clients, also what no route matches, as a guard against one of them that takes all there is.
    pub(super) all: RateLimits,
    /// Around the login: passwords are not to be tried by the thousand.
    pub(super) login: RateLimits,
    /// Around the login as well, behind `account::attempt`: nor from a thousand addresses.
    pub(super) name: RateLimits,
    /// Around what takes a session, counted by user, whatever address they come from.
    pub(super) user: RateLimits,
}

impl Limits {
    pub(super) fn new(cache: &Cache, config: &Config) -> Limits {
        let none = || RateLimits::new(cache);
        let Some(requests) = config.requests_per_minute else {
            return Limits {
                all: none(),
                login: none(),
                name: none(),
                user: none(),
            };
        };
        let address = |limit: RateLimit| limit.by(config.address.clone());
        let bucket = |(many, burst)| RateLimit::gcra(many, MINUTE).burst(burst);
        Limits {
            all: none().limit(address(RateLimit::gcra(requests.get(), MINUTE))),
            login: none().limit(address(bucket(LOGINS)).name("login")),
            name: none().limit(bucket(LOGINS_OF_A_NAME).by(name).name("login-name")),
            user: none().limit(RateLimit::sliding_window(BY_USER, MINUTE).by(ByUser(user))),
        }
    }
}

/// Left there by `account::remember`.
fn user(parts: &Parts) -> Option<String> {
    parts
        .extensions
        .get::<User>()
        .map(|user| user.id.to_string())
}

/// Left there by `account::attempt`. Redis sees a digest of it.
fn name(parts: &Parts) -> Option<String> {
    let attempt = parts.extensions.get::<Attempt>();
    attempt.map(|attempt| attempt.name.clone())
}

/// How the address of a client is found: nobody is believed but these proxies.
pub(crate) fn address(proxies: &str) -> Option<Address> {
    let mut proxies = proxies
        .split(',')
        .map(str::trim)
        .filter(|proxy| !proxy.is_empty())
        .peekable();
    if proxies.peek().is_none() {
        return Some(Address::peer());
    }
    Address::x_forwarded_for(proxies).ok()
}

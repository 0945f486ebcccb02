//! What every shared tier has to do, as checks that any [`Tier`] can be put to.
//!
//! **Problem.** The promise of a cache rests on what its shared tier does: a store without a lease, or an eviction that leaves one, shows
//! in production, rarely, as a value that is too old. Whoever writes a tier wants to know before.
//!
//! **Decision.** One list of checks, which speak the port and nothing else. The Redis tier and
//! [`ModelRedis`](crate::testing::ModelRedis) pass the same ones. [`tier_conformance!`](crate::tier_conformance) makes a test of each;
//! [`check`] runs one by its name, for other test harnesses.
//!
//! # What a store has to be
//!
//! Each check gets a store of its own: empty at first, and shared by all instances that are made on it. An instance is what
//! [`CacheBuilder::tier`](crate::CacheBuilder::tier) takes, one for each process; it is made for a cache by its name, and those of one name
//! share everything, those of different names nothing.
//!
//! Checks take real time, some of them a few seconds, and allow for a slow machine: leases, holds and lives must not end early, and must
//! end at all.
//!
//! A store that can tell nothing says [`unsupported`](crate::tier::Listener::unsupported) to whoever listens; the checks of
//! messages then have nothing to say, and pass.
//!
//! # What it cannot tell
//!
//! * **Crashes**: whether the steps of a call are one step when the store or the process dies between them. Beside other calls
//!   they are tried, some tens of times.
//! * **Time that is set**: whether leases and holds survive a clock that is set forward or back, or differs between machines.
//! * **Floods**: what happens to messages that come faster than they are heard, and to a store that is out of memory.
//! * **Networks**: whether a call ends within its deadline when the store is silent, whether a lost connection is told as
//!   [`lost`](crate::tier::Listener::lost), and whether a store that lost its data is noticed.
//! * **Long times**: that a label lives for hours, or that an entry lives for days.
//!
//! # Use
//!
//! ```
//! use std::{collections::HashMap, sync::{Arc, Mutex}};
//! use cache_runtime::{testing::ModelRedis, tier::Tier};
//!
//! /// A fresh store: one model for each cache's name.
//! fn store() -> impl Fn(&str) -> Arc<dyn Tier> {
//!     let models: Mutex<HashMap<String, ModelRedis>> = Mutex::default();
//!     move |cache: &str| models.lock().unwrap().entry(cache.to_owned()).or_default().tier()
//! }
//!
//! mod conformance {
//!     // Makes `lease::a_value_is_led_stored_and_read` and the others.
//!     cache_runtime::tier_conformance!(super::store());
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use cache_runtime::testing::conformance;
//! conformance::check("lease::a_value_is_led_stored_and_read", store()).await;
//! # }
//! ```

#[macro_use]
mod list;

mod announce;
mod bus;
mod ear;
mod failures;
mod instance;
mod isolation;
mod labels;
mod lease;
mod process;
mod reclaim;
mod registry;
mod removal;
mod stores;
mod sweep;
mod value;

use std::sync::Arc;

use stores::Stores;

use crate::tiers::Tier;

macro_rules! dispatcher {
    ({} $($module:ident { $($check:ident)* })*) => {
        const NAMES: &[&str] = &[$($(concat!(stringify!($module), "::", stringify!($check)),)*)*];

        async fn dispatch(name: &str, stores: &Stores) {
            $($(
                if name == concat!(stringify!($module), "::", stringify!($check)) {
                    return Box::pin($module::$check(stores)).await;
                }
            )*)*
            panic!("no check is called `{name}`");
        }
    };
}

__tier_checks!([dispatcher] {});

/// The names of all checks, such as `lease::a_value_is_led_stored_and_read`.
pub fn checks() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// Runs one check on a store: `store` makes an instance of the tier for a cache of this name.
///
/// To be awaited by who drives a runtime (`block_on`, `#[tokio::test]`); its future cannot be sent to another thread.
///
/// # Panics
/// If the tier does not do what it has to, or no check has this name.
pub async fn check<S>(name: &str, store: S)
where
    S: Fn(&str) -> Arc<dyn Tier> + Send + Sync + 'static,
{
    dispatch(name, &Stores::new(store)).await;
}

/// Makes a test of each check that a tier has to pass; see
/// [`testing::conformance`](crate::testing::conformance).
///
/// The expression is evaluated for each test and yields the store of that test, a
/// `Fn(&str) -> Arc<dyn Tier> + Send + Sync + 'static`: called with the name of a cache, it makes one more instance. What the store
/// needs, such as a server, may be owned by the closure, and it may be awaited. The tests are functions in modules, so two invocations need a
/// module each; the crate needs `tokio` with the feature `macros`.
#[macro_export]
macro_rules! tier_conformance {
    ($store:expr $(,)?) => {
        async fn __store()
        -> impl ::std::ops::Fn(&str) -> ::std::sync::Arc<dyn $crate::tier::Tier>
            + ::std::marker::Send
            + ::std::marker::Sync
            + 'static {
            $store
        }

        $crate::__tier_checks!([$crate::__tier_tests] {});
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tier_tests {
    ({} $($module:ident { $($check:ident)* })*) => {
        $(mod $module {
            $(#[::tokio::test]
            async fn $check() {
                let name = ::std::concat!(
                    ::std::stringify!($module), "::", ::std::stringify!($check)
                );
                $crate::testing::conformance::check(name, super::__store().await).await;
            })*
        })*
    };
}

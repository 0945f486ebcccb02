//! The compare-and-set of the protocol: one Lua script per step.
//!
//! Lua is the only way to compare and set on Redis 6.2 and Valkey alike, and a script is one command
//! for the client. Each file states its keys, arguments and reply. Scripts are loaded when a
//! connection is made and called by their digest; a server that lost them (restart, `SCRIPT FLUSH`)
//! gets the text with the next call, which runs and loads it in one.
//!
//! All keys of a call are in `KEYS`, and one logical key's keys share a slot: a call about one logical
//! key can go to any server, a call about several only to a standalone one.

use std::sync::LazyLock;

use super::link::Connection;

macro_rules! script {
    ($name:ident, $file:literal) => {
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(include_str!($file)));
    };
}

script!(ACQUIRE, "scripts/acquire.lua");
script!(PUT, "scripts/put.lua");
script!(STORE, "scripts/store.lua");
script!(RENEW, "scripts/renew.lua");
script!(RELEASE, "scripts/release.lua");
script!(EVICT, "scripts/evict.lua");

/// One script.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    digest: Box<str>,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self {
            text,
            digest: redis::Script::new(text).get_hash().into(),
        }
    }

    /// Every script, to be loaded with a connection.
    pub(super) fn all() -> [&'static Self; 6] {
        [&ACQUIRE, &PUT, &STORE, &RENEW, &RELEASE, &EVICT]
    }

    /// The command that loads it without running it.
    pub(super) fn load(&self) -> redis::Cmd {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(self.text);
        command
    }

    /// Runs it: one command, or two on a server that does not know it.
    pub(super) async fn run(
        &self,
        connection: &mut Connection,
        keys: &[&str],
        args: &[&[u8]],
    ) -> redis::RedisResult<redis::Value> {
        let known = call("EVALSHA", &self.digest, keys, args);
        match connection.command(&known).await {
            Err(error) if is_unknown_script(&error) => {
                let whole = call("EVAL", self.text, keys, args);
                connection.command(&whole).await
            }
            answer => answer,
        }
    }
}

fn is_unknown_script(error: &redis::RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript)
}

fn call(command: &str, script: &str, keys: &[&str], args: &[&[u8]]) -> redis::Cmd {
    let bytes = keys.iter().map(|key| key.len()).sum::<usize>()
        + args.iter().map(|arg| arg.len()).sum::<usize>();
    let mut call =
        redis::Cmd::with_capacity(3 + keys.len() + args.len(), bytes + script.len() + 16);
    call.arg(command).arg(script).arg(keys.len());
    for key in keys {
        call.arg(*key);
    }
    for arg in args {
        call.arg(*arg);
    }
    call
}

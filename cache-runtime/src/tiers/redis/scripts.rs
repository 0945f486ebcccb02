//! The compare-and-set of the protocol: one Lua script per step.
//!
//! Lua is the only way to compare and set on Redis 6.2 and Valkey alike, and a script is one command
//! for the client. Each file states its keys, arguments and reply. Scripts are loaded when a
//! connection is made and called by their digest; a server that lost them (restart, `SCRIPT FLUSH`)
//! gets the text with the next call, which runs and loads it in one.
//!
//! All keys of a call are in `KEYS`, and one logical key's keys share a slot: a call about one logical
//! key can go to any server, a call about several only to a standalone one. The first key says where a call belongs.

use std::sync::LazyLock;

use super::fault::{Remedy, judge};
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
script!(FAIL, "scripts/fail.lua");
script!(EVICT, "scripts/evict.lua");
script!(EVICT_LABELS, "scripts/evict_labels.lua");
script!(LABELS, "scripts/labels.lua");
script!(REGISTER, "scripts/register.lua");
script!(EXPIRE_VALUE, "scripts/expire_value.lua");
script!(RECLAIM, "scripts/reclaim.lua");
script!(SWEEP, "scripts/sweep.lua");
script!(BEAT, "scripts/beat.lua");
script!(HOLD, "scripts/hold.lua");
script!(TICK, "scripts/tick.lua");
script!(CHECK, "scripts/check.lua");

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
            digest: digest(text),
        }
    }

    /// Every script, to be loaded with a connection.
    pub(super) fn all() -> [&'static Self; 17] {
        [
            &ACQUIRE,
            &PUT,
            &STORE,
            &RENEW,
            &RELEASE,
            &FAIL,
            &EVICT,
            &EVICT_LABELS,
            &LABELS,
            &REGISTER,
            &EXPIRE_VALUE,
            &RECLAIM,
            &SWEEP,
            &BEAT,
            &HOLD,
            &TICK,
            &CHECK,
        ]
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
        run(connection, self.text, &self.digest, keys, args).await
    }
}

/// What a server that knows a script calls it.
pub(super) fn digest(text: &'static str) -> Box<str> {
    redis::Script::new(text).get_hash().into()
}

/// Runs a script: one command, or two on a server that does not know it, which does afterwards.
pub(super) async fn run(
    connection: &mut Connection,
    text: &'static str,
    digest: &str,
    keys: &[&str],
    args: &[&[u8]],
) -> redis::RedisResult<redis::Value> {
    let known = call("EVALSHA", digest, keys, args);
    match connection.command(&known).await {
        Err(error) if is_unknown_script(&error) => {
            let whole = call("EVAL", text, keys, args);
            connection.command(&whole).await
        }
        answer => answer,
    }
}

/// Several commands in one round trip.
///
/// Their order matters: a message is said by the last script of several, and reads come after what they are to see. So from the
/// first script on that the server does not know, everything is sent again, with the text of its scripts. It is also *made* again: what is
/// said twice is two messages, or who hears it would take the second, which counts, for a copy of the first.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    command: redis::Cmd,
    script: Option<&'static Script>,
}

/// Adds steps, the same whenever it is called. Of no type of its own: what sends them is compiled once.
pub(super) type Steps<'a> = &'a (dyn Fn(&mut Pipeline) + Sync);

impl Pipeline {
    pub(super) fn script<K: AsRef<str>, A: AsRef<[u8]>>(
        &mut self,
        script: &'static Script,
        keys: &[K],
        args: &[A],
    ) {
        let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        self.steps.push(Step {
            command: call("EVALSHA", &script.digest, &keys, &args),
            script: Some(script),
        });
    }

    pub(super) fn command(&mut self, command: redis::Cmd) {
        self.steps.push(Step {
            command,
            script: None,
        });
    }

    /// These steps.
    pub(super) fn of(steps: Steps<'_>) -> Self {
        let mut gathered = Self::default();
        steps(&mut gathered);
        gathered
    }

    /// The first key of each step.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        let key = |step: &Step| {
            let before = if step.script.is_some() { 3 } else { 1 };
            match step.command.args_iter().nth(before) {
                Some(redis::Arg::Simple(key)) => key.to_vec(),
                _ => Vec::new(),
            }
        };
        self.steps.iter().map(key).collect()
    }

    /// Adds some of these steps, by their positions, which ascend.
    pub(super) fn append_some(&mut self, steps: Steps<'_>, some: &[usize]) {
        let all = Self::of(steps).steps.into_iter().enumerate();
        let meant = all.filter(|(position, _)| some.binary_search(position).is_ok());
        self.steps.extend(meant.map(|(_, step)| step));
    }

    /// The answers, in order; an error answer is an error among them, unless it is one of the whole connection. `steps` adds the same steps whenever it is called.
    pub(super) async fn run(
        connection: &mut Connection,
        steps: Steps<'_>,
    ) -> redis::RedisResult<Vec<redis::RedisResult<redis::Value>>> {
        let gather = || Self::of(steps);
        let mut answers = gather().send(connection).await?;
        let unknown =
            |answer: &redis::RedisResult<_>| answer.as_ref().is_err_and(is_unknown_script);
        if let Some(first) = answers.iter().position(unknown) {
            answers.truncate(first);
            let mut again = gather();
            again.steps.drain(..first);
            for step in &mut again.steps {
                step.command = step.whole();
            }
            answers.extend(again.send(connection).await?);
        }
        let lost = |answer: &redis::RedisResult<_>| {
            let error = answer.as_ref().err();
            error.is_some_and(|error| judge(error).1 == Remedy::Reconnect)
        };
        match answers.iter().position(lost) {
            Some(lost) => answers.swap_remove(lost).map(|_| Vec::new()),
            None => Ok(answers),
        }
    }

    async fn send(
        self,
        connection: &mut Connection,
    ) -> redis::RedisResult<Vec<redis::RedisResult<redis::Value>>> {
        let mut pipeline = redis::pipe();
        for step in self.steps {
            pipeline.add_command(step.command);
        }
        let answers = connection.commands(&pipeline).await?;
        let answers = answers.into_iter().map(redis::Value::extract_error);
        Ok(answers.collect())
    }
}

impl Step {
    /// The same with the text of its script, which the server knows afterwards.
    fn whole(&self) -> redis::Cmd {
        let Some(script) = self.script else {
            return self.command.clone();
        };
        let mut whole = redis::cmd("EVAL");
        whole.arg(script.text);
        for arg in self.command.args_iter().skip(2) {
            if let redis::Arg::Simple(arg) = arg {
                whole.arg(arg);
            }
        }
        whole
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

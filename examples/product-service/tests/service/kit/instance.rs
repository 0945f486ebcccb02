//! One process of the service; it ends with the value.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tests::eventually;

use super::Client;

/// What an instance is started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    variables: Vec<(String, String)>,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Instance {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Settings {
    /// A port that is free, and no limits, since all tests come from one address.
    pub(crate) fn new() -> Settings {
        Settings::default()
            .with("PORT", "0")
            .with("REQUESTS_PER_MINUTE", "off")
    }

    pub(crate) fn with(mut self, variable: &str, value: &str) -> Settings {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// Starts it, and returns when it serves. Without `DATABASE_URL` its database is its own.
    pub(crate) fn start(&self) -> Instance {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let log = File::create(folder.path().join("log")).expect("the folder is writable");
        let mut process = self
            .command(&folder)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("it was built");
        let mut line = String::new();
        let out = process.stdout.take().expect("it was asked for");
        BufReader::new(out)
            .read_line(&mut line)
            .expect("it writes text");
        let address = line
            .split_once("http://")
            .and_then(|(_, rest)| rest.split_once('/'));
        let Some((address, _)) = address else {
            let log = std::fs::read_to_string(folder.path().join("log"));
            panic!("it does not start: {line}{}", log.unwrap_or_default());
        };
        let address = address.parse().expect("it is an address");
        Instance {
            process,
            address,
            folder,
        }
    }

    /// Starts one that should not come up; what it says.
    pub(crate) fn refusal(&self) -> String {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let output = self.command(&folder).output().expect("it was built");
        assert!(!output.status.success(), "it came up and ended well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn command(&self, folder: &TempDir) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_product-service"));
        // Nothing of the developer's environment, such as a REDIS_URL, is part of a test.
        command
            .env_clear()
            .current_dir(folder.path())
            .stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Instance {
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// A file in its working folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        let mut log = String::new();
        let mut file = File::open(self.file("log")).expect("it is there");
        file.read_to_string(&mut log).expect("it is text");
        log
    }

    /// Tells it to end, as an orchestrator would.
    pub(crate) fn terminate(&self) {
        let pid = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        kill_process(pid.expect("it is positive"), Signal::TERM).expect("it was not reaped yet");
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually::some("the instance ends", async || {
            self.process.try_wait().expect("it is a child")
        })
        .await
    }

    /// Waits until it has its Redis.
    pub(crate) async fn connected(&self) {
        eventually::holds("the cache is connected", async || {
            let ready = self.client().get("/readyz").await.json();
            ready["cache"] == "Redis: connected"
        })
        .await;
    }

    /// How many statements it has sent to its database, of one kind.
    pub(crate) async fn queries(&self, kind: &str) -> u64 {
        let metrics = self.client().get("/metrics").await.text();
        let name = format!("product_queries_total{{query=\"{kind}\"}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
        value.map_or(0, |value| value.parse().expect("it is a number"))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of {}\n{}", self.address, self.log());
        }
        // Both fail only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

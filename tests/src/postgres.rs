//! A real PostgreSQL, one cluster per value, on a free port, and gone when the value is dropped.

use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::{eventually, ports};

/// Whose cluster it is where the tests run as root: PostgreSQL refuses to be root.
const NOBODY: u32 = 65_534;
/// How often another port is tried when somebody was faster.
const ATTEMPTS: usize = 10;

/// A running server; dropping it ends it and removes its files.
#[derive(Debug)]
pub struct Postgres {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts its server, which writes nothing that would survive the machine: it is fast, and only for tests.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or it does not start, with what it logged.
    pub async fn start() -> Postgres {
        let folder = tempfile::Builder::new()
            .prefix("postgres-")
            .tempdir()
            .expect("the temporary folder is writable");
        let data = folder.path().join("data");
        if geteuid().is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may give it away");
        }
        let mut initdb = command("initdb", folder.path());
        initdb.args([
            "--username=shop",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        let made = initdb
            .arg("--pgdata")
            .arg(&data)
            .output()
            .expect("it was found");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        for _ in 0..ATTEMPTS {
            let port = ports::free();
            let log = folder.path().join("postgres.log");
            let mut process = serve(folder.path(), &data, &log, port);
            let ended = eventually::some("PostgreSQL starts or says why not", async || {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                if said.contains("ready to accept connections") {
                    return Some(None);
                }
                matches!(process.try_wait(), Ok(Some(_))).then_some(Some(said))
            });
            match ended.await {
                None => {
                    return Postgres {
                        process,
                        port,
                        _folder: folder,
                    };
                }
                Some(said) => assert!(said.contains("Address already in use"), "postgres: {said}"),
            }
        }
        panic!("{ATTEMPTS} ports in a row were taken by somebody else");
    }

    /// Where clients connect. There is no password.
    pub fn url(&self) -> String {
        format!("postgres://shop@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once, with its children; SIGKILL would leave shared memory behind.
        if let Some(pid) = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = self.process.wait();
    }
}

fn serve(folder: &Path, data: &Path, log: &Path, port: u16) -> Child {
    let mut postgres = command("postgres", folder);
    postgres.arg("-D").arg(data).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
        "shared_buffers=16MB",
        "max_connections=60",
    ] {
        postgres.args(["-c", setting]);
    }
    let log = File::create(log).expect("the folder is writable");
    postgres
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("it was found")
}

fn command(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(folder).env("LC_ALL", "C");
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// On `PATH`, or where Debian hides them: several versions may be installed, and any will do.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let hidden = versions.flatten().map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(hidden)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!("these tests need PostgreSQL (`{name}`); `cargo xtask test` installs it")
        })
}

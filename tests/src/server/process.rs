//! Starting one `redis-server` process and knowing that the one which answers is the one that was started.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::certificates::Certificates;
use super::endpoint::Endpoint;
use crate::ports;

/// A loaded CI machine may take seconds to start a process.
const START_UP: Duration = Duration::from_secs(20);

/// Everything a start and a restart have in common.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) tls: Option<(u16, Certificates)>,
    pub(super) unix_socket: Option<PathBuf>,
    /// Of a node that may become part of a cluster.
    pub(super) bus_port: Option<u16>,
    /// The file of a Sentinel.
    pub(super) sentinel: Option<PathBuf>,
    pub(super) arguments: Vec<String>,
    pub(super) folder: TempDir,
}

/// Why a server did not start.
#[derive(Debug)]
pub(super) enum Failure {
    PortTaken,
    /// With what it logged.
    Exited(String),
    Silent(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::PortTaken => f.write_str("its port was taken by another process"),
            Failure::Exited(log) => write!(f, "it exited; its log:\n{log}"),
            Failure::Silent(log) => write!(f, "no answer within {START_UP:?}; its log:\n{log}"),
        }
    }
}

/// A child that is killed and reaped when dropped, paused or not.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Launch {
    /// The URL of the most particular way in that the server was built with.
    pub(super) fn url(&self, endpoint: &Endpoint) -> String {
        match (&self.tls, &self.unix_socket) {
            (Some((port, _)), _) => format!("rediss://{}127.0.0.1:{port}", endpoint.user_part()),
            (None, Some(socket)) => {
                let pass = endpoint
                    .password()
                    .map(|password| format!("?pass={password}"))
                    .unwrap_or_default();
                format!("redis+unix://{}{pass}", socket.display())
            }
            (None, None) => endpoint.tcp_url(endpoint.port),
        }
    }

    pub(super) fn ca_file(&self) -> Option<&Path> {
        self.tls
            .as_ref()
            .map(|(_, certificates)| certificates.authority.as_path())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }

    fn command(&self, endpoint: &Endpoint) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some(file) = &self.sentinel {
            command.arg(file).arg("--sentinel");
        }
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &endpoint.port.to_string(),
            "--daemonize",
            "no",
        ]);
        command
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path());
        if major_version(&self.program) >= 7 {
            command.args(["--enable-debug-command", "yes"]);
        }
        if let Some(password) = endpoint.password() {
            command.args(["--requirepass", &password]);
        }
        if let Some((port, files)) = &self.tls {
            command.args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
            command.arg("--tls-ca-cert-file").arg(&files.authority);
            command
                .arg("--tls-cert-file")
                .arg(&files.certificate)
                .arg("--tls-key-file")
                .arg(&files.key);
        }
        if let Some(socket) = &self.unix_socket {
            command.arg("--unixsocket").arg(socket);
        }
        if let Some(port) = &self.bus_port {
            command.args(["--cluster-enabled", "yes"]);
            if major_version(&self.program) >= 7 {
                command.args(["--cluster-port", &port.to_string()]);
            }
        }
        command.args(&self.arguments);
        command
    }
}

/// Starts the process and waits until it, and not a stranger on its port, answers.
pub(super) async fn start(launch: &Launch, endpoint: &Endpoint) -> Result<Process, Failure> {
    let log = File::create(launch.log_file()).expect("the server's folder is writable");
    let child = launch
        .command(endpoint)
        .stdout(log)
        .stderr(Stdio::inherit())
        .spawn();
    let mut process = Process(
        child.unwrap_or_else(|error| panic!("cannot run {}: {error}", launch.program.display())),
    );
    let started = Instant::now();
    while started.elapsed() < START_UP {
        if matches!(process.0.try_wait(), Ok(Some(_))) {
            return Err(exit_reason(launch.log()));
        }
        if timeout(Duration::from_secs(1), answers(endpoint, process.id()))
            .await
            .unwrap_or(false)
        {
            return Ok(process);
        }
        sleep(Duration::from_millis(5)).await;
    }
    Err(Failure::Silent(launch.log()))
}

async fn answers(endpoint: &Endpoint, pid: u32) -> bool {
    let Ok(mut connection) = endpoint.connect().await else {
        return false;
    };
    let Ok(info) = connection.command(&["INFO", "server"]).await else {
        return false;
    };
    info.text()
        .lines()
        .any(|line| line == format!("process_id:{pid}"))
}

fn exit_reason(log: String) -> Failure {
    if log.contains("Address already in use") {
        Failure::PortTaken
    } else {
        Failure::Exited(log)
    }
}

/// Where a node hears the others of its cluster: old servers cannot be told.
pub(super) fn bus_port(program: &Path, port: u16) -> u16 {
    if major_version(program) >= 7 {
        ports::free()
    } else {
        port + 10_000
    }
}

/// `Redis server v=7.0.15 …`, `Valkey server v=8.0.1 …`; an unreadable answer counts as new.
fn major_version(program: &Path) -> u32 {
    static MAJOR: OnceLock<u32> = OnceLock::new();
    *MAJOR.get_or_init(|| {
        let output = Command::new(program).arg("--version").output();
        let text = output
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let version = text.split_once("v=").map_or("", |(_, rest)| rest);
        version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok())
            .unwrap_or(u32::MAX)
    })
}

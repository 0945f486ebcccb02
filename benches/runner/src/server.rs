//! A Redis server for one run of one candidate: started on a free port, in a folder of its own, without a file of its data, and killed when it is dropped, also by a panic.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, process, thread};

const PATIENCE: Duration = Duration::from_secs(10);
/// Between asking for a free port and listening on it somebody else may take it.
const ATTEMPTS: usize = 5;

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    pub(crate) fn start() -> Result<Server, String> {
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            match Server::attempt() {
                Ok(server) => return Ok(server),
                Err(why) => reason = why,
            }
        }
        Err(format!("no Redis server: {reason}"))
    }

    fn attempt() -> Result<Server, String> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Relaxed);
        let folder = env::temp_dir().join(format!("bench-redis-{}-{number}", process::id()));
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(failed)?;
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let log = File::create(folder.join("log")).map_err(failed)?;
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| format!("cannot start `redis-server`: {error}"))?;
        let mut server = Server {
            child,
            port,
            folder,
        };
        let start = Instant::now();
        while !server.answers() {
            // Whoever answered on this port must be the one that was started.
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("it ended ({status})"));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("it does not answer on port {port}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Empty but for the server's log; for files of the run.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it is the one that was started, and listens.
    fn answers(&self) -> bool {
        let asked = || {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"INFO server\r\n")?;
            let mut told = [0; 4_096];
            let length = stream.read(&mut told)?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&told[..length]).into_owned())
        };
        let own = format!("process_id:{}\r\n", self.child.id());
        asked().is_ok_and(|told| told.contains(&own))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped, so it is not asked to end. It is gone already or goes now; the folder is the system's to clear if it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

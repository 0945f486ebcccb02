//! A `redis-server` for one run: reached by a socket in a folder of its own, so that no port has to be free.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use crate::run::on_path;

/// A loaded machine may take seconds to start a process.
const START_UP: Duration = Duration::from_secs(20);

static STARTED: AtomicU32 = AtomicU32::new(0);

/// Ends, and its folder with it, when dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    pub(super) fn start() -> Result<Self, String> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // Not in the target folder: the path of a socket has a hundred bytes.
        let folder = env::temp_dir().join(format!("xtask-redis-{}-{number}", process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let program = ["redis-server", "valkey-server"]
            .into_iter()
            .find_map(on_path);
        let program = program.ok_or("no `redis-server` on PATH")?;
        let child = Command::new(program)
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .args(["--unixsocket", "redis.sock", "--dir"])
            .arg(&folder)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start a Redis server: {error}"))?;
        let server = Self { child, folder };
        let began = Instant::now();
        while UnixStream::connect(server.socket()).is_err() {
            if began.elapsed() > START_UP {
                return Err(format!(
                    "a Redis server does not answer within {START_UP:?}"
                ));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    pub(super) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // All three fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

//! A redis-server of a test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Those of the behaviour tests, which run beside these.
#[path = "../../../../../tests/src/ports.rs"]
mod ports;

pub(super) struct Server {
    child: Child,
    port: u16,
    directory: PathBuf,
    args: Vec<String>,
    password: Option<String>,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::with(&[])
    }

    pub(super) fn with(args: &[&str]) -> Self {
        Self::at(args, |_| true)
    }

    /// A node of a cluster, before it knows of any other. It talks to others at a port 10,000 above its own.
    pub(super) fn node(args: &[&str]) -> Self {
        let bus_is_ours = |port: u16| port < 22_000 && ports::is_ours(port + 10_000);
        Self::at(&[&["--cluster-enabled", "yes"], args].concat(), bus_is_ours)
    }

    fn at(args: &[&str], is_good: impl Fn(u16) -> bool) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cache-tier-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        // Somebody else may take the free port before the server does.
        for _ in 0..5 {
            std::fs::create_dir_all(&directory).unwrap();
            let port = loop {
                let port = ports::free();
                if is_good(port) {
                    break port;
                }
            };
            let mut server = Self {
                child: spawn(port, &directory, &args),
                port,
                directory: directory.clone(),
                args: args.clone(),
                password: None,
            };
            if server.is_ready() {
                return server;
            }
        }
        panic!("redis-server did not start in {}", directory.display());
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The password the test's own commands sign in with.
    pub(super) fn sign_in_with(&mut self, password: &str) {
        self.password = Some(password.to_owned());
    }

    /// Kills it as `kill -9` does.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, empty, on the same port.
    pub(super) fn restart(&mut self) {
        self.child = spawn(self.port, &self.directory, &self.args);
        assert!(self.is_ready(), "redis-server did not come back");
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let done = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(done.unwrap().success());
    }

    /// One command by a connection of its own; the raw answer.
    pub(super) fn ask(&self, words: &[&str]) -> String {
        let mut stream = self.connect().unwrap();
        if let Some(password) = &self.password {
            exchange(&mut stream, &["AUTH", password]);
        }
        exchange(&mut stream, words)
    }

    pub(super) fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(stream)
    }

    /// Asks the server's own log: on its port another test's server may be the one that answers.
    fn is_ready(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            if log.contains("Ready to accept connections") {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn spawn(port: u16, directory: &std::path::Path, args: &[String]) -> Child {
    let _ = std::fs::remove_file(directory.join("log"));
    let started = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(directory)
        .args(["--logfile", "log"])
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.unwrap_or_else(|error| {
        panic!(
            "these tests need `redis-server` on the PATH (apt-get install redis-server): {error}"
        )
    })
}

/// Sends words as a RESP array and reads what came in one go or until it is complete enough to show.
pub(super) fn exchange(stream: &mut TcpStream, words: &[&str]) -> String {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(command.as_bytes()).unwrap();
    let mut answer = vec![0; 1 << 16];
    let mut length = stream.read(&mut answer).unwrap();
    while !answer[..length].ends_with(b"\r\n") {
        length += stream.read(&mut answer[length..]).unwrap();
    }
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

/// Runs one test in a process of its own, with nothing else in it.
pub(super) fn alone(test: &str) -> std::process::ExitStatus {
    let path = format!("{}::{test}", module_path!().rsplit_once("::").unwrap().0);
    let path = path.split_once("::").unwrap().1;
    let this = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", path, "--nocapture"])
        .env(ALONE, "1")
        .stdout(Stdio::null())
        .status();
    this.unwrap()
}

/// Whether this is the process made by [`alone`].
pub(super) fn is_alone() -> bool {
    std::env::var_os(ALONE).is_some()
}

const ALONE: &str = "CACHE_TIER_TEST_ALONE";

/// Starts to record commands.
pub(super) fn monitor(server: &Server) -> TcpStream {
    let mut stream = server.connect().unwrap();
    exchange(&mut stream, &["MONITOR"]);
    stream
}

/// The recorded lines up to one with this text, without those of scripts and of the supervisor's ping.
pub(super) fn lines_until(monitor: TcpStream, text: &str) -> Vec<String> {
    let lines = std::io::BufRead::lines(std::io::BufReader::new(monitor)).map(Result::unwrap);
    lines
        .take_while(|line| !line.contains(text))
        .filter(|line| !line.contains(" lua] ") && !line.contains("\"PING\""))
        .collect()
}

/// Forwards to a server, and counts how often a client begins to ask after it was answered.
pub(super) struct Tap {
    port: u16,
    trips: Arc<AtomicUsize>,
}

impl Tap {
    /// `cut` closes the connection when a client says so.
    pub(super) fn before(server: &Server, cut: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let trips = Arc::new(AtomicUsize::new(0));
        let (counted, target) = (Arc::clone(&trips), server.port());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
                let answered = Arc::new(AtomicBool::new(true));
                let heard = Arc::clone(&answered);
                copy(&server, &client, move |_| {
                    heard.store(true, Ordering::SeqCst);
                    true
                });
                let counted = Arc::clone(&counted);
                copy(&client, &server, move |said| {
                    let is_ping = said == b"*1\r\n$4\r\nPING\r\n";
                    if !is_ping && answered.swap(false, Ordering::SeqCst) {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                    !cut.is_some_and(|cut| String::from_utf8_lossy(said).contains(cut))
                });
            }
        });
        Self { port, trips }
    }

    pub(super) async fn tier(&self) -> super::RedisTier {
        let url = format!("redis://127.0.0.1:{}", self.port);
        let endpoint = crate::tiers::redis::parse(&url).unwrap();
        let tier = super::RedisTier::new("shop", endpoint, super::limits(8));
        let connected = super::Tier::connected_within(&tier, Duration::from_secs(5)).await;
        assert!(connected);
        tier
    }

    pub(super) fn trips(&self) -> usize {
        self.trips.load(Ordering::SeqCst)
    }
}

/// Copies what one side says as long as `pass` lets it.
fn copy(from: &TcpStream, to: &TcpStream, pass: impl Fn(&[u8]) -> bool + Send + 'static) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if !pass(&buffer[..length]) || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(std::net::Shutdown::Both);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}

/// What is said on the channel of the cache `shop`.
pub(super) struct Ear(std::io::BufReader<TcpStream>);

impl Ear {
    pub(super) fn at(server: &Server) -> Self {
        let mut stream = server.connect().unwrap();
        exchange(&mut stream, &["SUBSCRIBE", CHANNEL]);
        Self(std::io::BufReader::new(stream))
    }

    /// Everything that was said until now and not yet heard.
    pub(super) fn heard(&mut self, server: &Server) -> Vec<crate::bus::Message> {
        const END: &[u8] = b"the end";
        server.ask(&["PUBLISH", CHANNEL, "the end"]);
        let mut heard = Vec::new();
        loop {
            let message = self.message();
            if message == END {
                return heard;
            }
            assert!(message.len() <= 64 * 1024, "{}", message.len());
            heard.push(crate::bus::Message::decode(&message).unwrap());
        }
    }

    /// `*3`, then `message`, the channel and the text, each with its length in front.
    fn message(&mut self) -> Vec<u8> {
        assert_eq!(self.line(), "*3");
        let mut part = Vec::new();
        for _ in 0..3 {
            let length = self.line().trim_start_matches('$').parse::<usize>();
            part = vec![0; length.unwrap() + 2];
            self.0.read_exact(&mut part).unwrap();
        }
        part.truncate(part.len() - 2);
        part
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut self.0, &mut line).unwrap();
        line.trim_end().to_owned()
    }
}

const CHANNEL: &str = "shop:#bus";

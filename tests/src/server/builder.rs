//! What a test may ask of its server.

use std::sync::Mutex;

use super::certificates::{Certificates, Flaw};
use super::endpoint::Endpoint;
use super::process::{self, Failure, Launch};
use super::{RedisServer, program};
use crate::ports;

/// How often another port is tried when somebody was faster.
const ATTEMPTS: usize = 10;

/// A server to start.
#[derive(Debug, Default)]
pub struct Builder {
    password: Option<String>,
    tls: bool,
    certificates: Option<Certificates>,
    flaw: Option<Flaw>,
    unix_socket: bool,
    cluster: bool,
    sentinel: Option<String>,
    arguments: Vec<String>,
}

impl Builder {
    /// Clients must authenticate with this password; letters and digits, since it becomes part of URLs.
    pub fn password(mut self, password: &str) -> Builder {
        assert!(
            password.chars().all(|c| c.is_ascii_alphanumeric()),
            "the password is written into URLs as it is"
        );
        self.password = Some(password.to_owned());
        self
    }

    /// Also listens with TLS, under a certificate for `localhost` and 127.0.0.1 of an authority of its own.
    pub fn tls(mut self) -> Builder {
        self.tls = true;
        self
    }

    /// The same, with a certificate that nobody should accept.
    pub fn tls_with(mut self, flaw: Flaw) -> Builder {
        self.flaw = Some(flaw);
        self.tls()
    }

    /// The same, with certificates that others have as well.
    pub(super) fn tls_of(mut self, certificates: Certificates) -> Builder {
        self.certificates = Some(certificates);
        self.tls()
    }

    /// Starts a Sentinel instead, with these lines in the file that it reads and rewrites.
    pub(super) fn sentinel(mut self, lines: &str) -> Builder {
        self.sentinel = Some(lines.to_owned());
        self
    }

    /// Starts a node that may become part of a cluster.
    pub(super) fn cluster(mut self) -> Builder {
        self.cluster = true;
        self
    }

    /// Also listens on a unix socket in the server's folder.
    pub fn unix_socket(mut self) -> Builder {
        self.unix_socket = true;
        self
    }

    /// Arguments for the command line of `redis-server`, such as `["--maxclients", "3"]`.
    pub fn args<A: AsRef<str>>(mut self, arguments: &[A]) -> Builder {
        self.arguments.extend(
            arguments
                .iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    /// If it does not come up, with what it logged.
    pub async fn start(self) -> RedisServer {
        for _ in 0..ATTEMPTS {
            let endpoint = Endpoint::new(ports::free(), self.password.as_deref());
            let launch = self.launch(endpoint.port);
            match process::start(&launch, &endpoint).await {
                Ok(process) => {
                    return RedisServer {
                        launch,
                        endpoint,
                        process: Mutex::new(Some(process)),
                    };
                }
                Err(Failure::PortTaken) => {}
                Err(failure) => panic!("redis-server does not start: {failure}"),
            }
        }
        panic!("{ATTEMPTS} ports in a row were taken by somebody else");
    }

    fn launch(&self, port: u16) -> Launch {
        let folder = tempfile::Builder::new()
            .prefix("redis-")
            .tempdir()
            .expect("the temporary folder is writable");
        let certificates = self.tls.then(|| {
            let shared = self.certificates.clone();
            shared.unwrap_or_else(|| Certificates::flawed(folder.path(), self.flaw))
        });
        let sentinel = self.sentinel.as_ref().map(|lines| {
            let file = folder.path().join("sentinel.conf");
            std::fs::write(&file, lines).expect("the server's folder is writable");
            file
        });
        let program = program();
        let tls = certificates.map(|certificates| (ports::free(), certificates));
        let bus_port = self.cluster.then(|| {
            let base = tls.as_ref().map_or(port, |(port, _)| *port);
            process::bus_port(&program, base)
        });
        Launch {
            program,
            tls,
            bus_port,
            unix_socket: self.unix_socket.then(|| folder.path().join("redis.sock")),
            sentinel,
            arguments: self.arguments.clone(),
            folder,
        }
    }
}

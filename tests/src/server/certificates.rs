//! A certificate authority for one server, or for several that belong together: made when they start, gone with its folder.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// What is wrong with a certificate, though the authority has signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its time is over.
    Expired,
    /// It is that of another host.
    OfAnotherHost,
}

/// The files a server with TLS is started with.
#[derive(Clone, Debug)]
pub(super) struct Certificates {
    pub(super) authority: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Certificates {
    /// Signs a certificate for `localhost` and 127.0.0.1 and writes it beside the authority's.
    pub(super) fn write_to(folder: &Path) -> Certificates {
        Certificates::flawed(folder, None)
    }

    /// The same with something wrong about it.
    pub(super) fn flawed(folder: &Path, flaw: Option<Flaw>) -> Certificates {
        let (authority, certificate, key) =
            sign(flaw).expect("parameters that do not vary can be signed");
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("the server's folder is writable");
            path
        };
        Certificates {
            authority: file("authority.pem", authority),
            certificate: file("certificate.pem", certificate),
            key: file("key.pem", key),
        }
    }
}

/// Files that several servers share, in a folder of their own.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) files: Certificates,
    _folder: tempfile::TempDir,
}

impl Shared {
    pub(super) fn make() -> Shared {
        let folder = tempfile::Builder::new().prefix("authority-").tempdir();
        let folder = folder.expect("the temporary folder is writable");
        Shared {
            files: Certificates::write_to(folder.path()),
            _folder: folder,
        }
    }
}

fn sign(flaw: Option<Flaw>) -> Result<(String, String, String), rcgen::Error> {
    let mut parameters = CertificateParams::default();
    // Under the name that every certificate has by default, OpenSSL takes what it signs for self-signed.
    let name = "the authority of a test";
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = match flaw {
        Some(Flaw::OfAnotherHost) => vec!["elsewhere.example".to_owned()],
        _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
    };
    let mut parameters = CertificateParams::new(names)?;
    if flaw == Some(Flaw::Expired) {
        parameters.not_before = rcgen::date_time_ymd(2001, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let certificate = parameters.signed_by(&key, &authority)?;
    Ok((authority.pem(), certificate.pem(), key.serialize_pem()))
}

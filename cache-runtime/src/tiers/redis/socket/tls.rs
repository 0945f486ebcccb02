//! The cryptography behind `rediss://`.
//!
//! rustls panics when it has to guess: when the crates of a program enable two providers, or none, and
//! nobody chose. If nobody did, we choose ring for the process, before the first connection.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Speaks TLS with whom the certificate names.
pub(super) async fn secure(host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    choose_provider();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots().await?)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// The system's, read anew because they may have changed. One that cannot be read is of no use, and no reason to trust none.
async fn roots() -> io::Result<RootCertStore> {
    let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
    let found = read.await.map_err(io::Error::other)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    match found.errors.into_iter().next() {
        Some(error) if roots.is_empty() => Err(io::Error::other(error)),
        _ => Ok(roots),
    }
}

/// Makes sure a provider is chosen.
fn choose_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Lost a race: then another has chosen, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

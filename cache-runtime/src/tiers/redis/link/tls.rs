//! The cryptography behind `rediss://`.
//!
//! rustls panics when it has to guess: when the crates of a program enable two providers, or none, and
//! nobody chose. If nobody did, we choose ring for the process, before the first connection.

/// Makes sure a provider is chosen.
pub(in crate::tiers::redis) fn choose_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Lost a race: then another has chosen, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

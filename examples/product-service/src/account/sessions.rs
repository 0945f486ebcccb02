//! Where sessions are, and the cookie that names one.

use cache_http::session::SessionStore;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::config::Config;

/// Under which a session has the id of its user: the store lists and revokes by it.
pub(super) const USER: &str = "user";
/// And the name.
pub(super) const NAME: &str = "name";

/// Around the routes that know who is asking.
pub(crate) fn layer(store: &SessionStore, config: &Config) -> SessionManagerLayer<SessionStore> {
    let life = Duration::try_from(config.session).expect("the configuration has bounded it");
    SessionManagerLayer::new(store.clone())
        .with_name("session")
        // Not sent with requests that other sites make a browser send.
        .with_same_site(SameSite::Strict)
        .with_http_only(true)
        .with_secure(config.secure_cookies)
        // Counted from the last change, which is the login: reading a session does not write it.
        .with_expiry(Expiry::OnInactivity(life))
}

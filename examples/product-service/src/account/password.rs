//! Checking a password, which is slow on purpose.

use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use tokio::sync::Semaphore;

/// Each check takes 19 MiB and a core for tens of milliseconds: who sends passwords by the thousand must not take the machine.
const AT_ONCE: usize = 2;

/// Of no password: who asks for a name that there is not waits as long as for one that there is.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cqIgxIAc2AiGKuaCPm7skA$PWFg1Kk3YNU00eYQ/5KbxiYXOJjKf/jm7nlSirRwxQU";

/// Checks passwords, a few at a time.
#[derive(Clone, Debug)]
pub(super) struct Passwords {
    permits: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new() -> Passwords {
        Passwords {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Whether the hash is of this password; never, if there is no hash.
    pub(super) async fn is_right(&self, password: String, hash: Option<String>) -> bool {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let checked = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also when nobody waits for it any more.
            let _permit = permit.expect("it is never closed");
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let right = PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            });
            known && right
        });
        checked.await.unwrap_or(false)
    }
}

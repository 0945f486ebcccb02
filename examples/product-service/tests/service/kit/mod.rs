//! Processes of the service, and a client that adds nothing of its own to a request.

mod client;
mod instance;

pub(crate) use self::client::Client;
pub(crate) use self::instance::{Instance, Settings};

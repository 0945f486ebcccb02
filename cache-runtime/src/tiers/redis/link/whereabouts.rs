//! Where the link connects, attempt by attempt.

use std::sync::Arc;

use super::super::endpoint::{Address, Endpoint, Topology};
use super::super::sentinel::Council;

/// Where the server is.
pub(super) enum Whereabouts {
    /// Always there.
    Known(Arc<Address>),
    /// Where these say.
    Asked(Council),
}

impl Whereabouts {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        match &endpoint.topology {
            // To a cluster there is a link for each primary, with the address of that one.
            Topology::Cluster(seeds) => Self::Known(Arc::new(seeds[0].clone())),
            Topology::One(address) => Self::Known(Arc::new(address.clone())),
            Topology::Sentinels(sentinels) => Self::Asked(Council::new(endpoint, sentinels)),
        }
    }

    /// Where to connect now.
    pub(super) async fn find(&self) -> Result<Arc<Address>, String> {
        match self {
            Self::Known(address) => Ok(Arc::clone(address)),
            Self::Asked(council) => council.find().await.map(Arc::new),
        }
    }

    /// Waits until the server is not the one to talk to any more, and says why. A server that stays where it is never is.
    pub(super) async fn left(&self, present: &Address, cache: &str) -> String {
        match self {
            Self::Known(_) => std::future::pending().await,
            Self::Asked(council) => {
                let other = council.elsewhere(present, cache).await;
                let primary = council.primary().escape_debug();
                format!("the Sentinels name {other} as the primary `{primary}`, not {present}")
            }
        }
    }

    /// Why there is no connection to this address.
    pub(super) fn explain(&self, address: &Address, why: String) -> String {
        match self {
            Self::Known(_) => why,
            Self::Asked(council) => {
                let primary = council.primary().escape_debug();
                format!("{address}, which the Sentinels name as the primary `{primary}`: {why}")
            }
        }
    }
}

//! What every shared tier has to do, on a server for each check.

use std::sync::Arc;

use super::{
    super::{RedisTier, parse},
    Server,
};
use crate::tiers::Tier;

crate::tier_conformance!({
    let server = Server::start();
    move |cache: &str| -> Arc<dyn Tier> {
        let endpoint = parse(&server.url()).expect("the server's own address");
        Arc::new(RedisTier::new(cache, endpoint, super::limits(1024)))
    }
});

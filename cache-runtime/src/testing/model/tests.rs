//! The model does what every shared tier has to do.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::ModelRedis;
use crate::tier::Tier;

mod conformance {
    crate::tier_conformance!(super::store());
}

/// One model for each cache's name.
fn store() -> impl Fn(&str) -> Arc<dyn Tier> + Send + Sync {
    let models: Mutex<HashMap<String, ModelRedis>> = Mutex::default();
    move |cache: &str| {
        let mut models = models.lock().unwrap_or_else(PoisonError::into_inner);
        models.entry(cache.to_owned()).or_default().tier()
    }
}

//! What a value must be, beyond being readable. All broken rules are told at once.

use serde::Serialize;
use utoipa::ToSchema;

/// A value with rules.
pub trait Validate {
    /// Says which of them are broken.
    fn check(&self, checks: &mut Checks);
}

/// The rules that are broken.
#[derive(Debug, Default)]
pub struct Checks {
    pub(crate) failed: Vec<Failed>,
}

/// A broken rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failed {
    /// Of the body or the query.
    pub field: &'static str,
    /// What it has to be.
    pub rule: &'static str,
}

impl Checks {
    /// Notes the rule if it is broken.
    pub fn that(&mut self, kept: bool, field: &'static str, rule: &'static str) {
        if !kept {
            self.failed.push(Failed { field, rule });
        }
    }
}

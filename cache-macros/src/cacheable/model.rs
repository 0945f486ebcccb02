//! What an annotated function becomes, as data.

use crate::fragments::key::KeyPlan;
use crate::fragments::owned::Owned;
use crate::fragments::tags::Tags;
use crate::options::Options;
use crate::paths::Door;
use crate::source::Input;
use crate::source::function::Function;
use crate::source::value::template::Kind;

/// A function to cache.
pub(super) struct Cacheable<'a> {
    pub(super) function: &'a Function,
    pub(super) options: &'a Options,
    pub(super) door: Door,
    pub(super) key: KeyPlan,
    pub(super) tags: Tags,
    /// What a load needs that may go on without the call.
    pub(super) owned: Option<Owned>,
}

impl<'a> Cacheable<'a> {
    pub(super) fn of(input: &'a Input) -> Self {
        let (function, options) = (&input.function, &input.options);
        let secret = options.names("secret");
        let key = match options.templates("key") {
            [template, ..] => KeyPlan::of(template, Kind::Key, secret, false),
            [] => KeyPlan::default(&function.arguments, options.names("skip"), secret),
        };
        let key = key.scoped(options.templates("scope").first(), secret);
        Self {
            function,
            options,
            door: Door::of_body(options.root()),
            tags: Tags::of(options, &function.arguments, Some(&key)),
            owned: Owned::of(input),
            key,
        }
    }
}

//! Tags: labels of an entry, by which it is evicted together with others.
//!
//! They are rendered on a miss only, before the body takes the arguments: a hit pays nothing for them. The static tells what tags
//! the site gives, so that an entry of a build that knew fewer is not taken for one that has them all.

use proc_macro2::TokenStream;

use super::key::{KeyPlan, late};
use crate::names::generated;
use crate::options::Options;
use crate::paths::Door;
use crate::source::value::template::Kind;

/// The tags of a function that stores.
pub(crate) struct Tags {
    plans: Vec<KeyPlan>,
    /// There are more, in the value.
    from_value: bool,
}

impl Tags {
    pub(crate) fn of(options: &Options) -> Self {
        let secret = options.names("secret");
        let templates = options.templates("tags").iter();
        Self {
            plans: templates
                .map(|template| KeyPlan::of(template, Kind::Tag, secret, true))
                .collect(),
            from_value: options.name("tags_from").is_some(),
        }
    }

    /// The call on the site.
    pub(crate) fn of_site(&self) -> Option<TokenStream> {
        if self.plans.is_empty() && !self.from_value {
            return None;
        }
        let (templates, late) = (self.plans.iter().map(KeyPlan::blanked), self.are_late());
        Some(generated! { .tags(&[#(#templates),*], #late) })
    }

    /// `mut`, if tags are written into what it stands before.
    pub(crate) fn mutable(&self) -> Option<TokenStream> {
        (!self.plans.is_empty()).then(|| generated! { mut })
    }

    /// The statements that render them into `on`.
    pub(crate) fn render(&self, on: &TokenStream, p: &Door) -> TokenStream {
        let tag = |plan: &KeyPlan| {
            let render = plan.render(p);
            generated! { #on.tag(#render); }
        };
        self.plans.iter().map(tag).collect()
    }

    /// The call on the hooks that fills what waited for the value.
    pub(crate) fn hook(&self) -> Option<TokenStream> {
        let waits = self.plans.iter().any(KeyPlan::has_holes);
        let fill = waits.then(|| late(&self.plans))?;
        Some(generated! { .late_tags(#fill) })
    }

    fn are_late(&self) -> bool {
        self.from_value || self.plans.iter().any(KeyPlan::has_holes)
    }
}

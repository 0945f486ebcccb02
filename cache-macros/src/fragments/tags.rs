//! Tags: labels of an entry, by which it is evicted together with others.
//!
//! They are rendered on a miss, before the body takes the arguments. A hit needs an entry that carries every tag this call would give it. Where
//! the key tells them (a tag is literal, or its values stand in the key or the scope, or are computed of such as [`computed`](super::computed) says),
//! functions of one key that spell their tags alike give the same, so a fingerprint of the spelling decides and a hit pays nothing. Else the lookup
//! renders them as well.

use proc_macro2::{Ident, TokenStream};

use super::computed::pinned;
use super::key::{KeyPlan, late};
use crate::names::generated;
use crate::options::Options;
use crate::paths::Door;
use crate::source::arguments::Arguments;
use crate::source::value::template::Kind;

/// The tags of a function that stores.
pub(crate) struct Tags {
    plans: Vec<KeyPlan>,
    /// The templates with their placeholders blanked: those rendered before the body, then those that wait for the value.
    known: Vec<String>,
    waiting: Vec<String>,
    /// The key does not tell them.
    by_argument: bool,
    /// The types that those are computed in which the key tells.
    computed_in: Vec<Ident>,
    /// There are more, in the value.
    from_value: bool,
}

impl Tags {
    /// The tags of entries under `key`.
    pub(crate) fn of(options: &Options, arguments: &Arguments, key: Option<&KeyPlan>) -> Self {
        let secret = options.names("secret");
        let templates = options.templates("tags").iter();
        let plans: Vec<_> = templates
            .map(|template| KeyPlan::of(template, Kind::Tag, secret, true))
            .collect();
        let (waiting, known): (Vec<_>, Vec<_>) = plans.iter().partition(|plan| plan.has_holes());
        let blank = |plan: &&KeyPlan| plan.blanked_beside(key, arguments);
        let blanked = |plans: &[&KeyPlan]| plans.iter().map(blank).collect();
        let told = |plan: &KeyPlan| plan.told_by(key, arguments).collect::<Vec<_>>();
        Self {
            by_argument: known
                .iter()
                .flat_map(|plan| told(plan))
                .any(|it| it.is_none()),
            computed_in: plans
                .iter()
                .flat_map(told)
                .flatten()
                .flat_map(|it| it.types)
                .collect(),
            known: blanked(&known),
            waiting: blanked(&waiting),
            from_value: options.name("tags_from").is_some(),
            plans,
        }
    }

    /// The call on the site.
    pub(crate) fn of_site(&self) -> Option<TokenStream> {
        let (known, waiting) = (&self.known, &self.waiting);
        if !waiting.is_empty() || self.from_value {
            return Some(generated! { .late_tags(&[#(#known),*], &[#(#waiting),*]) });
        }
        (!known.is_empty()).then(|| generated! { .tags(&[#(#known),*]) })
    }

    /// What has to hold for the blanked templates to mean what they say, as items.
    pub(crate) fn pins(&self) -> TokenStream {
        pinned(&self.computed_in)
    }

    /// What a lookup asks of an entry beside its key: the name of the method, and the closure that renders the tags for it.
    pub(crate) fn of_lookup(&self, p: &Door) -> (TokenStream, Option<TokenStream>) {
        if !self.by_argument {
            return (generated! { lookup }, None);
        }
        let render = rendered(self.known(), &generated! { __tags }, p);
        (
            generated! { lookup_tagged },
            Some(generated! { , |__tags: &mut #p::TagBuf| { #render } }),
        )
    }

    /// What is rendered after a lookup, into `on`: `mut` if there is anything, and the statements.
    pub(crate) fn after_lookup(
        &self,
        on: &TokenStream,
        p: &Door,
    ) -> (Option<TokenStream>, TokenStream) {
        let left = |plan: &&KeyPlan| !self.by_argument || plan.has_holes();
        rendered_into(self.plans.iter().filter(left), on, p)
    }

    /// All of them, rendered into `on`: `mut` if there are any, and the statements.
    pub(crate) fn render(&self, on: &TokenStream, p: &Door) -> (Option<TokenStream>, TokenStream) {
        rendered_into(self.plans.iter(), on, p)
    }

    /// The call on the hooks that fills what waited for the value.
    pub(crate) fn hook(&self) -> Option<TokenStream> {
        let fill = (!self.waiting.is_empty()).then(|| late(&self.plans))?;
        Some(generated! { .late_tags(#fill) })
    }

    fn known(&self) -> impl Iterator<Item = &KeyPlan> {
        self.plans.iter().filter(|plan| !plan.has_holes())
    }
}

fn rendered_into<'a>(
    plans: impl Iterator<Item = &'a KeyPlan>,
    on: &TokenStream,
    p: &Door,
) -> (Option<TokenStream>, TokenStream) {
    let render = rendered(plans, on, p);
    ((!render.is_empty()).then(|| generated! { mut }), render)
}

/// The statements that render tags into `on`.
fn rendered<'a>(
    plans: impl Iterator<Item = &'a KeyPlan>,
    on: &TokenStream,
    p: &Door,
) -> TokenStream {
    let tag = |plan: &KeyPlan| {
        let render = plan.render(p);
        generated! { #on.tag(#render); }
    };
    plans.map(tag).collect()
}

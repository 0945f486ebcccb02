//! Putting the fragments together.

use proc_macro2::TokenStream;

use crate::fragments::key::{KeyPlan, late};
use crate::fragments::{body, call, policy, shape};
use crate::names::{generated, site};
use crate::paths::Door;
use crate::source::Input;
use crate::source::value::template::Kind;

pub(super) fn expand(input: &Input) -> TokenStream {
    let (function, p) = (&input.function, &Door::of_body(input.options.root()));
    let targets = targets(input);
    let plan = plan(input, &targets, p);
    let (late, load) = (
        late(targets.iter().map(|(_, plan)| plan)),
        body::load(function),
    );
    let statements = if let Some(output) = function.returns.inferred() {
        let shape = shape::shape_around_holes(&output, p);
        generated! {
            #plan
            #shape
            let __out: #output = #load.await;
            __guard.finish(__shape.ok(&__out), #late).await;
            __out
        }
    } else {
        generated! {
            #plan
            let __out = #load.await;
            __guard.finish(#p::Opaque.ok(&__out), #late).await;
            __out
        }
    };
    body::around(function, p, statements)
}

/// What is evicted by template, in the order in which it was written.
fn targets(input: &Input) -> Vec<(Kind, KeyPlan)> {
    let (options, secret) = (&input.options, input.options.names("secret"));
    let scope = super::scope_of_keys(options);
    let target = |(kind, template)| {
        let plan = KeyPlan::of(template, kind, secret, true);
        let scope = scope.filter(|_| kind == Kind::Key);
        (kind, plan.scoped(scope, secret))
    };
    super::targets(options).map(target).collect()
}

/// From the site to the armed guard.
fn plan(input: &Input, targets: &[(Kind, KeyPlan)], p: &Door) -> TokenStream {
    let (site, name) = (site(), call::site_name(&input.function));
    let (cache, condition) = (
        call::cache(&input.options, p),
        call::condition(&input.options),
    );
    let targets = targets.iter().map(|(kind, plan)| {
        let (template, render) = (plan.blanked(), plan.render(p));
        match kind {
            Kind::Key => generated! { __plan.key(#template, #render); },
            Kind::Pattern => generated! { __plan.pattern(#render); },
            Kind::Tag => generated! { __plan.tag(#render); },
            Kind::Region => generated! { __plan.region(#render); },
            Kind::Scope => generated! { __plan.scope(#render); },
        }
    });
    let how = how(input, p);
    generated! {
        static #site: #p::EvictSite = #p::EvictSite::new(#name);
        let mut __plan = #p::EvictPlan::new(&#site, #cache, #condition);
        __plan.of(#p::instance(&|| {}));
        #(#targets)*
        #how
        let __guard = __plan.arm();
    }
}

/// The options that are no template.
fn how(input: &Input, p: &Door) -> TokenStream {
    let given = |name, call: TokenStream| input.options.name(name).map(|_| call);
    let all = given("all", generated! { __plan.all(); });
    let hold = input.options.duration("hold").map(|span| {
        let length = policy::length(span, p);
        generated! { __plan.hold(#length); }
    });
    let expire = given("expire", generated! { __plan.expire(); });
    let always = given("always", generated! { __plan.always(); });
    let before = given("before", generated! { __plan.before().await; });
    generated! { #all #expire #hold #always #before }
}

//! Putting the fragments together.
//!
//! Two phases: `lookup` with everything that borrows the arguments, then on a miss `fill` with the body that takes them. `__found`
//! is bound by `let`, so that a guard in the user's `cache` expression is gone before anything is awaited.

use proc_macro2::TokenStream;

use super::model::Cacheable;
use crate::fragments::{body, call, policy, shape};
use crate::names::{generated, site};

pub(super) fn expand(model: &Cacheable<'_>) -> TokenStream {
    let (p, function, options) = (&model.door, model.function, model.options);
    let head = head(model);
    let (cache, condition) = (call::cache(options, p), call::condition(options));
    let (site, render) = (site(), model.key.render(p));
    let (policy, hooks) = (policy::of_call(options, p), policy::hooks(options));
    let (lookup, demand) = model.tags.of_lookup(p);
    let (mutable, tags) = model.tags.after_lookup(&generated! { __miss }, p);
    let late_tags = model.tags.hook();
    let told = call::told(options);
    let found = generated! {
        let __found = __ready.#lookup(#p::Call::new(&#site, #cache, __instance)#told, #condition, #render #demand);
    };
    let ready = generated! {
        #tags
        let __policy = #policy;
        let __hooks = #hooks #late_tags;
    };
    let fill = match &model.owned {
        Some(owned) => owned.filled(options, &generated! { #found #ready }, p),
        None => {
            let load = body::load(function);
            generated! { __ready.fill(__miss, __policy, __hooks, __share, #load).await }
        }
    };
    let statements = generated! {
        #head
        #found
        match __found {
            #p::Found::Hit(__value) => __ready.join(__value),
            #p::Found::Miss(#mutable __miss) => {
                #ready
                #fill
            }
        }
    };
    let outside = model
        .owned
        .as_ref()
        .map_or(function, |owned| &owned.function);
    body::around(outside, p, statements)
}

/// The site, the shape of the value, the way of errors: all that depends on no argument.
fn head(model: &Cacheable<'_>) -> TokenStream {
    let (p, function) = (&model.door, model.function);
    let (site, name, template) = (site(), call::site_name(function), model.key.blanked());
    let (policy, tags) = (policy::constant(model.options, p), model.tags.of_site());
    let (pins, watched) = (model.tags.pins(), policy::watched(model.options));
    let (shape, ready) = (
        shape::shape(&function.returns.output, p),
        shape::ready(function),
    );
    let share = shape::share(model.options, &function.returns, p);
    generated! {
        static #site: #p::Site = #p::Site::new(#name, #template, #policy)#tags #watched;
        #pins
        #shape
        #ready
        let __share = #share;
        let __instance = #p::instance(&|| {});
    }
}

//! Putting the fragments together.

use proc_macro2::TokenStream;

use crate::fragments::key::{KeyPlan, late};
use crate::fragments::tags::Tags;
use crate::fragments::{body, call, policy, shape};
use crate::names::{generated, site};
use crate::paths::Door;
use crate::source::Input;
use crate::source::value::template::Kind;

pub(super) fn expand(input: &Input) -> TokenStream {
    let (function, options, p) = (
        &input.function,
        &input.options,
        &Door::of_body(input.options.root()),
    );
    // Without a readable key the expansion is thrown away: the error has been reported.
    let plans: Vec<_> = options
        .templates("key")
        .iter()
        .map(|template| {
            let secret = options.names("secret");
            let key = KeyPlan::of(template, Kind::Key, secret, true);
            key.scoped(options.templates("scope").first(), secret)
        })
        .collect();
    let tags = Tags::of(options, &function.arguments, plans.first());
    let (render, late) = (plans.first().map(|plan| plan.render(p)), late(&plans));
    let template = plans.first().map_or_else(String::new, KeyPlan::blanked);
    let head = head(input, p, &template, &tags);
    let (cache, condition) = (call::cache(options, p), call::condition(options));
    let (site, policy, hooks) = (site(), policy::of_call(options, p), policy::hooks(options));
    let (mutable, rendered) = tags.render(&generated! { __plan }, p);
    let late_tags = tags.hook();
    let (output, load) = (&function.returns.output, body::load(function));
    let statements = generated! {
        #head
        let #mutable __plan = __ready.put(#p::Call::new(&#site, #cache, __instance), #condition, #render);
        #rendered
        let __policy = #policy;
        let __hooks = #hooks #late_tags;
        let mut __put = __plan.begin().await;
        let __out: #output = __put.during(#load).await;
        __ready.finish_put(__put, __policy, __hooks, __out, #late).await
    };
    body::around(function, p, statements)
}

fn head(input: &Input, p: &Door, template: &str, tags: &Tags) -> TokenStream {
    let (site, name) = (site(), call::site_name(&input.function));
    let (policy, pins) = (policy::constant(&input.options, p), tags.pins());
    let tags = tags.of_site();
    let (shape, ready) = (
        shape::shape(&input.function.returns.output, p),
        shape::ready(&input.function),
    );
    generated! {
        static #site: #p::Site = #p::Site::new(#name, #template, #policy)#tags;
        #pins
        #shape
        #ready
        let __instance = #p::instance(&|| {});
    }
}

//! A load that may go on without its call, or begin without one: owned arguments, and the body as a closure over them.
//!
//! The closure captures nothing, so it runs again for every load, with a copy of the arguments; what the signature promised the body as a
//! reference is lent to each run.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, PatIdent, Signature, TypeParamBound};

use super::call::borrowed;
use super::key::underscore;
use super::renamed::{receiver, renamed};
use super::{body, shape};
use crate::names::generated;
use crate::options::Options;
use crate::paths::Door;
use crate::source::Input;
use crate::source::function::Function;
use crate::source::owned::{Binding, Passed, bindings};
use crate::source::returns::Delivery;
use crate::source::value::placeholder::in_tokens;

/// The longest tuple that is `Clone`.
const LONGEST: usize = 12;

/// A function whose loads may outlive their calls.
pub(crate) struct Owned {
    /// As it is seen from inside the closure.
    pub(crate) function: Function,
    kept: Vec<Binding>,
    /// The option that asks for it: a body that cannot be sent is shown there.
    shown: Span,
}

impl Owned {
    /// `None` if no option asks for it.
    pub(crate) fn of(input: &Input) -> Option<Self> {
        let option = input.options.outliving()?;
        let mut function = input.function.clone();
        let arguments = function.sig.inputs.iter();
        // What cannot be kept has been reported, and the expansion is thrown away.
        let kept = arguments.flat_map(|argument| bindings(option, argument).unwrap_or_default());
        let kept: Vec<_> = kept.collect();
        let lifetimes: Vec<_> = function
            .sig
            .generics
            .lifetimes()
            .map(|named| named.lifetime.ident.clone())
            .collect();
        if function.arguments.receiver.is_some() || !lifetimes.is_empty() {
            function.body = renamed(function.body, &lifetimes);
        }
        if let Delivery::Boxed(whole) = &mut function.returns.delivery {
            AnonymousBounds.visit_type_mut(whole);
        }
        without_mut(&mut function.sig);
        Some(Self {
            function,
            kept,
            shown: Span::mixed_site().located_at(option.span()),
        })
    }

    /// The load; `before` is what else uses the arguments.
    pub(crate) fn filled(&self, options: &Options, before: &TokenStream, p: &Door) -> TokenStream {
        let arguments = self.arguments(p);
        let load = self.load(before, p);
        let timeout = timeout(options, &self.function);
        let check = Ident::new("error_can_be_sent", shape::shown_at_error(&self.function));
        let fill = quote_spanned! { self.shown =>
            __ready.fill_owned(__miss, __policy, __hooks, __share, #timeout, __owned, #load).await
        };
        generated! {
            #arguments
            let __ready = __ready.#check();
            #fill
        }
    }

    /// The statement that owns the arguments.
    fn arguments(&self, p: &Door) -> TokenStream {
        let names = self.kept.iter().map(|kept| kept.name.to_token_stream());
        let lints = names.filter_map(|name| underscore(&name)).next();
        let arguments = nested(self.kept.iter().map(|kept| kept.owned(p)).collect());
        generated! { #lints let __owned = #arguments; }
    }

    /// The body as a closure; what `before` names is used, even if the body does not.
    fn load(&self, before: &TokenStream, p: &Door) -> TokenStream {
        let names = nested(self.kept.iter().map(Binding::parameter).collect());
        let lent = self.kept.iter().map(|kept| kept.lent(p));
        let used: Vec<_> = self
            .kept
            .iter()
            .filter(|kept| kept.is_argument() && in_tokens(before.clone(), &kept.name.to_string()))
            .map(|kept| &kept.name)
            .collect();
        let used = (!used.is_empty()).then(|| generated! { let _ = (#(&#used,)*); });
        let statements = body::statements(&self.function);
        quote_spanned! { self.shown => |#names| async move { #(#lent)* #used #statements } }
    }
}

/// What becomes of a call that gives up.
fn timeout(options: &Options, function: &Function) -> TokenStream {
    let shown = shape::shown_at_error(function);
    if let Some(make) = options.expression("on_timeout") {
        let setter = Ident::new("on_timeout", shown);
        generated! { __ready.#setter(#make) }
    } else if options.name("hard_timeout").is_some() {
        let setter = Ident::new("timeout_into", shown);
        generated! { __ready.#setter() }
    } else {
        generated! { __ready.no_timeout() }
    }
}

impl Binding {
    fn is_argument(&self) -> bool {
        self.name != "self"
    }

    /// The owned form.
    fn owned(&self, p: &Door) -> TokenStream {
        let shown = Span::mixed_site().located_at(self.shown);
        let mut name = self.name.clone();
        name.set_span(name.span().located_at(self.shown));
        let p = p.shown_at(self.shown);
        let argument = match &self.passed {
            Passed::Value => {
                let name = borrowed(&name);
                quote_spanned! { shown => #p::Argument(#name) }
            }
            Passed::Borrowed => quote_spanned! { shown => #p::Argument(#name) },
            Passed::Reference(inside) => {
                quote_spanned! { shown => #p::Reference::<#inside>(#name) }
            }
            Passed::Optional(Some(inside)) => {
                quote_spanned! { shown => #p::OptionalReference::<#inside>(#name) }
            }
            Passed::Optional(None) => quote_spanned! { shown => #p::OptionalReference(#name) },
        };
        quote_spanned! { shown => #argument.can_outlive_the_call() }
    }

    /// The name of the owned form in the closure: the argument's own, where the body gets it as it is.
    fn parameter(&self) -> TokenStream {
        let name = match self.passed {
            Passed::Value if self.is_argument() => self.name.clone(),
            _ => self.kept_name(),
        };
        match (&self.passed, self.mutability) {
            (Passed::Value, mutability) => generated! { #mutability #name },
            _ => name.to_token_stream(),
        }
    }

    /// The statement that lends the owned form to the body.
    fn lent(&self, p: &Door) -> Option<TokenStream> {
        let kept = self.kept_name();
        let lent = match &self.passed {
            Passed::Value => return None,
            Passed::Borrowed => generated! { &#kept },
            Passed::Reference(inside) => generated! { #p::lend::<#inside, _>(&#kept) },
            Passed::Optional(Some(inside)) => generated! { #p::lend_option::<#inside, _>(&#kept) },
            Passed::Optional(None) => generated! { #kept.as_ref() },
        };
        let (mutability, name) = (self.mutability, &self.name);
        Some(if self.is_argument() {
            generated! { let #mutability #name = #lent; }
        } else {
            generated! { let #mutability #kept = #lent; }
        })
    }

    /// A name that the body cannot see.
    fn kept_name(&self) -> Ident {
        if !self.is_argument() {
            return receiver(self.name.span());
        }
        let mut name = self.name.clone();
        name.set_span(Span::mixed_site().located_at(name.span()));
        name
    }
}

/// A tuple, of tuples where it would be too long.
fn nested(items: Vec<TokenStream>) -> TokenStream {
    if items.len() <= LONGEST {
        return generated! { (#(#items,)*) };
    }
    let parts = items.chunks(LONGEST).map(|part| nested(part.to_vec()));
    nested(parts.collect())
}

/// The signature without `mut`: it is the closure's arguments that the body changes.
fn without_mut(sig: &mut Signature) {
    for input in &mut sig.inputs {
        match input {
            FnArg::Receiver(receiver) => receiver.mutability = None,
            FnArg::Typed(typed) => Unchanged.visit_pat_mut(&mut typed.pat),
        }
    }
}

struct Unchanged;

impl VisitMut for Unchanged {
    fn visit_pat_ident_mut(&mut self, name: &mut PatIdent) {
        name.mutability = None;
        visit_mut::visit_pat_ident_mut(self, name);
    }
}

/// The future of a load does not live as long as the caller's arguments, but as long as what is lent to it.
struct AnonymousBounds;

impl VisitMut for AnonymousBounds {
    fn visit_type_param_bound_mut(&mut self, bound: &mut TypeParamBound) {
        match bound {
            TypeParamBound::Lifetime(lifetime) if lifetime.ident != "static" => {
                lifetime.ident = Ident::new("_", lifetime.ident.span());
            }
            _ => visit_mut::visit_type_param_bound_mut(self, bound),
        }
    }
}

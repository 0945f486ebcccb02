//! What a load that outlives its call keeps of each argument.
//!
//! The signature promises the body a `&str`; a load without its caller has a `String` and lends it. Syntax tells which arguments are
//! references and which can never be kept; whether the rest is `Clone + Send + Sync + 'static` is the compiler's to judge.

use proc_macro2::{Ident, Span};
use syn::visit::{self, Visit};
use syn::{FnArg, Pat, PatIdent, PatType, Receiver, ReceiverKind, Token, Type};

use super::Input;
use super::function::first_span;
use super::returns::{inferred, only_argument, ungrouped};
use crate::diagnostics::Errors;

/// One name that the body can see.
pub(crate) struct Binding {
    pub(crate) name: Ident,
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) passed: Passed,
    /// Where it is said that the argument cannot be kept.
    pub(crate) shown: Span,
}

/// How an argument is passed.
pub(crate) enum Passed {
    Value,
    /// `&self`, or a reference to a type that has no name: its owned form is a clone.
    Borrowed,
    /// `&T`
    Reference(Box<Type>),
    /// `Option<&T>`; without a type where that has no name.
    Optional(Option<Box<Type>>),
}

/// What is kept of one argument; `option` is why, for errors.
pub(crate) fn bindings(option: &Ident, argument: &FnArg) -> syn::Result<Vec<Binding>> {
    let attrs = match argument {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(typed) => &typed.attrs,
    };
    if let Some(cfg) = attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        return Err(syn::Error::new_spanned(
            cfg,
            format!(
                "`{option}` keeps every argument, and cannot tell whether this one is there: put the `#[cfg]` on two functions"
            ),
        ));
    }
    match argument {
        FnArg::Receiver(receiver) => of_receiver(option, receiver).map(|kept| vec![kept]),
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Wild(_) => Ok(Vec::new()),
            Pat::Ident(name) if name.subpat.is_none() => {
                let passed = Passed::of(option, &typed.ty)?;
                of_name(option, name, passed, first_span(pointed_to(&typed.ty)))
                    .map(|kept| vec![kept])
            }
            _ => of_pattern(option, typed),
        },
    }
}

/// Reports what a load without its caller cannot keep.
pub(crate) fn check(input: &Input, errors: &mut Errors) {
    let (function, Some(option)) = (&input.function, input.options.outliving()) else {
        return;
    };
    for argument in &function.sig.inputs {
        if let Err(error) = bindings(option, argument) {
            errors.push(error);
        }
    }
    // The value is owned wherever it is cached.
    if let Some(borrow) = function.returns.error().and_then(borrow_in) {
        errors.at(
            borrow,
            format_args!("`{option}` may run the body after the call, when what this borrows is gone: return it owned"),
        );
    }
}

fn of_receiver(option: &Ident, receiver: &Receiver) -> syn::Result<Binding> {
    let instead = "write `&self` with `Self: Clone`, or `self: Arc<Self>`";
    let self_token = receiver.self_token;
    let changed = |span| Err(syn::Error::new(span, message_changed(option, instead)));
    let passed = match &receiver.kind {
        ReceiverKind::Reference(_, _, Some(mutable)) => return changed(mutable.span),
        ReceiverKind::Reference(_, _, None) => Passed::Borrowed,
        ReceiverKind::Typed(_, ty) => match ungrouped(ty) {
            Type::Reference(reference) => match reference.mutability {
                Some(mutable) => return changed(mutable.span),
                None => Passed::Borrowed,
            },
            ty => match borrow_in(ty) {
                Some(borrow) => {
                    let message = format!(
                        "`{option}` may run the body after the call, when this reference is gone: {instead}"
                    );
                    return Err(syn::Error::new(borrow, message));
                }
                None => Passed::Value,
            },
        },
        _ => Passed::Value,
    };
    Ok(Binding {
        name: Ident::new("self", self_token.span),
        mutability: receiver.mutability,
        passed,
        shown: self_token.span,
    })
}

fn of_name(option: &Ident, name: &PatIdent, passed: Passed, shown: Span) -> syn::Result<Binding> {
    if let Some(by_ref) = &name.by_ref {
        let message = format!(
            "`{option}` keeps arguments by value: write the name without `ref`, and borrow it in the body"
        );
        return Err(syn::Error::new(by_ref.span, message));
    }
    Ok(Binding {
        name: name.ident.clone(),
        mutability: name.mutability,
        passed,
        shown,
    })
}

/// Every name of a pattern, by value.
fn of_pattern(option: &Ident, typed: &PatType) -> syn::Result<Vec<Binding>> {
    match Passed::of(option, &typed.ty)? {
        Passed::Value => {}
        _ => {
            let message = format!(
                "`{option}` keeps what a reference points to: bind the argument to a name and take it apart in the body"
            );
            return Err(syn::Error::new_spanned(&typed.pat, message));
        }
    }
    let mut names = Names(Vec::new());
    names.visit_pat(&typed.pat);
    let by_value = |name: &&PatIdent| of_name(option, name, Passed::Value, name.ident.span());
    names.0.iter().map(by_value).collect()
}

impl Passed {
    fn of(option: &Ident, ty: &Type) -> syn::Result<Self> {
        if let Type::Reference(reference) = ungrouped(ty)
            && !is_static(reference)
        {
            return of_reference(option, reference, "&").map(|inside| match inside {
                Some(inside) => Self::Reference(inside),
                None => Self::Borrowed,
            });
        }
        if let Some(Type::Reference(reference)) = only_argument(ty, "Option").map(ungrouped)
            && !is_static(reference)
        {
            return of_reference(option, reference, "Option<&").map(Self::Optional);
        }
        match borrow_in(ty) {
            Some(borrow) => {
                let message = format!(
                    "`{option}` may run the body after the call, when what this borrows is gone: take it owned, or as `&T` or `Option<&T>` of an owned type"
                );
                Err(syn::Error::new(borrow, message))
            }
            None => Ok(Self::Value),
        }
    }
}

/// The type behind a reference that can be kept, `None` where it is `impl …`.
fn of_reference(
    option: &Ident,
    reference: &syn::TypeReference,
    written: &str,
) -> syn::Result<Option<Box<Type>>> {
    if let Some(mutable) = reference.mutability {
        let instead = "take it by value, or share it as an `Arc<Mutex<_>>`";
        return Err(syn::Error::new(
            mutable.span,
            message_changed(option, instead),
        ));
    }
    let inside = ungrouped(&reference.elem);
    if let Type::TraitObject(object) = inside {
        let close = if written == "&" { "" } else { ">" };
        let message = format!(
            "`{option}` may run the body after the call, when the `{written}dyn …{close}` is gone: take an `Arc<dyn …>`, or `{written}impl …{close}` of what is `Clone`"
        );
        return Err(syn::Error::new(first_span(object), message));
    }
    if let Some(borrow) = borrow_in(inside) {
        let message = format!(
            "`{option}` may run the body after the call, when what this borrows is gone: borrow from what is owned, as in `&str`, `&[String]`, `&T`"
        );
        return Err(syn::Error::new(borrow, message));
    }
    Ok(inferred(inside).map(Box::new))
}

fn message_changed(option: &Ident, instead: &str) -> String {
    format!(
        "`{option}` may run the body after the call, which has then nothing of its caller's to change: {instead}"
    )
}

/// `T` of `&T` and `Option<&T>`; any other type as it is.
fn pointed_to(ty: &Type) -> &Type {
    let inside = only_argument(ty, "Option").unwrap_or(ty);
    match ungrouped(inside) {
        Type::Reference(reference) => &reference.elem,
        _ => ty,
    }
}

/// A reference that lasts is a value like any other.
fn is_static(reference: &syn::TypeReference) -> bool {
    let lifetime = reference.lifetime.as_ref();
    reference.mutability.is_none() && lifetime.is_some_and(|lifetime| lifetime.ident == "static")
}

/// Where the text of a type shows that it borrows from the caller.
fn borrow_in(ty: &Type) -> Option<Span> {
    let mut borrow = Borrow(None);
    borrow.visit_type(ty);
    borrow.0
}

/// The first `&` or lifetime that is not `'static`; what a function takes and returns borrows from nobody.
struct Borrow(Option<Span>);

impl<'ast> Visit<'ast> for Borrow {
    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        if reference.lifetime.is_none() {
            self.0.get_or_insert(reference.and_token.span);
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
        if lifetime.ident != "static" {
            self.0.get_or_insert(lifetime.apostrophe);
        }
    }

    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(
        &mut self,
        _: &'ast syn::ParenthesizedGenericArguments,
    ) {
    }

    fn visit_bound_lifetimes(&mut self, _: &'ast syn::BoundLifetimes) {}
}

struct Names<'ast>(Vec<&'ast PatIdent>);

impl<'ast> Visit<'ast> for Names<'ast> {
    fn visit_pat_ident(&mut self, name: &'ast PatIdent) {
        self.0.push(name);
        visit::visit_pat_ident(self, name);
    }
}

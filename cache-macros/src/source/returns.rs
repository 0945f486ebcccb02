//! What the function returns, as far as syntax can tell.
//!
//! Aliases, `Self::Item` and type parameters are the compiler's business: the generated code asks it for the shape. Syntax
//! answers three questions only: is the function a future at all, what is the type inside a boxed one, and does
//! the text show something (`impl`, `&`, a lifetime) that would end in several errors far away from its cause.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Lifetime, PathArguments, ReturnType, Signature, Type, TypeParamBound};

use crate::diagnostics::Errors;
use crate::names::generated;
use crate::options::Macro;

/// The return type, and how the function delivers it.
#[derive(Clone)]
pub(crate) struct Returns {
    /// What `.await` gives.
    pub(crate) output: Type,
    pub(crate) delivery: Delivery,
}

/// How the function is asynchronous.
#[derive(Clone)]
pub(crate) enum Delivery {
    /// `async fn`
    Async,
    /// `fn … -> Pin<Box<dyn Future<Output = R> …>>`, by hand or by `async_trait`; the whole type.
    Boxed(Box<Type>),
}

/// Reads the return type, or says that there is no future to wrap.
pub(crate) fn read(which: Macro, sig: &Signature, errors: &mut Errors) -> Option<Returns> {
    let declared = match &sig.output {
        ReturnType::Type(_, declared) => Some(&**declared),
        ReturnType::Default => None,
    };
    if sig.asyncness.is_some() {
        let output = declared
            .cloned()
            .unwrap_or_else(|| Type::Verbatim(generated! { () }));
        return Some(Returns {
            output,
            delivery: Delivery::Async,
        });
    }
    if let Some(output) = declared.and_then(boxed_output) {
        let whole = declared.cloned().map(Box::new)?;
        return Some(Returns {
            output,
            delivery: Delivery::Boxed(whole),
        });
    }
    let name = which.name();
    errors.at(
        sig.fn_token.span,
        format_args!("`{name}` needs an `async fn`, or one that returns `Pin<Box<dyn Future<Output = …> + Send + '_>>`"),
    );
    None
}

/// `R` of `Pin<Box<dyn Future<Output = R>>>`.
fn boxed_output(declared: &Type) -> Option<Type> {
    let inside = only_argument(only_argument(declared, "Pin")?, "Box")?;
    let Type::TraitObject(object) = inside else {
        return None;
    };
    object.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().and_then(future_output),
        _ => None,
    })
}

/// The first type argument of a path type whose last segment is `name`.
pub(super) fn only_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    arguments(ty, name)?.next()
}

/// The type arguments of a path type whose last segment is `name`.
fn arguments<'a>(ty: &'a Type, name: &str) -> Option<impl Iterator<Item = &'a Type>> {
    let Type::Path(path) = ungrouped(ty) else {
        return None;
    };
    let segment = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    Some(arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }))
}

fn future_output(segment: &syn::PathSegment) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output)
            if segment.ident == "Future" && output.ident == "Output" =>
        {
            Some(output.ty.clone())
        }
        _ => None,
    })
}

/// The type inside parentheses and invisible groups.
pub(super) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        ty => ty,
    }
}

impl Returns {
    /// The part that would be stored: `V` of a type written `…Result<V, E>`, else all of it.
    pub(crate) fn value(&self) -> &Type {
        only_argument(&self.output, "Result").unwrap_or(&self.output)
    }

    /// The part that waiters could share: `E` of a type written `Result<V, E>`.
    pub(crate) fn error(&self) -> Option<&Type> {
        arguments(&self.output, "Result")?.nth(1)
    }

    /// Whether it is written `ParseResult<'a>`, with value and error out of sight.
    fn is_result_alias(&self) -> bool {
        let Type::Path(path) = ungrouped(&self.output) else {
            return false;
        };
        path.path.segments.last().is_some_and(|last| {
            last.ident.to_string().ends_with("Result")
                && only_argument(&self.output, &last.ident.to_string()).is_none()
        })
    }

    /// Whether the text names a type with `impl`, which nothing else can name.
    pub(crate) fn is_opaque(&self) -> bool {
        first_impl(&self.output).is_some()
    }

    /// The type as inference names it; `None` where it is `impl …` altogether.
    pub(crate) fn inferred(&self) -> Option<Type> {
        inferred(&self.output)
    }

    /// Whether the error shows a borrow. Method probing ignores lifetimes, so such an error would be found shareable and then
    /// refused by the borrow checker.
    pub(crate) fn error_may_borrow(&self) -> bool {
        let checked = self.error().unwrap_or(&self.output);
        let mut borrows = Borrows::default();
        borrows.visit_type(checked);
        !borrows.references.is_empty() || !borrows.lifetimes.is_empty()
    }

    /// Refuses a type that cannot be kept beyond the call.
    pub(crate) fn check_storable(&self, which: Macro, errors: &mut Errors) {
        let name = which.name();
        if let Some(token) = first_impl(&self.output) {
            errors.at(token, format_args!("`{name}` stores the value, so its type must be named: write it instead of `impl …`"));
            return;
        }
        let mut borrows = Borrows::default();
        borrows.visit_type(self.value());
        if let Some(reference) = borrows.all_references.first() {
            errors.on(
                reference,
                format_args!("`{name}` keeps the value longer than the call: return it owned (`String`, `Vec<T>`, `Arc<T>`) instead of `&`"),
            );
        } else if let (Some(lifetime), true) = (borrows.lifetimes.first(), self.is_result_alias()) {
            errors.on(lifetime, format_args!("`{name}` keeps the value longer than the call: return it without `{lifetime}`, or if only the error borrows write the alias out as `Result<…, …>`"));
        } else if let Some(lifetime) = borrows.lifetimes.first() {
            errors.on(
                lifetime,
                format_args!("`{name}` keeps the value longer than the call: return an owned type without `{lifetime}`"),
            );
        }
    }
}

/// A type with `_` for each `impl …` inside it; `None` where it is `impl …` altogether.
pub(super) fn inferred(ty: &Type) -> Option<Type> {
    let mut ty = ungrouped(ty).clone();
    Infer.visit_type_mut(&mut ty);
    (!matches!(ty, Type::Infer(_))).then_some(ty)
}

struct Infer;

impl VisitMut for Infer {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(hidden) = ty {
            let underscore_token = syn::Token![_](hidden.impl_token.span);
            *ty = Type::Infer(syn::TypeInfer {
                attrs: Vec::new(),
                underscore_token,
            });
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}

/// The first `impl` in the text of a type.
fn first_impl(ty: &Type) -> Option<proc_macro2::Span> {
    fn search(tokens: TokenStream) -> Option<proc_macro2::Span> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(ident) if ident == "impl" => Some(ident.span()),
            TokenTree::Group(group) => search(group.stream()),
            _ => None,
        })
    }
    search(ty.to_token_stream())
}

/// The borrows that the text of a type shows; `'static` is none.
#[derive(Default)]
struct Borrows {
    all_references: Vec<syn::TypeReference>,
    references: Vec<syn::TypeReference>,
    lifetimes: Vec<Lifetime>,
}

impl<'ast> Visit<'ast> for Borrows {
    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        self.all_references.push(reference.clone());
        if reference
            .lifetime
            .as_ref()
            .is_none_or(|lifetime| lifetime.ident != "static")
        {
            self.references.push(reference.clone());
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.lifetimes.push(lifetime.clone());
        }
    }
}

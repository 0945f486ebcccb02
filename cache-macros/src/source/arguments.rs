//! The arguments as the body can name them.
//!
//! A placeholder resolves to a binding of the signature, and takes over its hygiene: a function written by somebody's
//! `macro_rules!` can then be annotated like any other.

use proc_macro2::{Ident, Span};
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, Pat, Signature, Token, Type};

/// Every name that the signature binds.
#[derive(Clone, Default)]
pub(crate) struct Arguments {
    pub(crate) receiver: Option<Token![self]>,
    /// One per argument other than the receiver, in order.
    pub(crate) list: Vec<Argument>,
    /// The `#[cfg]` of arguments that may not be there.
    pub(crate) conditional: Vec<(Ident, Attribute)>,
    /// Those whose type is written as one of [`PLAIN`], or as a shared reference to one, with that name.
    pub(crate) plain: Vec<(Ident, Ident)>,
}

/// Types whose operators are the compiler's, and whose text in a key tells their value.
const PLAIN: [&str; 14] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "bool",
    "char",
];

/// One argument other than the receiver.
#[derive(Clone)]
pub(crate) enum Argument {
    /// `id: u64`
    Name(Ident),
    /// `_: u64`; the body cannot see what a key cannot.
    Ignored,
    /// `(a, b): (u8, u8)`, with the names it binds.
    Pattern(Box<Pat>, Vec<Ident>),
}

impl Arguments {
    pub(crate) fn of(sig: &Signature) -> Self {
        let mut arguments = Self::default();
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => arguments.receiver = Some(receiver.self_token),
                FnArg::Typed(typed) => {
                    let argument = Argument::of(&typed.pat);
                    let cfg = typed.attrs.iter().find(|attr| attr.path().is_ident("cfg"));
                    if let (Argument::Name(name), Some(cfg)) = (&argument, cfg) {
                        arguments.conditional.push((name.clone(), cfg.clone()));
                    }
                    // One that may not be there may be there a second time, as another type.
                    let is_certain = cfg.is_none()
                        && !typed
                            .attrs
                            .iter()
                            .any(|attr| attr.path().is_ident("cfg_attr"));
                    if let (true, Argument::Name(name), Some(ty)) =
                        (is_certain, &argument, plain(&typed.ty))
                    {
                        arguments.plain.push((name.clone(), ty.clone()));
                    }
                    arguments.list.push(argument);
                }
            }
        }
        arguments
    }

    /// The span that resolves to the binding called `name`.
    pub(crate) fn find(&self, name: &str) -> Option<Span> {
        if name == "self" {
            return self.receiver.map(|token| token.span);
        }
        self.bindings()
            .find(|ident| *ident == name)
            .map(Ident::span)
    }

    /// Every binding except `self`.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = &Ident> {
        self.list.iter().flat_map(|argument| match argument {
            Argument::Name(name) => std::slice::from_ref(name),
            Argument::Ignored => &[],
            Argument::Pattern(_, names) => names.as_slice(),
        })
    }

    /// What there is instead of `unknown`, as the second half of an error.
    pub(crate) fn instead(&self) -> String {
        let receiver = self.receiver.iter().map(|_| "self".to_owned());
        let names: Vec<_> = receiver
            .chain(self.bindings().map(Ident::to_string))
            .collect();
        // `async_trait` renames an argument that is a pattern to `__arg1`.
        if names.iter().any(|name| name.starts_with("__arg")) {
            return "an argument that is a pattern has no name under `async_trait`: bind the argument to a name".to_owned();
        }
        if names.is_empty() {
            return "it has no arguments".to_owned();
        }
        format!(
            "it has {}",
            crate::diagnostics::listed(names.iter().map(String::as_str))
        )
    }
}

/// The name of a type that is written as one of [`PLAIN`], or as a shared reference to one.
pub(crate) fn plain(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            let name = path.path.get_ident()?;
            PLAIN.iter().any(|plain| name == plain).then_some(name)
        }
        Type::Reference(reference) if reference.mutability.is_none() => plain(&reference.elem),
        Type::Paren(inner) => plain(&inner.elem),
        Type::Group(inner) => plain(&inner.elem),
        _ => None,
    }
}

impl Argument {
    fn of(pattern: &Pat) -> Self {
        match pattern {
            Pat::Ident(binding) if binding.subpat.is_none() => Self::Name(binding.ident.clone()),
            Pat::Wild(_) => Self::Ignored,
            pattern => {
                let mut bound = Bound(Vec::new());
                bound.visit_pat(pattern);
                Self::Pattern(Box::new(pattern.clone()), bound.0)
            }
        }
    }
}

struct Bound(Vec<Ident>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, binding: &'ast syn::PatIdent) {
        self.0.push(binding.ident.clone());
        visit::visit_pat_ident(self, binding);
    }
}

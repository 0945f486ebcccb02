//! Values of a tag that are computed of what stands in the key.
//!
//! **Problem.** `shelf:{id % 100}` beside the key `product:{id}`: equal keys give equal tags, but the text of the placeholder is not in the key. A call
//! that has to render its tags to be sure pays for that on every hit.
//!
//! **Decision.** What is built of literals, operators and casts over arguments that stand in the key as they are, all of them integers, `bool` or
//! `char`, is a function of the key. Nothing else is: a method, a path or a macro can read what changes, an index or a field is an operator of its
//! owner's, and so is `%` on any other type. A type is known by what it is called, so the expansion pins the names it relied on to the types that are
//! always called so. Where the name means another type that is an error of the compiler and not a tag that is wrong.
//!
//! What is computed in other types, or of other values, is another text: [`Computed::text`] has both in it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{BinOp, Expr, Lit, UnOp};

use crate::source::arguments::{Arguments, plain};

/// How a value follows from the key.
pub(super) struct Computed {
    /// The same for two tags only if they are the same function of the same key.
    pub(super) text: String,
    /// The types that it is computed in.
    pub(super) types: Vec<Ident>,
}

/// How `value` follows from arguments that stand in a key, where `place` says; `None` if that is not certain.
pub(super) fn computed(
    value: &TokenStream,
    arguments: &Arguments,
    place: &dyn Fn(&Ident) -> Option<String>,
) -> Option<Computed> {
    let expr = syn::parse2(value.clone()).ok()?;
    let (mut types, given) = (Vec::new(), Given { arguments, place });
    let text = given.text(&expr, &mut types)?;
    Some(Computed { text, types })
}

/// Items that compile only if these names mean what they always do; an error is shown at the type.
pub(super) fn pinned(types: &[Ident]) -> TokenStream {
    let is_first = |(at, ty): &(usize, &Ident)| !types[..*at].contains(ty);
    let pin = |(_, ty): (usize, &Ident)| {
        let shown = Span::mixed_site().located_at(ty.span());
        let always = Ident::new(&ty.to_string(), shown);
        quote_spanned! { shown => const _: fn(::core::primitive::#always) -> #ty = |it| it; }
    };
    types.iter().enumerate().filter(is_first).map(pin).collect()
}

/// What an expression may name.
struct Given<'a> {
    arguments: &'a Arguments,
    place: &'a dyn Fn(&Ident) -> Option<String>,
}

impl Given<'_> {
    fn text(&self, expr: &Expr, types: &mut Vec<Ident>) -> Option<String> {
        Some(match expr {
            Expr::Paren(inner) => self.text(&inner.expr, types)?,
            Expr::Group(inner) => self.text(&inner.expr, types)?,
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(_) | Lit::Bool(_) | Lit::Char(_) | Lit::Byte(_) => {
                    literal.to_token_stream().to_string()
                }
                _ => return None,
            },
            Expr::Path(path) if path.qself.is_none() => {
                let name = path.path.get_ident()?;
                let mut plain = self.arguments.plain.iter();
                let (_, ty) = plain.find(|(argument, _)| argument == name)?;
                types.push(ty.clone());
                format!("<{}: {ty}>", (self.place)(name)?)
            }
            Expr::Unary(unary) => {
                let inner = self.text(&unary.expr, types)?;
                match unary.op {
                    UnOp::Not(_) => format!("(!{inner})"),
                    UnOp::Neg(_) => format!("(-{inner})"),
                    // Of a reference.
                    UnOp::Deref(_) => inner,
                    _ => return None,
                }
            }
            Expr::Binary(binary) if only_computes(&binary.op) => {
                let left = self.text(&binary.left, types)?;
                let right = self.text(&binary.right, types)?;
                format!("({left}{}{right})", binary.op.to_token_stream())
            }
            Expr::Cast(cast) => {
                let ty = plain(&cast.ty)?;
                let inner = self.text(&cast.expr, types)?;
                types.push(ty.clone());
                format!("({inner} as {ty})")
            }
            _ => return None,
        })
    }
}

/// An operator that assigns is an expression as well.
fn only_computes(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::Add(_)
            | BinOp::Sub(_)
            | BinOp::Mul(_)
            | BinOp::Div(_)
            | BinOp::Rem(_)
            | BinOp::And(_)
            | BinOp::Or(_)
            | BinOp::BitXor(_)
            | BinOp::BitAnd(_)
            | BinOp::BitOr(_)
            | BinOp::Shl(_)
            | BinOp::Shr(_)
            | BinOp::Eq(_)
            | BinOp::Lt(_)
            | BinOp::Le(_)
            | BinOp::Ne(_)
            | BinOp::Ge(_)
            | BinOp::Gt(_)
    )
}

#[cfg(test)]
mod tests {
    use proc_macro2::Ident;
    use quote::ToTokens;
    use syn::{Expr, Signature};

    use super::computed;
    use crate::source::arguments::Arguments;

    /// What follows from a key in which each argument stands but `absent`.
    fn text(signature: &str, value: &str) -> Option<String> {
        let signature: Signature = syn::parse_str(signature).expect(signature);
        let arguments = Arguments::of(&signature);
        let value: Expr = syn::parse_str(value).expect(value);
        let place = |name: &Ident| (name != "absent").then(|| name.to_string());
        Some(computed(&value.to_token_stream(), &arguments, &place)?.text)
    }

    #[test]
    fn operators_on_what_stands_in_the_key_are_computed_of_it() {
        let of = |value| text("fn f(id: u64, side: &i8, hot: bool, absent: u64)", value);
        for (value, told) in [
            ("id % 100", "(<id: u64>%100)"),
            ("(id / 2 + 1) % 0x10_u64", "(((<id: u64>/2)+1)%0x10_u64)"),
            ("*side", "<side: i8>"),
            ("-side", "(-<side: i8>)"),
            ("!hot && id > 3", "((!<hot: bool>)&&(<id: u64>>3))"),
            ("id as u8 as char", "((<id: u64> as u8) as char)"),
        ] {
            assert_eq!(of(value).as_deref(), Some(told));
        }
        for value in [
            "absent % 100",
            "id % absent",
            "id % SHELVES",
            "id.pow(2)",
            "f(id)",
            "shop::of(id)",
            "id += 1",
            "&id",
            "[1, 2][id as usize]",
            "if id > 3 { 1 } else { 2 }",
            "{ id }",
            "id as f32 as u8",
            "id as Id",
            "id.0",
            "format!(\"{id}\")",
        ] {
            assert_eq!(of(value), None, "{value}");
        }
    }

    #[test]
    fn operators_of_other_types_may_do_anything() {
        for ty in [
            "Id",
            "shop::u64",
            "f64",
            "&mut u64",
            "Option<u64>",
            "impl Rem",
            "<T as U>::u64",
        ] {
            let of = |value| text(&format!("fn f(id: {ty})"), value);
            assert_eq!(of("id % 100"), None, "{ty}");
        }
    }

    #[test]
    fn an_argument_that_may_be_of_another_type_tells_nothing() {
        for signature in [
            "fn f(#[cfg(unix)] id: u64, #[cfg(not(unix))] id: Id)",
            "fn f(#[cfg_attr(a, cfg(unix))] id: u64, #[cfg_attr(a, cfg(not(unix)))] id: Id)",
        ] {
            assert_eq!(text(signature, "id % 100"), None);
        }
        let beside = "fn f(id: u64, #[cfg(unix)] trace: bool)";
        assert!(text(beside, "id % 100").is_some());
    }

    #[test]
    fn another_type_is_another_function() {
        let of = |ty| text(&format!("fn f(id: {ty})"), "!id");
        assert_ne!(of("u8"), of("u16"));
        assert_eq!(of("&u8"), of("u8"));
    }
}

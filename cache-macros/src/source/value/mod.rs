//! The values of options: from an expression as written to what it says.
//!
//! Literals are judged here, at expansion; any other expression is the compiler's to judge, on the user's tokens.

pub(crate) mod duration;
pub(crate) mod encoding;
mod label;
pub(crate) mod number;
pub(crate) mod path;
pub(crate) mod placeholder;
mod split;
pub(crate) mod template;

use syn::{Expr, Lit};

/// The literal behind an expression, through the invisible group that a `macro_rules!` fragment arrives in.
pub(crate) fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// `false` or `true`, if that is what was written.
pub(crate) fn boolean(expr: &Expr) -> Option<bool> {
    match literal(expr)? {
        Lit::Bool(value) => Some(value.value),
        _ => None,
    }
}

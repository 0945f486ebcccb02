//! Numbers: a share between 0 and 1, and the version of a value.

use syn::{Expr, Lit, UnOp};

use super::literal;

/// A share as written.
#[derive(Clone)]
pub(crate) enum Share {
    Literal(f64),
    Expression(Expr),
}

/// Reads a share of the option called `name`.
pub(crate) fn share(name: &str, expr: &Expr) -> syn::Result<Share> {
    let wrong = || {
        let message =
            format!("`{name}` is a share from 0.0 to 1.0: write `{name} = 0.1` for a tenth");
        Err(syn::Error::new_spanned(expr, message))
    };
    let value = match (expr, literal(expr)) {
        (_, Some(Lit::Float(value))) if value.suffix().is_empty() => value.base10_parse::<f64>()?,
        (_, Some(Lit::Int(value))) if value.suffix().is_empty() => value.base10_parse::<f64>()?,
        (_, Some(_)) | (Expr::Closure(_), None) => return wrong(),
        (Expr::Unary(unary), None)
            if matches!(unary.op, UnOp::Neg(_)) && literal(&unary.expr).is_some() =>
        {
            return wrong();
        }
        (_, None) => return Ok(Share::Expression(expr.clone())),
    };
    if (0.0..=1.0).contains(&value) {
        Ok(Share::Literal(value))
    } else {
        wrong()
    }
}

/// Reads a version. It is part of the site's static, so only a literal will do.
pub(crate) fn version(name: &str, expr: &Expr) -> syn::Result<u32> {
    let read = match literal(expr) {
        Some(Lit::Int(value)) => value.base10_parse().ok(),
        _ => None,
    };
    read.ok_or_else(|| {
        let message = format!(
            "`{name}` is a whole number from 0 to {}: write `{name} = 2`",
            u32::MAX
        );
        syn::Error::new_spanned(expr, message)
    })
}

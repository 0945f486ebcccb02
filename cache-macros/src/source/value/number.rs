//! Numbers: a share between 0 and 1, a factor above 0, and the version of a value.

use syn::{Expr, Lit, UnOp};

use super::literal;

/// A number as written.
#[derive(Clone)]
pub(crate) enum Number {
    Literal(f64),
    Expression(Expr),
}

/// Reads a share of the option called `name`; `zero` says what to write instead of zero, where that means nothing.
pub(crate) fn share(
    name: &str,
    example: &str,
    expr: &Expr,
    zero: Option<&str>,
) -> syn::Result<Number> {
    let wrong = || format!("`{name}` is a share from 0.0 to 1.0: write `{example}`");
    match (number(expr, wrong)?, zero) {
        (Number::Literal(0.0), Some(instead)) => Err(syn::Error::new_spanned(expr, instead)),
        (Number::Literal(share), _) if !(0.0..=1.0).contains(&share) => {
            Err(syn::Error::new_spanned(expr, wrong()))
        }
        (share, _) => Ok(share),
    }
}

/// Reads a factor of the option called `name`.
pub(crate) fn factor(name: &str, expr: &Expr) -> syn::Result<Number> {
    let wrong = || {
        format!(
            "`{name}` is a number above 0: write `{name} = 1.0`, more to be earlier and less to be later"
        )
    };
    match number(expr, wrong)? {
        Number::Literal(factor) if factor <= 0.0 || factor.is_infinite() => {
            Err(syn::Error::new_spanned(expr, wrong()))
        }
        factor => Ok(factor),
    }
}

fn number(expr: &Expr, wrong: impl Fn() -> String) -> syn::Result<Number> {
    let is_negative = matches!(expr, Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) && literal(&unary.expr).is_some());
    let value = match literal(expr) {
        Some(Lit::Float(value)) if value.suffix().is_empty() => value.base10_parse(),
        Some(Lit::Int(value)) if value.suffix().is_empty() => value.base10_parse(),
        None if !is_negative && !matches!(expr, Expr::Closure(_)) => {
            return Ok(Number::Expression(expr.clone()));
        }
        _ => Err(syn::Error::new_spanned(expr, wrong())),
    };
    value.map(Number::Literal)
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

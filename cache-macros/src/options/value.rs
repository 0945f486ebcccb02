//! Reading a value in the form that its row asks for. Everything wrong with it is said on the value.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, Token};

use super::Row;
use super::form::{Argument, Form, Setting, Value};
use crate::diagnostics::{Errors, listed};
use crate::source::list;
use crate::source::value::duration::{self, Span};
use crate::source::value::number;
use crate::source::value::placeholder::Scope;
use crate::source::value::template;
use crate::source::value::{boolean, literal, path};

/// Reads what was written after an option's name.
pub(super) fn read(
    row: &Row,
    name: &Ident,
    given: list::Given,
    scope: Scope<'_>,
    errors: &mut Errors,
) -> Option<Value> {
    use list::Given::{Keyword, Nothing, Parenthesised, Value as Given};
    match (row.form, given) {
        (Form::Flag, Nothing) => Some(Value::Flag),
        (
            Form::Choice {
                setter, of, flag, ..
            },
            Nothing,
        ) => Some(policy(setter, Argument::Variant(of, flag))),
        (
            Form::Share {
                setter,
                flag: Some(flag),
                ..
            }
            | Form::Factor { setter, flag },
            Nothing,
        ) => Some(policy(setter, Argument::Number(flag))),
        (Form::Names, Parenthesised(tokens)) => names(row, name, tokens, errors),
        (Form::Root, Keyword(root)) => path::absolute(root)
            .map(Value::Path)
            .map_err(|error| errors.push(error))
            .ok(),
        (form, Given(value)) if form.is_expression() => read_value(row, *value, scope, errors),
        (_, given) => {
            errors.push(misplaced(row, name, given));
            None
        }
    }
}

/// What to write instead of something that is not in the option's form.
fn misplaced(row: &Row, name: &Ident, given: list::Given) -> syn::Error {
    let write = row.example;
    let on_name = |message: String| syn::Error::new(name.span(), message);
    match (row.form, given) {
        (Form::Flag, _) => on_name(format!(
            "`{name}` takes no value: write `{write}`, or leave it out"
        )),
        (Form::Names, _) => on_name(format!(
            "`{name}` takes names of arguments: write `{write}`"
        )),
        (Form::Root, list::Given::Value(value)) => syn::Error::new_spanned(
            value,
            format!("a path is written without quotes: `{write}`"),
        ),
        (_, list::Given::Missing(equals)) => syn::Error::new(
            equals,
            format!("`{name}` needs a value after `=`: write `{write}`"),
        ),
        _ => on_name(format!("`{name}` needs a value: write `{write}`")),
    }
}

/// Reads an expression as the value of an option.
pub(super) fn read_value(
    row: &Row,
    expr: Expr,
    scope: Scope<'_>,
    errors: &mut Errors,
) -> Option<Value> {
    let read = match row.form {
        Form::Template(kind) => {
            return template::one(row.name, kind, &expr, scope, errors)
                .map(|template| Value::Templates(kind, vec![template]));
        }
        Form::Templates(kind) => {
            return Some(Value::Templates(
                kind,
                template::many(row.name, kind, &expr, scope, errors),
            ));
        }
        Form::Duration { setter, zero } => {
            nonzero(row, &expr, zero).map(|span| policy(setter, span.into()))
        }
        Form::Hold { zero } => nonzero(row, &expr, Some(zero)).map(Value::Duration),
        Form::Share { setter, zero, .. } => number::share(row.name, row.example, &expr, zero)
            .map(|share| policy(setter, share.into())),
        Form::Factor { setter, .. } => {
            number::factor(row.name, &expr).map(|factor| policy(setter, factor.into()))
        }
        Form::Version { setter } => number::version(row.name, &expr)
            .map(|version| policy(setter, Argument::Version(version))),
        Form::Choice {
            setter, of, values, ..
        } => choice(row, of, values, &expr).map(|variant| policy(setter, variant)),
        Form::Function | Form::Hook => function(row, expr).map(Value::Function),
        Form::FalseOrFunction if boolean(&expr) == Some(false) => Ok(Value::Off),
        Form::FalseOrFunction => function(row, expr).map(Value::Function),
        Form::Tier { off, .. } if boolean(&expr) == Some(false) => {
            Ok(policy(off, Argument::Nothing))
        }
        Form::Tier { cap, .. } => tier(row, &expr, cap),
        Form::Condition => condition(row, expr),
        Form::Expression => expression(row, expr),
        Form::Flag | Form::Names | Form::Root => {
            unreachable!("`read` has dealt with the forms that are no expression")
        }
    };
    read.map_err(|error| errors.push(error)).ok()
}

fn policy(setter: &'static str, argument: Argument) -> Value {
    Value::Policy(Setting { setter, argument })
}

fn nonzero(row: &Row, expr: &Expr, zero: Option<&str>) -> syn::Result<Span> {
    match (duration::read(row.name, expr)?, zero) {
        (Span::Literal(length), Some(instead)) if length.is_zero() => {
            Err(syn::Error::new_spanned(expr, instead))
        }
        (span, _) => Ok(span),
    }
}

fn tier(row: &Row, expr: &Expr, cap: Option<(&'static str, &'static str)>) -> syn::Result<Value> {
    let name = row.name;
    let wrong = |message: String| Err(syn::Error::new_spanned(expr, message));
    match cap {
        _ if boolean(expr) == Some(true) => {
            wrong(format!("`{name}` is on without the option: leave it out"))
        }
        None => wrong(format!(
            "`{name}` takes only `false`, to leave the tier out"
        )),
        Some((setter, zero)) => {
            nonzero(row, expr, Some(zero)).map(|span| policy(setter, span.into()))
        }
    }
}

fn choice(
    row: &Row,
    of: &'static str,
    values: &[(&str, &'static str)],
    expr: &Expr,
) -> syn::Result<Argument> {
    let word = match literal(expr) {
        Some(Lit::Str(word)) => Some(word.value()),
        _ => None,
    };
    let variant = values
        .iter()
        .find(|(value, _)| word.as_deref() == Some(value));
    variant
        .map(|(_, variant)| Argument::Variant(of, variant))
        .ok_or_else(|| {
            let words: Vec<_> = values
                .iter()
                .map(|(value, _)| format!("\"{value}\""))
                .collect();
            let message = format!(
                "`{}` is one of {}: write `{}`",
                row.name,
                words.join(", "),
                row.example
            );
            syn::Error::new_spanned(expr, message)
        })
}

fn function(row: &Row, expr: Expr) -> syn::Result<Expr> {
    let inside = match &expr {
        Expr::Group(group) => &*group.expr,
        other => other,
    };
    let closures = !matches!(row.form, Form::Hook);
    if matches!(inside, Expr::Path(_)) || closures && matches!(inside, Expr::Closure(_)) {
        return Ok(expr);
    }
    let hint = match row.form {
        Form::Hook => format!("write the path of a `fn(&Event)`, as in `{}`", row.example),
        Form::FalseOrFunction if boolean(&expr).is_some() => {
            "errors that are `Clone` are shared already, so write one only for others, or leave the option out".to_owned()
        }
        Form::FalseOrFunction => {
            "write `false`, the path of a `fn(&E) -> E`, or a closure".to_owned()
        }
        _ => format!(
            "write the path of a `fn` or a closure, as in `{}`",
            row.example
        ),
    };
    Err(syn::Error::new_spanned(
        expr,
        format!("`{}` takes a function: {hint}", row.name),
    ))
}

fn condition(row: &Row, expr: Expr) -> syn::Result<Value> {
    let message = match (&expr, literal(&expr)) {
        (Expr::Closure(_), _) => {
            "is evaluated where it stands, over the arguments: write the body of the closure alone"
        }
        (_, Some(Lit::Str(_))) => "is an expression, not a text: write it without quotes",
        (_, Some(Lit::Bool(_))) => {
            "is an expression over the arguments, and this one never changes: write `condition = id > 0`, or leave it out"
        }
        _ => return Ok(Value::Expression(expr)),
    };
    Err(syn::Error::new_spanned(
        expr,
        format!("`{}` {message}", row.name),
    ))
}

fn expression(row: &Row, expr: Expr) -> syn::Result<Value> {
    if literal(&expr).is_none() {
        return Ok(Value::Expression(expr));
    }
    let message = format!(
        "`{}` takes an expression that is a cache: write `{}`",
        row.name, row.example
    );
    Err(syn::Error::new_spanned(expr, message))
}

fn names(row: &Row, option: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Value> {
    let parsed = Punctuated::<Ident, Token![,]>::parse_terminated_with;
    let names = match (|input: syn::parse::ParseStream<'_>| parsed(input, Ident::parse_any))
        .parse2(tokens)
    {
        Ok(names) => names,
        Err(error) => {
            let message = format!(
                "`{}` takes names of arguments: write `{}`",
                row.name, row.example
            );
            errors.at(error.span(), message);
            return None;
        }
    };
    if names.is_empty() {
        errors.at(
            option.span(),
            format_args!("`{option}` names no argument: write `{}`", row.example),
        );
        return None;
    }
    let mut seen: Vec<Ident> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            errors.at(
                name.span(),
                format_args!(
                    "{} is named twice in `{option}`",
                    listed([&*name.to_string()])
                ),
            );
        } else {
            seen.push(name);
        }
    }
    Some(Value::Names(seen))
}

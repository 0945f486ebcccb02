//! Templates: literal text with placeholders in braces.
//!
//! Two placeholders need a `:` between them: without it ("x-y", "z") and ("x", "y-z") would be one key.

use syn::{Expr, Lit, LitStr};

use super::label;
use super::literal;
use super::placeholder::{Placeholder, Scope};
use super::split::split;
use crate::diagnostics::Errors;

/// A template as written.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) literal: LitStr,
    pub(crate) pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone)]
pub(crate) enum Piece {
    /// Text with `{{` and `}}` already read, not encoded.
    Text(String),
    Placeholder(Placeholder),
}

/// What the text around the placeholders is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Pattern,
    Tag,
    Region,
    Scope,
}

impl Kind {
    /// What two values must not share.
    fn noun(self) -> &'static str {
        match self {
            Self::Key | Self::Pattern => "key",
            Self::Tag => "tag",
            Self::Region => "region",
            Self::Scope => "scope",
        }
    }

    /// What to write instead of nothing.
    fn instead_of_nothing(self) -> &'static str {
        match self {
            Self::Key | Self::Pattern => "write what the entry is called, such as \"product:{id}\"",
            Self::Tag => "write what the entries have in common, such as \"owner:{id}\"",
            Self::Region => "write what the keys begin with, such as \"products:list\"",
            Self::Scope => "write whose entry it is, such as \"user:{id}\"",
        }
    }
}

/// Reads the value of an option called `name` that takes one template.
pub(crate) fn one(
    name: &str,
    kind: Kind,
    expr: &Expr,
    scope: Scope<'_>,
    errors: &mut Errors,
) -> Option<Template> {
    match literal(expr) {
        Some(Lit::Str(text)) => Template::read(text, kind, scope, errors),
        _ => {
            errors.on(
                expr,
                format_args!(
                    "a template is read at compile time: write `{name} = \"…\"` as a string literal"
                ),
            );
            None
        }
    }
}

/// Reads one template or a list `[…]` of them.
pub(crate) fn many(
    name: &str,
    kind: Kind,
    expr: &Expr,
    scope: Scope<'_>,
    errors: &mut Errors,
) -> Vec<Template> {
    let Expr::Array(array) = expr else {
        return one(name, kind, expr, scope, errors).into_iter().collect();
    };
    if array.elems.is_empty() {
        errors.on(
            array,
            format_args!("an empty list names nothing: write `{name} = [\"…\"]`"),
        );
    }
    let templates: Vec<_> = array
        .elems
        .iter()
        .filter_map(|element| one(name, kind, element, scope, errors))
        .collect();
    label::check_list(kind, &templates, errors);
    templates
}

impl Template {
    /// Reads a literal, reporting every mistake in it.
    pub(crate) fn read(
        text: &LitStr,
        kind: Kind,
        scope: Scope<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let pieces = match split(text, scope) {
            Ok(pieces) => pieces,
            Err(message) => {
                errors.at(text.span(), message);
                return None;
            }
        };
        if pieces.is_empty() {
            errors.at(
                text.span(),
                format_args!("an empty template: {}", kind.instead_of_nothing()),
            );
            return None;
        }
        let template = Self {
            literal: text.clone(),
            pieces,
        };
        template
            .placeholders()
            .for_each(|placeholder| placeholder.check(text, scope, errors));
        if !template.separated(kind) {
            errors.at(text.span(), format_args!("two placeholders without `:` between them can give one {} for different values: write `{{a}}:{{b}}`", kind.noun()));
        }
        label::check(kind, &template, errors);
        Some(template)
    }

    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder(placeholder) => Some(placeholder),
            Piece::Text(_) => None,
        })
    }

    /// Whether the placeholders are kept apart, by `:` or in a pattern by a `*`.
    fn separated(&self, kind: Kind) -> bool {
        let separator =
            |text: &String| text.contains(':') || kind == Kind::Pattern && text.contains('*');
        let mut open = false;
        self.pieces.iter().all(|piece| match piece {
            Piece::Text(text) => {
                open &= !separator(text);
                true
            }
            Piece::Placeholder(_) => !std::mem::replace(&mut open, true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_need_a_colon_between_them() {
        for (text, kind, apart) in [
            ("{a}:{b}", Kind::Key, true),
            ("{a}-{b}", Kind::Key, false),
            ("{a}{b}", Kind::Key, false),
            ("{a}-:-{b}:{c}", Kind::Key, true),
            ("{a}*{b}", Kind::Key, false),
            ("{a}*{b}", Kind::Pattern, true),
        ] {
            let literal = LitStr::new(text, proc_macro2::Span::call_site());
            let pieces = split(&literal, Scope::Caller).expect(text);
            assert_eq!(
                Template { literal, pieces }.separated(kind),
                apart,
                "{text}"
            );
        }
    }
}

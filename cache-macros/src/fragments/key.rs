//! Keys: a plan of parts, and the closure that renders it.
//!
//! The plan is one for default keys, templates, patterns and labels, so the rules about secrets and about the value exist once.
//! A part that uses the value is a hole: the closure before the body leaves it open, another after the body fills it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::call::borrowed;
use super::computed::{Computed, computed};
use crate::names::generated;
use crate::paths::Door;
use crate::source::arguments::{Argument, Arguments};
use crate::source::secret::is_secret;
use crate::source::value::encoding::encode;
use crate::source::value::template::{Kind, Piece, Template};

/// What a key is made of.
pub(crate) struct KeyPlan {
    parts: Vec<Part>,
    /// What its scope is made of, if it has one.
    scope: Option<Vec<Part>>,
}

/// One part of a key.
enum Part {
    /// The path of the instantiation.
    Path,
    /// Text of a key, encoded.
    Text(String),
    /// Text of a pattern, raw.
    Glob(String),
    Value(TokenStream),
    Secret(TokenStream),
    /// A placeholder that uses the value, with the span of its template.
    Hole(TokenStream, Span),
}

impl Part {
    fn is_value(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Secret(_) | Self::Hole(..))
    }

    /// What is evaluated before the body, as it is written, and whether its digest is taken.
    fn value(&self) -> Option<(String, bool)> {
        match self {
            Self::Value(value) => Some((value.to_string(), false)),
            Self::Secret(value) => Some((value.to_string(), true)),
            Self::Path | Self::Text(_) | Self::Glob(_) | Self::Hole(..) => None,
        }
    }
}

impl KeyPlan {
    /// The default key: the path, then every argument that the body can see.
    pub(crate) fn default(arguments: &Arguments, skipped: &[Ident], secret: &[Ident]) -> Self {
        let mut parts = vec![Part::Path];
        for argument in &arguments.list {
            let Argument::Name(name) = argument else {
                continue;
            };
            if skipped.contains(name) {
                continue;
            }
            parts.push(Part::Text(":".to_owned()));
            let value = name.to_token_stream();
            parts.push(if secret.contains(name) {
                Part::Secret(value)
            } else {
                Part::Value(value)
            });
        }
        Self { parts, scope: None }
    }

    /// The key of a template; `holes` says whether `result` means the value.
    pub(crate) fn of(template: &Template, kind: Kind, secret: &[Ident], holes: bool) -> Self {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) if kind == Kind::Pattern => Part::Glob(text.clone()),
            Piece::Text(text) => Part::Text(encode(text)),
            Piece::Placeholder(placeholder) => {
                let value = placeholder.expr.to_token_stream();
                if holes && placeholder.mentions("result") {
                    Part::Hole(value, template.literal.span())
                } else if is_secret(placeholder, secret) {
                    Part::Secret(value)
                } else {
                    Part::Value(value)
                }
            }
        };
        Self {
            parts: template.pieces.iter().map(part).collect(),
            scope: None,
        }
    }

    /// The key in the scope of a template, which has no holes.
    pub(crate) fn scoped(mut self, template: Option<&Template>, secret: &[Ident]) -> Self {
        self.scope = template.map(|template| Self::of(template, Kind::Scope, secret, false).parts);
        self
    }

    /// The template with its placeholders blanked: what the entry is fingerprinted with.
    pub(crate) fn blanked(&self) -> String {
        blanked(&self.parts)
    }

    /// The template of a tag with its placeholders blanked. One that `key` tells says how: all tags that functions of that key spell alike are
    /// then the same text for the same key.
    pub(crate) fn blanked_beside(&self, key: Option<&Self>, arguments: &Arguments) -> String {
        let blank = |part: &Part| match part {
            Part::Path => "@".to_owned(),
            Part::Text(text) | Part::Glob(text) => text.clone(),
            Part::Hole(..) => "{result}".to_owned(),
            Part::Value(_) | Part::Secret(_) => {
                match key.and_then(|key| key.tells(part, arguments)) {
                    Some(told) => format!("{{{}}}", told.text),
                    None => "{}".to_owned(),
                }
            }
        };
        self.parts.iter().map(blank).collect()
    }

    /// How `key` tells each value that is known before the body; `None`: it does not.
    pub(super) fn told_by(
        &self,
        key: Option<&Self>,
        arguments: &Arguments,
    ) -> impl Iterator<Item = Option<Computed>> {
        let values = self.parts.iter().filter(|part| part.value().is_some());
        values.map(move |part| key?.tells(part, arguments))
    }

    /// How the key tells a value of a tag: it stands in the key, or is computed of what does.
    fn tells(&self, part: &Part, arguments: &Arguments) -> Option<Computed> {
        if let Some(text) = self.place_of(part) {
            let types = Vec::new();
            return Some(Computed { text, types });
        }
        let Part::Value(value) = part else {
            return None;
        };
        let place = |name: &Ident| self.place_of(&Part::Value(name.to_token_stream()));
        computed(value, arguments, &place)
    }

    /// Where the value of `part` stands in the key or its scope: the how-manieth of their values it is, and their template.
    fn place_of(&self, part: &Part) -> Option<String> {
        let scope = self.scope.iter().flatten();
        let mut values = self
            .parts
            .iter()
            .chain(scope)
            .filter(|part| part.is_value());
        let at = values.position(|of_key| of_key.value() == part.value())?;
        let scope = self
            .scope
            .as_ref()
            .map(|parts| format!(",{}", blanked(parts)));
        Some(format!(
            "{at} of {}{}",
            self.blanked(),
            scope.unwrap_or_default()
        ))
    }

    /// The closure that renders the key before the body.
    pub(crate) fn render(&self, p: &Door) -> TokenStream {
        let scope = self.scope.as_ref().map(|parts| {
            let scope = written(parts);
            generated! { __key.scope(|__key: &mut #p::KeyBuf<'_>| { #scope }); }
        });
        let key = written(&self.parts);
        generated! { |__key: &mut #p::KeyBuf<'_>| { #key #scope } }
    }

    /// Whether parts wait for the value.
    pub(crate) fn has_holes(&self) -> bool {
        self.holes().next().is_some()
    }

    fn holes(&self) -> impl Iterator<Item = (&TokenStream, Span)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(value, span) => Some((value, *span)),
            _ => None,
        })
    }
}

fn blanked(parts: &[Part]) -> String {
    let blank = |part| match part {
        &Part::Path => "@",
        Part::Text(text) | Part::Glob(text) => text,
        Part::Value(_) | Part::Secret(_) | Part::Hole(..) => "{}",
    };
    parts.iter().map(blank).collect()
}

/// The statements that write parts into `__key`.
fn written(parts: &[Part]) -> TokenStream {
    let write = |part: &Part| match part {
        Part::Path => generated! { __key.path(__instance); },
        Part::Text(text) => generated! { __key.lit(#text); },
        Part::Glob(text) => generated! { __key.glob(#text); },
        Part::Value(value) => {
            let (lints, value) = (underscore(value), borrowed(value));
            generated! { #lints __key.arg(#value); }
        }
        Part::Secret(value) => {
            let (lints, value) = (underscore(value), borrowed(value));
            generated! { #lints __key.secret(#value); }
        }
        Part::Hole(..) => generated! { __key.hole(); },
    };
    parts.iter().map(write).collect()
}

/// That `_unused` is part of a key is our use of it: clippy should not hold it against the user.
pub(super) fn underscore(value: &TokenStream) -> Option<TokenStream> {
    let first = value.clone().into_iter().next()?;
    let unused = first.to_string().starts_with('_');
    unused.then(|| generated! { #[allow(clippy::used_underscore_binding)] })
}

/// The closure that fills the holes of all plans, in order, with the value at hand.
pub(crate) fn late<'a>(plans: impl IntoIterator<Item = &'a KeyPlan>) -> TokenStream {
    let holes: Vec<_> = plans.into_iter().flat_map(KeyPlan::holes).collect();
    let Some((_, span)) = holes.first() else {
        return generated! { |_, _| {} };
    };
    // The placeholder was given the attribute's hygiene: so is the binding that it resolves to.
    let result = Ident::new("result", Span::call_site().located_at(*span));
    let fills = holes.iter().map(|(value, _)| {
        let value = borrowed(value);
        generated! { __holes.fill(#value); }
    });
    // A closure that captures where it must not is shown at the template, not at the attribute.
    let shown = Span::mixed_site().located_at(*span);
    quote_spanned! { shown => |__value, __holes| { let #result = __value; #(#fills)* } }
}

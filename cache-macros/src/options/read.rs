//! Reading a list against the table: known names, once each, in their forms, beside what they tolerate.

use proc_macro2::{Ident, TokenStream};
use syn::Expr;
use syn::Lit;

use super::form::Form;
use super::{Given, Macro, Options, Row, hints, table, value};
use crate::diagnostics::Errors;
use crate::source::arguments::Arguments;
use crate::source::function::{Function, first_span};
use crate::source::list::{self, Entry};
use crate::source::value::literal;
use crate::source::value::placeholder::Scope;
use crate::source::value::template::Kind;

/// The option that a bare expression sets.
fn positional(which: Macro) -> Option<&'static str> {
    match which {
        Macro::Cacheable => Some("ttl"),
        Macro::Evict => Some("pattern"),
        Macro::Put => None,
    }
}

fn row_of(which: Macro, name: &str) -> Option<&'static Row> {
    table::rows().find(|row| row.name == name && row.macros.contains(&which))
}

impl Options {
    /// Reads the tokens in an attribute's parentheses.
    pub(crate) fn read(
        which: Macro,
        tokens: TokenStream,
        function: Option<&Function>,
        errors: &mut Errors,
    ) -> Self {
        let before = errors.count();
        let mut reader = Reader {
            which,
            arguments: function.map(|function| &function.arguments),
            seen: Vec::new(),
            errors,
        };
        let entries = list::read(tokens, reader.errors);
        let given: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| reader.entry(entry))
            .collect();
        let complete = errors.count() == before;
        exclusions(&given, errors);
        let options = Self { given, complete };
        options.check_requirements(errors);
        options
    }

    /// One error per option that does nothing without another.
    fn check_requirements(&self, errors: &mut Errors) {
        for given in &self.given {
            let Some(other) = given.row.requires.filter(|other| self.lacks(other)) else {
                continue;
            };
            let name = given.row.name;
            let example = row_of(given.row.macros[0], other).map_or(other, |row| row.example);
            errors.at(
                given.name.span(),
                format_args!("`{name}` does nothing without `{other}`: write `{example}` beside it, or leave it out"),
            );
        }
    }
}

struct Reader<'a> {
    which: Macro,
    /// Of the function, if its signature could be read.
    arguments: Option<&'a Arguments>,
    seen: Vec<&'static str>,
    errors: &'a mut Errors,
}

impl<'a> Reader<'a> {
    fn entry(&mut self, entry: Entry) -> Option<Given> {
        match entry {
            Entry::Named(name, given) => {
                let row = self.row(&name)?;
                let value = value::read(row, &name, given, self.scope(row), self.errors)?;
                Some(Given { name, row, value })
            }
            Entry::Bare(expr) => self.bare(*expr),
        }
    }

    /// The row of a name that is known and new.
    fn row(&mut self, name: &Ident) -> Option<&'static Row> {
        let Some(row) = row_of(self.which, &name.to_string()) else {
            self.errors
                .at(name.span(), hints::unknown(self.which, &name.to_string()));
            return None;
        };
        self.first(row, name.span()).then_some(row)
    }

    fn first(&mut self, row: &'static Row, span: proc_macro2::Span) -> bool {
        if self.seen.contains(&row.name) {
            self.errors.at(
                span,
                format_args!("`{}` is given twice: keep one", row.name),
            );
            return false;
        }
        self.seen.push(row.name);
        true
    }

    fn bare(&mut self, expr: Expr) -> Option<Given> {
        let text = matches!(literal(&expr), Some(Lit::Str(_)));
        let row = positional(self.which).and_then(|name| row_of(self.which, name));
        let Some(row) = row.filter(|row| matches!(row.form, Form::Templates(_)) || !text) else {
            self.errors.on(&expr, hints::bare(self.which, &expr));
            return None;
        };
        let name = Ident::new(row.name, first_span(&expr));
        if !self.first(row, name.span()) {
            return None;
        }
        let value = value::read_value(row, expr, self.scope(row), self.errors)?;
        Some(Given { name, row, value })
    }

    /// What the templates of an option may name.
    fn scope(&self, row: &Row) -> Scope<'a> {
        let Some(arguments) = self.arguments else {
            return Scope::Unknown;
        };
        match (self.which, row.form) {
            (Macro::Cacheable, Form::Template(Kind::Key)) => Scope::Arguments(
                arguments,
                "which a key that is looked up before the body runs cannot have",
            ),
            (Macro::Cacheable | Macro::Put, Form::Template(Kind::Scope)) => Scope::Arguments(
                arguments,
                "which a scope cannot have, because a reader looks its key up before there is one",
            ),
            _ => Scope::ArgumentsAndResult(arguments),
        }
    }
}

/// One error per clash, on the later of the two.
fn exclusions(given: &[Given], errors: &mut Errors) {
    for (at, later) in given.iter().enumerate() {
        for earlier in &given[..at] {
            let clash = reason(later.row, earlier.row).or_else(|| reason(earlier.row, later.row));
            if let Some(why) = clash {
                let (name, other) = (later.row.name, earlier.row.name);
                errors.at(
                    later.name.span(),
                    format_args!("`{name}` cannot stand beside `{other}`: {why}"),
                );
            }
        }
    }
}

fn reason(row: &Row, other: &Row) -> Option<&'static str> {
    row.excludes
        .iter()
        .find(|(name, _)| *name == other.name)
        .map(|(_, why)| *why)
}

//! Options: the one table, and the reading of a list against it.
//!
//! To add an option: a row in [`table`], a value form in [`form`] if none fits, and the fragment that uses it. An option that
//! only sets something on the policy ([`Form::Duration`] and its like) needs the row alone.

#[cfg(test)]
mod documented;
mod form;
mod hints;
mod read;
mod spellings;
mod table;
mod value;

use proc_macro2::Ident;
use syn::{Expr, Path};

pub(crate) use form::{Argument, Form, Setting, Value};

use crate::source::value::duration;
use crate::source::value::template::{Kind, Template};

/// The attributes that take options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Macro {
    Cacheable,
    Evict,
    Put,
}

impl Macro {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cacheable => "cacheable",
            Self::Evict => "cache_evict",
            Self::Put => "cache_put",
        }
    }
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) macros: &'static [Macro],
    pub(crate) form: Form,
    /// How to write it, for errors.
    pub(crate) example: &'static str,
    /// Options it cannot stand beside, with the reason.
    pub(crate) excludes: &'static [(&'static str, &'static str)],
    /// The option without which it does nothing.
    pub(crate) requires: Option<&'static str>,
    pub(crate) load: Load,
}

/// What an option asks of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// To answer the call that began it.
    Awaited,
    /// To go on without that call.
    Outlives,
    /// The same, and hits may begin it.
    Watched,
}

/// An option as given: its name in the source, its row, its value.
pub(crate) struct Given {
    pub(crate) name: Ident,
    pub(crate) row: &'static Row,
    pub(crate) value: Value,
}

/// The options of one attribute, in the order they were written. What could not be read is reported and absent.
pub(crate) struct Options {
    pub(crate) given: Vec<Given>,
    /// Whether everything that was written could be read.
    complete: bool,
}

impl Options {
    fn find(&self, name: &str) -> Option<&Given> {
        debug_assert!(
            table::rows().any(|row| row.name == name),
            "no row for `{name}`"
        );
        self.given.iter().find(|given| given.row.name == name)
    }

    /// The name as written, if the option was given and could be read.
    pub(crate) fn name(&self, name: &str) -> Option<&Ident> {
        self.find(name).map(|given| &given.name)
    }

    /// The name of two options that was written later.
    pub(crate) fn later(&self, one: &str, other: &str) -> Option<&Ident> {
        let names = self.given.iter().map(|given| (given.row.name, &given.name));
        let both = names.filter(|(name, _)| *name == one || *name == other);
        both.map(|(_, name)| name).next_back()
    }

    /// Whether the option is certainly absent. Something unreadable may have been meant for it, and a mistake that is reported
    /// must not be reported again as a missing option.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        self.complete && self.find(name).is_none()
    }

    /// Whether everything that was written could be read. What is unreadable may have held what seems to be missing.
    pub(crate) fn are_complete(&self) -> bool {
        self.complete
    }

    pub(crate) fn templates(&self, name: &str) -> &[Template] {
        match self.find(name).map(|given| &given.value) {
            Some(Value::Templates(_, templates)) => templates,
            _ => &[],
        }
    }

    /// Every template of every option, in the order in which they were written.
    pub(crate) fn every_template(&self) -> impl Iterator<Item = (Kind, &Template)> {
        self.given.iter().flat_map(|given| {
            let (kind, templates): (_, &[Template]) = match &given.value {
                Value::Templates(kind, templates) => (*kind, templates),
                _ => (Kind::Key, &[]),
            };
            templates.iter().map(move |template| (kind, template))
        })
    }

    pub(crate) fn names(&self, name: &str) -> &[Ident] {
        match self.find(name).map(|given| &given.value) {
            Some(Value::Names(names)) => names,
            _ => &[],
        }
    }

    pub(crate) fn expression(&self, name: &str) -> Option<&Expr> {
        match self.find(name).map(|given| &given.value) {
            Some(Value::Expression(expr) | Value::Function(expr)) => Some(expr),
            _ => None,
        }
    }

    pub(crate) fn duration(&self, name: &str) -> Option<&duration::Span> {
        match self.find(name).map(|given| &given.value) {
            Some(Value::Duration(span)) => Some(span),
            _ => None,
        }
    }

    pub(crate) fn is_off(&self, name: &str) -> bool {
        matches!(self.find(name).map(|given| &given.value), Some(Value::Off))
    }

    /// What a policy option sets, if it was given.
    pub(crate) fn setting(&self, name: &str) -> Option<&Setting> {
        match self.find(name).map(|given| &given.value) {
            Some(Value::Policy(setting)) => Some(setting),
            _ => None,
        }
    }

    /// The first option whose load may go on without the call that began it.
    pub(crate) fn outliving(&self) -> Option<&Ident> {
        self.given
            .iter()
            .find(|given| given.row.load != Load::Awaited)
            .map(|given| &given.name)
    }

    /// Whether hits may begin a load.
    pub(crate) fn are_watched(&self) -> bool {
        self.given
            .iter()
            .any(|given| given.row.load == Load::Watched)
    }

    /// Everything that the options set on the policy.
    pub(crate) fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.given.iter().filter_map(|given| match &given.value {
            Value::Policy(setting) => Some(setting),
            _ => None,
        })
    }

    /// The value of `crate = …`.
    pub(crate) fn root(&self) -> Option<&Path> {
        match self.find("crate").map(|given| &given.value) {
            Some(Value::Path(path)) => Some(path),
            _ => None,
        }
    }
}

//! The forms that values take, as data: how an option is written, and what it then says.

use proc_macro2::Ident;
use syn::{Expr, Path};

use crate::source::value::duration::Span;
use crate::source::value::number::Number;
use crate::source::value::template::{Kind, Template};

/// How an option is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// `all`
    Flag,
    /// One template.
    Template(Kind),
    /// A template or a list of them.
    Templates(Kind),
    /// `skip(a, b)`
    Names,
    /// A duration that goes to the policy; `zero` says what to write instead of zero, where that means nothing.
    Duration {
        setter: &'static str,
        zero: Option<&'static str>,
    },
    /// A duration of an eviction.
    Hold { zero: &'static str },
    /// A share of a whole: what the bare name means, if it may stand alone, and what to write instead of zero, where that means nothing.
    Share {
        setter: &'static str,
        flag: Option<f64>,
        zero: Option<&'static str>,
    },
    /// A number above zero, and what the bare name means.
    Factor { setter: &'static str, flag: f64 },
    /// A whole number.
    Version { setter: &'static str },
    /// A flag or one of some words: each word with its variant of the enum `of`.
    Choice {
        setter: &'static str,
        of: &'static str,
        flag: &'static str,
        values: &'static [(&'static str, &'static str)],
    },
    /// A function's path, or a closure.
    Function,
    /// A function's path.
    Hook,
    /// `false`, or a function.
    FalseOrFunction,
    /// `false`, or a duration where there is a `cap`: its setter and what to write instead of zero.
    Tier {
        off: &'static str,
        cap: Option<(&'static str, &'static str)>,
    },
    /// A `bool` over the arguments.
    Condition,
    /// Any expression.
    Expression,
    /// An absolute path.
    Root,
}

impl Form {
    /// Whether the value after `=` is read as an expression.
    pub(super) fn is_expression(self) -> bool {
        !matches!(self, Self::Flag | Self::Names | Self::Root)
    }
}

/// What an option says.
pub(crate) enum Value {
    Flag,
    Templates(Kind, Vec<Template>),
    Names(Vec<Ident>),
    Duration(Span),
    Policy(Setting),
    Function(Expr),
    Expression(Expr),
    Off,
    Path(Path),
}

/// One call on the policy.
pub(crate) struct Setting {
    pub(crate) setter: &'static str,
    pub(crate) argument: Argument,
}

/// The argument of a policy's setter: in the static if it is a literal, in the call if it is an expression.
pub(crate) enum Argument {
    Nothing,
    Duration(std::time::Duration),
    Number(f64),
    Version(u32),
    /// An enum and its variant.
    Variant(&'static str, &'static str),
    Expression(Expr),
}

impl From<Span> for Argument {
    fn from(span: Span) -> Self {
        match span {
            Span::Literal(length) => Self::Duration(length),
            Span::Expression(expr) => Self::Expression(expr),
        }
    }
}

impl From<Number> for Argument {
    fn from(number: Number) -> Self {
        match number {
            Number::Literal(number) => Self::Number(number),
            Number::Expression(expr) => Self::Expression(expr),
        }
    }
}

//! Numbers, bytes and displayed strings.
//!
//! The text of a number is at rest in Redis and shared by builds of different compilers, so its form is decided here and
//! not left to `Debug`, which promises none.

use std::fmt::{self, Write as _};

use super::{Done, EncodeError};
use crate::key::escape::{Colon, escape};
use crate::key::text::{Full, Text};

/// Digits by hand, two at a time and where they belong: a third of the time of the formatting machinery, on the hottest path there is.
#[inline]
pub(super) fn push_u64(text: &mut Text, v: u64) -> Result<(), Full> {
    text.push_with(digits(v), |free| {
        let mut rest = v;
        let mut places = free.rchunks_exact_mut(2);
        for two in &mut places {
            let pair = (rest % 100) as usize;
            rest /= 100;
            two.copy_from_slice(&PAIRS[pair]);
        }
        if let [first] = places.into_remainder() {
            *first = b'0' + rest as u8;
        }
    })
}

/// How many digits a number has. Most are small.
#[inline]
fn digits(v: u64) -> usize {
    match v {
        0..10 => 1,
        10..100 => 2,
        100..1_000 => 3,
        1_000..10_000 => 4,
        10_000..100_000 => 5,
        100_000..1_000_000 => 6,
        _ => v.ilog10() as usize + 1,
    }
}

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + n as u8 / 10, b'0' + n as u8 % 10];
        n += 1;
    }
    pairs
};

pub(super) fn push_i64(text: &mut Text, v: i64) -> Result<(), Full> {
    if v < 0 {
        text.push("-")?;
    }
    push_u64(text, v.unsigned_abs())
}

/// Formats into the buffer without a string in between.
pub(super) fn push_display(text: &mut Text, v: impl fmt::Display) -> Result<(), Full> {
    write!(Plain(text), "{v}").map_err(|fmt::Error| Full)
}

/// Within these bounds a float is written in full, outside with an exponent.
const READABLE: std::ops::Range<f64> = 1e-5..1e16;

pub(super) fn push_f64(text: &mut Text, v: f64) -> Result<(), Full> {
    let written_in_full = v == 0.0 || READABLE.contains(&v.abs());
    push_float(
        text,
        v.classify(),
        v.is_sign_negative(),
        written_in_full.then_some(v.fract() == 0.0),
        &v,
    )
}

/// Not by way of `f64`, which would print the digits that `f32` does not have (`0.1` as `0.10000000149011612`).
pub(super) fn push_f32(text: &mut Text, v: f32) -> Result<(), Full> {
    let written_in_full = v == 0.0 || READABLE.contains(&f64::from(v).abs());
    push_float(
        text,
        v.classify(),
        v.is_sign_negative(),
        written_in_full.then_some(v.fract() == 0.0),
        &v,
    )
}

/// `whole` is whether a float that is written in full is a whole number.
fn push_float<F: fmt::Display + fmt::LowerExp>(
    text: &mut Text,
    class: std::num::FpCategory,
    negative: bool,
    whole: Option<bool>,
    v: &F,
) -> Result<(), Full> {
    use std::num::FpCategory::{Infinite, Nan, Zero};
    match (class, whole) {
        (Nan, _) => text.push("NaN"),
        (Infinite, _) => text.push(if negative { "-inf" } else { "inf" }),
        (Zero, _) => text.push("0.0"),
        (_, Some(true)) => push_display(text, format_args!("{v}.0")),
        (_, Some(false)) => push_display(text, v),
        (_, None) => push_display(text, format_args!("{v:e}")),
    }
}

pub(super) fn push_bytes(text: &mut Text, bytes: &[u8]) -> Result<(), Full> {
    text.push("=")?;
    bytes
        .iter()
        .try_for_each(|byte| push_display(text, format_args!("{byte:02x}")))
}

/// Escapes what a value displays, without a string in between.
pub(super) fn escape_display<T: fmt::Display + ?Sized>(text: &mut Text, v: &T) -> Done {
    let mut out = Escaped { text, full: false };
    match write!(out, "{v}") {
        Ok(()) => Ok(()),
        Err(fmt::Error) if out.full => Err(EncodeError::TooLong),
        Err(fmt::Error) => Err(EncodeError::Custom("its `Display` failed".into())),
    }
}

struct Plain<'a>(&'a mut Text);

impl fmt::Write for Plain<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.push(s).map_err(|Full| fmt::Error)
    }
}

struct Escaped<'a> {
    text: &'a mut Text,
    full: bool,
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        escape(self.text, s, Colon::IsData).map_err(|Full| {
            self.full = true;
            fmt::Error
        })
    }
}

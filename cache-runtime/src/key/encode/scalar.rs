//! Numbers, bytes and displayed strings.
//!
//! The text of a number is at rest in Redis and shared by builds of different compilers, so its form is decided here and
//! not left to `Debug`, which promises none.

use std::fmt::{self, Write as _};

use super::{Done, EncodeError};
use crate::key::escape::{Colon, escape};
use crate::key::text::{Full, Text};

/// Digits by hand and eight at once: keys of one, two or three digits come in no order that a processor could guess, and this has nothing to guess.
#[inline]
pub(super) fn push_u64(text: &mut Text, v: u64) -> Result<(), Full> {
    if v >= NINE_DIGITS {
        return push_long(text, v);
    }
    let digits = eight_digits(v);
    // The last one stays whatever it is.
    let zeros = (digits | (1 << 56)).trailing_zeros() / 8;
    let bytes = ((digits | ZEROS) >> (8 * zeros)).to_le_bytes();
    text.push_up_to_8(bytes, 8 - zeros as usize)
}

/// What has more than eight digits. Where there is no room for all of them, some may be written.
#[inline(never)]
fn push_long(text: &mut Text, v: u64) -> Result<(), Full> {
    push_u64(text, v / NINE_DIGITS)?;
    let last = eight_digits(v % NINE_DIGITS) | ZEROS;
    text.push_up_to_8(last.to_le_bytes(), 8)
}

/// The least number of nine digits.
const NINE_DIGITS: u64 = 100_000_000;
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The eight digits of a number below [`NINE_DIGITS`], from the lowest byte on, as numbers: it is split in two, its halves in two, their halves in two, and all
/// parts of a step are divided by one multiplication, each in its own lane. The reciprocals are rounded up, which is exact below 10,000 and below 100.
#[inline]
const fn eight_digits(v: u64) -> u64 {
    let fours = (v / 10_000) | ((v % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - tens * 10) << 8)
}

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

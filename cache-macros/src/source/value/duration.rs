//! Durations: `60` (seconds), `"1h30m"`, or any expression of type `Duration`.
//!
//! The text form is a sequence of whole numbers with units, the larger first and each at most once. There is no fraction and no
//! blank: `1.5s` has two readings for a machine with another locale and none that `1s500ms` does not say better.

use std::time::Duration;

use syn::{Expr, Lit, UnOp};

use super::literal;

const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A duration as written.
#[derive(Clone)]
pub(crate) enum Span {
    Literal(Duration),
    Expression(Expr),
}

/// Reads the value of an option called `name`.
pub(crate) fn read(name: &str, expr: &Expr) -> syn::Result<Span> {
    let wrong = |message: String| syn::Error::new_spanned(expr, message);
    let forms = format!(
        "write seconds (`{name} = 60`), a text (`{name} = \"1h30m\"`) or an expression of type `Duration`"
    );
    if is_negative(expr) {
        return Err(wrong(format!("a duration cannot be negative: {forms}")));
    }
    match literal(expr) {
        None if matches!(expr, Expr::Closure(_)) => {
            Err(wrong(format!("a closure is no duration: {forms}")))
        }
        None => Ok(Span::Expression(expr.clone())),
        Some(Lit::Int(seconds)) if seconds.suffix().is_empty() => {
            let seconds = seconds
                .base10_parse()
                .map_err(|_| wrong("too long: the limit is 2^64 seconds".to_owned()))?;
            Ok(Span::Literal(Duration::from_secs(seconds)))
        }
        Some(Lit::Int(seconds)) => Err(wrong(format!(
            "write `{}` without its suffix: a bare number is seconds",
            seconds.base10_digits()
        ))),
        Some(Lit::Str(text)) => parse(&text.value()).map(Span::Literal).map_err(wrong),
        Some(_) => Err(wrong(format!("not a duration: {forms}"))),
    }
}

fn is_negative(expr: &Expr) -> bool {
    matches!(expr, Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) && literal(&unary.expr).is_some())
}

/// Reads the text form.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if text.is_empty() {
        return Err("an empty duration: write a number with a unit, such as \"10m\"".to_owned());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "`{text}` has no unit: write \"{text}s\", or {text} without quotes for seconds"
        ));
    }
    let (mut nanos, mut rest, mut last) = (0_u128, text, None);
    while !rest.is_empty() {
        let (amount, unit, after) = component(text, rest)?;
        if last.is_some_and(|last| unit <= last) {
            return Err(format!(
                "`{text}` is out of order: write each unit once and the larger first, such as \"1h30m\""
            ));
        }
        let share = amount.checked_mul(UNITS[unit].1);
        nanos = share
            .and_then(|share| nanos.checked_add(share))
            .ok_or_else(|| too_long(text))?;
        (rest, last) = (after, Some(unit));
    }
    let seconds = u64::try_from(nanos / 1_000_000_000).map_err(|_| too_long(text))?;
    let fraction =
        u32::try_from(nanos % 1_000_000_000).expect("a remainder of 10^9 fits in 32 bits");
    Ok(Duration::new(seconds, fraction))
}

fn too_long(text: &str) -> String {
    format!("`{text}` is too long: the limit is 2^64 seconds")
}

/// One number and one unit: the amount, the index of the unit, the text after them.
fn component<'a>(text: &str, rest: &'a str) -> Result<(u128, usize, &'a str), String> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let letters = rest
        .find(|letter: char| !letter.is_alphabetic())
        .unwrap_or(rest.len());
    let (unit, after) = rest.split_at(letters);
    if number.is_empty() || unit.is_empty() {
        return Err(match rest.chars().next() {
            Some('.' | ',') => {
                format!("`{text}` has a fraction: write it in a smaller unit, as in \"1s500ms\"")
            }
            Some(' ' | '_') => in_one_piece(text),
            Some('-' | '+') => {
                format!("`{text}` has a sign: a duration is a length, as in \"1h30m\"")
            }
            _ => format!("`{text}` is not a duration: write numbers with units, as in \"1h30m\""),
        });
    }
    let amount = number.parse().map_err(|_| too_long(text))?;
    let index = UNITS.iter().position(|(name, _)| *name == unit).ok_or_else(|| {
        format!("`{unit}` is no unit of a duration: {}the units are `d`, `h`, `m`, `s`, `ms`, `us`, `ns`", meant(unit))
    })?;
    Ok((amount, index, after))
}

/// What to write instead of a text with gaps.
fn in_one_piece(text: &str) -> String {
    let mut parts = text.split(' ').filter(|part| !part.is_empty());
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if ends_in_digit(&whole) && part.starts_with(|first: char| first.is_ascii_digit()) {
            return format!(
                "`{text}` has a number in two pieces: write each with its unit, as in \"1h30m\""
            );
        }
        whole += part;
    }
    let whole = whole.replace('_', "");
    match parse(&whole) {
        Ok(_) => format!("`{text}` has a gap: write it in one piece, \"{whole}\""),
        Err(wrong) if whole.is_empty() => wrong,
        Err(wrong) => format!("`{text}` has a gap, which a duration has not; besides, {wrong}"),
    }
}

fn ends_in_digit(text: &str) -> bool {
    text.ends_with(|last: char| last.is_ascii_digit())
}

/// The unit that another spelling means.
fn meant(unit: &str) -> String {
    let short = match unit.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "msec" | "millis" | "milliseconds" => "ms",
        "µs" | "μs" | "micros" => "us",
        "w" | "week" | "weeks" => return "write `7d`; ".to_owned(),
        _ => return String::new(),
    };
    format!("write `{short}`; ")
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn units_add_up() {
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(
            parse("1d2h3m4s5ms6us7ns"),
            Ok(Duration::new(93_784, 5_006_007))
        );
        assert_eq!(parse("90m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn every_malformed_text_says_what_to_write() {
        for (text, part) in [
            ("", "an empty duration"),
            ("60", "\"60s\""),
            ("1.5s", "\"1s500ms\""),
            ("1h 30m", "in one piece, \"1h30m\""),
            ("1_000 s", "in one piece, \"1000s\""),
            (" ", "an empty duration"),
            (
                "1 minute",
                "besides, `minute` is no unit of a duration: write `m`",
            ),
            ("5 parsecs", "besides, `parsecs` is no unit"),
            ("1 30m", "a number in two pieces"),
            ("1h 30 m", "in one piece, \"1h30m\""),
            ("-1s", "has a sign"),
            ("soon", "numbers with units"),
            ("5min", "write `m`"),
            ("2w", "write `7d`"),
            ("3x", "no unit"),
            ("30m1h", "larger first"),
            ("1m1m", "each unit once"),
            ("1h30", "not a duration"),
            ("99999999999999999999999d", "too long"),
            ("999999999999999999999999999999999999999999d", "too long"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

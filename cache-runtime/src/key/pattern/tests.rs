use crate::key::scope::split_scope;
use proptest::prelude::*;

use super::{Builder, Pattern, Token};
use crate::key::escape::Unit;
use crate::key::{Key, KeyBuf};

/// The text of `t:{arg}:end`.
fn key_of(arg: &str) -> String {
    let mut buf = KeyBuf::new(usize::MAX, None);
    buf.lit("t:");
    buf.arg(arg);
    buf.lit(":end");
    buf.finish().unwrap().as_str().to_owned()
}

fn matches(pattern: &str, key: &str) -> bool {
    Pattern::parse(pattern).matches(key)
}

#[test]
fn globs_mean_what_the_contract_says() {
    for (pattern, key, expected) in [
        ("products:*", "products:list:1", true),
        ("products:*", "product:1", false),
        ("products:?", "products:é", true),
        ("products:?", "products:%C3%A9", true),
        ("products:?", "products:%2A", true),
        ("products:?", "products:12", false),
        ("p:[a-c]", "p:b", true),
        ("p:[c-a]", "p:b", true),
        ("p:[^a-c]", "p:b", false),
        ("p:[!a-c]", "p:d", true),
        ("p:[]", "p:a", false),
        ("p:[a-]", "p:-", true),
        (r"p:[\]]", "p:%5D", true),
        (r"p:[a-\]]", "p:%5D", true),
        ("p:[:]", "p::", true),
        ("p:[:]", "p:%3A", false),
        ("p:[^:]", "p:%3A", true),
        ("p:[^:]", "p::", false),
        (r"p:\*", "p:%2A", true),
        (r"p:\*", "p:x", false),
        ("p:[x", "p:%5Bx", true),
        ("p\\", "p%5C", true),
        ("a**b*", "axxb", true),
        ("*:*:z", "a:b:c:z", true),
        ("a b", "a%20b", true),
        ("", "", true),
        ("*", "", true),
        ("", "a", false),
    ] {
        assert_eq!(matches(pattern, key), expected, "{pattern:?} on {key:?}");
    }
}

#[test]
fn a_separator_is_not_an_argument_s_colon() {
    assert!(matches("t:a:*", "t:a:end"));
    assert!(!matches("t:a:*", &key_of("a:b")));
    assert!(matches("t:*:end", &key_of("a:b")));
}

#[test]
fn a_pattern_of_arguments_takes_their_globs_literally() {
    let mut buf = KeyBuf::new(usize::MAX, None);
    buf.glob("t:");
    buf.arg("*");
    buf.glob(":*");
    let pattern = buf.finish_late().pattern();
    assert!(pattern.matches(&key_of("*")));
    assert!(!pattern.matches(&key_of("x")));
    assert_eq!(pattern.literal_region(), "t:%2A");
}

#[test]
fn a_region_holds_itself_and_what_is_below() {
    let region = Pattern::region("a:b");
    for (key, inside) in [
        ("a:b", true),
        ("a:b:", true),
        ("a:b:c:d", true),
        ("a:bc", false),
        ("a", false),
    ] {
        assert_eq!(region.matches(key), inside, "{key}");
    }
    assert_eq!(region.literal_region(), "a:b");
    assert_eq!(Pattern::region(""), Pattern::all());
    assert!(Pattern::all().matches("") && Pattern::all().matches("x:y"));
}

#[test]
fn the_literal_region_ends_with_a_segment() {
    for (pattern, region) in [
        ("products:list:*", "products:list"),
        ("products:list*", "products"),
        ("products:l[i]st:*", "products"),
        ("*", ""),
        ("products", "products"),
        ("a b:*", "a%20b"),
    ] {
        assert_eq!(
            Pattern::parse(pattern).literal_region(),
            region,
            "{pattern}"
        );
    }
}

#[test]
fn a_digested_key_matches_where_its_region_can() {
    let mut buf = KeyBuf::new(usize::MAX, None);
    buf.lit("products:list:");
    buf.arg(&"x".repeat(600));
    let key = buf.finish().unwrap();
    let text = key.as_str();
    for (pattern, expected) in [
        ("products:*", true),
        ("products:list:*", true),
        ("products:list:y*", true),
        ("*z", true),
        ("products:other:*", false),
        ("orders:*", false),
        ("products:list:x", false),
        ("products:list:?", false),
    ] {
        let pattern = Pattern::parse(pattern);
        assert_eq!(pattern.may_match_digest(text), expected, "{pattern:?}");
        assert_eq!(pattern.matches(text), expected, "{pattern:?}");
    }
    assert!(
        !Pattern::parse("products:*").may_match_digest("products:list:1"),
        "it is not digested"
    );

    let key = key.into_key(0);
    let neighbour = Key::new(&format!("products:list:{}", "y".repeat(600)));
    assert!(Pattern::exact(&key).matches(key.text()));
    assert!(!Pattern::exact(&key).matches(neighbour.text()));
}

#[test]
fn the_server_s_glob_is_plain_where_no_digest_is_in_reach() {
    assert_eq!(Pattern::parse("a:?:b[xy]").server_glob(None), "a:*:b*");
    assert_eq!(
        Pattern::parse("a{b").server_glob(None),
        "a%7Bb*",
        "in every scope"
    );
    assert_eq!(Pattern::all().server_glob(None), "*");
    assert_eq!(Pattern::parse("a:*").server_glob(None), "[#a][0-9a-f:]*");
    assert_eq!(Pattern::region("ab").server_glob(None), "[#a][0-9a-fb]*");
    assert_eq!(Pattern::parse("é*").server_glob(None), "*");
}

#[test]
fn the_server_s_glob_is_narrow_where_the_regions_are_known() {
    let glob = |pattern: &str, regions: &[&str]| {
        let regions: Vec<_> = regions.iter().map(|it| (*it).into()).collect();
        Pattern::parse(pattern).server_glob(Some(&regions))
    };
    assert_eq!(glob("a:7:*:b", &["c"]), "a:7:*:b*", "no digest is meant");
    assert_eq!(glob("a:7:*:b", &[]), "a:7:*:b*");
    assert_eq!(glob("a:7:*:b", &["a", "c"]), "a:[#7][0-9a-f:]*");
    assert_eq!(glob("a:7:*:b", &["a:8"]), "a:7:*:b*");
    assert_eq!(
        glob("a:7:*:b", &["a:7"]),
        "a:7:*",
        "right behind the literal"
    );
    assert_eq!(glob("a:7:*:b", &["a:7:x"]), "a:7:*", "within what is any");
    assert_eq!(glob("é:7*", &["é"]), "é:[#7]*");
    assert_eq!(
        glob("a:7:*:b", &["a", "a:7"]),
        "a:[#7][0-9a-f:]*",
        "the first of two"
    );
    assert_eq!(
        glob("a:*", &["", "c"]),
        "[#a][0-9a-f:]*",
        "a key may be of any"
    );
    let region = Pattern::region("a:b").server_glob(Some(&["a".into()]));
    assert_eq!(region, "a:[#b]*");
}

#[test]
fn a_hostile_pattern_takes_no_exponential_time() {
    let pattern = Pattern::parse(&("*a".repeat(60) + "*b"));
    assert!(!pattern.matches(&"a".repeat(500)));
}

/// What the matcher must agree with: the definition, with every choice tried.
fn defined(tokens: &[Token], units: &[Unit]) -> bool {
    let Some((token, tokens)) = tokens.split_first() else {
        return units.is_empty();
    };
    if *token == Token::Any {
        return (0..=units.len()).any(|taken| defined(tokens, &units[taken..]));
    }
    units
        .split_first()
        .is_some_and(|(unit, units)| token.accepts(*unit) && defined(tokens, units))
}

/// Redis' `stringmatchlen`, transcribed for bytes.
fn redis_matches(mut glob: &[u8], mut text: &[u8]) -> bool {
    while let Some((&sign, after)) = glob.split_first() {
        match sign {
            b'*' => return (0..=text.len()).any(|taken| redis_matches(after, &text[taken..])),
            b'[' => {
                let Some((&byte, rest)) = text.split_first() else {
                    return false;
                };
                let Some(after) = redis_class(after, byte) else {
                    return false;
                };
                (glob, text) = (after, rest);
            }
            _ => {
                if text.first() != Some(&sign) {
                    return false;
                }
                (glob, text) = (after, &text[1..]);
            }
        }
    }
    text.is_empty()
}

/// What follows the class if `byte` is in it.
fn redis_class(mut class: &[u8], byte: u8) -> Option<&[u8]> {
    assert_ne!(class.first(), Some(&b'^'), "no negation is ever meant");
    let mut member = false;
    loop {
        match *class {
            [b'\\', escaped, ref rest @ ..] => {
                member |= escaped == byte;
                class = rest;
            }
            [b']', ref rest @ ..] => return member.then_some(rest),
            [low, b'-', high, ref rest @ ..] => {
                member |= (low.min(high)..=low.max(high)).contains(&byte);
                class = rest;
            }
            [own, ref rest @ ..] => {
                member |= own == byte;
                class = rest;
            }
            [] => return None,
        }
    }
}

/// Few characters, so that patterns and keys meet.
fn pattern_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            4 => proptest::sample::select(vec!["a", "b", ":", "-", "^", "é", "*", "?"]).prop_map(str::to_owned),
            1 => proptest::sample::select(vec!["[a-é]", "[^a]", "[:]", r"\*", "[", "%", "(", " "]).prop_map(str::to_owned),
        ],
        0..10,
    )
    .prop_map(|parts| parts.concat())
}

fn key_text() -> impl Strategy<Value = String> {
    let plain = ["a", "b", ":", "-", "^", "é"];
    let spelled = ["%2A", "%3A", "%C3%A9", "%E2%80%A8", "(", "'", ",)", "%"];
    proptest::collection::vec(
        prop_oneof![3 => proptest::sample::select(plain.to_vec()), 1 => proptest::sample::select(spelled.to_vec())],
        0..12,
    )
    .prop_map(|parts| parts.concat())
}

/// Keys of which some are digested, with what they stand for.
fn long_key() -> impl Strategy<Value = Key> {
    let segment = proptest::sample::select(vec!["a", "b", "-", "^", "é", "ab", "a b"]);
    let segments = proptest::collection::vec(segment, 0..4).prop_map(|parts| parts.join(":"));
    (
        segments,
        0..700usize,
        proptest::sample::select(vec!["a", ":", "a:b"]),
    )
        .prop_map(|(literal, size, filler)| {
            Key::new(&(literal + ":" + &filler.repeat(size / filler.len())))
        })
}

proptest! {
    #[test]
    fn the_matcher_agrees_with_the_definition(pattern in pattern_text(), key in key_text()) {
        let pattern = Pattern::parse(&pattern);
        // A scope is no part of what a pattern speaks of.
        let (key, _) = split_scope(&key);
        let units: Vec<_> = Unit::all(key).collect();
        prop_assert_eq!(pattern.matches(key), defined(&pattern.tokens, &units));
    }

    #[test]
    fn the_server_s_glob_misses_nothing(pattern in pattern_text(), keys in proptest::collection::vec(long_key(), 1..4)) {
        let region = Key::new(&pattern);
        for pattern in [Pattern::parse(&pattern), Pattern::region(region.region())] {
            let regions: Vec<Box<str>> = keys.iter().map(|key| key.region().into()).collect();
            for glob in [pattern.server_glob(None), pattern.server_glob(Some(&regions))] {
                for key in &keys {
                    if pattern.matches(key.text()) {
                        prop_assert!(redis_matches(glob.as_bytes(), key.text().as_bytes()), "{} {:?}", glob, key);
                    }
                }
            }
        }
    }

    #[test]
    fn a_pattern_over_the_start_of_a_digested_key_finds_it_on_the_server(key in long_key(), units in 0..60usize) {
        let mut builder = Builder::default();
        Unit::all(key.logical()).take(units).for_each(|unit| builder.push(Token::Literal(unit)));
        builder.any();
        let pattern = builder.finish();
        prop_assert!(pattern.matches(key.text()), "{:?}", key);
        let regions = [key.region().into()];
        for glob in [pattern.server_glob(None), pattern.server_glob(Some(&regions))] {
            prop_assert!(redis_matches(glob.as_bytes(), key.text().as_bytes()), "{} {:?}", glob, key);
        }
    }

    #[test]
    fn a_digested_key_is_never_missed(pattern in pattern_text(), key in long_key()) {
        let pattern = Pattern::parse(&pattern);
        if let Some(full) = key.full() {
            prop_assert!(!super::matcher::matches(&pattern.tokens, full) || pattern.matches(key.text()));
        }
    }

    #[test]
    fn exactly_one_key_matches_an_exact_pattern(one in any::<String>(), other in any::<String>()) {
        let (one, other) = (Key::new(&one), Key::new(&other));
        prop_assert!(Pattern::exact(&one).matches(one.text()));
        prop_assert_eq!(Pattern::exact(&one).matches(other.text()), one == other);
        prop_assert!(redis_matches(Pattern::exact(&one).server_glob(None).as_bytes(), one.text().as_bytes()));
    }
}

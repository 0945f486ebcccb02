use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::{Serialize, Serializer};

use super::{EncodeError, encode};
use crate::key::escape::is_reserved;
use crate::key::text::Text;

fn text<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Text::new(usize::MAX);
    encode(value, &mut text).unwrap();
    text.as_str().to_owned()
}

#[derive(Serialize)]
struct Page {
    size: u32,
    after: Option<String>,
}

#[derive(Serialize)]
struct Renamed {
    #[serde(rename = "a=1,b")]
    odd: u8,
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Wrapped<T>(T);

#[derive(Serialize)]
enum Shape {
    Point,
    Circle(f64),
    Line(i8, i8),
    Rect {
        w: u8,
    },
    #[serde(rename = "a=b,")]
    Odd,
}

struct Bytes<'a>(&'a [u8]);
impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Shown<'a>(&'a str);
impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

#[test]
fn integers_are_their_digits() {
    let powers = (0..20).map(|power| 10_u64.pow(power));
    for v in powers.flat_map(|power| [power - 1, power, power + 1, 5 * (power / 4)]) {
        assert_eq!(text(&v), v.to_string());
    }
    // Each half of eight digits is split alone.
    let halves = (0..10_000_u64).flat_map(|half| [half, half * 10_000, half * 100_010_000]);
    for v in halves {
        assert_eq!(text(&v), v.to_string());
    }
    for v in [i64::MIN, -1_000, -10, -1] {
        assert_eq!(text(&v), v.to_string());
    }
}

#[test]
fn scalars_are_readable() {
    assert_eq!(text(&0u8), "0");
    assert_eq!(text(&1u8), text(&1u64));
    assert_eq!(text(&i64::MIN), i64::MIN.to_string());
    assert_eq!(text(&u64::MAX), u64::MAX.to_string());
    assert_eq!(text(&i128::MIN), i128::MIN.to_string());
    assert_eq!(text(&u128::MAX), u128::MAX.to_string());
    assert_eq!(text(&true), "true");
    assert_eq!(text(&'*'), "%2A");
    assert_eq!(text("a:b"), "a%3Ab");
    assert_eq!(text(""), "'");
    assert_eq!(text(&()), "()");
    assert_eq!(text(&Unit), "()");
    assert_eq!(text(&Wrapped(7)), "7");
    assert_eq!(text(&Bytes(b"\0\xff")), "=00ff");
    assert_eq!(
        (text(&Shown("a b")), text(&Shown(""))),
        ("a%20b".to_owned(), "'".to_owned())
    );
    assert_eq!(text(&[Shown("")]), "(',)");
}

#[test]
fn floats_are_the_shortest_that_read_back() {
    for (value, expected) in [
        (0.1, "0.1"),
        (-2.0, "-2.0"),
        (1e300, "1e300"),
        (1e16, "1e16"),
        (5e-324, "5e-324"),
        (9_007_199_254_740_993.0, "9007199254740992.0"),
        (0.00001, "0.00001"),
        (-0.0, "0.0"),
        (f64::NAN, "NaN"),
        (-f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(text(&value), expected);
    }
    assert_eq!(text(&0.1f32), "0.1");
    assert_eq!(text(&-0.0f32), "0.0");
    assert_eq!(text(&f32::NAN), "NaN");
    assert_eq!(text(&f32::MAX), "3.4028235e38");
}

#[test]
fn none_differs_from_everything() {
    assert_eq!(text(&None::<u8>), "~");
    assert_eq!(text(&Some("")), "'");
    assert_eq!(text(&Some("~")), "%7E");
    assert_eq!(text(&Some(None::<u8>)), "~~");
    assert_eq!(text(&Some(Some(None::<u8>))), "~~~");
    assert_eq!(text(&Some(Some(Some(1)))), "1");
    assert_eq!(text(&Some(Wrapped(None::<u8>))), "~~");
    assert_eq!(text(&vec![Some(None::<u8>)]), "(~~,)");
    assert_eq!(text(&Some(vec![None::<u8>])), "(~,)");
}

#[test]
fn containers_terminate_their_elements() {
    assert_eq!(text::<[u8; 0]>(&[]), "()");
    assert_eq!(text(&[""]), "(',)");
    assert_eq!(text(&(1, "1", ("x",))), "(1,'1,('x,),)");
    assert_eq!(
        text(&Page {
            size: 9,
            after: Some("k=".to_owned())
        }),
        "(size=9,after='k%3D,)"
    );
    assert_eq!(text(&BTreeMap::from([("b", 1), ("a", 2)])), "('a=2,'b=1,)");
    assert_eq!(text(&Shape::Point), "Point");
    assert_eq!(text(&Shape::Circle(0.5)), "Circle(0.5,)");
    assert_eq!(text(&Shape::Line(1, -1)), "Line(1,-1,)");
    assert_eq!(text(&Shape::Rect { w: 1 }), "Rect(w=1,)");
    assert_eq!(text(&Shape::Odd), "a%3Db%2C");
    assert_eq!(text(&Renamed { odd: 1 }), "(a%3D1%2Cb=1,)");
}

#[test]
fn a_failing_or_endless_value_stops() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(std::iter::repeat(1))
        }
    }
    let mut text = Text::new(100);
    assert!(matches!(
        encode(&Failing, &mut text),
        Err(EncodeError::Custom(_))
    ));
    assert!(matches!(
        encode(&Endless, &mut text),
        Err(EncodeError::TooLong)
    ));
    assert!(matches!(
        encode(&Shown(&"x".repeat(101)), &mut text),
        Err(EncodeError::TooLong)
    ));
    assert!(text.len() <= 100);
}

/// One type in which every shape of serde's data model can hold every other.
#[derive(Debug, Clone, PartialEq, Serialize)]
enum Value {
    Nothing,
    Flag(bool),
    Number(i64),
    Ratio(f64),
    Letter(char),
    Word(String),
    #[serde(serialize_with = "as_bytes")]
    Raw(Vec<u8>),
    Deep(Option<Option<Option<bool>>>),
    Maybe(Option<Box<Value>>),
    List(Vec<Value>),
    Pair(Box<Value>, Box<Value>),
    Record {
        a: Box<Value>,
        b: Option<String>,
    },
    Table(BTreeMap<String, Value>),
    Counts(BTreeMap<Option<Vec<String>>, u8>),
}

fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Short, and mostly made of what an attacker would try.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::collection::vec(proptest::sample::select(":*?[]{}%\\#,()=~' \r\n\0ax\u{2028}é".chars().collect::<Vec<_>>()), 0..4)
            .prop_map(String::from_iter),
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nothing),
        any::<bool>().prop_map(Value::Flag),
        (-3i64..3).prop_map(Value::Number),
        proptest::sample::select(vec![0.0, 0.1, 1.0, -1.0, 1e300]).prop_map(Value::Ratio),
        proptest::sample::select(vec!['~', '\'', 'a']).prop_map(Value::Letter),
        word().prop_map(Value::Word),
        proptest::collection::vec(0..3u8, 0..3).prop_map(Value::Raw),
        any::<Option<Option<Option<bool>>>>().prop_map(Value::Deep),
        proptest::collection::btree_map(
            proptest::option::of(proptest::collection::vec(word(), 0..2)),
            0..3u8,
            0..3
        )
        .prop_map(Value::Counts),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::option::of(inner.clone()).prop_map(|v| Value::Maybe(v.map(Box::new))),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Value::Pair(a.into(), b.into())),
            (inner.clone(), proptest::option::of(word()))
                .prop_map(|(a, b)| Value::Record { a: a.into(), b }),
            proptest::collection::btree_map(word(), inner, 0..3).prop_map(Value::Table),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn distinct_values_have_distinct_texts(values in proptest::collection::vec(value(), 2..40)) {
        let mut seen = HashMap::new();
        for value in &values {
            let twin = seen.entry(text(value)).or_insert(value);
            prop_assert_eq!(*twin, value, "{}", text(value));
        }
    }

    #[test]
    fn distinct_argument_lists_have_distinct_texts(one in proptest::collection::vec(word(), 0..3), other in proptest::collection::vec(word(), 0..3)) {
        prop_assert_eq!(one == other, text(&one) == text(&other));
    }

    #[test]
    fn a_text_holds_structure_and_escapes_only(one in value()) {
        let allowed = |c: char| !is_reserved(c) || "(),=~'%".contains(c);
        prop_assert!(text(&one).chars().all(allowed), "{}", text(&one));
    }

    #[test]
    fn the_order_of_a_map_does_not_matter(entries in proptest::collection::hash_map(word(), value(), 0..8)) {
        let again: HashMap<_, _> = entries.clone().into_iter().collect();
        let sorted: BTreeMap<_, _> = entries.clone().into_iter().collect();
        prop_assert_eq!(text(&entries), text(&again));
        prop_assert_eq!(text(&entries), text(&sorted));
    }

    #[test]
    fn floats_read_back(v in any::<f64>(), w in any::<f32>()) {
        prop_assert_eq!(text(&v).parse::<f64>().unwrap(), v);
        prop_assert_eq!(text(&w).parse::<f32>().unwrap(), w);
    }
}

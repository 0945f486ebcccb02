//! What the parts promise together: the text of a whole key.

use proptest::prelude::*;
use serde::{Serialize, Serializer};

use super::buf::Unrenderable;
use super::digest::MAX_TEXT;
use super::rendered::Rendered;
use super::*;

mod holes;

const ROOM: usize = 64 * 1024;

fn rendered(render: impl FnOnce(&mut KeyBuf)) -> Result<Rendered, Unrenderable> {
    let mut buf = KeyBuf::new(ROOM, None);
    render(&mut buf);
    buf.finish()
}

fn late(render: impl FnOnce(&mut KeyBuf)) -> LateTemplate {
    let mut buf = KeyBuf::new(ROOM, None);
    render(&mut buf);
    buf.finish_late()
}

struct Failing;
impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("hunter2 is not serializable"))
    }
}

#[test]
fn a_template_is_its_literals_and_its_arguments() {
    let key = rendered(|k| {
        k.lit("product:");
        k.arg(&7u64);
        k.lit(":");
        k.arg("a:b");
    });
    let key = key.unwrap();
    assert_eq!(key.as_str(), "product:7:a%3Ab");
    assert_eq!(key.bytes(), key.as_str().as_bytes());
    assert_eq!((key.region(), key.full()), ("product", None));
}

#[test]
fn the_region_is_the_literal_segments_in_front_of_the_first_value() {
    let region = |render: fn(&mut KeyBuf)| rendered(render).unwrap().region().to_owned();
    assert_eq!(
        region(|k| {
            k.lit("products:list:");
            k.arg(&1);
            k.lit(":x:");
            k.arg(&2)
        }),
        "products:list"
    );
    assert_eq!(
        region(|k| {
            k.lit("products:list");
            k.arg(&1)
        }),
        "products"
    );
    assert_eq!(region(|k| k.arg("a:b")), "");
    assert_eq!(region(|k| k.lit("products:featured")), "products:featured");
    assert_eq!(
        region(|k| {
            k.path("shop::get::{{closure}}");
            k.lit(":");
            k.arg(&1)
        }),
        "shop.get"
    );
    assert_eq!(region(|k| k.path("shop::all")), "shop.all");
}

#[test]
fn a_long_key_keeps_its_region_and_its_full_text() {
    let render = |arg: &str| {
        rendered(|k| {
            k.lit("products:list:");
            k.arg(arg)
        })
        .unwrap()
    };
    let (x, y) = (render(&"x".repeat(600)), render(&"y".repeat(600)));
    assert!(x.as_str().starts_with("products:list:#"), "{x:?}");
    assert_eq!(x.as_str().len(), "products:list:#".len() + 32);
    assert_eq!(x.region(), "products:list");
    assert_eq!(
        x.full(),
        Some(format!("products:list:{}", "x".repeat(600)).as_str())
    );
    assert_ne!(x.as_str(), y.as_str());

    let limit = render(&"x".repeat(MAX_TEXT - "products:list:".len()));
    assert_eq!((limit.full(), limit.as_str().len()), (None, MAX_TEXT));
    assert!(
        rendered(|k| k.arg(&"x".repeat(513)))
            .unwrap()
            .as_str()
            .starts_with('#')
    );
    let wide = rendered(|k| {
        k.lit(&*Box::leak(
            format!("a:{}:", "b".repeat(600)).into_boxed_str(),
        ));
        k.arg(&1)
    });
    assert_eq!(wide.unwrap().region(), "a");
}

#[test]
fn a_key_beyond_the_limit_is_refused_without_being_copied() {
    let mut buf = KeyBuf::new(1_000, None);
    buf.lit("a:b:");
    buf.arg(&"x".repeat(1 << 20));
    buf.lit(":end");
    assert!(format!("{buf:?}").len() < 200);
    let late = buf.finish_late();
    assert_eq!(
        late.render().unwrap_err(),
        Unrenderable::TooLong { limit: 1_000 }
    );
    assert_eq!(late.pattern(), Pattern::region("a:b"));
}

#[test]
fn a_number_that_has_no_room_leaves_nothing_of_it() {
    for limit in 0..=24 {
        let mut buf = KeyBuf::new(limit, None);
        buf.lit("a:");
        buf.arg(&u64::MAX);
        match buf.finish() {
            Ok(rendered) => assert_eq!(rendered.bytes(), format!("a:{}", u64::MAX).as_bytes()),
            Err(why) => {
                assert!(limit < 22);
                assert_eq!(why, Unrenderable::TooLong { limit });
            }
        }
    }
}

#[test]
fn what_cannot_be_serialized_leaves_the_region() {
    let failing = |k: &mut KeyBuf| {
        k.lit("shop:p:");
        k.arg("acme");
        k.lit(":");
        k.arg(&Failing);
        k.lit(":x")
    };
    assert!(
        matches!(rendered(failing), Err(Unrenderable::Serialize(why)) if why.contains("hunter2"))
    );
    assert_eq!(late(failing).pattern(), Pattern::region("shop:p"));
    assert_eq!(late(|k| k.arg(&Failing)).pattern(), Pattern::all());
    let pattern = late(|k| {
        k.glob("shop:p:");
        k.arg(&Failing);
        k.glob(":*")
    })
    .pattern();
    assert_eq!(pattern, Pattern::region("shop:p"));

    let mut buf = KeyBuf::new(ROOM, None);
    failing(&mut buf);
    let key = buf.finish_key(1);
    assert_eq!((key.region(), key.as_str()), ("shop:p", "shop:p"));
    assert!(matches!(key.usable(), Err(Unrenderable::Serialize(_))));
    assert_ne!(key, Key::new("shop:p"));
}

#[test]
fn a_secret_is_only_its_digest() {
    let secret = KeySecret::new(b"fleet");
    let render = |secret: Option<&KeySecret>, token: &str| {
        let mut buf = KeyBuf::new(ROOM, secret);
        buf.lit("session:");
        buf.secret(token);
        assert!(!format!("{buf:?}").contains(token));
        buf.finish()
    };
    let key = render(Some(&secret), "hunter2").unwrap();
    assert_eq!(key.as_str().len(), "session:".len() + 32);
    assert_eq!(key.region(), "session");
    assert_eq!(
        key.as_str(),
        render(Some(&secret.clone()), "hunter2").unwrap().as_str()
    );
    assert_ne!(
        key.as_str(),
        render(Some(&secret), "hunter3").unwrap().as_str()
    );
    assert_ne!(
        key.as_str(),
        render(Some(&KeySecret::new(b"other")), "hunter2")
            .unwrap()
            .as_str()
    );
    assert_eq!(render(None, "hunter2").unwrap_err(), Unrenderable::NoSecret);
    assert_eq!(format!("{secret:?}"), "KeySecret(..)");

    let mut buf = KeyBuf::new(ROOM, Some(&secret));
    buf.secret(&Failing);
    let why = buf.finish().unwrap_err();
    assert!(!format!("{why} {why:?}").contains("hunter2"), "{why}");
}

#[test]
fn a_key_of_text_is_encoded_like_a_literal() {
    let key = Key::new("user:a b*{}");
    assert_eq!(
        (key.as_str(), key.template()),
        ("user:a%20b%2A%7B%7D", UNSPECIFIED)
    );
    assert_eq!(
        (key.to_string(), format!("{key:?}")),
        (key.as_str().to_owned(), format!("Key({:?})", key.as_str()))
    );
    assert_eq!(key.usable(), Ok(()));
    let long = Key::new(&format!("a:b:{}", "x".repeat(600)));
    assert_eq!((long.region(), long.logical().len()), ("a:b", 604));
}

#[test]
fn keys_are_equal_if_they_name_one_entry() {
    let templated = rendered(|k| {
        k.lit("p:");
        k.arg(&1)
    })
    .unwrap()
    .into_key(fingerprint("p:{}"));
    assert_eq!(templated, Key::new("p:1"));
    assert_eq!(
        std::collections::HashSet::from([templated, Key::new("p:1")]).len(),
        1
    );
}

#[test]
fn handles_may_cross_threads() {
    fn check<T: Send + Sync + std::fmt::Debug>() {}
    check::<(Key, KeyBuf, Holes, Pattern)>();
    check::<(Rendered, LateTemplate, KeySecret, Unrenderable)>();
}

proptest! {
    #[test]
    fn arguments_never_reach_another_key_slot_or_pattern(one in any::<(String, String)>(), other in any::<(String, String)>()) {
        let key = |(a, b): &(String, String)| {
            rendered(|k| { k.lit("t:"); k.arg(a); k.lit(":"); k.arg(b) }).unwrap().into_key(0)
        };
        let (k1, k2) = (key(&one), key(&other));
        prop_assert_eq!(k1 == k2, one == other);
        let forbidden = "{}*?[]\\#\r\n\0 ";
        prop_assert!(!k1.logical().contains(|c| forbidden.contains(c)), "{}", k1);
        prop_assert_eq!(k1.logical().matches(':').count(), 2);

        let pattern = late(|k| { k.glob("t:"); k.arg(&one.0); k.glob(":*") }).pattern();
        prop_assert!(pattern.matches(k1.text()));
        if k2.full().is_none() {
            prop_assert_eq!(pattern.matches(k2.text()), one.0 == other.0);
        }
    }

    #[test]
    fn a_text_is_never_too_long(arg in "[a:*é]{0,400}", literal in "[a-c:]{0,600}") {
        let key = Key::new(&(literal + &arg));
        prop_assert!(key.text().len() <= MAX_TEXT);
        prop_assert_eq!(key.full().is_some(), key.text().contains('#'));
        let above = format!("{}:", key.region());
        prop_assert!(key.full().is_none_or(|full| key.region().is_empty() || full.starts_with(&above)));
    }
}

#[test]
fn what_is_no_text_of_a_key_is_not_read_as_one() {
    let long = "x".repeat(MAX_TEXT + 1);
    for text in ["a b", "a*", "a{b}", "a%", "a%41", "a%3a", "a:,b:,c", &long] {
        assert_eq!(Key::from_shown(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_key_is_read_from_what_is_shown_of_it(
        value in any::<String>(),
        list in any::<Vec<Option<String>>>(),
        scope in proptest::option::of(any::<String>()),
    ) {
        let mut buf = KeyBuf::new(ROOM, None);
        buf.lit("shop:item:");
        buf.arg(&value);
        buf.lit(":");
        buf.arg(&list);
        let key = buf.finish_key(0);
        let key = match scope {
            Some(scope) => key.in_scope(&scope),
            None => key,
        };
        let read = Key::from_shown(key.as_str());
        prop_assert_eq!(read.as_ref().map(Key::as_str), Some(key.as_str()));
        if key.full().is_none() {
            prop_assert_eq!(read.as_ref().and_then(Key::scope), key.scope());
            prop_assert_eq!(read, Some(key));
        }
    }
}

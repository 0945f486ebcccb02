//! The text a value becomes in a key: one for what is the same, another for what is not.

use std::collections::{BTreeMap, HashMap};

use cache_runtime::{Key, cacheable, key};
use serde::{Deserialize, Serialize};
use tests::caches::in_memory;
use tests::origin::Origin;

#[cacheable(key = "map:{map}", ttl = "1h")]
async fn by_map(origin: &Origin, map: &HashMap<String, u32>) -> u64 {
    origin.run().await
}

#[test]
fn what_is_the_same_value_has_the_same_text() {
    let text = |key: Key| key.as_str().to_owned();
    let (one_byte, eight_bytes, signed) = (1_u8, 1_u64, 1_i32);
    assert_eq!(text(key!("v:{one_byte}")), "v:1");
    assert_eq!(text(key!("v:{eight_bytes}")), "v:1");
    assert_eq!(text(key!("v:{signed}")), "v:1");
    let (zero, minus_zero, tenth, nan) = (0.0_f64, -0.0_f64, 0.1_f64, f64::NAN);
    assert_eq!(text(key!("v:{zero}")), text(key!("v:{minus_zero}")));
    assert_eq!(text(key!("v:{tenth}")), "v:0.1");
    assert_eq!(text(key!("v:{nan}")), "v:NaN");
    let (none, empty, some_empty) = (None::<&str>, "", Some(""));
    assert_ne!(text(key!("v:{none}")), text(key!("v:{empty}")));
    assert_eq!(text(key!("v:{some_empty}")), text(key!("v:{empty}")));
    let (some_none, none_of_option) = (Some(None::<u8>), None::<Option<u8>>);
    assert_ne!(
        text(key!("v:{some_none}")),
        text(key!("v:{none_of_option}"))
    );
    let (split, joined): (Vec<&str>, Vec<&str>) = (vec!["a", "b"], vec!["a,b"]);
    assert_ne!(text(key!("v:{split}")), text(key!("v:{joined}")));
}

#[derive(Serialize, Deserialize)]
struct Filter {
    page: u32,
    name: Option<String>,
}

#[test]
fn structs_enter_by_the_names_of_their_fields() {
    #[derive(Serialize)]
    struct Swapped {
        name: u32,
        page: Option<String>,
    }
    let filter = Filter {
        page: 1,
        name: None,
    };
    let swapped = Swapped {
        name: 1,
        page: None,
    };
    assert_ne!(key!("q:{filter}"), key!("q:{swapped}"));
    let page = filter.page;
    assert_eq!(key!("q:{filter.page}"), key!("q:{page}"));
}

#[tokio::test]
async fn maps_of_any_order_are_one_key() {
    let (cache, origin) = (in_memory(), Origin::open());
    let names: Vec<String> = (0..50).map(|name| format!("name {name}")).collect();
    for _ in 0..20 {
        // Every `HashMap` has an order of its own.
        let map: HashMap<String, u32> = names.iter().cloned().zip(0..).collect();
        assert_eq!(cache.as_current(by_map(&origin, &map)).await, 1);
        let sorted: BTreeMap<_, _> = map.iter().collect();
        assert_eq!(key!("map:{map}"), key!("map:{sorted}"));
    }
}

//! The data of a session, and what travels in it unseen.
//!
//! `tower-sessions` knows a session by id, data and end. When a request gives a session a new id, nothing says which one it was; so a session that
//! is loaded carries a note of where it comes from among its data, under a name no service uses, which is taken out again before
//! anything is written.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions_core::session::Record;
use tower_sessions_core::session_store::Error;

use super::digest::{SessionDigest, UserDigest};
use super::shelf::{Mark, Marks};

/// Where the note stands.
const NOTE: &str = "\u{1}cache-http";

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A session, its user then, and the marks it was alive by.
    Session {
        from: SessionDigest,
        user: Option<UserDigest>,
        marks: Marks,
    },
    /// Nobody could be asked whether there is one.
    Unknown,
}

/// [`Origin`] as it is written.
#[derive(Serialize, Deserialize)]
struct Note {
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    marks: [Option<String>; 2],
}

/// A record, read.
pub(super) struct Read {
    pub(super) data: Bytes,
    pub(super) user: Option<UserDigest>,
    pub(super) origin: Option<Origin>,
}

/// Takes a record apart; `field` is where the service puts the user.
pub(super) fn read(record: &Record, field: &str) -> Result<Read, Error> {
    let others = record.data.iter().filter(|(name, _)| *name != NOTE);
    // In an order that is always the same: equal data are equal bytes.
    let data: BTreeMap<_, _> = others.collect();
    let data = serde_json::to_vec(&data).map_err(|error| Error::Encode(error.to_string()))?;
    let user = record.data.get(field).and_then(text);
    Ok(Read {
        data: data.into(),
        user: user.map(|user| UserDigest::of(&user)),
        origin: record.data.get(NOTE).and_then(origin),
    })
}

/// The data of a record, with the note of where it comes from. Nothing for bytes that are no data of a session.
pub(super) fn data(bytes: &[u8], origin: &Origin) -> Option<HashMap<String, Value>> {
    let mut data: HashMap<String, Value> = serde_json::from_slice(bytes).ok()?;
    annotate(&mut data, origin);
    Some(data)
}

/// Says where data come from, from now on.
pub(super) fn annotate(data: &mut HashMap<String, Value>, origin: &Origin) {
    let note = match origin {
        Origin::Session { from, user, marks } => Note {
            from: Some(from.to_string()),
            user: user.map(|user| user.to_string()),
            marks: marks.0.map(|mark| mark.map(|mark| mark.to_string())),
        },
        Origin::Unknown => Note {
            from: None,
            user: None,
            marks: [None, None],
        },
    };
    let note = serde_json::to_value(note).expect("texts alone");
    data.insert(NOTE.to_owned(), note);
}

fn origin(note: &Value) -> Option<Origin> {
    let note = Note::deserialize(note).ok()?;
    let Some(from) = note.from else {
        return Some(Origin::Unknown);
    };
    let mark = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Mark>().ok());
    Some(Origin::Session {
        from: from.parse().ok()?,
        user: note.user.and_then(|user| user.parse().ok()),
        marks: Marks([mark(&note.marks[0]), mark(&note.marks[1])]),
    })
}

/// A user as text: `"7"` and `7` are one.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;
    use tower_sessions_core::session::Id;

    use super::*;

    fn record(data: HashMap<String, Value>) -> Record {
        Record {
            id: Id(7),
            data,
            expiry_date: OffsetDateTime::now_utc(),
        }
    }

    #[test]
    fn the_note_comes_back_and_is_never_written() {
        let origins = [
            Origin::Unknown,
            Origin::Session {
                from: SessionDigest::of(&Id(1)),
                user: Some(UserDigest::of("alice")),
                marks: Marks([Some(Mark::random()), None]),
            },
        ];
        for origin in origins {
            let data = data(b"{\"user\":\"alice\",\"a\":[1]}", &origin).unwrap();
            let read = read(&record(data), "user").unwrap();
            assert_eq!(read.origin, Some(origin));
            assert_eq!(read.data, "{\"a\":[1],\"user\":\"alice\"}");
            assert_eq!(read.user, Some(UserDigest::of("alice")));
        }
    }

    #[test]
    fn a_user_is_a_text_or_a_number() {
        let user = |value: Value| {
            let data = HashMap::from([("user".to_owned(), value)]);
            read(&record(data), "user").unwrap().user
        };
        assert_eq!(user(json!(7)), user(json!("7")));
        assert_ne!(user(json!(7)), user(json!(8)));
        assert_eq!(user(json!(null)), None);
        let nobody = read(&record(HashMap::new()), "user").unwrap();
        assert_eq!((nobody.user, nobody.origin), (None, None));
    }

    #[test]
    fn what_is_no_data_is_none() {
        assert!(data(b"", &Origin::Unknown).is_none());
        assert!(data(b"[1]", &Origin::Unknown).is_none());
    }
}

//! Why a use case was refused or failed.

use std::error;
use std::fmt;
use std::sync::Arc;

/// One error for all use cases.
///
/// It is `Clone`, so that callers who wait for one load share its failure as they would share its value: a database that
/// fails is then asked once, not once for each of them.
#[derive(Clone, Debug)]
pub enum Error {
    /// There is none under this name.
    NotFound(&'static str),
    /// Somebody else was faster; the row has this version now.
    Conflict {
        /// What the database has.
        current: i64,
    },
    /// There is room for so many and no more.
    Full {
        /// Where there is none.
        what: &'static str,
        /// How many it holds.
        most: i64,
    },
    /// The name or the password is not right; which one is nobody's business.
    WrongPassword,
    /// The database did not do it.
    Database(Arc<sqlx::Error>),
    /// The sessions could not be read or changed.
    Sessions(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound(what) => write!(f, "there is no such {what}"),
            Error::Conflict { current } => {
                write!(f, "it was changed meanwhile and is version {current} now")
            }
            Error::Full { what, most } => {
                write!(f, "the {what} holds {most}: take something off it first")
            }
            Error::WrongPassword => f.write_str("the name or the password is wrong"),
            Error::Database(error) => write!(f, "database: {error}"),
            Error::Sessions(reason) => write!(f, "sessions: {reason}"),
        }
    }
}

impl error::Error for Error {}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::Database(Arc::new(error))
    }
}

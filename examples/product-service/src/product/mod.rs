//! Products: what they are, where they are kept, how they are cached, how they are asked for.

mod catalogue;
mod model;
mod repository;
pub(crate) mod routes;

pub use self::catalogue::Catalogue;
pub use self::model::{Change, Changed, Draft, Page, Product, Search, Sort};
pub use self::repository::Products;

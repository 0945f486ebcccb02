//! The values: a struct of six fields, and a run of bytes of a chosen length.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the cached function returns, behind an `Arc` or owned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Product {
    pub id: u64,
    pub name: String,
    pub description: String,
    pub price_cents: u64,
    pub stock: u32,
    pub tags: Vec<String>,
}

impl Product {
    /// The product of this number, the same in every process.
    pub fn numbered(id: u64) -> Product {
        Product {
            id,
            name: format!("Product number {id}"),
            description: format!("What there is to say about product {id}, in a sentence or so."),
            price_cents: 100 + id * 7 % 10_000,
            stock: (id % 1_000) as u32,
            tags: vec![format!("shelf-{}", id % 100), "in-print".to_owned()],
        }
    }
}

/// Bytes that begin with the number they belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blob(pub Vec<u8>);

impl Blob {
    pub fn numbered(id: u64, length: usize) -> Blob {
        let mut bytes = vec![b'x'; length.max(8)];
        bytes[..8].copy_from_slice(&id.to_le_bytes());
        Blob(bytes)
    }
}

/// A text of a chosen length, which JSON leaves as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub id: u64,
    pub text: String,
}

impl Document {
    pub fn numbered(id: u64, length: usize) -> Document {
        let text = "what is written in the document ".chars().cycle();
        let text = text.take(length).collect();
        Document { id, text }
    }
}

impl Value for Document {
    fn number(&self) -> u64 {
        self.id
    }
}

/// A product as its JSON.
#[derive(Clone, Debug)]
pub struct Undecoded(pub Vec<u8>);

/// A value that tells which key it belongs to, so that a measure can tell that it was given the right one.
pub trait Value: Send + Sync + 'static {
    fn number(&self) -> u64;
}

impl Value for Product {
    fn number(&self) -> u64 {
        self.id
    }
}

impl Value for Blob {
    fn number(&self) -> u64 {
        let first = self
            .0
            .first_chunk()
            .expect("a blob has eight bytes or more");
        u64::from_le_bytes(*first)
    }
}

impl Value for Undecoded {
    fn number(&self) -> u64 {
        let text = self.0.strip_prefix(b"{\"id\":").unwrap_or_default();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    }
}

impl<V: Value> Value for Arc<V> {
    fn number(&self) -> u64 {
        (**self).number()
    }
}

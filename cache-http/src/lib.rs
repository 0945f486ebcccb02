#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod address;
#[cfg(feature = "admin")]
pub mod admin;
pub mod limit;
pub mod response;
#[cfg(feature = "sessions")]
pub mod session;
mod together;
mod words;

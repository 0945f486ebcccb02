//! The administration: its interface by plain HTTP, and its page in a real browser.

mod api;
mod browser;
mod client;
mod evictions;
mod page;
mod screenshots;
mod shop;

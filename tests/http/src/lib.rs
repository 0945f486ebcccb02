//! Tests of `cache-http`; they are in `tests`.

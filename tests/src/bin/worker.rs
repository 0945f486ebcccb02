//! One process of a fleet under test.
fn main() {}

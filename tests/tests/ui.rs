//! The attributes as a user meets them at compile time: what compiles, and where each error sits.
//!
//! One folder per option or topic. `TRYBUILD=overwrite cargo test -p tests --test ui` writes the `.stderr` files anew; read the diff,
//! because the line and column of an error are what is tested.

#[test]
fn what_is_documented_compiles_and_runs() {
    trybuild::TestCases::new().pass("ui/*/pass/*.rs");
}

#[test]
fn every_mistake_is_one_error_on_the_token_to_change() {
    trybuild::TestCases::new().compile_fail("ui/*/fail/*.rs");
}

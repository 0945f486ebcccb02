//! The support library of the behaviour tests.

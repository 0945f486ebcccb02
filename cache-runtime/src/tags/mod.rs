//! Labels that many entries carry, and the generations by which all of them die at once.
//!
//! **Problem.** To evict "everything about user 7" by looking for the entries costs as much as there are entries, and
//! misses the one that is being stored behind the search.
//!
//! **Decision.** A label has a *generation*, a random number in Redis. An entry remembers the generations of its labels as
//! they were *before its load began*; it is alive while they are current. Evicting a label replaces its generation, which
//! costs the same whatever number of entries carry it. A generation that is lost equals nothing: its entries are dead.
//!
//! Four kinds of label, one mechanism: tags, regions, scopes, and the cache as a whole.
//!
//! This module is a leaf but for keys: it knows neither Redis nor the engine.

mod cell;
mod cells;
mod generation;
mod known;
mod label;
mod manner;
mod root;
mod stamp;

pub(crate) use cell::{Before, Cell};
pub(crate) use cells::Cells;
pub(crate) use generation::Fold;
pub use generation::{Generation, Logical, Standing};
pub use label::{Label, LabelKind};
pub use manner::Manner;
pub(crate) use root::Root;
pub(crate) use stamp::{Base, Derived, Labelling, Own, Stamp};

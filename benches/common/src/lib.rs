//! What every candidate of the benchmark has in common: the values, the keys, the measures and the form of a result.
//!
//! A candidate is a program of its own, so that neither the features nor the code of one weighs on another. It implements [`Candidate`]
//! for what its library can do and hands it to [`Run::measure`]; which measure is run, on which keys and with how many tasks, is
//! said on the command line by the runner, and the answer is one line of JSON. Nothing here knows which candidates there are.
//!
//! A new measure is a file in `measure/`, a line in [`Run::measure`], and a row of the runner's plan.

mod candidate;
mod counting;
mod fleet;
pub mod keys;
mod latencies;
mod measure;
pub mod origin;
mod process;
mod product;
mod report;
mod run;
mod server;

pub use candidate::{Candidate, Selection};
pub use counting::Counting;
pub use product::{Blob, Document, Product, Undecoded, Value};
pub use report::Report;
pub use run::{Form, Parameters, Run};

/// Every candidate allocates through the same allocator, the system's; counting is off except where bytes are measured.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

//! One process of a fleet under test: the scenarios the behaviour tests ask for by name.

use tests::worker::Scenarios;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    Scenarios::new().serve().await
}

//! One process of a fleet under test: the scenarios the behaviour tests ask for by name.

#[tokio::main]
async fn main() -> std::io::Result<()> {
    tests::scenarios::all().serve().await
}

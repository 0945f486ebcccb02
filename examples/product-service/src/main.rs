//! The service: `cargo run --release -p product-service`.

use std::error::Error;
use std::process::ExitCode;

use product_service::config::Config;
use product_service::server::{Server, told_to_stop};
use product_service::telemetry;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("product-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::from_env()?;
    let _logs = telemetry::logs(&config)?;
    let stop = told_to_stop()?;
    let server = Server::start(&config).await?;
    let url = format!("http://{}", server.address()?);
    println!("product-service is at {url}/docs");
    server.run(stop).await;
    Ok(())
}

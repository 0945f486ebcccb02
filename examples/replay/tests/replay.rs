//! The program as a user runs it: every product of a trace is loaded once, in one process and in a fleet.

use std::io::Write;
use std::process::Command;

use serde_json::Value;
use tempfile::NamedTempFile;
use tests::server::RedisServer;

const PRODUCTS: u32 = 300;

/// 3,000 requests for 300 products: neighbours ask for the same one, so that processes meet at cold keys.
fn trace() -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("the temporary folder is writable");
    for request in 0..3_000_u32 {
        let product = request / 8 % PRODUCTS;
        file.write_all(&product.to_be_bytes()).expect("it is open");
    }
    file
}

fn replay(arguments: &[&str]) -> Value {
    let trace = trace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_replay"));
    let output = command
        .arg(trace.path())
        .arg("--json")
        .args(arguments)
        .output()
        .expect("the program was built");
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{errors}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{errors}"))
}

fn assert_each_product_was_loaded_once(result: &Value) {
    assert_eq!(result["requests"], 3_000, "{result}");
    assert_eq!(result["loads"], PRODUCTS, "{result}");
    assert_eq!(result["hit_ratio"], 0.9, "{result}");
    assert_eq!(result["wrong_values"], 0, "{result}");
    assert_eq!(result["errors"], 0, "{result}");
}

#[test]
fn memory_of_one_process_loads_each_product_once() {
    let result = replay(&["--tasks", "16"]);
    assert_each_product_was_loaded_once(&result);
    assert_eq!(result["l2_hits"], 0, "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fleet_on_one_redis_loads_each_product_once() {
    let server = RedisServer::start().await;
    let result = replay(&["--processes", "3", "--tasks", "8", "--redis", &server.url()]);
    assert_each_product_was_loaded_once(&result);
    assert!(result["l2_hits"].as_u64() > Some(0), "{result}");
    // The next run starts cold, although the first left its entries behind.
    let again = replay(&["--processes", "3", "--tasks", "8", "--redis", &server.url()]);
    assert_each_product_was_loaded_once(&again);
}

#[test]
fn trace_that_cannot_be_read_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_replay"))
        .arg("/no/such.trace")
        .output()
        .expect("it was built");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such.trace"));
}

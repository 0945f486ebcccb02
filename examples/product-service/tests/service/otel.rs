//! Spans reach a collector, as parts of the trace that the request came with.

use std::sync::{Arc, Mutex};

use tests::eventually;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::kit::Settings;

const TRACE: [u8; 16] = [
    0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];

/// Everything that was sent to a collector that says yes to all of it.
async fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(collect(stream, Arc::clone(&heard)));
        }
    });
    (url, sent)
}

/// One request after the other, each to its end: who is answered too early does not send the rest.
async fn collect(stream: TcpStream, heard: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("it is a number");
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        heard.lock().expect("no holder panics").extend(body);
        let yes =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(yes).await?;
    }
}

fn contains(sent: &Mutex<Vec<u8>>, wanted: &[u8]) -> bool {
    let sent = sent.lock().expect("no holder panics");
    sent.windows(wanted.len()).any(|part| part == wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_spans_of_their_callers_trace() {
    let (url, sent) = collector().await;
    let mut instance = Settings::new()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
        .start();
    let id: String = TRACE.iter().map(|byte| format!("{byte:02x}")).collect();
    let client = instance
        .client()
        .with("traceparent", &format!("00-{id}-00f067aa0ba902b7-01"));
    client.get("/api/products?size=1").await.expect(200);
    // The last ones are sent when it ends.
    instance.terminate();
    assert!(instance.ended().await.success(), "{}", instance.log());
    let all: [&[u8]; 4] = [
        b"GET /api/products",
        b"cache.load",
        b"product-service",
        &TRACE,
    ];
    for wanted in all {
        let what = format!(
            "the collector has {} of a service that said {}",
            wanted.escape_ascii(),
            instance.log()
        );
        eventually::holds(&what, async || contains(&sent, wanted)).await;
    }
}

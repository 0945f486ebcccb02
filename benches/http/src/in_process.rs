//! What a request costs without a network: the router is called in a loop and its body collected, by one task.
//!
//! The figure is the median over slices of some tens of microseconds, so that one in which the task was taken off its core does not count.

use crate::{Service, is_of, uri};
use axum::{
    Router,
    body::Body,
    http::{Request, Uri, header::HOST},
};
use common::{Report, Run, keys};
use http_body_util::BodyExt;
use std::{
    hint::black_box,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};
use tower_service::Service as _;

const KEYS: u64 = 1_000;
const DRAWS: usize = 1 << 14;
const SLICE: usize = 16;

pub(crate) fn measure(run: &Run, service: &Service, router: Router) -> Report {
    let runtime = run.runtime();
    let time = Duration::from_millis(if run.parameters().quick() { 200 } else { 800 });
    let service = service.clone();
    runtime.block_on(async move {
        let measured = tokio::spawn(async move {
            let uris: Vec<_> = (0..KEYS).map(uri).collect();
            for (id, uri) in uris.iter().enumerate() {
                assert!(
                    is_of(&call(&router, uri).await, id as u64),
                    "another path's response"
                );
            }
            let ids = keys::zipf(KEYS, DRAWS);
            let (mut slices, mut requests) = (Vec::new(), 0);
            let (start, before) = (Instant::now(), service.calls.load(Relaxed));
            'time: loop {
                for slice in ids.chunks(SLICE) {
                    let began = Instant::now();
                    for &id in slice {
                        black_box(call(&router, &uris[id as usize]).await);
                    }
                    slices.push(began.elapsed().as_nanos() as f64 / slice.len() as f64);
                    requests += slice.len() as u64;
                    if start.elapsed() >= time {
                        break 'time;
                    }
                }
            }
            service.check(before, requests);
            slices.sort_unstable_by(f64::total_cmp);
            slices[slices.len() / 2]
        });
        let median = measured.await.expect("a request does not panic");
        Report::new().figure("us_per_request", median / 1e3)
    })
}

async fn call(router: &Router, uri: &Uri) -> axum::body::Bytes {
    let request = Request::get(uri.clone()).header(HOST, "shop.example");
    let request = request.body(Body::empty()).expect("it is a request");
    let answer = router.clone().call(request).await;
    let body = answer.expect("a router has no errors").into_body();
    body.collect()
        .await
        .expect("a body in memory does not break off")
        .to_bytes()
}

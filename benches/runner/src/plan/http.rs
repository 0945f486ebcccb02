//! What is measured of services over HTTP.

use super::{Better, Candidate, Figure, Measure, Plot, Way, candidate, point};

const CANDIDATES: &[Candidate] = &[
    candidate("none-http", "plain", "no cache: the handler"),
    candidate("ours-http", "memory", "**`ResponseCache`**"),
    candidate("tower-http-cache", "memory", "tower-http-cache"),
    candidate("axum-response-cache", "lifespan", "axum-response-cache"),
];

pub(super) const CALLS: Measure = Measure {
    name: "http-calls",
    title: "A response from memory",
    way: Way::Program("http-calls"),
    candidates: CANDIDATES,
    points: &[
        point("a product, 0.2 KB", 1.0, &[]),
        point("a text, 10 KB", 2.0, &["length=10000"]),
        point("a text, 100 KB", 3.0, &["length=100000"]),
    ],
    figures: &[Figure {
        name: "us_per_request",
        label: "µs per request",
        decimals: 2,
        absent: "—",
        better: Better::Less,
        plot: Plot::Bars,
    }],
    baseline: Some(0),
    repetitions: 7,
};

pub(super) const REQUESTS: Measure = Measure {
    name: "http-requests",
    title: "Requests per second",
    way: Way::Program("http-requests"),
    candidates: CANDIDATES,
    points: &[
        point("the handler answers at once", 1.0, &["delay=0"]),
        point("the handler takes 2 ms", 2.0, &["delay=2"]),
        point("at once, 10 KB", 3.0, &["delay=0", "length=10000"]),
    ],
    figures: &[Figure {
        name: "krps",
        label: "thousand requests per second",
        decimals: 1,
        absent: "—",
        better: Better::More,
        plot: Plot::Bars,
    }],
    baseline: Some(0),
    repetitions: 7,
};

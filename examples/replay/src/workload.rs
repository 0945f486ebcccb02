//! Which product is asked for, request by request.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the requests come from; every process derives the same ones from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Workload {
    /// A file of big-endian 32-bit product numbers.
    Trace(PathBuf),
    /// The n-th most popular product is asked for in proportion to 1/n, as shops and libraries find.
    Zipf {
        requests: usize,
        products: u32,
        seed: u64,
    },
}

impl Workload {
    /// All requests, in order.
    pub(crate) fn requests(&self) -> io::Result<Vec<u32>> {
        match self {
            Workload::Trace(file) => read(file).map_err(|error| named(file, error)),
            Workload::Zipf {
                requests,
                products,
                seed,
            } => Ok(zipf(*requests, *products, *seed)),
        }
    }

    /// The share of one process: every n-th request, so that all processes together replay each request once and in
    /// the trace's order.
    pub(crate) fn share(&self, index: usize, processes: usize) -> io::Result<Vec<u32>> {
        Ok(self
            .requests()?
            .into_iter()
            .skip(index)
            .step_by(processes)
            .collect())
    }
}

fn named(file: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}

fn read(file: &Path) -> io::Result<Vec<u32>> {
    let bytes = std::fs::read(file)?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() || numbers.is_empty() {
        let reason = format!("{} bytes are no list of 32-bit numbers", bytes.len());
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(numbers
        .iter()
        .map(|number| u32::from_be_bytes(*number))
        .collect())
}

fn zipf(requests: usize, products: u32, seed: u64) -> Vec<u32> {
    let mut total = 0.0;
    let cumulated: Vec<f64> = (1..=products)
        .map(|rank| {
            total += 1.0 / f64::from(rank);
            total
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut product = || {
        let point = random.f64() * total;
        let rank = cumulated.partition_point(|&upto| upto <= point);
        u32::try_from(rank).map_or(products - 1, |rank| rank.min(products - 1))
    };
    (0..requests).map(|_| product()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn shares_are_the_whole_trace_once() {
        let zipf = Workload::Zipf {
            requests: 1_001,
            products: 50,
            seed: 7,
        };
        let mut shares: Vec<_> = (0..4)
            .map(|index| zipf.share(index, 4).expect("nothing to read").into_iter())
            .collect();
        let merged: Vec<u32> = (0..1_001)
            .filter_map(|index| shares[index % 4].next())
            .collect();
        assert_eq!(merged, zipf.requests().expect("nothing to read"));
    }

    #[test]
    fn first_product_is_asked_for_twice_as_often_as_the_second() {
        let requests = zipf(100_000, 1_000, 7);
        let asked = |product| {
            requests
                .iter()
                .filter(|&&request| request == product)
                .count() as f64
        };
        assert!(
            (asked(0) / asked(1) - 2.0).abs() < 0.2,
            "{} {}",
            asked(0),
            asked(1)
        );
        assert!(requests.iter().all(|&product| product < 1_000));
    }

    #[test]
    fn trace_is_big_endian_and_whole() {
        let mut file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
        file.write_all(&[0, 0, 1, 2, 0, 0, 0, 7])
            .expect("it is open");
        let trace = Workload::Trace(file.path().to_owned());
        assert_eq!(trace.requests().expect("it is a trace"), [258, 7]);
        file.write_all(&[1]).expect("it is open");
        let error = trace.requests().expect_err("half a number").to_string();
        assert!(error.contains("9 bytes"), "{error}");
    }
}

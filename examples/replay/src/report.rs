//! The result, for people and for programs.

use std::fmt::Write;

use crate::fleet::Outcome;
use crate::tally::Tally;

/// One JSON object on one line.
pub(crate) fn json(outcome: &Outcome) -> serde_json::Value {
    let tally = &outcome.tally;
    serde_json::json!({
        "requests": tally.requests,
        "l1_hits": tally.l1_hits,
        "l2_hits": tally.l2_hits,
        "shared": tally.shared,
        "loads": tally.loads,
        "hit_ratio": rounded(tally.hit_ratio(), 6),
        "wrong_values": tally.wrong_values,
        "errors": tally.errors,
        "refused_stores": tally.refused_stores,
        "redis_errors": tally.redis_errors,
        "p50_us": rounded(tally.latency.percentile(50.0), 3),
        "p99_us": rounded(tally.latency.percentile(99.0), 3),
        "max_us": rounded(tally.latency.max(), 3),
        "processes": outcome.processes,
        "tasks": outcome.tasks,
        "seconds": rounded(outcome.took.as_secs_f64(), 3),
    })
}

/// A table with a line of explanation for every number.
pub(crate) fn table(outcome: &Outcome) -> String {
    let mut text = heading(outcome);
    let rows = requests(&outcome.tally)
        .into_iter()
        .chain(latencies(&outcome.tally))
        .chain(trouble(&outcome.tally));
    for (name, value, meaning) in rows {
        let line = format!("  {name:<16} {value:>12}   {meaning}");
        writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
    }
    text
}

fn heading(outcome: &Outcome) -> String {
    let tier = if outcome.with_redis {
        "memory and one Redis"
    } else {
        "memory only"
    };
    format!(
        "{tier}, processes: {}, tasks in each: {}; {} requests in {:.2} s\n\n",
        outcome.processes,
        outcome.tasks,
        outcome.tally.requests,
        outcome.took.as_secs_f64()
    )
}

/// Name, value, meaning.
type Row = (&'static str, String, &'static str);

fn requests(tally: &Tally) -> [Row; 5] {
    let ratio = format!("{:.1} %", tally.hit_ratio() * 100.0);
    let count = |number: u64| number.to_string();
    [
        (
            "memory hits",
            count(tally.l1_hits),
            "answered from this process",
        ),
        (
            "Redis hits",
            count(tally.l2_hits),
            "answered from what another process had loaded",
        ),
        (
            "shared",
            count(tally.shared),
            "waited for a load that was under way",
        ),
        ("origin loads", count(tally.loads), "ran the query"),
        ("hit ratio", ratio, "requests that did not run the query"),
    ]
}

fn latencies(tally: &Tally) -> [Row; 3] {
    let percentile = |percent| micros(tally.latency.percentile(percent));
    [
        ("median", percentile(50.0), "latency of a call"),
        ("99th percentile", percentile(99.0), ""),
        ("slowest", micros(tally.latency.max()), ""),
    ]
}

fn trouble(tally: &Tally) -> [Row; 4] {
    let count = |number: u64| number.to_string();
    [
        (
            "refused stores",
            count(tally.refused_stores),
            "loaded, and rightly not cached",
        ),
        (
            "Redis errors",
            count(tally.redis_errors),
            "commands that failed; calls went on without",
        ),
        ("failed calls", count(tally.errors), "must be 0"),
        (
            "wrong values",
            count(tally.wrong_values),
            "differed from the database; must be 0",
        ),
    ]
}

fn micros(micros: f64) -> String {
    match micros {
        _ if micros >= 10_000.0 => format!("{:.1} ms", micros / 1_000.0),
        _ => format!("{micros:.1} us"),
    }
}

fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outcome() -> Outcome {
        let tally = Tally {
            requests: 95_607,
            loads: 13_756,
            l1_hits: 80_000,
            ..Tally::default()
        };
        Outcome {
            tally,
            processes: 4,
            tasks: 16,
            with_redis: true,
            took: Duration::from_secs(2),
        }
    }

    #[test]
    fn object_has_the_agreed_names() {
        let object = json(&outcome());
        let agreed = [
            "requests",
            "l1_hits",
            "l2_hits",
            "shared",
            "loads",
            "hit_ratio",
            "wrong_values",
            "p50_us",
            "p99_us",
        ];
        for name in agreed {
            assert!(object[name].is_number(), "{name}");
        }
        assert_eq!(object["hit_ratio"], 0.856119);
    }

    #[test]
    fn table_says_how_much_the_database_was_spared() {
        let table = table(&outcome());
        assert!(
            table.contains("85.6 %") && table.contains("13756"),
            "{table}"
        );
    }
}

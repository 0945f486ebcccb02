//! The table: each folder with what it imports.

use std::fmt::Write as _;

/// A folder (or a file at the top), what it imports from below, and what from above, with the reason.
pub(crate) struct Row {
    pub(crate) folder: &'static str,
    pub(crate) below: &'static [&'static str],
    pub(crate) above: &'static [(&'static str, &'static str)],
}

/// From the top down.
pub(crate) const TABLE: &[Row] = &[
    row(
        "testing",
        &["cache", "tiers", "ports", "bus", "tags", "entry", "key"],
        &[],
    ),
    row(
        "fuzzing",
        &["cache", "tiers/redis", "bus", "entry", "tags", "key"],
        &[],
    ),
    row("tier", &["tiers", "bus", "entry", "tags", "key"], &[]),
    row(
        "__private",
        &["door", "cache", "site", "policy", "entry", "key"],
        &[],
    ),
    row(
        "door",
        &[
            "cache",
            "site",
            "engine",
            "flight",
            "tiers/memory",
            "policy",
            "observe",
            "bus",
            "entry",
            "tags",
            "key",
            "error",
        ],
        &[],
    ),
    row(
        "cache",
        &[
            "site",
            "engine",
            "flight",
            "tiers/redis",
            "tiers/memory",
            "tiers",
            "policy",
            "observe",
            "ports",
            "bus",
            "entry",
            "tags",
            "key",
            "error",
        ],
        &[(
            "testing",
            "with `test-util` the builder takes a model in the place of Redis, and a clock",
        )],
    ),
    row(
        "site",
        &["flight", "policy", "key"],
        &[(
            "cache",
            "a site remembers its counters in the first cache that called it",
        )],
    ),
    row(
        "engine",
        &[
            "flight",
            "tiers/memory",
            "tiers",
            "policy",
            "observe",
            "ports",
            "bus",
            "entry",
            "tags",
            "key",
            "error",
        ],
        &[
            (
                "cache",
                "`Core` holds the counters by site and the journal's task; a call reports to its scope",
            ),
            (
                "site",
                "`Hooks` and `Share` are what a site says about its values: data",
            ),
        ],
    ),
    row(
        "flight",
        &[
            "tiers/memory",
            "policy",
            "observe",
            "bus",
            "entry",
            "tags",
            "key",
        ],
        &[],
    ),
    row(
        "tiers/redis",
        &["tiers", "observe", "ports", "bus", "entry", "tags", "key"],
        &[],
    ),
    row("tiers/memory", &["entry", "tags", "key"], &[]),
    row("tiers", &["observe", "bus", "entry", "tags", "key"], &[]),
    row("policy", &["entry"], &[]),
    row("observe", &[], &[]),
    row("ports", &[], &[]),
    row("bus", &["tags", "key"], &[]),
    row("entry", &["tags"], &[]),
    row("tags", &["key"], &[]),
    row("key", &[], &[]),
    row("error", &[], &[]),
];

const fn row(
    folder: &'static str,
    below: &'static [&'static str],
    above: &'static [(&'static str, &'static str)],
) -> Row {
    Row {
        folder,
        below,
        above,
    }
}

/// The table as a page shows it.
pub(crate) fn shown() -> String {
    let mut page = String::from("| folder | imports | upward, and why |\n| --- | --- | --- |\n");
    for row in TABLE {
        let below: Vec<_> = row
            .below
            .iter()
            .map(|folder| format!("`{folder}`"))
            .collect();
        let above: Vec<_> = row
            .above
            .iter()
            .map(|(folder, why)| format!("`{folder}`: {why}"))
            .collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            row.folder,
            below.join(", "),
            above.join("; ")
        );
    }
    page
}

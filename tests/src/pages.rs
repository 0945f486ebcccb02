//! The examples on the pages of the options, `docs/options`, as documentation tests of this crate.
//!
//! The pages are documentation of the macros, whose crate cannot depend on the one that the examples use.

macro_rules! pages {
    ($($name:ident: $page:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../docs/options/", $page, ".md"))]
            mod $name {}
        )*

        #[cfg(test)]
        const PAGES: &[&str] = &[$($page),*];
    };
}

pages! {
    all: "all",
    always: "always",
    background_refresh: "background_refresh",
    before: "before",
    cache: "cache",
    condition: "condition",
    consistency_check: "consistency_check",
    crate_: "crate",
    early_refresh: "early_refresh",
    expire: "expire",
    hard_timeout: "hard_timeout",
    hold: "hold",
    idle: "idle",
    jitter: "jitter",
    key: "key",
    keys: "keys",
    l1: "l1",
    l2: "l2",
    negative_ttl: "negative_ttl",
    on_hit: "on_hit",
    on_miss: "on_miss",
    on_timeout: "on_timeout",
    pattern: "pattern",
    refresh_every: "refresh_every",
    region: "region",
    retry_after: "retry_after",
    scope: "scope",
    secret: "secret",
    share_errors: "share_errors",
    skip: "skip",
    soft_timeout: "soft_timeout",
    stale_if_error: "stale_if_error",
    stale_while_revalidate: "stale_while_revalidate",
    stampede_protection: "stampede_protection",
    tags: "tags",
    tags_from: "tags_from",
    ttl: "ttl",
    ttl_from: "ttl_from",
    unless: "unless",
    version: "version",
    wait_timeout: "wait_timeout",
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn every_page_is_tested() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/options");
        let files = fs::read_dir(folder).expect("the pages are part of the repository");
        let mut pages: Vec<_> = files
            .map(|file| file.expect("the folder can be listed").file_name())
            .map(|name| name.to_string_lossy().trim_end_matches(".md").to_owned())
            .collect();
        pages.sort_unstable();
        assert_eq!(pages, super::PAGES);
    }
}

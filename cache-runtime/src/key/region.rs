//! Regions: the literal first segments of keys.

/// The regions that a key of this deepest region is in, from the outside in.
pub(crate) fn regions(deepest: &str) -> impl Iterator<Item = &str> {
    let inner = deepest.match_indices(':').map(|(at, _)| &deepest[..at]);
    inner.chain([deepest]).filter(|region| !region.is_empty())
}

/// Whether keys of a template can lie below a region, as far as the template's own region tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// All of them do: the region is part of their own.
    Always,
    /// An argument may lead there.
    Perhaps,
    Never,
}

/// Whether keys of a template with the region `own` lie below `region`.
pub(crate) fn below(own: &str, region: &str) -> Below {
    if starts_with_segments(own, region) {
        Below::Always
    } else if starts_with_segments(region, own) {
        Below::Perhaps
    } else {
        Below::Never
    }
}

fn starts_with_segments(text: &str, segments: &str) -> bool {
    segments.is_empty()
        || text
            .strip_prefix(segments)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::{Below, below, regions};

    #[test]
    fn a_region_is_in_those_around_it() {
        let of = |deepest| regions(deepest).collect::<Vec<_>>();
        assert_eq!(
            of("products:list:hot"),
            ["products", "products:list", "products:list:hot"]
        );
        assert_eq!(of("products"), ["products"]);
        assert!(of("").is_empty());
        assert_eq!(of(":a"), [":a"]);
    }

    #[test]
    fn templates_lie_below_a_region_always_never_or_perhaps() {
        for (own, region, is) in [
            ("products:list", "products:list", Below::Always),
            ("products:list:hot", "products:list", Below::Always),
            ("products", "products:list", Below::Perhaps),
            ("", "products", Below::Perhaps),
            ("products:item", "products:list", Below::Never),
            ("product", "products", Below::Never),
            ("products", "product", Below::Never),
            ("anything", "", Below::Always),
        ] {
            assert_eq!(below(own, region), is, "{own} below {region}");
        }
    }
}

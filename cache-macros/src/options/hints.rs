//! What to write instead of a name that is no option, or of a value without a name.

use syn::{Expr, Lit};

use super::spellings::{EVICTING, STORING};
use super::{Macro, table};
use crate::diagnostics::listed;
use crate::source::value::{duration, literal};

/// The error for a name that `which` does not know.
pub(super) fn unknown(which: Macro, name: &str) -> String {
    let hint = elsewhere_spelled(which, name)
        .or_else(|| of_another_macro(which, name))
        .or_else(|| misspelled(which, name));
    let hint = hint.map_or_else(String::new, |hint| format!(": {hint}"));
    format!(
        "`{which}` has no option `{name}`{hint}\nits options are {all}",
        which = which.name(),
        all = listed(names(which))
    )
}

fn names(which: Macro) -> impl Iterator<Item = &'static str> {
    table::rows()
        .filter(move |row| row.macros.contains(&which))
        .map(|row| row.name)
}

fn elsewhere_spelled(which: Macro, name: &str) -> Option<String> {
    let spellings = if which == Macro::Evict {
        EVICTING
    } else {
        STORING
    };
    let (_, hint) = spellings
        .iter()
        .find(|(spelled, _)| spelled.split(' ').any(|word| word == name))?;
    advises(which, hint).then(|| (*hint).to_owned())
}

/// Whether a hint speaks of an option that `which` has: the attributes that store share their hints, not all their options.
fn advises(which: Macro, hint: &str) -> bool {
    let Some(advice) = hint.strip_prefix("write `") else {
        return true;
    };
    let option = advice
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next();
    names(which).any(|known| Some(known) == option)
}

fn of_another_macro(which: Macro, name: &str) -> Option<String> {
    let row = table::rows().find(|row| row.name == name && !row.macros.contains(&which))?;
    let owners = row.macros.iter().map(|owner| owner.name());
    Some(format!("it is an option of {}", listed(owners)))
}

fn misspelled(which: Macro, name: &str) -> Option<String> {
    let near = names(which)
        .map(|known| (distance(name, known), known))
        .min()?;
    (near.0 <= 2 && near.0 * 2 < name.len()).then(|| format!("did you mean `{}`?", near.1))
}

/// Levenshtein, one row at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut costs: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut costs[0], at + 1);
        for (column, other) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = costs[column + 1];
            costs[column + 1] = replaced.min(diagonal + 1).min(costs[column] + 1);
        }
    }
    costs[to.len()]
}

/// The error for a bare expression that can be no value.
pub(super) fn bare(which: Macro, expr: &Expr) -> String {
    match (which, literal(expr)) {
        (Macro::Cacheable, Some(Lit::Str(text))) if duration::parse(&text.value()).is_ok() => {
            format!(
                "a bare text could be a key or a time: write `ttl = \"{}\"`",
                text.value()
            )
        }
        (_, Some(Lit::Str(text))) => format!(
            "a bare text could be a key or a time: write `key = \"{}\"`",
            text.value()
        ),
        _ => format!(
            "a value needs its name: write `ttl = …`; the options are {}",
            listed(names(which))
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_system_says_what_to_write() {
        assert!(unknown(Macro::Cacheable, "expire").contains("write `ttl = \"10m\"`"));
        assert!(unknown(Macro::Cacheable, "sync_writes").contains("stampede_protection"));
        assert!(!unknown(Macro::Put, "sync_writes").contains("stampede_protection"));
        assert!(!unknown(Macro::Put, "refresh_ahead").contains("background_refresh"));
        assert!(unknown(Macro::Evict, "allEntries").contains("write `all`"));
        for (which, name, write) in [
            (Macro::Cacheable, "tag", "`tags = ["),
            (Macro::Cacheable, "namespace", "region = \"shop\""),
            (Macro::Cacheable, "invalidate_tags", "#[cache_evict(tags"),
            (Macro::Put, "tenant", "`scope = "),
            (Macro::Cacheable, "grace", "`stale_while_revalidate = "),
            (Macro::Put, "fail_safe", "`stale_if_error = "),
            (Macro::Cacheable, "refresh_after", "`background_refresh`"),
            (Macro::Cacheable, "xfetch", "`early_refresh`"),
            (Macro::Cacheable, "factory_timeout", "`hard_timeout = "),
            (Macro::Evict, "grace", "`hold = "),
            (Macro::Evict, "cache_tags", "`tags = ["),
            (Macro::Evict, "group", "`region = "),
            (Macro::Evict, "owner", "`scope = "),
        ] {
            let message = unknown(which, name);
            assert!(message.contains(write), "{name}: {message}");
        }
    }

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert!(unknown(Macro::Cacheable, "verison").contains("did you mean `version`?"));
        assert!(!unknown(Macro::Cacheable, "zebra").contains("did you mean"));
    }

    #[test]
    fn an_option_of_another_attribute_names_its_owner() {
        assert!(unknown(Macro::Cacheable, "pattern").contains("option of `cache_evict`"));
    }

    #[test]
    fn no_hint_shadows_an_option() {
        for (which, spellings) in [
            (Macro::Cacheable, STORING),
            (Macro::Put, STORING),
            (Macro::Evict, EVICTING),
        ] {
            for name in spellings.iter().flat_map(|(names, _)| names.split(' ')) {
                assert!(!names(which).any(|known| known == name), "{which:?} {name}");
            }
        }
    }
}

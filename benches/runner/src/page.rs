//! The page: prose from `page.md`, figures from this run, and what this run did not measure as it stands in the page.
//!
//! A line `{{figures NAME}}` of the template becomes a block between two comments. A run that measured NAME writes the block anew, any other keeps what lies
//! between the comments, so that a part can be measured again without the rest.

use crate::figures::{Results, Run, Taken};
use crate::machine;
use crate::plot;
use crate::table;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const TEMPLATE: &str = include_str!("page.md");
/// Whose versions the page names: the peers, and what they and we run on.
const NAMED: &[&str] = &[
    "amalgam-cache",
    "axum",
    "axum-response-cache",
    "cached",
    "cachekit-rs",
    "cachet",
    "fred",
    "hitbox",
    "hitbox-fn",
    "hitbox-moka",
    "hitbox-redis",
    "moka",
    "multi-tier-cache",
    "oxcache",
    "quick_cache",
    "redis",
    "serde_json",
    "tokio",
    "tower-http-cache",
];

pub(crate) fn write(run: &Run) -> Result<(), String> {
    let docs = machine::root().join("docs");
    let (page, plots) = (docs.join("performance.md"), docs.join("performance"));
    let old = fs::read_to_string(&page).unwrap_or_default();
    let failed =
        |path: &Path, error: std::io::Error| format!("cannot write {}: {error}", path.display());
    fs::create_dir_all(&plots).map_err(|error| failed(&plots, error))?;
    for result in &run.results {
        for (name, svg) in result
            .measure
            .figures
            .iter()
            .filter_map(|figure| plot::plot(result, figure))
        {
            let file = plots.join(name);
            fs::write(&file, svg).map_err(|error| failed(&file, error))?;
        }
    }
    let text = filled(TEMPLATE, &old, run)?;
    fs::write(&page, text).map_err(|error| failed(&page, error))?;
    eprintln!("bench: wrote {}", page.display());
    Ok(())
}

fn filled(template: &str, old: &str, run: &Run) -> Result<String, String> {
    let mut text = String::new();
    for line in template.lines() {
        let Some(place) = line
            .strip_prefix("{{")
            .and_then(|line| line.strip_suffix("}}"))
        else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        let body = match place.strip_prefix("figures ") {
            Some(name) => match run
                .results
                .iter()
                .find(|result| result.measure.name == name)
            {
                Some(result) => figures(result, &run.taken),
                None => kept(old, place).unwrap_or("Not measured yet.\n").to_owned(),
            },
            None if place == "versions" => versions()?,
            None => {
                return Err(format!(
                    "the template asks for `{place}`, which nothing writes"
                ));
            }
        };
        let _ = write!(text, "{}{body}{}", begin(place), end(place));
    }
    Ok(text)
}

fn begin(place: &str) -> String {
    format!("<!-- begin {place} -->\n")
}

fn end(place: &str) -> String {
    format!("<!-- end {place} -->\n")
}

/// What stands in the page for this place.
fn kept<'p>(old: &'p str, place: &str) -> Option<&'p str> {
    let (_, rest) = old.split_once(&begin(place))?;
    Some(rest.split_once(&end(place))?.0)
}

fn figures(results: &Results, taken: &Taken) -> String {
    let mut text = String::new();
    let drawn = results
        .measure
        .figures
        .iter()
        .filter_map(|figure| Some((plot::plot(results, figure)?.0, figure.label)));
    for (name, label) in drawn {
        let _ = writeln!(
            text,
            "![{}: {label}](performance/{name})\n",
            results.measure.title
        );
    }
    text += &table::tables(results);
    let Taken {
        machine,
        commit,
        quick,
    } = taken;
    let short = if *quick { ", a quick run" } else { "" };
    let commit = commit
        .as_ref()
        .map_or(String::new(), |commit| format!("commit {commit}, "));
    let _ = writeln!(
        text,
        "<sub>{} repetitions{short}, {commit}{machine}.</sub>\n",
        results.repetitions()
    );
    text
}

fn versions() -> Result<String, String> {
    let locked = machine::locked()?;
    let named = locked
        .iter()
        .filter(|(name, _)| NAMED.contains(&name.as_str()));
    let named: Vec<_> = named
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    Ok(format!("{}.\n", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::MEASURES;

    #[test]
    fn every_measure_has_a_place_in_the_page() {
        for measure in MEASURES {
            let place = format!("{{{{figures {}}}}}\n", measure.name);
            assert_eq!(TEMPLATE.matches(&place).count(), 1, "{}", measure.name);
        }
    }

    #[test]
    fn what_was_not_measured_stays() {
        let taken = Taken {
            machine: "one".to_owned(),
            commit: None,
            quick: false,
        };
        let run = Run {
            taken,
            results: Vec::new(),
        };
        let template = "before\n{{figures memory-hit}}\nafter\n";
        let old = "<!-- begin figures memory-hit -->\n| 42 |\n<!-- end figures memory-hit -->\n";
        let text = filled(template, old, &run).unwrap();
        assert_eq!(text, format!("before\n{old}after\n"));
        let first = filled(template, "", &run).unwrap();
        assert!(first.contains("Not measured yet."), "{first}");
        assert!(filled("{{nothing}}\n", "", &run).is_err());
    }
}

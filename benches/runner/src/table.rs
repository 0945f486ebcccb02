//! The tables of a measure: one for each figure, or one for all of them where there is a single point.

use crate::figures::{Results, Spread};
use crate::plan::{Better, Figure};
use std::fmt::Write as _;

/// A range that says that the median means little.
const WIDE: f64 = 1.5;
/// Nearer than this, nobody is ahead.
const EVEN: f64 = 0.98;

pub(crate) fn tables(results: &Results) -> String {
    let measure = results.measure;
    let mut text = String::new();
    match measure.points.len() {
        1 => {
            let columns: Vec<_> = measure
                .figures
                .iter()
                .map(|figure| (figure.label.to_owned(), 0, figure))
                .collect();
            table(&mut text, results, &columns);
        }
        _ => {
            for figure in measure.figures {
                let columns: Vec<_> = (0..measure.points.len())
                    .map(|point| (measure.points[point].label.to_owned(), point, figure))
                    .collect();
                let _ = writeln!(text, "{}:\n", capitalised(figure.label));
                table(&mut text, results, &columns);
            }
        }
    }
    for figure in measure.figures {
        ahead(&mut text, results, figure);
    }
    text
}

fn table(text: &mut String, results: &Results, columns: &[(String, usize, &Figure)]) {
    let heads: Vec<_> = columns.iter().map(|(head, ..)| head.as_str()).collect();
    let _ = writeln!(
        text,
        "| | {} |\n| --- |{}",
        heads.join(" | "),
        " ---: |".repeat(columns.len())
    );
    for (candidate, shown) in results.measure.candidates.iter().enumerate() {
        let cells: Vec<_> = columns
            .iter()
            .map(|(_, point, figure)| cell(results, *point, candidate, figure))
            .collect();
        let _ = writeln!(text, "| {} | {} |", shown.label, cells.join(" | "));
    }
    text.push('\n');
}

/// Median, range, ratio.
fn cell(results: &Results, point: usize, candidate: usize, figure: &Figure) -> String {
    if let Some(what) = results.unsupported(point, candidate) {
        return format!("no {what}");
    }
    let repetitions = results.repetitions_of(point, candidate);
    if repetitions == 0 {
        return String::new();
    }
    let failed = results.failed(point, candidate);
    if failed == repetitions {
        return "failed".to_owned();
    }
    let Some(spread) = results.spread(point, candidate, figure.name) else {
        return figure.absent.to_owned();
    };
    let number = |value: f64| number(value, figure.decimals);
    let mut cell = number(spread.median);
    if let Some(ratio) = results.ratio(point, candidate, figure.name)
        && results.measure.baseline != Some(candidate)
    {
        let _ = write!(cell, " × {:.2}", ratio.median);
    }
    if spread.least != spread.most {
        let wide = if is_wide(spread) { " ⚠" } else { "" };
        let _ = write!(
            cell,
            "<br><sub>{}–{}{wide}</sub>",
            number(spread.least),
            number(spread.most)
        );
    }
    let missing = repetitions - failed - results.known(point, candidate, figure.name);
    for (what, times) in [("failed", failed), (figure.absent, missing)] {
        if times > 0 {
            let _ = write!(cell, "<br>{what} in {times} of {repetitions}");
        }
    }
    cell
}

fn is_wide(spread: Spread) -> bool {
    spread.most > spread.least * WIDE
}

/// Who does better than this project, and by how much: the page must not leave it to the reader to find.
fn ahead(text: &mut String, results: &Results, figure: &Figure) {
    let measure = results.measure;
    let Some(ours) = measure
        .candidates
        .iter()
        .position(|candidate| candidate.is_ours())
    else {
        return;
    };
    let mut points = Vec::new();
    for (point, place) in measure.points.iter().enumerate() {
        let mut names = Vec::new();
        for (candidate, shown) in measure.candidates.iter().enumerate() {
            let Some(ratio) = results.ratio_to(ours, point, candidate, figure.name) else {
                continue;
            };
            let share = match figure.better {
                Better::Less => ratio.median,
                Better::More => 1.0 / ratio.median,
            };
            if !shown.is_ours() && share < EVEN {
                names.push(format!("{} (× {:.2})", shown.label, ratio.median));
            }
        }
        if !names.is_empty() {
            let place = if place.label.is_empty() {
                String::new()
            } else {
                format!("{}: ", place.label)
            };
            points.push(format!("{place}{}", names.join(", ")));
        }
    }
    if !points.is_empty() {
        let _ = writeln!(
            text,
            "Ahead of {} in {}: {}.\n",
            measure.candidates[ours].label.trim_matches('*'),
            figure.label,
            points.join("; ")
        );
    }
}

/// With separators between thousands.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("−", digits));
    let mut grouped = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match rest {
        Some(rest) => format!("{grouped}.{rest}"),
        None => grouped,
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        // A capital µ is another letter.
        .map(|first| first.to_ascii_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(number(1_234_567.8, 0), "1,234,568");
        assert_eq!(number(999.0, 0), "999");
        assert_eq!(number(-1_234.56, 1), "−1,234.6");
    }
}

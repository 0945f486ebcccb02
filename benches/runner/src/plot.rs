//! Plots, written as SVG by hand: bars with whiskers, and lines over points on logarithmic axes.
//!
//! A whisker goes from the least sample to the most. The colours are the same in both, our own the strongest, and the background is white, so that the
//! picture reads on a dark page as well.

use crate::figures::{Results, Spread};
use crate::plan::{Figure, Plot};
use crate::table::number;
use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const LABELS: f64 = 330.0;
const COLOURS: [&str; 8] = [
    "#7f7f7f", "#8c564b", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#bcbd22", "#e377c2",
];
const OURS: &str = "#1f5fd0";

/// The file's name and text, if the figure is to be drawn.
pub(crate) fn plot(results: &Results, figure: &Figure) -> Option<(String, String)> {
    let text = match figure.plot {
        Plot::None => return None,
        Plot::Bars => bars(results, figure)?,
        Plot::Lines => lines(results, figure)?,
    };
    let figures = results.measure.figures;
    let several = figures
        .iter()
        .filter(|figure| figure.plot != Plot::None)
        .count()
        > 1;
    let name = match several {
        true => format!(
            "{}-{}.svg",
            results.measure.name,
            figure.name.replace('_', "-")
        ),
        false => format!("{}.svg", results.measure.name),
    };
    Some((name, text))
}

fn colour(results: &Results, candidate: usize) -> &'static str {
    match results.measure.candidates[candidate].is_ours() {
        true => OURS,
        false => COLOURS[candidate % COLOURS.len()],
    }
}

/// The first point's, one below the other, shortest first.
fn bars(results: &Results, figure: &Figure) -> Option<String> {
    let candidates = 0..results.measure.candidates.len();
    let spread = |candidate| Some((candidate, results.spread(0, candidate, figure.name)?));
    let mut rows: Vec<(usize, Spread)> = candidates.filter_map(spread).collect();
    rows.sort_by(|(_, a), (_, b)| a.median.total_cmp(&b.median));
    let most = rows
        .iter()
        .map(|(_, spread)| spread.most)
        .fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let place = results.measure.points[0].label;
    let title = [figure.label, place].join(if place.is_empty() { "" } else { ", " });
    let height = 44.0 + rows.len() as f64 * 26.0;
    let mut svg = head(height, results.measure.title, &title);
    let scale = (WIDTH - LABELS - 100.0) / most;
    for (row, (candidate, spread)) in rows.iter().enumerate() {
        let top = 38.0 + row as f64 * 26.0;
        let middle = top + 9.0;
        let (length, from, to) = (
            spread.median * scale,
            LABELS + spread.least * scale,
            LABELS + spread.most * scale,
        );
        let _ = writeln!(
            svg,
            r##"<text x="{x}" y="{y}" text-anchor="end">{label}</text>
<rect x="{LABELS}" y="{top}" width="{length:.1}" height="18" fill="{fill}"/>
<path d="M{from:.1} {middle}H{to:.1}M{from:.1} {up}v8M{to:.1} {up}v8" stroke="#222" fill="none"/>
<text x="{after:.1}" y="{y}">{value}</text>"##,
            x = LABELS - 8.0,
            y = top + 13.0,
            label = plain(results.measure.candidates[*candidate].label),
            fill = colour(results, *candidate),
            up = middle - 4.0,
            after = to.max(LABELS + length) + 6.0,
            value = number(spread.median, figure.decimals),
        );
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// Where a value lies on a logarithmic axis.
struct Axis {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let share = (value / self.least).ln() / (self.most / self.least).ln();
        self.from + share * (self.to - self.from)
    }
}

fn lines(results: &Results, figure: &Figure) -> Option<String> {
    let measure = results.measure;
    let rows: Vec<(usize, Vec<(f64, Spread)>)> = (0..measure.candidates.len())
        .map(|candidate| {
            let points = measure.points.iter().enumerate();
            let spreads = points.filter_map(|(point, place)| {
                Some((place.at, results.spread(point, candidate, figure.name)?))
            });
            (
                candidate,
                spreads.filter(|(_, spread)| spread.least > 0.0).collect(),
            )
        })
        .collect();
    let all = || rows.iter().flat_map(|(_, row)| row);
    let least = all()
        .map(|(_, spread)| spread.least)
        .fold(f64::INFINITY, f64::min);
    let most = all().map(|(_, spread)| spread.most).fold(0.0, f64::max);
    let (first, last) = (measure.points.first()?.at, measure.points.last()?.at);
    if least >= most || first >= last {
        return None;
    }
    let height = 400.0;
    let across = Axis {
        least: first,
        most: last,
        from: 70.0,
        to: WIDTH - 360.0,
    };
    let up = Axis {
        least: least * 0.9,
        most: most * 1.1,
        from: height - 40.0,
        to: 50.0,
    };
    let mut svg = head(height, measure.title, figure.label);
    for tick in ticks(up.least, up.most) {
        let y = up.place(tick);
        let _ = writeln!(
            svg,
            r##"<path d="M{} {y:.1}H{}" stroke="#ddd"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"##,
            across.from,
            across.to,
            across.from - 8.0,
            y + 4.0,
            number(tick, if tick < 1.0 { 2 } else { 0 }),
        );
    }
    for place in measure.points {
        let _ = writeln!(
            svg,
            r##"<text x="{:.1}" y="{}" text-anchor="middle">{}</text>"##,
            across.place(place.at),
            height - 18.0,
            plain(place.label)
        );
    }
    for (order, (candidate, row)) in rows.iter().enumerate() {
        let colour = colour(results, *candidate);
        let mut path = String::new();
        for (at, spread) in row {
            let (x, y) = (across.place(*at), up.place(spread.median));
            let _ = write!(
                path,
                "{}{x:.1} {y:.1}",
                if path.is_empty() { "M" } else { "L" }
            );
            let _ = writeln!(
                svg,
                r##"<path d="M{x:.1} {:.1}V{:.1}" stroke="{colour}" stroke-opacity=".5"/><circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"##,
                up.place(spread.least),
                up.place(spread.most),
            );
        }
        let (y, width) = (
            60.0 + order as f64 * 20.0,
            if colour == OURS { 3 } else { 1 },
        );
        let _ = writeln!(
            svg,
            r##"<path d="{path}" stroke="{colour}" stroke-width="{width}" fill="none"/>
<path d="M{} {y}h18" stroke="{colour}" stroke-width="3"/><text x="{}" y="{}">{}</text>"##,
            across.to + 20.0,
            across.to + 44.0,
            y + 4.0,
            plain(measure.candidates[*candidate].label),
        );
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// 1, 2, 5 times the powers of ten in between.
fn ticks(least: f64, most: f64) -> Vec<f64> {
    let powers = least.log10().floor() as i32..=most.log10().ceil() as i32;
    let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power)));
    ticks.filter(|tick| (least..=most).contains(tick)).collect()
}

fn head(height: f64, title: &str, unit: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12" fill="#222">
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="22" font-size="15" font-weight="bold">{} <tspan font-size="12" font-weight="normal">({})</tspan></text>
"##,
        plain(title),
        plain(unit)
    )
}

/// A label of the page without its marks.
fn plain(label: &str) -> String {
    let label = label.replace(['`', '*'], "");
    label
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

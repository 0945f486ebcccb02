//! The plan: which measures there are, of which candidates, with which parameters.
//!
//! A measure is a table of the page. Its rows are candidates, its columns are points (`tasks=8`), and there is one such table for each of
//! its figures. To add one, add a [`Measure`] to [`MEASURES`], a paragraph to `page.md` that says how it is taken, and, if no candidate knows it
//! yet, a file to `common/src/measure`.

mod http;
mod memory;
mod redis;

/// In the order of the page.
pub(crate) const MEASURES: &[Measure] = &[
    memory::HIT,
    memory::ACCOUNT,
    memory::VALUES_AND_KEYS,
    memory::TAGS,
    memory::TASKS,
    memory::SIZES,
    memory::ENTRIES,
    memory::MISS,
    memory::STAMPEDE,
    memory::ABORTED,
    memory::EVICTIONS,
    redis::HIT,
    redis::SIZES,
    redis::MISS,
    redis::COLD,
    redis::COLD_IN_ONE,
    redis::ABORTED,
    redis::CLIFF,
    redis::TAGS_AND_REGIONS,
    redis::PATTERNS,
    redis::ENTRY,
    redis::STOPPED,
    http::CALLS,
    http::REQUESTS,
    BUILD,
];

/// One table of the page, or one for each of its figures.
#[derive(Debug)]
pub(crate) struct Measure {
    /// For `--only`, and the place in the page.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) way: Way,
    pub(crate) candidates: &'static [Candidate],
    pub(crate) points: &'static [Point],
    pub(crate) figures: &'static [Figure],
    /// The candidate that the others are compared with, by its place in the list.
    pub(crate) baseline: Option<usize>,
    pub(crate) repetitions: usize,
}

/// How a sample is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// A candidate's own program, told this name.
    Program(&'static str),
    /// The same, told this name, in so many processes at once and with a Redis server that is started for them.
    Redis { told: &'static str, processes: u32 },
    /// A clean build of a program that uses it.
    CleanBuild,
}

#[derive(Debug)]
pub(crate) struct Candidate {
    /// The package, `bench-…` or `user-…` without the prefix.
    pub(crate) package: &'static str,
    pub(crate) variant: &'static str,
    /// What the page calls it.
    pub(crate) label: &'static str,
}

impl Candidate {
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.package, self.variant)
    }

    /// Whether it is this project, not what is done by hand beside it.
    pub(crate) fn is_ours(&self) -> bool {
        let ours = self.package == "ours" || self.package.starts_with("ours-");
        ours && !self.variant.ends_with("-by-hand")
    }
}

#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) label: &'static str,
    /// `name=value`, for the candidate's command line.
    pub(crate) parameters: &'static [&'static str],
    /// The place on the axis of a plot over points.
    pub(crate) at: f64,
    /// Left out of quick runs.
    pub(crate) slow: bool,
}

#[derive(Debug)]
pub(crate) struct Figure {
    /// As the candidate reports it.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// How many decimals are worth reading.
    pub(crate) decimals: usize,
    /// What a cell says where no sample has the figure.
    pub(crate) absent: &'static str,
    pub(crate) better: Better,
    pub(crate) plot: Plot,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Better {
    Less,
    More,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plot {
    None,
    /// A bar for each candidate, of the first point.
    Bars,
    /// A line for each candidate over the points, both axes logarithmic.
    Lines,
}

/// Every candidate and point of this measure that is worth a process of its own.
impl Measure {
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, usize)> {
        let candidates = self.candidates.len();
        (0..self.points.len())
            .flat_map(move |point| (0..candidates).map(move |candidate| (point, candidate)))
    }
}

/// The packages that these measures run, each once.
pub(crate) fn packages(measures: &[&'static Measure]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for measure in measures {
        for candidate in measure.candidates {
            if !matches!(measure.way, Way::CleanBuild) && !packages.contains(&candidate.package) {
                packages.push(candidate.package);
            }
        }
    }
    packages
}

const ONE_POINT: &[Point] = &[Point {
    label: "",
    parameters: &[],
    at: 1.0,
    slow: false,
}];

const fn candidate(package: &'static str, variant: &'static str, label: &'static str) -> Candidate {
    Candidate {
        package,
        variant,
        label,
    }
}

const fn point(label: &'static str, at: f64, parameters: &'static [&'static str]) -> Point {
    Point {
        label,
        parameters,
        at,
        slow: false,
    }
}

const BUILD: Measure = Measure {
    name: "build",
    title: "What it costs to build",
    way: Way::CleanBuild,
    candidates: &[
        candidate("redis-moka", "", "redis + moka, by hand"),
        candidate("ours", "", "**`#[cacheable]`, with Redis**"),
        candidate("ours-memory", "", "**`#[cacheable]`, memory only**"),
        candidate("cached", "", "cached, with Redis"),
        candidate("hitbox", "", "hitbox, moka and Redis"),
    ],
    points: ONE_POINT,
    figures: &[
        Figure {
            name: "seconds",
            label: "clean build, s",
            decimals: 1,
            absent: "—",
            better: Better::Less,
            plot: Plot::Bars,
        },
        Figure {
            name: "crates",
            label: "crates",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::None,
        },
        Figure {
            name: "expansion_lines",
            label: "lines of expansion",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::None,
        },
    ],
    baseline: Some(0),
    repetitions: 5,
};

//! Samples, and what is told of them: median, range, and the median of ratios that were taken within a repetition.

use crate::machine;
use crate::plan::{MEASURES, Measure};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What one process told.
#[derive(Clone, Debug)]
pub(crate) enum Sample {
    Figures(BTreeMap<String, f64>),
    Unsupported(String),
    /// The process ended badly.
    Failed,
}

impl Sample {
    /// One that a candidate, or a run, wrote.
    pub(crate) fn read(value: &Value) -> Result<Sample, String> {
        if value["failed"] == true {
            return Ok(Sample::Failed);
        }
        if let Some(what) = value["unsupported"].as_str() {
            return Ok(Sample::Unsupported(what.to_owned()));
        }
        let figures = value["figures"]
            .as_object()
            .ok_or_else(|| format!("no figures in `{value}`"))?;
        let figures = figures
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
        Ok(Sample::Figures(figures.collect()))
    }
}

/// All samples of a measure.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) measure: &'static Measure,
    /// By point, by candidate, by repetition.
    samples: Vec<Vec<Vec<Sample>>>,
}

/// The middle and the ends of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let median = match values.len() % 2 {
            0 => (values[half - 1] + values[half]) / 2.0,
            _ => values[half],
        };
        Some(Spread {
            median,
            least,
            most,
        })
    }
}

impl Results {
    pub(crate) fn new(measure: &'static Measure) -> Results {
        let samples = vec![vec![Vec::new(); measure.candidates.len()]; measure.points.len()];
        Results { measure, samples }
    }

    pub(crate) fn add(&mut self, point: usize, candidate: usize, sample: Sample) {
        self.samples[point][candidate].push(sample);
    }

    pub(crate) fn repetitions(&self) -> usize {
        self.repetitions_of(0, 0)
    }

    /// 0 where a quick run left the point out.
    pub(crate) fn repetitions_of(&self, point: usize, candidate: usize) -> usize {
        self.samples[point][candidate].len()
    }

    /// Why there is no figure, where the library has no such thing.
    pub(crate) fn unsupported(&self, point: usize, candidate: usize) -> Option<&str> {
        match self.samples[point][candidate].first()? {
            Sample::Unsupported(what) => Some(what),
            Sample::Figures(_) | Sample::Failed => None,
        }
    }

    fn values(&self, point: usize, candidate: usize, figure: &str) -> Vec<Option<f64>> {
        let value = |sample: &Sample| match sample {
            Sample::Figures(figures) => figures.get(figure).copied(),
            Sample::Unsupported(_) | Sample::Failed => None,
        };
        self.samples[point][candidate].iter().map(value).collect()
    }

    pub(crate) fn spread(&self, point: usize, candidate: usize, figure: &str) -> Option<Spread> {
        Spread::of(
            self.values(point, candidate, figure)
                .into_iter()
                .flatten()
                .collect(),
        )
    }

    /// How many samples failed.
    pub(crate) fn failed(&self, point: usize, candidate: usize) -> usize {
        let samples = self.samples[point][candidate].iter();
        samples
            .filter(|sample| matches!(sample, Sample::Failed))
            .count()
    }

    /// What failed, for the end of the run.
    pub(crate) fn failures(&self) -> Vec<String> {
        let failed = self.measure.cells();
        let failed = failed.filter(|&(point, candidate)| self.failed(point, candidate) > 0);
        let name = |(point, candidate): (usize, usize)| {
            let parameters = self.measure.points[point].parameters.join(" ");
            let candidate = self.measure.candidates[candidate].name();
            format!("{} of {candidate} {parameters}", self.measure.name)
        };
        failed.map(name).collect()
    }

    /// How many samples have the figure: one that never came about is left out by who reports it.
    pub(crate) fn known(&self, point: usize, candidate: usize, figure: &str) -> usize {
        self.values(point, candidate, figure)
            .into_iter()
            .flatten()
            .count()
    }

    /// To the baseline, each repetition by itself, then the median.
    pub(crate) fn ratio(&self, point: usize, candidate: usize, figure: &str) -> Option<Spread> {
        self.ratio_to(self.measure.baseline?, point, candidate, figure)
    }

    /// To this candidate, in the same way.
    pub(crate) fn ratio_to(
        &self,
        base: usize,
        point: usize,
        candidate: usize,
        figure: &str,
    ) -> Option<Spread> {
        let own = self.values(point, candidate, figure);
        let base = self.values(point, base, figure);
        let ratios = own
            .into_iter()
            .zip(base)
            .filter_map(|(own, base)| Some(own? / base?));
        Spread::of(ratios.filter(|ratio| ratio.is_finite()).collect())
    }
}

/// All that a run found.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) taken: Taken,
    pub(crate) results: Vec<Results>,
}

/// Where and how.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) machine: String,
    pub(crate) commit: Option<String>,
    pub(crate) quick: bool,
}

impl Taken {
    pub(crate) fn here(quick: bool) -> Taken {
        Taken {
            machine: machine::described(),
            commit: machine::commit(),
            quick,
        }
    }
}

impl Run {
    /// Every sample, for other programs and for [`Run::read`].
    pub(crate) fn json(&self) -> String {
        let mut told = Vec::new();
        for result in &self.results {
            for (point, candidate) in result.measure.cells() {
                let samples = result.samples[point][candidate].iter();
                let samples: Vec<Value> = samples
                    .map(|sample| match sample {
                        Sample::Figures(figures) => json!({ "figures": figures }),
                        Sample::Unsupported(what) => json!({ "unsupported": what }),
                        Sample::Failed => json!({ "failed": true }),
                    })
                    .collect();
                told.push(json!({
                    "measure": result.measure.name,
                    "candidate": result.measure.candidates[candidate].name(),
                    "parameters": result.measure.points[point].parameters,
                    "samples": samples,
                }));
            }
        }
        let Taken {
            machine,
            commit,
            quick,
        } = &self.taken;
        let all = json!({ "machine": machine, "commit": commit, "quick": quick, "results": told });
        let mut text = serde_json::to_string_pretty(&all).expect("maps have texts for keys");
        text.push('\n');
        text
    }

    /// What [`Run::json`] wrote; what the plan no longer has is left out.
    pub(crate) fn read(text: &str) -> Result<Run, String> {
        let all: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let taken = Taken {
            machine: all["machine"].as_str().ok_or("no machine")?.to_owned(),
            commit: all["commit"].as_str().map(str::to_owned),
            quick: all["quick"].as_bool().unwrap_or(false),
        };
        let told = all["results"].as_array().ok_or("no results")?;
        let mut results = Vec::new();
        for measure in MEASURES {
            let mut result = Results::new(measure);
            for cell in told.iter().filter(|cell| cell["measure"] == measure.name) {
                let point = measure
                    .points
                    .iter()
                    .position(|point| cell["parameters"] == json!(point.parameters));
                let candidate = measure
                    .candidates
                    .iter()
                    .position(|candidate| cell["candidate"] == candidate.name());
                let samples = cell["samples"].as_array().ok_or("a cell without samples")?;
                if let (Some(point), Some(candidate)) = (point, candidate) {
                    for sample in samples {
                        result.add(point, candidate, Sample::read(sample)?);
                    }
                }
            }
            if result.repetitions() > 0 {
                results.push(result);
            }
        }
        Ok(Run { taken, results })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(figure: f64) -> Sample {
        Sample::Figures([("ns_per_op".to_owned(), figure)].into())
    }

    #[test]
    fn a_ratio_is_taken_within_a_repetition() {
        let measure = &MEASURES[0];
        let (base, other) = (measure.baseline.unwrap(), measure.baseline.unwrap() + 1);
        let mut results = Results::new(measure);
        // The machine is ten times slower in the second repetition: the ratio is not.
        for (slow, own) in [(1.0, 2.0), (10.0, 20.0), (1.0, 3.0)] {
            results.add(0, base, sample(slow));
            results.add(0, other, sample(own));
        }
        let ratio = results.ratio(0, other, "ns_per_op").unwrap();
        assert_eq!(
            ratio,
            Spread {
                median: 2.0,
                least: 2.0,
                most: 3.0
            }
        );
        assert_eq!(results.spread(0, other, "ns_per_op").unwrap().median, 3.0);
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let measure = &MEASURES[0];
        let mut results = Results::new(measure);
        for (point, candidate) in measure.cells() {
            results.add(point, candidate, sample((point * 100 + candidate) as f64));
        }
        results.add(1, 2, Sample::Unsupported("owned values".to_owned()));
        let taken = Taken {
            machine: "one".to_owned(),
            commit: None,
            quick: true,
        };
        let text = Run {
            taken,
            results: vec![results],
        }
        .json();
        assert_eq!(Run::read(&text).unwrap().json(), text);
    }
}

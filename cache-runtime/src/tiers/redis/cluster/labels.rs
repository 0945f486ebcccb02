//! What a load has to know of its labels, where each of them, the registry and the logical clock may be at another primary.
//!
//! First everything is read at once: the registry, the clock, and each label, of which nothing is made. What has no generation of the clock's era is made in a
//! second round trip, after the clock was moved on for it; its script leaves alone what somebody else has made meanwhile.

use crate::bus::News;
use crate::tags::{Label, Logical, Standing};
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::announcer::random;
use crate::tiers::redis::commands::labels::{era, lasting, logical_of, standing};
use crate::tiers::redis::fault::unexpected;
use crate::tiers::redis::link::{Deadline, Lane};
use crate::tiers::redis::scripts::{self, Pipeline, Steps};
use crate::tiers::{Labelled, Labels, TierError};

use super::{Cluster, Follow};

/// Moves the clock on for nothing, and makes nothing.
const NOTHING: &str = ":";

impl RedisTier {
    pub(in crate::tiers::redis) async fn ask_cluster(
        &self,
        cluster: &Cluster,
        ask: Labels<'_>,
        by: Deadline,
    ) -> Result<Labelled, TierError> {
        if ask.is_empty() {
            return Ok(Labelled::default());
        }
        let needs_clock = ask.clock || !ask.labels.is_empty();
        let steps = |pipeline: &mut Pipeline| {
            if needs_clock {
                self.add_tick(pipeline, 0);
            }
            self.add_cluster_register(pipeline, ask, "", &[]);
            for label in ask.labels {
                self.add_label(pipeline, label, NOTHING, ask);
            }
        };
        let mut answers = self.answers(cluster, by, &steps).await?.into_iter();
        let mut next = || answers.next().ok_or_else(|| self.servers.refusal(&fewer()));
        let clock = match needs_clock.then(&mut next).transpose()? {
            Some(clock) => Some(self.logical(&clock)?),
            None => None,
        };
        let cache = ask.register.map(|_| next()).transpose()?;
        let mut labelled = Labelled {
            cache: cache.map(|cache| standing(&cache, 0)),
            labels: Vec::new(),
            clock: clock.filter(|_| ask.clock),
        };
        for _ in ask.labels {
            labelled.labels.push(of_label(&next()?, clock));
        }
        self.make_missing(cluster, ask, &mut labelled, by).await?;
        Ok(labelled)
    }

    /// Gives generations to what has none.
    async fn make_missing(
        &self,
        cluster: &Cluster,
        ask: Labels<'_>,
        labelled: &mut Labelled,
        by: Deadline,
    ) -> Result<(), TierError> {
        let no_cache = labelled.cache == Some(Standing::Missing);
        let missing = |(_, standing): &(usize, &Standing)| **standing == Standing::Missing;
        let missing = labelled.labels.iter().enumerate().filter(missing);
        let missing: Vec<usize> = missing.map(|(number, _)| number).collect();
        if !no_cache && missing.is_empty() {
            return Ok(());
        }
        let made = self.tick(cluster, 1, by).await?;
        let text = format!("{:016x}:{}", made.era, made.n);
        let anew = self.announcer.message(News::Anew);
        let steps = |pipeline: &mut Pipeline| {
            if no_cache {
                self.add_cluster_register(pipeline, ask, &text, &anew);
            }
            for number in &missing {
                self.add_label(pipeline, &ask.labels[*number], &text, ask);
            }
        };
        let mut answers = self.answers(cluster, by, &steps).await?.into_iter();
        if no_cache {
            labelled.cache = answers.next().map(|cache| standing(&cache, 0));
        }
        for (number, answer) in missing.into_iter().zip(answers) {
            labelled.labels[number] = of_label(&answer, Some(made));
        }
        let unmade = labelled.labels.contains(&Standing::Missing)
            || labelled.cache == Some(Standing::Missing);
        if unmade {
            // The clock was lost in between, or somebody writes what is no generation.
            let error = unexpected("a label was made and is not there");
            return Err(self.servers.refusal(&error));
        }
        if no_cache {
            // Somebody else may have made it meanwhile, and say so as well.
            let mut message = redis::pipe();
            message.add_command(self.saying(&anew));
            cluster.publish(by, &message).await?;
        }
        Ok(())
    }

    /// Moves the logical clock on.
    pub(super) async fn tick(
        &self,
        cluster: &Cluster,
        by_how_much: u8,
        by: Deadline,
    ) -> Result<Logical, TierError> {
        let steps = |pipeline: &mut Pipeline| self.add_tick(pipeline, by_how_much);
        let answers = self.answers(cluster, by, &steps).await?;
        let clock = answers.first();
        clock.map_or_else(
            || Err(self.servers.refusal(&fewer())),
            |clock| self.logical(clock),
        )
    }

    fn add_tick(&self, pipeline: &mut Pipeline, by_how_much: u8) {
        let args = [era(), by_how_much.to_string()];
        pipeline.script(&scripts::TICK, &[self.names.clock()], &args);
    }

    fn add_cluster_register(
        &self,
        pipeline: &mut Pipeline,
        ask: Labels<'_>,
        made: &str,
        anew: &[u8],
    ) {
        if let Some(register) = ask.register {
            let keys = [self.names.sites()];
            self.add_register(pipeline, register, &keys, made, ask.life, anew);
        }
    }

    fn add_label(&self, pipeline: &mut Pipeline, label: &Label, made: &str, ask: Labels<'_>) {
        let args = [made.as_bytes(), &lasting(ask.life), &random()];
        pipeline.script(&scripts::LABELS, &[self.names.label(label)], &args);
    }

    /// The answers to several steps, if there is none that failed.
    async fn answers(
        &self,
        cluster: &Cluster,
        by: Deadline,
        steps: Steps<'_>,
    ) -> Result<Vec<redis::Value>, TierError> {
        let answers = cluster
            .scatter(Lane::Traffic, by, Follow::All, steps)
            .await?;
        let answer = |answer: Result<redis::RedisResult<_>, _>| {
            answer?.map_err(|error| self.servers.refusal(&error))
        };
        answers.into_iter().map(answer).collect()
    }

    fn logical(&self, clock: &redis::Value) -> Result<Logical, TierError> {
        let no_clock = || {
            self.servers.refusal(&unexpected(
                "the logical clock was answered by something else",
            ))
        };
        logical_of(clock).ok_or_else(no_clock)
    }
}

/// The answer about one label, `{clock, label}`. A generation of another era is none.
fn of_label(answer: &redis::Value, clock: Option<Logical>) -> Standing {
    let redis::Value::Array(parts) = answer else {
        return Standing::Missing;
    };
    match parts.get(1).map(|label| standing(label, 0)) {
        Some(Standing::Is(it)) if clock.is_some_and(|clock| clock.era != it.made.era) => {
            Standing::Missing
        }
        Some(standing) => standing,
        None => Standing::Missing,
    }
}

fn fewer() -> redis::RedisError {
    unexpected("fewer answers than questions")
}

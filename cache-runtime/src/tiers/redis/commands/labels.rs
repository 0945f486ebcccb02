//! Labels: how they stand, and what a load has to know of them.

use std::time::Duration;

use super::millis;
use crate::bus::News;
use crate::tags::{Generation, Label, LabelKind, Logical, Standing};
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::announcer::random;
use crate::tiers::redis::fault::is_wrong_type;
use crate::tiers::redis::fault::unexpected;
use crate::tiers::redis::link::{Connection, Deadline, Lane};
use crate::tiers::redis::scripts::{self, Pipeline};
use crate::tiers::redis::servers::Servers;
use crate::tiers::{Labelled, Labels, Register, Removed, TierError};

/// A label, and a region in the registry, lives so much longer than the entries under it, so that one in use is read again before it is
/// lost.
const LONGER: Duration = Duration::from_secs(2 * 3_600);
/// The field of the registry that holds the cache's generation.
const CACHE: &str = "#gen";
/// What stands in the registry for the empty region.
const ANY: &str = "*";

impl RedisTier {
    /// How labels stand, as steps of a pipeline; see [`standings`].
    pub(super) fn add_reads(&self, pipeline: &mut Pipeline, labels: &[Label]) {
        for label in labels {
            let mut command = redis::Cmd::new();
            match label.kind() {
                LabelKind::Cache => command.arg("HGET").arg(self.names.sites()).arg(CACHE),
                _ => command.arg("GET").arg(self.names.label(label)),
            };
            pipeline.command(command);
        }
    }

    /// The command that reads the registry; see [`registry`](Self::registry).
    pub(in crate::tiers::redis) fn registry_read(&self) -> redis::Cmd {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.names.sites());
        command
    }

    pub(in crate::tiers::redis) async fn read_standings(
        &self,
        labels: &[Label],
        within: Duration,
    ) -> Result<Vec<Standing>, TierError> {
        if labels.is_empty() {
            return Ok(Vec::new());
        }
        let steps = |pipeline: &mut Pipeline| self.add_reads(pipeline, labels);
        let now = self.servers.now();
        let answers = self.servers.send(Lane::Traffic, within, &steps).await?;
        standings(answers.into_iter(), now).map_err(|error| self.servers.refusal(&error))
    }

    pub(in crate::tiers::redis) async fn ask_labels(
        &self,
        ask: Labels<'_>,
        within: Duration,
    ) -> Result<Labelled, TierError> {
        if ask.is_empty() {
            return Ok(Labelled::default());
        }
        let link = match &self.servers {
            Servers::One(link) => link,
            Servers::Cluster(cluster) => {
                return self
                    .ask_cluster(cluster, ask, Deadline::after(within))
                    .await;
            }
        };
        let steps = |pipeline: &mut Pipeline| self.add_labels(pipeline, ask);
        let work = async |mut connection: Connection| {
            let answers = Pipeline::run(&mut connection, &steps).await?;
            labelled(ask, answers.into_iter())
        };
        link.call(Lane::Traffic, within, work).await
    }

    /// What a load asks, as steps of a pipeline.
    pub(super) fn add_labels(&self, pipeline: &mut Pipeline, ask: Labels<'_>) {
        let era = era();
        if let Some(register) = ask.register {
            let keys = [self.names.sites(), self.names.clock()];
            let anew = self.announcer.message(News::Anew);
            self.add_register(pipeline, register, &keys, &era, ask.life, &anew);
        }
        if ask.clock || !ask.labels.is_empty() {
            let mut keys = vec![self.names.clock()];
            let mut args = vec![era.into_bytes(), lasting(ask.life)];
            for label in ask.labels {
                keys.push(self.names.label(label));
                args.push(random().into());
            }
            pipeline.script(&scripts::LABELS, &keys, &args);
        }
    }

    /// Registers with the cache. `made` is an era, should the clock be lost; where the clock is not among the keys, what it was moved on to.
    pub(in crate::tiers::redis) fn add_register(
        &self,
        pipeline: &mut Pipeline,
        register: Register<'_>,
        keys: &[String],
        made: &str,
        life: Duration,
        anew: &[u8],
    ) {
        let field = match register {
            Register::Nothing => "",
            Register::Region("") => ANY,
            Register::Region(region) => region,
        };
        let args = [
            field.as_bytes(),
            &random(),
            made.as_bytes(),
            self.announcer.channel().as_bytes(),
            anew,
            &lasting(life),
        ];
        pipeline.script(&scripts::REGISTER, keys, &args);
    }

    /// The registry's regions and the generation beside them, from the reply of `HGETALL`; nothing if it has no generation.
    pub(in crate::tiers::redis) fn registry(answer: redis::Value, now: u64) -> Option<Removed> {
        let fields: Vec<(String, Vec<u8>)> = redis::from_redis_value(answer).ok()?;
        let cache = fields.iter().find(|(field, _)| field == CACHE);
        let cache = cache.map(|(_, bytes)| of_bytes(bytes, now));
        let regions = fields
            .into_iter()
            .filter(|(field, _)| !field.starts_with('#'));
        let region = |(field, _): (String, _)| {
            if field == ANY {
                "".into()
            } else {
                field.into_boxed_str()
            }
        };
        cache.is_some().then(|| Removed {
            cache,
            regions: Some(regions.map(region).collect()),
        })
    }
}

/// How long a label lives under which an entry of this life may be.
pub(in crate::tiers::redis) fn lasting(life: Duration) -> Vec<u8> {
    millis(life.saturating_add(LONGER)).into_bytes()
}

/// An era that no clock has had.
pub(in crate::tiers::redis) fn era() -> String {
    format!("{:016x}", fastrand::u64(..))
}

/// The answers to the steps of [`RedisTier::add_labels`].
pub(super) fn labelled(
    ask: Labels<'_>,
    mut answers: impl Iterator<Item = redis::RedisResult<redis::Value>>,
) -> redis::RedisResult<Labelled> {
    let mut next = || {
        answers
            .next()
            .unwrap_or_else(|| Err(unexpected("fewer answers than questions")))
    };
    let mut labelled = Labelled::default();
    if ask.register.is_some() {
        labelled.cache = Some(standing(&next()?, 0));
    }
    if ask.clock || !ask.labels.is_empty() {
        let redis::Value::Array(parts) = next()? else {
            return Err(unexpected("labels were answered by no array"));
        };
        let mut parts = parts.into_iter();
        let clock = parts.next().and_then(|clock| logical_of(&clock));
        labelled.clock = clock.filter(|_| ask.clock);
        labelled.labels = parts.map(|part| standing(&part, 0)).collect();
        if labelled.labels.len() != ask.labels.len() {
            return Err(unexpected("labels were answered by another number of them"));
        }
    }
    Ok(labelled)
}

/// The answers to the steps of [`RedisTier::add_reads`]. What is of another Redis type is no generation.
pub(super) fn standings(
    answers: impl Iterator<Item = redis::RedisResult<redis::Value>>,
    now: u64,
) -> redis::RedisResult<Vec<Standing>> {
    answers
        .map(|answer| match answer {
            Err(error) if is_wrong_type(&error) => Ok(Standing::Missing),
            answer => Ok(standing(&answer?, now)),
        })
        .collect()
}

/// How a label stands, from its bytes; `now` is the server's time, for a hold that says when it ends.
pub(in crate::tiers::redis) fn standing(answer: &redis::Value, now: u64) -> Standing {
    match answer {
        redis::Value::BulkString(bytes) => of_bytes(bytes, now),
        _ => Standing::Missing,
    }
}

fn of_bytes(bytes: &[u8], now: u64) -> Standing {
    match bytes.split_first() {
        Some((b'g', rest)) => generation(rest).map_or(Standing::Missing, Standing::Is),
        Some((b'h', b"")) => Standing::Held,
        Some((b'h', until)) if number(until).is_some_and(|until| now < until) => Standing::Held,
        _ => Standing::Missing,
    }
}

fn generation(bytes: &[u8]) -> Option<Generation> {
    let half = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let era = std::str::from_utf8(bytes.get(16..32)?).ok()?;
    Some(Generation {
        evict: half(0)?,
        expire: half(8)?,
        made: Logical {
            era: u64::from_str_radix(era, 16).ok()?,
            n: number(bytes.get(32..)?)?,
        },
    })
}

pub(in crate::tiers::redis) fn logical_of(answer: &redis::Value) -> Option<Logical> {
    let redis::Value::BulkString(bytes) = answer else {
        return None;
    };
    let (era, n) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
    Some(Logical {
        era: u64::from_str_radix(era, 16).ok()?,
        n: n.parse().ok()?,
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Standing, of_bytes};
    use crate::tags::{Generation, Logical};

    #[test]
    fn a_generation_is_read_and_anything_else_is_missing() {
        let mut bytes = b"g".to_vec();
        bytes.extend(1_u64.to_be_bytes());
        bytes.extend(2_u64.to_be_bytes());
        bytes.extend(b"00000000000000ff12");
        let generation = Generation {
            evict: 1,
            expire: 2,
            made: Logical { era: 255, n: 12 },
        };
        assert_eq!(of_bytes(&bytes, 0), Standing::Is(generation));
        for length in 0..bytes.len() - 2 {
            assert_eq!(of_bytes(&bytes[..length], 0), Standing::Missing);
        }
        assert_eq!(of_bytes(b"hello", 0), Standing::Missing);
    }

    #[test]
    fn a_hold_ends_when_it_says_so() {
        assert_eq!(of_bytes(b"h", 9), Standing::Held);
        assert_eq!(of_bytes(b"h10", 9), Standing::Held);
        assert_eq!(of_bytes(b"h10", 10), Standing::Missing);
    }
}

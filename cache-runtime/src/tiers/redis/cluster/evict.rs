//! Evicting where each key and each label may be at another primary.
//!
//! Keys go at once, each by a script at its own primary, which says so there. For labels the clock is moved on
//! first, and then each is replaced; where it cannot be moved on, they are deleted, which is as dead. That is said at every primary, and the registry is read after it. What is said
//! twice is the same message, of which everybody hears one.
//!
//! **A slot that is on its way** refuses scripts about keys of which one is here and another is not (`TRYAGAIN`), and has no primary of which it is sure
//! that everybody listens to it: a key that has gone already is asked for where it went (`ASK`). So what such a slot refuses is done in single
//! steps, followed wherever each key is: the hold first, then the lease, without which no load can store, then the value. Then it is said at the slot's primary.

use super::{Cluster, Follow};
use crate::bus::{Gone, Manner};
use crate::tags::{Label, LabelKind};
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::commands::evict::hold;
use crate::tiers::redis::fault::{is_forbidden, is_torn, redirect};
use crate::tiers::redis::link::{Connection, Deadline, Lane};
use crate::tiers::redis::scripts::{self, Pipeline, Steps};
use crate::tiers::{Removal, Removed, TierError};

impl RedisTier {
    pub(in crate::tiers::redis) async fn remove_in_cluster(
        &self,
        cluster: &Cluster,
        part: Removal<'_>,
        by: Deadline,
    ) -> Result<Removed, TierError> {
        let (mut keys, mut labels) = (Vec::new(), Vec::new());
        for gone in part.news() {
            let one = |keys, labels| Gone {
                keys,
                labels,
                manner: gone.manner,
                hold: gone.hold,
                ..Gone::default()
            };
            keys.extend(
                gone.keys
                    .iter()
                    .map(|key| one(vec![key.clone()], Vec::new())),
            );
            let label = |label: &Label| one(Vec::new(), vec![label.clone()]);
            labels.extend(gone.labels.iter().map(label));
        }
        let said = |gone: Gone| (self.announcer.gone(gone.clone()), gone);
        let keys: Vec<_> = keys.into_iter().map(said).collect();
        let labels: Vec<_> = labels.into_iter().map(said).collect();
        let of_keys = self.remove_each(cluster, &keys, ":", by).await;
        if !labels.is_empty() {
            // Without the clock they are deleted.
            let made = self.tick(cluster, 1, by.half()).await;
            let made = made.map_or(":".to_owned(), |made| {
                format!("{:016x}:{}", made.era, made.n)
            });
            self.remove_each(cluster, &labels, &made, by).await?;
            let mut messages = redis::pipe();
            for (message, _) in &labels {
                messages.add_command(self.saying(message));
            }
            cluster.publish(by, &messages).await?;
        }
        of_keys?;
        if !part.registry {
            return Ok(Removed::default());
        }
        let steps = |pipeline: &mut Pipeline| pipeline.command(self.registry_read());
        let now = self.servers.now();
        let answers = cluster
            .scatter(Lane::Upkeep, by, Follow::All, &steps)
            .await?;
        let registry = answers.into_iter().next().transpose()?;
        // Who may not read the registry has evicted all the same.
        let registry = registry.and_then(Result::ok);
        Ok(registry
            .and_then(|answer| Self::registry(answer, now))
            .unwrap_or_default())
    }

    /// Removes what each of these says, which is one key or one label. All are tried, whatever becomes of the others.
    async fn remove_each(
        &self,
        cluster: &Cluster,
        all: &[(Vec<u8>, Gone)],
        made: &str,
        by: Deadline,
    ) -> Result<(), TierError> {
        if all.is_empty() {
            return Ok(());
        }
        let steps = |pipeline: &mut Pipeline| {
            for (message, gone) in all {
                self.add_one(pipeline, gone, message, made);
            }
        };
        let answers = cluster
            .scatter(Lane::Upkeep, by, Follow::Moved, &steps)
            .await?;
        let mut done = Ok(());
        for ((message, gone), answer) in all.iter().zip(answers) {
            let one = match answer {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) if is_torn(&error) || redirect(&error).is_some() => {
                    self.remove_in_steps(cluster, message, gone, made, by).await
                }
                Ok(Err(error)) => Err(self.servers.refusal(&error)),
                Err(error) => Err(error),
            };
            done = done.and(one);
        }
        done
    }

    fn add_one(&self, pipeline: &mut Pipeline, gone: &Gone, message: &[u8], made: &str) {
        for label in &gone.labels {
            let cache = label.kind() == LabelKind::Cache;
            let key = self.label_key(label);
            let args = self.label_args(gone, message, made, cache, usize::from(!cache));
            pipeline.script(&scripts::EVICT_LABELS, &[key], &args);
        }
        if !gone.keys.is_empty() {
            self.add_keys(pipeline, gone, message);
        }
    }

    fn label_key(&self, label: &Label) -> String {
        match label.kind() {
            LabelKind::Cache => self.names.sites(),
            _ => self.names.label(label),
        }
    }

    /// One key or label of a slot that is on its way.
    async fn remove_in_steps(
        &self,
        cluster: &Cluster,
        message: &[u8],
        gone: &Gone,
        made: &str,
        by: Deadline,
    ) -> Result<(), TierError> {
        for label in &gone.labels {
            let at = self.label_key(label);
            let quiet = |pipeline: &mut Pipeline| self.add_one(pipeline, gone, &[], made);
            self.step(cluster, &at, &quiet, by).await?;
        }
        for key in &gone.keys {
            let at = self.names.value(key);
            if !gone.hold.is_zero() {
                let name = self.names.hold(key);
                let held = |pipeline: &mut Pipeline| {
                    pipeline.script(&scripts::HOLD, &[&name], &[hold(gone.hold)]);
                };
                self.step(cluster, &name, &held, by).await?;
            }
            for key in [self.names.lease(key), self.names.failed(key)] {
                self.step(cluster, &key, &|it| unlink(it, &key), by).await?;
            }
            let value = |pipeline: &mut Pipeline| match gone.manner {
                Manner::Evict => unlink(pipeline, &at),
                Manner::Expire => {
                    pipeline.script(&scripts::EXPIRE_VALUE, &[&at], &[] as &[&[u8]]);
                }
            };
            self.step(cluster, &at, &value, by).await?;
            self.say(cluster, &at, message, by).await?;
        }
        Ok(())
    }

    /// One command or script about one key, wherever that is.
    async fn step(
        &self,
        cluster: &Cluster,
        key: &str,
        step: Steps<'_>,
        by: Deadline,
    ) -> Result<(), TierError> {
        let work = async |mut connection: Connection| {
            let answers = Pipeline::run(&mut connection, step).await?;
            answers.into_iter().try_for_each(|answer| answer.map(drop))
        };
        cluster.call(key, Lane::Upkeep, by, work).await
    }

    /// Says what is gone, at the primary of the key. Who may not has evicted all the same.
    async fn say(
        &self,
        cluster: &Cluster,
        key: &str,
        message: &[u8],
        by: Deadline,
    ) -> Result<(), TierError> {
        let command = self.saying(message);
        let work = async |mut connection: Connection| match connection.command(&command).await {
            Err(error) if !is_forbidden(&error) => Err(error),
            _ => Ok(()),
        };
        cluster.call(key, Lane::Upkeep, by, work).await
    }
}

fn unlink(pipeline: &mut Pipeline, key: &str) {
    let mut command = redis::cmd("UNLINK");
    command.arg(key);
    pipeline.command(command);
}

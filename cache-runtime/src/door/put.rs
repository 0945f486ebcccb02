//! `#[cache_put]`: run the body, store its value.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use super::{
    lookup::{Call, Ready},
    shape::{Plain, Res, Shape},
};
use crate::{
    cache::scope::{self, Mode},
    engine::{Core, EvictTask, Item, Put, Tags, Target, UNKNOWN_OUTCOME_HOLD, without_known},
    entry::{CacheValue, Keep},
    key::{Holes, Key, KeyBuf, LateTemplate},
    observe::Counters,
    policy::{Policy, Resolved},
    site::Hooks,
    tiers::memory::Reader,
};

/// A put whose key is rendered as far as the arguments allow.
#[derive(Debug)]
pub struct PutPlan {
    core: Arc<Core>,
    counters: Arc<Counters>,
    reader: Reader,
    policy: Policy,
    tags: Tags,
    what: Plan,
}

#[derive(Debug)]
enum Plan {
    /// The condition is false: only the body runs.
    Nothing,
    /// Store under this key.
    Store(Key),
    /// Evict these after the body: the put is bypassed, or its key cannot be rendered.
    Evict(Target),
    /// Evict what the result names.
    Late(LateTemplate, u64),
}

fn plan<V: CacheValue, K: Keep<V>>(
    call: &Call<'_>,
    condition: bool,
    render: impl FnOnce(&mut KeyBuf<'_>),
) -> PutPlan {
    let what = if condition {
        target(call, render)
    } else {
        Plan::Nothing
    };
    let bound = call.bound::<V, K>();
    PutPlan {
        core: Arc::clone(call.cache.core()),
        counters: Arc::clone(&bound.counters),
        reader: call.reader::<V, K>(&bound),
        policy: call.site.policy(),
        tags: Tags {
            late: call.site.late,
            ..Tags::default()
        },
        what,
    }
}

fn target(call: &Call<'_>, render: impl FnOnce(&mut KeyBuf<'_>)) -> Plan {
    let mut buffer = call.buffer();
    render(&mut buffer);
    let late = buffer.finish_late();
    if late.has_holes() {
        return Plan::Late(late, call.site.template);
    }
    match late.render() {
        Err(_) => Plan::Evict(Target::Pattern(late.pattern())),
        Ok(rendered) => {
            let key = rendered.into_key(call.site.template);
            if scope::mode() == Mode::Bypass {
                Plan::Evict(Target::Key(key))
            } else {
                Plan::Store(key)
            }
        }
    }
}

impl PutPlan {
    /// One tag of the entry; holes are filled with parts of the value.
    ///
    /// A tag that has no text could not be evicted: the put then evicts.
    pub fn tag(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        let Plan::Store(key) = &self.what else { return };
        if self.tags.add(&self.core, render).is_err() {
            self.what = Plan::Evict(Target::Key(key.clone()));
        }
    }

    /// Takes the lease and registers; from here on a drop or a panic evicts.
    pub async fn begin(self) -> PutGuard {
        let Self {
            core,
            counters,
            reader,
            policy,
            tags,
            what,
        } = self;
        let state = match what {
            Plan::Nothing => State::Nothing,
            Plan::Evict(target) => State::Evict(Evicting::new(&core, target)),
            Plan::Late(late, template) => State::Late(Some((late, template))),
            Plan::Store(key) => {
                let resolved = Resolved::new(&policy, &core.settings.defaults);
                let core = Arc::clone(&core);
                let counters = Arc::clone(&counters);
                State::Put(Box::new(
                    Put::begin(core, key, reader, resolved, counters, tags).await,
                ))
            }
        };
        PutGuard {
            core,
            counters,
            state: Some(state),
        }
    }
}

/// A put whose body runs. Dropping it evicts.
pub struct PutGuard {
    core: Arc<Core>,
    counters: Arc<Counters>,
    state: Option<State>,
}

enum State {
    Nothing,
    Evict(Evicting),
    Late(Option<(LateTemplate, u64)>),
    Put(Box<Put>),
}

/// An eviction that happens even if nobody asks for it.
struct Evicting {
    core: Arc<Core>,
    target: Option<Target>,
}

impl Evicting {
    fn new(core: &Arc<Core>, target: Target) -> Self {
        Self {
            core: Arc::clone(core),
            target: Some(target),
        }
    }

    async fn now(mut self, counters: &Arc<Counters>) {
        if let Some(target) = self.target.take() {
            evict(&self.core, target, counters).await;
        }
    }
}

impl Drop for Evicting {
    fn drop(&mut self) {
        if let Some(target) = self.target.take() {
            drop(EvictTask::new(
                &self.core,
                vec![Item {
                    hold: UNKNOWN_OUTCOME_HOLD,
                    ..Item::evict(target)
                }],
            ));
        }
    }
}

/// Errors are the journal's: the caller of an annotated function does not hear of Redis.
async fn evict(core: &Arc<Core>, target: Target, counters: &Arc<Counters>) {
    let task = EvictTask::new(core, vec![Item::evict(target)]);
    let _ = task.asked_for(Arc::clone(counters)).run_detached().await;
}

impl PutGuard {
    /// Runs the body, renewing the lease beside it.
    pub async fn during<F: Future>(&mut self, body: F) -> F::Output {
        match &mut self.state {
            Some(State::Put(put)) => {
                put.begin_body();
                tokio::select! {
                    biased;
                    output = without_known(body) => output,
                    never = put.keep() => match never {},
                }
            }
            _ => without_known(body).await,
        }
    }

    async fn finish<V: CacheValue>(
        mut self,
        policy: &Policy,
        hooks: &Hooks<V>,
        value: Option<&V>,
        late: impl FnOnce(&V, &mut Holes),
    ) {
        // Rendering runs the result's own code: should it panic, the guard still has its template.
        if let Some(State::Late(Some((template, fingerprint)))) = &self.state {
            let target = fill(template.clone(), *fingerprint, value, late);
            self.state = Some(State::Evict(Evicting::new(&self.core, target)));
        }
        match self.state.take() {
            None | Some(State::Nothing | State::Late(_)) => {}
            Some(State::Evict(evicting)) => {
                evicting.now(&self.counters).await;
            }
            Some(State::Put(mut put)) => {
                let Some(value) = value else {
                    let _ = put.evict().await;
                    return;
                };
                put.resolve(Resolved::new(policy, &self.core.settings.defaults));
                let wish = hooks.wish(value, Duration::ZERO, &put.late);
                if let Err(error) = put.finish(Arc::new(value.clone()), wish).await {
                    tracing::debug!(%error, "a put was not stored");
                }
            }
        }
    }
}

fn fill<V>(
    template: LateTemplate,
    fingerprint: u64,
    value: Option<&V>,
    late: impl FnOnce(&V, &mut Holes),
) -> Target {
    let mut template = template;
    if let Some(value) = value {
        let mut holes = Holes::new(vec![template]);
        late(value, &mut holes);
        template = holes.finish().pop().expect("the template that went in");
    }
    match template.render() {
        Ok(rendered) => Target::Key(rendered.into_key(fingerprint)),
        Err(_) => Target::Pattern(template.pattern()),
    }
}

impl Drop for PutGuard {
    fn drop(&mut self) {
        // `Put` and `Evicting` see to themselves.
        if let Some(State::Late(Some((template, _)))) = self.state.take() {
            drop(Evicting::new(
                &self.core,
                Target::Pattern(template.pattern()),
            ));
        }
    }
}

impl fmt::Debug for PutGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutGuard").finish_non_exhaustive()
    }
}

macro_rules! put {
    ([$($generics:tt)*] $shape:ty, $value:ty, $keep:ty, $return:ty) => {
        impl<$($generics)*> Ready<$shape> {
            /// Plans a put.
            #[must_use]
            pub fn put(
                self,
                call: Call<'_>,
                condition: bool,
                key: impl FnOnce(&mut KeyBuf<'_>),
            ) -> PutPlan {
                plan::<$value, $keep>(&call, condition, key)
            }

            /// Stores what the body returned, or evicts, and passes it on.
            pub async fn finish_put(
                self,
                put: PutGuard,
                policy: Policy,
                hooks: Hooks<$value>,
                out: $return,
                late: impl FnOnce(&$value, &mut Holes),
            ) -> $return {
                let result = <$shape>::split(out);
                put.finish(&policy, &hooks, result.as_ref().ok(), late).await;
                <$shape>::pack(result)
            }
        }
    };
}

put!([V: CacheValue, K: Keep<V>, E] Res<V, E, K>, V, K, Result<V, E>);
put!([V: CacheValue, K: Keep<V>] Plain<V, K>, V, K, V);

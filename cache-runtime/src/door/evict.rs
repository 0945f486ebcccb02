//! `#[cache_evict]`: evict when the body has returned, or was dropped, or panicked.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::{
    bus::Manner,
    cache::CacheRef,
    engine::{Core, EvictTask, Item, Target, UNKNOWN_OUTCOME_HOLD},
    key::{Holes, KeyBuf, LateTemplate, Pattern, UNSPECIFIED, fingerprint, segment_of},
    site::EvictSite,
    tags::Label,
};

/// A return type that cannot be probed (`impl Trait`).
#[derive(Clone, Copy, Debug)]
pub struct Opaque;

impl Opaque {
    /// The value.
    pub fn ok<R>(self, out: &R) -> Option<&R> {
        Some(out)
    }
}

/// What one attribute evicts, rendered as far as the arguments allow.
#[derive(Debug)]
pub struct EvictPlan {
    core: Arc<Core>,
    site: &'static EvictSite,
    /// The function's path with its type, for its statistics.
    instance: &'static str,
    /// The attribute's condition; when false nothing below is done.
    condition: bool,
    ready: Vec<Target>,
    late: Vec<Late>,
    manner: Manner,
    hold: Option<Duration>,
    always: bool,
}

/// A template that waits for the result.
#[derive(Debug)]
struct Late {
    template: LateTemplate,
    what: What,
}

/// What a template names.
#[derive(Clone, Copy, Debug)]
enum What {
    /// A key of the template with this fingerprint.
    Key(u64),
    Pattern,
    Region,
    Tag,
    Scope,
}

impl EvictPlan {
    /// A plan of `site` for `cache`.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an expansion makes the reference for this call"
    )]
    pub fn new(site: &'static EvictSite, cache: CacheRef<'_>, condition: bool) -> Self {
        Self {
            core: Arc::clone(cache.core()),
            site,
            instance: site.name,
            condition,
            ready: Vec::new(),
            late: Vec::new(),
            manner: Manner::Evict,
            hold: None,
            always: false,
        }
    }

    /// The instantiation the plan is made in.
    pub fn of(&mut self, instance: &'static str) {
        self.instance = instance;
    }

    /// One key.
    pub fn key(&mut self, template: &'static str, render: impl FnOnce(&mut KeyBuf<'_>)) {
        let template = fingerprint(template);
        let Some(buffer) = self.render(render) else {
            return;
        };
        let late = buffer.finish_late();
        self.add(late, What::Key(template));
    }

    /// One pattern.
    pub fn pattern(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        if let Some(buffer) = self.render(render) {
            self.add(buffer.finish_late(), What::Pattern);
        }
    }

    /// One tag.
    pub fn tag(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        if let Some(buffer) = self.render(render) {
            self.add(buffer.finish_late(), What::Tag);
        }
    }

    /// One region.
    pub fn region(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        if let Some(buffer) = self.render(render) {
            self.add(buffer.finish_late(), What::Region);
        }
    }

    /// Everything of one scope.
    pub fn scope(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        if let Some(buffer) = self.render(render) {
            self.add(buffer.finish_late(), What::Scope);
        }
    }

    /// Marks stale instead of removing.
    pub fn expire(&mut self) {
        self.manner = Manner::Expire;
    }

    /// Everything.
    pub fn all(&mut self) {
        if self.condition {
            self.ready.push(Target::all());
        }
    }

    /// How long loads of the keys are not stored.
    pub fn hold(&mut self, hold: Duration) {
        self.hold = Some(hold);
    }

    /// Also when the body returns `Err`.
    pub fn always(&mut self) {
        self.always = true;
    }

    /// Evicts now, before the body, what the arguments alone name.
    pub async fn before(&mut self) {
        if self.condition && !self.ready.is_empty() {
            let items = self.items(&self.ready, self.hold.unwrap_or_default());
            report(self.site, self.task(items).run_detached().await);
        }
    }

    /// From here on a drop or a panic evicts.
    #[must_use]
    pub fn arm(self) -> EvictGuard {
        EvictGuard {
            armed: self.condition,
            plan: self,
        }
    }

    fn render(&self, render: impl FnOnce(&mut KeyBuf<'_>)) -> Option<KeyBuf<'_>> {
        if !self.condition {
            return None;
        }
        let mut buffer = KeyBuf::new(self.core.settings.max_key_bytes, self.core.secret.as_ref());
        render(&mut buffer);
        Some(buffer)
    }

    fn add(&mut self, template: LateTemplate, what: What) {
        let late = Late { template, what };
        if late.template.has_holes() {
            self.late.push(late);
        } else {
            self.ready.extend(late.targets());
        }
    }

    /// Renders what waited for the result.
    fn fill(&mut self, late: impl FnOnce(&mut Holes)) {
        // Rendering runs the result's own code: should it panic, the templates are still here, to be evicted by pattern.
        let templates = self.late.iter().map(|late| late.template.clone()).collect();
        let mut holes = Holes::new(templates);
        late(&mut holes);
        for (late, filled) in self.late.iter_mut().zip(holes.finish()) {
            late.template = filled;
        }
    }

    fn task(&self, items: Vec<Item>) -> EvictTask {
        let counters = self.core.sites.of_instance(self.instance);
        EvictTask::new(&self.core, items).asked_for(counters)
    }

    fn items(&self, targets: &[Target], hold: Duration) -> Vec<Item> {
        let item = |target: &Target| Item {
            target: target.clone(),
            manner: self.manner,
            hold,
        };
        targets.iter().map(item).collect()
    }

    /// Everything, with what is not known yet as `*`.
    fn widest(&mut self) -> Vec<Target> {
        let mut targets = std::mem::take(&mut self.ready);
        targets.extend(self.late.drain(..).flat_map(|late| late.targets()));
        targets
    }
}

impl Late {
    /// What it names; where a part has no text, what it can name.
    fn targets(&self) -> Vec<Target> {
        let rendered = self.template.render();
        vec![match (self.what, rendered) {
            (What::Key(template), Ok(rendered)) => Target::Key(rendered.into_key(template)),
            (What::Tag, Ok(rendered)) => Target::Label(Label::tag(&rendered.into_key(UNSPECIFIED))),
            (What::Scope, Ok(rendered)) => {
                let segment = segment_of(rendered.as_str());
                Target::Label(Label::scope(&segment))
            }
            (What::Region, Ok(rendered)) => {
                let key = rendered.into_key(UNSPECIFIED);
                Target::Pattern(Pattern::region(key.logical()))
            }
            (What::Key(_), Err(_)) | (What::Pattern, _) => Target::Pattern(self.template.pattern()),
            (What::Region, Err(_)) => {
                let patterns = self.template.region_patterns();
                return patterns.into_iter().map(Target::Pattern).collect();
            }
            // Nobody can list the tags, nor the scopes, that it might have been.
            (What::Tag | What::Scope, Err(_)) => Target::all(),
        }]
    }
}

/// The caller of an annotated function does not hear of Redis: what is not confirmed is queued.
fn report(site: &EvictSite, result: Result<(), crate::CacheError>) {
    if let Err(error) = result {
        tracing::debug!(site = site.name, %error, "an eviction is queued");
    }
}

/// A plan whose body runs.
pub struct EvictGuard {
    plan: EvictPlan,
    armed: bool,
}

impl EvictGuard {
    /// The body has returned: `ok` is its value, `None` for an `Err`. `late` fills what waited for the value.
    ///
    /// What looks at the value is done before the future is made, so that the future is `Send` whatever the value is.
    /// Once polled the eviction runs to its end, whether or not this future does.
    pub fn finish<V: ?Sized, F: FnOnce(&V, &mut Holes)>(
        mut self,
        ok: Option<&V>,
        late: F,
    ) -> impl Future<Output = ()> + use<V, F> {
        let wanted = self.armed && (ok.is_some() || self.plan.always);
        self.armed = wanted;
        if let Some(value) = ok.filter(|_| wanted && !self.plan.late.is_empty()) {
            self.plan.fill(|holes| late(value, holes));
        }
        self.evict()
    }

    async fn evict(mut self) {
        if !std::mem::take(&mut self.armed) {
            return;
        }
        let targets = self.plan.widest();
        if !targets.is_empty() {
            let items = self
                .plan
                .items(&targets, self.plan.hold.unwrap_or_default());
            report(self.plan.site, self.plan.task(items).run_detached().await);
        }
    }
}

impl Drop for EvictGuard {
    fn drop(&mut self) {
        if self.armed {
            // What the body did is unknown: evict at once, and do not store what loads see for a while.
            let targets = self.plan.widest();
            let hold = self.plan.hold.unwrap_or(UNKNOWN_OUTCOME_HOLD);
            let items = self.plan.items(&targets, hold);
            drop(self.plan.task(items));
        }
    }
}

impl fmt::Debug for EvictGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvictGuard")
            .field("armed", &self.armed)
            .finish_non_exhaustive()
    }
}

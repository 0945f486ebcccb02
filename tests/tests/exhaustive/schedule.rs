//! One schedule: the fleet comes up, the calls run as the exploration says, and what is left is looked at.

use std::{rc::Rc, sync::Arc, time::Duration};

use cache_runtime::{Cache, Evict, key, testing::leftovers};
use tokio::{
    task::LocalSet,
    time::{sleep, timeout},
};

use crate::{
    PROCESSES,
    calls::{Call, Here, Read},
    configuration::Configuration,
    event::Event,
    gate::{Controlled, Gate, Trouble},
    world::World,
};

/// When time has passed by so much, everything that could run has run.
const TICK: Duration = Duration::from_millis(1);
/// Longer than any lease, hold or pause, and than any wait for another's load.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What was returned, by the calls and by the last reads.
pub(crate) type Outcome = Vec<Option<Read>>;

/// What happened.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) events: Vec<Event>,
    /// `None` if the schedule was cut short.
    pub(crate) outcome: Option<Outcome>,
    /// What the reads among the calls returned.
    pub(crate) versions: Vec<u64>,
    /// Reads that began after a write was over.
    pub(crate) bound: u64,
    pub(crate) violations: Vec<String>,
}

impl Run {
    pub(crate) fn story(&self) -> String {
        let line = |event: &Event| format!("  process {}: {:?}\n", event.process, event.kind);
        self.events.iter().map(line).collect()
    }
}

/// Runs the next schedule of the gate's tree.
pub(crate) fn run(configuration: &Configuration, gate: &Arc<Gate>) -> Run {
    fastrand::seed(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    LocalSet::new().block_on(&runtime, async {
        let mut run = Run::default();
        let world = begin(configuration, gate).await;
        run.outcome = calls(configuration, &world, &mut run).await;
        run.bound = world.bound.get();
        run.violations = world.violations.take();
        run
    })
}

/// The fleet is up, and some have read.
async fn begin(configuration: &Configuration, gate: &Arc<Gate>) -> Rc<World> {
    let world = World::new(gate, configuration);
    for cache in &world.caches {
        let ready = cache.ready(Duration::from_secs(1)).await;
        ready.expect("the model is up");
    }
    let network = Arc::new(Controlled(Arc::clone(gate)));
    world.redis.set_network(network);
    for process in configuration.warm {
        read_alone(&world, *process, configuration.last_read()).await;
    }
    if configuration.expired {
        let (row, gate, cache) = (0, Arc::clone(gate), world.caches[0].clone());
        let expiring = tokio::task::spawn_local(async move {
            let done = cache.expire(Evict::key(key!("row:{row}"))).await;
            gate.changed.notify_one();
            done
        });
        sleep(TICK).await;
        while !expiring.is_finished() {
            let moved = quiet(&world).await || wait(&world).await;
            assert!(moved, "an expiry hangs");
        }
        let done = expiring.await.expect("an expiry does not panic");
        done.expect("the model is up");
        settle(&world).await;
    }
    gate.allow(configuration.trouble);
    world
}

/// The calls, in the order that is explored; `None` if that order was cut short.
async fn calls(configuration: &Configuration, world: &Rc<World>, run: &mut Run) -> Option<Outcome> {
    let begin = |(process, call): &(usize, Call)| spawn(world, *process, *call);
    let calls: Vec<_> = configuration.calls.iter().map(begin).collect();
    sleep(TICK).await;
    while !calls.iter().all(tokio::task::JoinHandle::is_finished) {
        let possible = world.gate.possible();
        if possible.is_empty() {
            assert!(wait(world).await, "a call hangs:\n{}", run.story());
            continue;
        }
        let event = world.gate.choose(&possible)?;
        run.events.push(event);
        happen(world, event).await;
    }
    let mut reads = Vec::new();
    for call in calls {
        reads.push(call.await.expect("no call panics"));
    }
    run.versions = reads.iter().flatten().map(|read| read.version).collect();
    world.gate.allow(Trouble::default());
    settle(world).await;
    for process in 0..PROCESSES {
        let call = configuration.last_read();
        reads.push(read_alone(world, process, call).await);
    }
    settle(world).await;
    look_for_leftovers(world);
    Some(reads)
}

fn spawn(world: &Rc<World>, process: usize, call: Call) -> tokio::task::JoinHandle<Option<Read>> {
    let here = Here::new(world, process);
    tokio::task::spawn_local(async move {
        let read = here.make(call).await;
        here.is_done();
        read
    })
}

/// A read that nothing happens beside.
async fn read_alone(world: &Rc<World>, process: usize, call: Call) -> Option<Read> {
    let read = spawn(world, process, call);
    sleep(TICK).await;
    while !read.is_finished() {
        let moved = quiet(world).await || wait(world).await;
        assert!(moved, "a read hangs");
    }
    read.await.expect("a read does not panic")
}

/// Until nothing is under way.
async fn settle(world: &World) {
    let queued = || {
        let queued = |cache: &Cache| cache.health().queued_evictions;
        world.caches.iter().map(queued).sum::<usize>()
    };
    let loads = || {
        let loads = |cache: &Cache| leftovers(cache).flights;
        world.caches.iter().map(loads).sum::<usize>()
    };
    let goes_on = || queued() > 0 || world.redis.leases() > 0 || loads() > 0;
    while quiet(world).await || (goes_on() && wait(world).await) {}
}

/// Lets the longest waiting event happen; whether there was one.
async fn quiet(world: &World) -> bool {
    let possible = world.gate.possible();
    let Some(event) = possible.first() else {
        return false;
    };
    happen(world, *event).await;
    true
}

async fn happen(world: &World, event: Event) {
    let sent = world.redis.publishes();
    world.gate.let_go(event);
    sleep(TICK).await;
    world.note(event, sent);
}

/// Nothing is in flight: time passes. Whether something came of it.
async fn wait(world: &World) -> bool {
    let changed = timeout(LONGEST_PAUSE, world.gate.changed.notified()).await;
    sleep(TICK).await;
    changed.is_ok()
}

fn look_for_leftovers(world: &World) {
    for (process, cache) in world.caches.iter().enumerate() {
        let (left, queued) = (leftovers(cache), cache.health().queued_evictions);
        if left != Default::default() || queued > 0 {
            world.violation(format!(
                "process {process}: {left:?} and {queued} evictions left"
            ));
        }
    }
    let leases = world.redis.leases();
    if leases > 0 {
        world.violation(format!("{leases} leases left"));
    }
}

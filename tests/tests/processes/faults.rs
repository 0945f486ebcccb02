//! What goes wrong in a storm. Everything is well again when it is over.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tests::proxy::Mode;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use crate::crew::{Crew, PROCESSES};
use crate::servers::Shape;
use crate::trouble::{self, Trouble};

/// Longer than a process that hears nothing may believe its memory.
const BEYOND_SILENCE: Duration = Duration::from_millis(3_200);

/// So that a load may be over before its process hears that it is in vain.
const LONGER_THAN_A_LOAD: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A process is killed (SIGKILL), and another takes its place.
    Kill,
    /// A process is stopped and goes on (SIGSTOP, SIGCONT).
    Stop,
    /// The same, for longer than anything it knows is good for.
    StopForLong,
    /// The connections of a network are reset.
    Reset,
    /// They forward nothing any more, and stay open; new ones work.
    Swallow,
    /// They end in the middle of their next replies.
    Cut,
    /// They are closed one way.
    HalfClose,
    /// All replies are late.
    Delay,
    /// They come in pieces.
    Throttle,
    /// What is heard of others is late.
    DelayMessages,
    /// Nothing comes through; what was held back arrives in the end.
    HoldBack,
    /// Nobody can connect, and who was connected is so no more.
    Refuse,
    /// Something happens to the servers.
    Trouble(Trouble),
}

const OF_PROCESSES: [Fault; 3] = [Fault::Kill, Fault::Stop, Fault::StopForLong];

const OF_NETWORKS: [Fault; 8] = [
    Fault::Reset,
    Fault::Swallow,
    Fault::Cut,
    Fault::HalfClose,
    Fault::Delay,
    Fault::Throttle,
    Fault::HoldBack,
    Fault::Refuse,
];

/// Everything that can go wrong in a shape.
fn faults_of(shape: Shape) -> Vec<Fault> {
    let mut faults = Vec::new();
    if shape != Shape::Proxy {
        faults.extend(OF_PROCESSES);
        faults.extend(trouble::of(shape).iter().copied().map(Fault::Trouble));
    }
    if shape != Shape::Sentinel {
        faults.extend(OF_NETWORKS);
    }
    faults
}

/// A few faults, at any time of the storm and for any time; every fourth storm has none. In the others somebody hears late: only
/// then a load can come to its end before it is told that it is in vain, and it is its lease alone that keeps it from storing.
pub(crate) async fn storm(crew: &Arc<Crew>, round: u32, random: &mut Rng) {
    let (all, networks) = (faults_of(crew.shape), crew.networks.len());
    let mut faults = Vec::new();
    if round % 4 != 2 {
        let most = match crew.shape {
            Shape::Standalone | Shape::Sentinel => 6,
            // There is more that can go wrong.
            Shape::Cluster => 12,
            Shape::Proxy => 16,
        };
        let any = |random: &mut Rng| *random.choice(&all).expect("there are faults");
        faults.extend((0..random.usize(1..most)).map(|_| any(random)));
        if networks > 0 {
            faults.extend((0..random.usize(1..4)).map(|_| Fault::DelayMessages));
        }
    }
    // What takes longer than a storm would, twice, take longer than a round.
    let mut long = 0;
    faults.retain(|fault| {
        let takes_long = matches!(fault, Fault::Trouble(trouble) if trouble.takes_long());
        long += u32::from(takes_long);
        !takes_long || long == 1
    });
    // All of it happens in one thread: there is nothing to compute, and what waits for servers need not be `Send`.
    let storm = LocalSet::new();
    let _here = storm.enter();
    let mut tasks = JoinSet::new();
    for fault in faults {
        let which = random.usize(..PROCESSES * networks.max(1));
        // Rather late: what is missed when the last writes are done is made good by no later one.
        let at = crew.shape.storm().mul_f64(random.f64().sqrt());
        let lasts = Duration::from_millis(10).mul_f64(100.0_f64.powf(random.f64()));
        println!("  {at:?}: {fault:?} of {which} for {lasts:?}");
        let crew = Arc::clone(crew);
        tasks.spawn_local(async move {
            sleep(at).await;
            inflict(&crew, fault, which, lasts).await;
        });
    }
    let lasts = sleep(crew.shape.storm());
    storm
        .run_until(async { tokio::join!(lasts, tasks.join_all()) })
        .await;
}

/// One fault at a time happens to a process, and one to a network, and one to the servers; each is undone before this returns.
async fn inflict(crew: &Crew, fault: Fault, which: usize, lasts: Duration) {
    match fault {
        Fault::Kill | Fault::Stop | Fault::StopForLong => {
            let place = which % PROCESSES;
            let mut process = crew.places[place].lock().await;
            match fault {
                Fault::Kill => {
                    process.kill().await;
                    sleep(lasts).await;
                    *process = crew.player(place).await;
                }
                Fault::Stop => process.stop(lasts).await,
                _ => process.stop(BEYOND_SILENCE).await,
            }
        }
        Fault::Trouble(trouble) => {
            let _alone = crew.trouble.lock().await;
            trouble::inflict(crew, trouble, which, lasts).await;
        }
        _ => of_a_network(crew, fault, which % crew.networks.len(), lasts).await,
    }
}

async fn of_a_network(crew: &Crew, fault: Fault, which: usize, lasts: Duration) {
    let proxy = crew.servers.proxies()[which];
    let (mode, lasts) = match fault {
        Fault::Reset => return proxy.reset_all(),
        Fault::Swallow => return proxy.black_hole_existing(),
        Fault::Cut => return proxy.cut_existing(),
        Fault::HalfClose => return proxy.half_close_existing(),
        Fault::Delay => (Mode::Delay(lasts / 10), lasts),
        // From a few bytes to some hundreds in the budget of a call.
        Fault::Throttle => (Mode::Throttle(lasts.as_millis() as u32 * 5), lasts),
        Fault::DelayMessages => {
            let late = Mode::DelayMessages(LONGER_THAN_A_LOAD + lasts);
            (late, crew.shape.storm() / 2)
        }
        Fault::HoldBack => (Mode::BlackHole, lasts),
        _ => (Mode::Refuse, lasts),
    };
    let _alone = crew.networks[which].lock().await;
    proxy.set(mode).await;
    if mode == Mode::Refuse {
        proxy.reset_all();
    }
    sleep(lasts).await;
    proxy.set(Mode::Pass).await;
}

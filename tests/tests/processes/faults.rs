//! What goes wrong in a storm. Everything is well again when it is over.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tests::proxy::Mode;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::STORM;
use crate::crew::{Crew, PROCESSES};

/// Longer than a process that hears nothing may believe its memory.
const BEYOND_SILENCE: Duration = Duration::from_millis(3_200);

/// So that a load may be over before its process hears that it is in vain.
const LONGER_THAN_A_LOAD: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The process is killed (SIGKILL), and another takes its place.
    Kill,
    /// The process is stopped and goes on (SIGSTOP, SIGCONT).
    Stop,
    /// The same, for longer than anything it knows is good for.
    StopForLong,
    /// Its connections are reset.
    Reset,
    /// Its connections forward nothing any more, and stay open; new ones work.
    Swallow,
    /// All its replies are late.
    Delay,
    /// What it hears of the others is late.
    DelayMessages,
    /// Nothing comes through; what was held back arrives in the end.
    HoldBack,
    /// It cannot connect, and has lost its connections.
    Refuse,
    /// The server is stopped and goes on.
    StopServer,
    /// The server is killed and starts empty.
    LoseServer,
    /// The server drops every subscriber.
    Deafen,
    /// The server forgets its scripts.
    ForgetScripts,
}

const FAULTS: [Fault; 12] = [
    Fault::Kill,
    Fault::Stop,
    Fault::StopForLong,
    Fault::Reset,
    Fault::Swallow,
    Fault::Delay,
    Fault::HoldBack,
    Fault::Refuse,
    Fault::StopServer,
    Fault::LoseServer,
    Fault::Deafen,
    Fault::ForgetScripts,
];

/// A few faults, at any time of the storm and for any time; every fourth storm has none. In the others somebody hears late: only
/// then a load can come to its end before it is told that it is in vain, and it is its lease alone that keeps it from storing.
pub(crate) async fn storm(crew: &Arc<Crew>, round: u32, random: &mut Rng) {
    let mut faults = Vec::new();
    if round % 4 != 2 {
        let any = |random: &mut Rng| *random.choice(&FAULTS).expect("there are faults");
        faults.extend((0..random.usize(1..6)).map(|_| any(random)));
        faults.extend((0..random.usize(1..4)).map(|_| Fault::DelayMessages));
    }
    let mut tasks = JoinSet::new();
    for fault in faults {
        let place = random.usize(..PROCESSES);
        // Rather late: what is missed when the last writes are done is made good by no later one.
        let at = STORM.mul_f64(random.f64().sqrt());
        let lasts = Duration::from_millis(10).mul_f64(100.0_f64.powf(random.f64()));
        println!("  {at:?}: {fault:?} in place {place} for {lasts:?}");
        let crew = Arc::clone(crew);
        tasks.spawn(async move {
            sleep(at).await;
            inflict(&crew, fault, place, lasts).await;
        });
    }
    sleep(STORM).await;
    tasks.join_all().await;
}

/// One fault at a time happens to a process, and one to its network, and one to the server; each is undone before this returns.
async fn inflict(crew: &Crew, fault: Fault, place: usize, lasts: Duration) {
    let place = &crew.places[place];
    match fault {
        Fault::Kill => {
            let mut process = place.process.lock().await;
            process.kill().await;
            sleep(lasts).await;
            *process = crew.process(&place.proxy).await;
        }
        Fault::Stop => place.process.lock().await.stop(lasts).await,
        Fault::StopForLong => place.process.lock().await.stop(BEYOND_SILENCE).await,
        Fault::Reset => place.proxy.reset_all(),
        Fault::Swallow => place.proxy.black_hole_existing(),
        Fault::Delay => {
            let _alone = place.network.lock().await;
            place.proxy.set(Mode::Delay(lasts / 10)).await;
            sleep(lasts).await;
            place.proxy.set(Mode::Pass).await;
        }
        Fault::DelayMessages => {
            let _alone = place.network.lock().await;
            place
                .proxy
                .set(Mode::DelayMessages(LONGER_THAN_A_LOAD + lasts))
                .await;
            sleep(STORM / 2).await;
            place.proxy.set(Mode::Pass).await;
        }
        Fault::HoldBack => {
            let _alone = place.network.lock().await;
            place.proxy.set(Mode::BlackHole).await;
            sleep(lasts).await;
            place.proxy.set(Mode::Pass).await;
        }
        Fault::Refuse => {
            let _alone = place.network.lock().await;
            place.proxy.set(Mode::Refuse).await;
            place.proxy.reset_all();
            sleep(lasts).await;
            place.proxy.set(Mode::Pass).await;
        }
        Fault::StopServer => {
            let _alone = crew.trouble.lock().await;
            crew.server.stop();
            sleep(lasts).await;
            crew.server.cont();
        }
        Fault::LoseServer => {
            let _alone = crew.trouble.lock().await;
            crew.server.kill();
            sleep(lasts).await;
            crew.server.restart().await;
        }
        Fault::Deafen => {
            let _alone = crew.trouble.lock().await;
            crew.server.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        }
        Fault::ForgetScripts => {
            let _alone = crew.trouble.lock().await;
            crew.server.cli(&["SCRIPT", "FLUSH"]).await;
        }
    }
}

//! Signals to child processes that have not been reaped yet.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Pauses a process and returns once it is paused: `kill` returns earlier, and a reply in between would be a test's
/// rare failure.
pub(crate) fn stop(pid: u32) {
    send(pid, Signal::STOP);
    let started = Instant::now();
    while is_running(pid) && started.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Lets a paused process go on.
pub(crate) fn resume(pid: u32) {
    send(pid, Signal::CONT);
}

fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .expect("the kernel's process ids are positive");
    kill_process(pid, signal).expect("a child that has not been reaped can be signalled");
}

/// Whether the kernel says anything but "stopped"; where there is no `/proc`, the signal is trusted.
fn is_running(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // The state follows the program's name, which stands in parentheses and may contain anything.
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'T')
}

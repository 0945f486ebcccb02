//! What the kernel says about this process. Linux only; elsewhere the figures are left out.

use std::fs;
use std::time::Duration;

/// Bytes of the resident set that no file stands behind: what was allocated, and not the program's code, of which more comes in as it is used.
pub(crate) fn resident() -> Option<u64> {
    // 4,096 on every machine the figures were taken on; pages of another size would need a system call to know.
    const PAGE: u64 = 4_096;
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split(' ').skip(1).map(str::parse::<u64>);
    let (all, of_files) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(all.saturating_sub(of_files) * PAGE)
}

/// How long the threads of this process that are still there have been on a core.
pub(crate) fn on_core() -> Option<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let schedule = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += schedule.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

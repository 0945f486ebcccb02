//! The first process: fills the table, starts the workers, shows how far they are, and adds up what they report.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;

use crate::arguments::Options;
use crate::catalogue;
use crate::protocol::{self, Go, News, Order};
use crate::tally::Tally;

/// What a replay came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) processes: usize,
    pub(crate) tasks: usize,
    pub(crate) with_redis: bool,
    pub(crate) took: Duration,
}

/// What a worker said, or why it says no more.
type Heard = (usize, Result<News, String>);

pub(crate) fn replay(options: &Options) -> Result<Outcome, Box<dyn Error>> {
    let requests = options.workload.requests()?;
    let run = format!("replay-{:016x}", fastrand::u64(..));
    let table = Table::filled(options, &requests, &run)?;
    let order = Order {
        index: 0,
        processes: options.processes,
        tasks: options.tasks,
        workload: options.workload.clone(),
        cache: run,
        redis: options.redis.clone(),
        ttl: options.ttl,
        db: table.file.clone(),
    };
    let (sender, heard) = mpsc::channel();
    let start = |index| {
        Worker::start(
            &Order {
                index,
                ..order.clone()
            },
            sender.clone(),
        )
    };
    let mut workers = (0..options.processes)
        .map(start)
        .collect::<Result<Vec<_>, _>>()?;
    wait_until_ready(&heard, options.processes)?;

    let started = Instant::now();
    for worker in &mut workers {
        protocol::send(&mut worker.stdin, &Go)?;
    }
    let tally = follow(&heard, options.processes, requests.len())?;
    Ok(Outcome {
        tally,
        processes: options.processes,
        tasks: options.tasks,
        with_redis: options.redis.is_some(),
        took: started.elapsed(),
    })
}

/// The table's file, and the folder it goes with unless it is the user's.
struct Table {
    file: PathBuf,
    _folder: Option<TempDir>,
}

impl Table {
    fn filled(options: &Options, requests: &[u32], run: &str) -> Result<Table, Box<dyn Error>> {
        let (file, folder) = match &options.db {
            Some(file) => (file.clone(), None),
            None => {
                let folder = tempfile::tempdir()?;
                (folder.path().join("products.sqlite"), Some(folder))
            }
        };
        let products: BTreeSet<u32> = requests.iter().copied().collect();
        catalogue::fill(&file, products, run)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Table {
            file,
            _folder: folder,
        })
    }
}

/// A worker process; killed when dropped, if it is still there.
struct Worker {
    child: Child,
    stdin: ChildStdin,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Worker {
    fn start(order: &Order, heard: mpsc::Sender<Heard>) -> Result<Worker, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command
            .arg("--worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or("stdin is not piped")?;
        let stdout = child.stdout.take().ok_or("stdout is not piped")?;
        let mut worker = Worker { child, stdin };
        protocol::send(&mut worker.stdin, order)?;
        let index = order.index;
        thread::spawn(move || listen(index, stdout, &heard));
        Ok(worker)
    }
}

fn listen(index: usize, stdout: ChildStdout, heard: &mpsc::Sender<Heard>) {
    let mut lines = BufReader::new(stdout);
    loop {
        let news = protocol::receive(&mut lines)
            .map_err(|_| format!("process {index} ended before it was done"));
        let last = !matches!(news, Ok(News::Ready { .. } | News::Progress(_)));
        if heard.send((index, news)).is_err() || last {
            return;
        }
    }
}

fn wait_until_ready(heard: &mpsc::Receiver<Heard>, processes: usize) -> Result<(), String> {
    let mut warned = false;
    for _ in 0..processes {
        let (_, news) = heard
            .recv()
            .expect("every worker says something, if only that it ended");
        if let News::Ready {
            warning: Some(warning),
        } = news?
            && !std::mem::replace(&mut warned, true)
        {
            eprintln!("replay: {warning}");
        }
    }
    Ok(())
}

fn follow(
    heard: &mpsc::Receiver<Heard>,
    processes: usize,
    requests: usize,
) -> Result<Tally, String> {
    let bar = bar(requests);
    let mut done = vec![0; processes];
    let mut running = processes;
    let mut total = Tally::default();
    while running > 0 {
        match heard
            .recv()
            .expect("a worker that is not done says something")
        {
            (index, Ok(News::Progress(requests))) => done[index] = requests,
            (index, Ok(News::Done(tally))) => {
                running -= 1;
                done[index] = tally.requests;
                total.add(&tally);
            }
            (_, Ok(News::Ready { .. })) => {}
            (_, Err(reason)) => return Err(reason),
        }
        bar.set_position(done.iter().sum());
    }
    bar.finish_and_clear();
    Ok(total)
}

/// On stderr, and only if that is a terminal.
fn bar(requests: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:40} {human_pos}/{human_len} requests  {per_sec}  {elapsed}",
    );
    let length = u64::try_from(requests).unwrap_or(u64::MAX);
    ProgressBar::new(length).with_style(style.expect("the template is well-formed"))
}

//! The connection over a stream that the test holds the other end of.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{Carrier, Outbox, Request, Watch, Wire, text};

const SOON: Duration = Duration::from_secs(20);
const MOST: u64 = 1_000;

/// A connection, its task, and the server's end.
fn wire(buffer: usize) -> (Wire, JoinHandle<()>, DuplexStream) {
    let (ours, theirs) = duplex(buffer);
    let (wire, carrier) = Wire::over(Box::new(ours), MOST);
    (wire, tokio::spawn(carrier), theirs)
}

/// A connection whose task is polled by the test.
fn by_hand(most: u64) -> (Wire, Carrier, DuplexStream) {
    let (ours, theirs) = duplex(1 << 16);
    let outbox = Arc::new(Outbox::new());
    let carrier = Carrier::new(Box::new(ours), most, Arc::clone(&outbox));
    (Wire(outbox), carrier, theirs)
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls it once.
fn asks_for_another_turn(carrier: &mut Carrier) -> bool {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let polled = Pin::new(carrier).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending(), "the connection has ended");
    woken.0.load(Ordering::SeqCst)
}

type Asked = JoinHandle<redis::RedisResult<Option<Bytes>>>;

fn get(key: &str) -> Vec<u8> {
    format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()).into_bytes()
}

fn ask(wire: &Wire, key: &str) -> Asked {
    let (wire, packed) = (wire.clone(), get(key));
    tokio::spawn(async move { text(&wire.last_of(packed, 1).await?) })
}

async fn told(asked: Asked) -> redis::RedisResult<Option<Bytes>> {
    let told = timeout(SOON, asked).await.expect("an answer in time");
    told.expect("no panic")
}

/// Reads what so many commands for keys of one byte are.
async fn commands(server: &mut DuplexStream, keys: &str) {
    let mut read = vec![0; keys.len() * get("a").len()];
    let whole = timeout(SOON, server.read_exact(&mut read)).await;
    whole.expect("commands in time").unwrap();
    let expected: Vec<u8> = keys.chars().flat_map(|key| get(&key.to_string())).collect();
    assert_eq!(
        read.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

fn words(told: redis::RedisResult<Option<Bytes>>) -> String {
    told.expect_err("refused").to_string()
}

#[tokio::test]
async fn each_gets_its_own_however_the_answers_are_torn() {
    let answers = b"$1\r\na\r\n$-1\r\n$0\r\n\r\n-WRONGTYPE of another\r\n$4\r\ne\r\n\n\r\n+OK\r\n";
    for piece in 1..answers.len() {
        let (wire, _task, mut server) = wire(1 << 16);
        let asked = ["a", "b", "c", "d", "e", "f"].map(|key| ask(&wire, key));
        commands(&mut server, "abcdef").await;
        for piece in answers.chunks(piece) {
            server.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let [a, b, c, d, e, f] = asked;
        assert_eq!(told(a).await.unwrap().as_deref(), Some(&b"a"[..]));
        assert_eq!(told(b).await.unwrap(), None);
        assert_eq!(told(c).await.unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(told(d).await.unwrap_err().code(), Some("WRONGTYPE"));
        assert_eq!(told(e).await.unwrap().as_deref(), Some(&b"e\r\n\n"[..]));
        let no_text = told(f).await.unwrap_err();
        assert_eq!(no_text.kind(), redis::ErrorKind::UnexpectedReturnType);
    }
}

#[tokio::test]
async fn who_has_left_keeps_its_place_and_delays_nobody() {
    let (wire, _task, mut server) = wire(1 << 16);
    let [a, b, c] = ["a", "b", "c"].map(|key| ask(&wire, key));
    commands(&mut server, "abc").await;
    b.abort();
    assert!(b.await.unwrap_err().is_cancelled());
    server.write_all(b"$1\r\na\r\n").await.unwrap();
    assert_eq!(told(a).await.unwrap().as_deref(), Some(&b"a"[..]));
    server.write_all(b"$1\r\nb\r\n$1\r\nc\r\n").await.unwrap();
    assert_eq!(told(c).await.unwrap().as_deref(), Some(&b"c"[..]));
}

#[tokio::test]
async fn who_has_left_before_it_was_sent_is_not_sent() {
    let (ours, mut server) = duplex(1 << 16);
    let (wire, carrier) = Wire::over(Box::new(ours), MOST);
    let [a, b, c] = ["a", "b", "c"].map(|key| ask(&wire, key));
    tokio::task::yield_now().await;
    b.abort();
    assert!(b.await.unwrap_err().is_cancelled());
    let _task = tokio::spawn(carrier);
    commands(&mut server, "ac").await;
    server.write_all(b"$1\r\na\r\n$1\r\nc\r\n").await.unwrap();
    assert_eq!(told(a).await.unwrap().as_deref(), Some(&b"a"[..]));
    assert_eq!(told(c).await.unwrap().as_deref(), Some(&b"c"[..]));
}

/// All that waited have left, one of whom had woken the task: who comes next has to wake it again.
#[tokio::test]
async fn a_task_that_found_only_who_has_left_is_woken_by_the_next() {
    let (ours, mut server) = duplex(1 << 16);
    let (wire, carrier) = Wire::over(Box::new(ours), MOST);
    let gone = ask(&wire, "a");
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let _task = tokio::spawn(carrier);
    tokio::task::yield_now().await;
    let next = ask(&wire, "b");
    commands(&mut server, "b").await;
    server.write_all(b"$1\r\nb\r\n").await.unwrap();
    assert_eq!(told(next).await.unwrap().as_deref(), Some(&b"b"[..]));
}

#[tokio::test]
async fn those_who_ask_while_others_wait_are_sent_together() {
    let (wire, _task, mut server) = wire(1 << 16);
    let first = ask(&wire, "a");
    commands(&mut server, "a").await;
    let others: Vec<Asked> = (0..50).map(|_| ask(&wire, "b")).collect();
    let mut read = vec![0; 1 << 16];
    let length = timeout(SOON, server.read(&mut read))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(length, 50 * get("b").len(), "in one piece");
    server.write_all(&b"$1\r\nx\r\n".repeat(51)).await.unwrap();
    for asked in others.into_iter().chain([first]) {
        assert_eq!(told(asked).await.unwrap().as_deref(), Some(&b"x"[..]));
    }
}

#[tokio::test]
async fn others_are_let_go_first_once_and_only_where_no_answers_have_just_come() {
    let (wire, mut carrier, mut server) = by_hand(MOST);
    let a = ask(&wire, "a");
    tokio::task::yield_now().await;
    assert!(!asks_for_another_turn(&mut carrier), "nobody else waits");
    commands(&mut server, "a").await;
    let b = ask(&wire, "b");
    tokio::task::yield_now().await;
    assert!(asks_for_another_turn(&mut carrier), "others may ask");
    let c = ask(&wire, "c");
    tokio::task::yield_now().await;
    assert!(!asks_for_another_turn(&mut carrier), "they had their turn");
    commands(&mut server, "bc").await;
    server.write_all(b"$1\r\nx\r\n").await.unwrap();
    let d = ask(&wire, "d");
    tokio::task::yield_now().await;
    assert!(!asks_for_another_turn(&mut carrier), "an answer has come");
    commands(&mut server, "d").await;
    server.write_all(&b"$1\r\nx\r\n".repeat(3)).await.unwrap();
    assert!(!asks_for_another_turn(&mut carrier), "nobody asks");
    for asked in [a, b, c, d] {
        assert_eq!(told(asked).await.unwrap().as_deref(), Some(&b"x"[..]));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_ends_the_connection_and_all_are_told_why() {
    let (wire, task, mut server) = wire(1 << 16);
    let asked = ["a", "b", "c"].map(|key| ask(&wire, key));
    commands(&mut server, "abc").await;
    // What others have had does not count.
    let large = [b"$900\r\n".to_vec(), vec![b'x'; 900], b"\r\n".to_vec()].concat();
    server.write_all(&large).await.unwrap();
    server.write_all(b"$536870912\r\n").await.unwrap();
    let [a, b, c] = asked;
    assert_eq!(told(a).await.unwrap().map(|text| text.len()), Some(900));
    for refused in [told(b).await, told(c).await, told(ask(&wire, "d")).await] {
        let why = words(refused);
        assert!(why.contains("536870924 bytes or more"), "{why}");
    }
    timeout(SOON, task).await.expect("the task ends").unwrap();
}

#[tokio::test]
async fn a_connection_that_ends_is_an_error_for_all_who_wait_and_all_who_come() {
    let (wire, _task, mut server) = wire(1 << 16);
    let asked = ["a", "b"].map(|key| ask(&wire, key));
    commands(&mut server, "ab").await;
    drop(server);
    for asked in asked.into_iter().chain([ask(&wire, "c")]) {
        assert!(told(asked).await.unwrap_err().is_io_error());
    }
}

#[tokio::test]
async fn a_task_that_is_given_up_is_an_error_as_well() {
    let (wire, task, mut server) = wire(1 << 16);
    let asked = ask(&wire, "a");
    commands(&mut server, "a").await;
    task.abort();
    for asked in [asked, ask(&wire, "b")] {
        let why = words(told(asked).await);
        assert!(why.contains("the connection was given up"), "{why}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_ends_the_connection() {
    let (wire, _task, mut server) = wire(1 << 16);
    let asked = ask(&wire, "a");
    commands(&mut server, "a").await;
    let answers = b"$1\r\na\r\n-ERR max number of clients reached\r\n";
    server.write_all(answers).await.unwrap();
    assert_eq!(told(asked).await.unwrap().as_deref(), Some(&b"a"[..]));
    let why = words(told(ask(&wire, "b")).await);
    assert!(why.contains("max number of clients"), "{why}");
}

/// Who asked next would get it, and from then on each what the one before has asked for.
#[tokio::test]
async fn an_answer_that_begins_before_anybody_asks_ends_the_connection() {
    let (wire, task, mut server) = wire(1 << 16);
    server.write_all(b"$3\r\nol").await.unwrap();
    timeout(SOON, task).await.expect("the task ends").unwrap();
    let why = words(told(ask(&wire, "a")).await);
    assert!(why.contains("nobody asked for: $3"), "{why}");
}

#[tokio::test]
async fn the_memory_of_a_large_answer_is_given_back_and_what_came_behind_it_is_kept() {
    let (wire, mut carrier, mut server) = by_hand(1 << 30);
    for length in [2_200_000, 10, 10] {
        let [large, small] = ["a", "b"].map(|key| ask(&wire, key));
        let text = "x".repeat(length);
        let both = async {
            commands(&mut server, "ab").await;
            let answers = format!("${length}\r\n{text}\r\n$1\r\nb\r\n");
            server.write_all(answers.as_bytes()).await.unwrap();
            (told(large).await.unwrap(), told(small).await.unwrap())
        };
        let (large, small) = tokio::select! {
            () = &mut carrier => panic!("the connection has ended"),
            both = both => both,
        };
        assert!(large.as_deref() == Some(text.as_bytes()));
        assert_eq!(small.as_deref(), Some(&b"b"[..]));
        assert!(carrier.room() <= 256 << 10, "{} are kept", carrier.room());
    }
}

#[tokio::test]
async fn several_answers_are_one_and_errors_are_among_them() {
    let (wire, _task, mut server) = wire(1 << 16);
    let mut pipeline = redis::pipe();
    pipeline.cmd("GET").arg("a").cmd("GET").arg("b").cmd("PING");
    let both = async {
        let mut read = vec![0; pipeline.get_packed_pipeline().len()];
        server.read_exact(&mut read).await.unwrap();
        server.write_all(b"$1\r\na\r\n-ERR no\r\n").await.unwrap();
        tokio::task::yield_now().await;
        server.write_all(b"+PONG\r\n").await.unwrap();
    };
    let (answers, ()) = tokio::join!(wire.commands(&pipeline), both);
    let [a, b, pong] = <[redis::Value; 3]>::try_from(answers.unwrap()).unwrap();
    assert_eq!(a, redis::Value::BulkString(b"a".into()));
    assert!(b.extract_error().is_err());
    assert_eq!(pong, redis::Value::SimpleString("PONG".into()));
    assert_eq!(wire.commands(&redis::pipe()).await.unwrap(), []);
}

#[tokio::test]
async fn a_socket_that_takes_nothing_keeps_only_those_who_wait() {
    let (wire, _task, _server) = wire(1);
    let stays = ask(&wire, "a");
    for _ in 0..10 {
        let leave: Vec<Asked> = (0..1_000).map(|_| ask(&wire, "b")).collect();
        tokio::task::yield_now().await;
        for asked in &leave {
            asked.abort();
        }
        for asked in leave {
            let _ = asked.await;
        }
    }
    let waiting = wire.0.len();
    assert!(waiting <= 3_100, "{waiting} of 10,000 are kept");
    assert!(!stays.is_finished());
}

#[tokio::test]
async fn neither_does_it_keep_the_large_commands_of_a_few_who_have_left() {
    let (wire, _task, _server) = wire(1);
    let stays = ask(&wire, "a");
    tokio::task::yield_now().await;
    for _ in 0..40 {
        let (wire, packed) = (wire.clone(), vec![0; 1 << 20]);
        let leaves = tokio::spawn(async move { wire.last_of(packed, 1).await });
        tokio::task::yield_now().await;
        leaves.abort();
        assert!(leaves.await.unwrap_err().is_cancelled());
    }
    let waiting = wire.0.len();
    assert!(waiting <= 17, "{waiting} megabytes of 40 are kept");
    assert!(!stays.is_finished());
}

/// As one that encrypts does.
#[tokio::test]
async fn a_stream_that_keeps_back_what_is_written_is_flushed() {
    let (ours, mut server) = duplex(1 << 16);
    let (wire, carrier) = Wire::over(Box::new(BufWriter::new(ours)), MOST);
    let _task = tokio::spawn(carrier);
    for text in ["a", "b"] {
        let asked = ask(&wire, text);
        commands(&mut server, text).await;
        let answer = format!("$1\r\n{text}\r\n");
        server.write_all(answer.as_bytes()).await.unwrap();
        assert_eq!(told(asked).await.unwrap().as_deref(), Some(text.as_bytes()));
    }
}

#[tokio::test]
async fn a_command_larger_than_the_socket_takes_is_sent_in_pieces_while_answers_are_read() {
    let (wire, _task, mut server) = wire(64);
    let first = ask(&wire, "a");
    commands(&mut server, "a").await;
    let mut set = redis::cmd("SET");
    set.arg("key").arg(vec![b'v'; 100_000]);
    let packed = set.get_packed_command();
    let large = tokio::spawn({
        let wire = wire.clone();
        async move { wire.command(&set).await }
    });
    let mut read = vec![0; packed.len()];
    server.read_exact(&mut read[..1_000]).await.unwrap();
    server.write_all(b"$1\r\na\r\n").await.unwrap();
    assert_eq!(told(first).await.unwrap().as_deref(), Some(&b"a"[..]));
    server.read_exact(&mut read[1_000..]).await.unwrap();
    assert!(read == packed);
    server.write_all(b"+OK\r\n").await.unwrap();
    assert_eq!(large.await.unwrap().unwrap(), redis::Value::Okay);
}

/// Asks, and waits so long.
fn ask_within(wire: &Wire, key: &str, within: Duration) -> Asked {
    let (wire, packed, by) = (wire.clone(), get(key), Instant::now() + within);
    tokio::spawn(async move {
        match wire.last_of_by(packed, 1, by).await? {
            Some(answer) => text(&answer),
            None => Ok(Some(Bytes::from_static(LATE))),
        }
    })
}

const LATE: &[u8] = b"late";

/// Of a clock that stands still unless all wait.
async fn in_the_end(asked: Asked) -> Option<Bytes> {
    let told = timeout(SOON * 20, asked).await.expect("it is told");
    told.unwrap().unwrap()
}

/// The task looks for those whose time is over from the first of them on, as long as there are any.
async fn watched(wire: &Wire, server: &mut DuplexStream) {
    let first = ask_within(wire, "a", Duration::from_secs(5));
    commands(server, "a").await;
    server.write_all(b"$1\r\na\r\n").await.unwrap();
    assert_eq!(told(first).await.unwrap().as_deref(), Some(&b"a"[..]));
}

fn waits_for_the_task(wire: &Wire, until: Instant) -> bool {
    let (to, _told) = tokio::sync::oneshot::channel();
    let request = Request {
        packed: Vec::new(),
        answers: 1,
        until: Some(until),
        to,
    };
    wire.0.push(request).unwrap() == Watch::Watcher
}

#[tokio::test(start_paused = true)]
async fn each_waits_for_its_own_time_and_keeps_its_place() {
    let (wire, _task, mut server) = wire(1 << 16);
    watched(&wire, &mut server).await;
    let began = Instant::now();
    let ask = |within| ask_within(&wire, "b", Duration::from_secs(within));
    let [seven, hundred, six, last] = [7, 100, 6, 300].map(ask);
    commands(&mut server, "bbbb").await;
    for (within, asked) in [(6, six), (7, seven), (100, hundred)] {
        assert_eq!(in_the_end(asked).await.as_deref(), Some(LATE));
        let waited = began.elapsed().as_millis();
        let expected = within * 1_000;
        assert!((expected..expected + 20).contains(&waited), "{waited} ms");
    }
    // The answers to the others are nobody's.
    server
        .write_all(b"$1\r\nw\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n")
        .await
        .unwrap();
    assert_eq!(told(last).await.unwrap().as_deref(), Some(&b"z"[..]));
}

/// What waits for a socket that takes nothing is not in the hands of the task yet.
#[tokio::test(start_paused = true)]
async fn so_does_what_cannot_be_sent() {
    let (wire, _task, mut server) = wire(64);
    watched(&wire, &mut server).await;
    let (stuck, began) = ("s".repeat(100), Instant::now());
    let mut asked = Vec::new();
    for within in [10, 11, 12] {
        asked.push(ask_within(&wire, &stuck, Duration::from_secs(within)));
        // The first is taken out by then, and goes no further.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(wire.0.len(), 2);
    for (more, asked) in (0..).zip(asked) {
        assert_eq!(in_the_end(asked).await.as_deref(), Some(LATE));
        let waited = began.elapsed().as_millis();
        let expected = (10 + more) * 1_000;
        assert!((expected..expected + 20).contains(&waited), "{waited} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn the_task_keeps_the_time_only_of_those_it_looks_for_soon_enough() {
    let (wire, _task, mut server) = wire(1 << 16);
    let now = Instant::now();
    let after = |seconds| now + Duration::from_secs(seconds);
    assert!(!waits_for_the_task(&wire, after(5)), "it has not begun");
    watched(&wire, &mut server).await;
    assert!(waits_for_the_task(&wire, after(6)));
    assert!(!waits_for_the_task(&wire, after(1)), "that is too soon");
    // Nobody waits any more: it looks once, and is done.
    tokio::time::sleep_until(after(20)).await;
    assert!(!waits_for_the_task(&wire, after(40)));
}

/// A runtime that nobody drives keeps no time.
#[test]
fn who_runs_elsewhere_keeps_the_time_himself() {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap()
    };
    let (theirs, ours) = (runtime(), runtime());
    let later = || Instant::now() + SOON / 2;
    let (wire, _server) = theirs.block_on(async {
        let (wire, _task, mut server) = wire(1 << 16);
        watched(&wire, &mut server).await;
        assert!(waits_for_the_task(&wire, later()));
        (wire, server)
    });
    ours.block_on(async {
        let asked = ask_within(&wire, "b", SOON / 2);
        assert_eq!(in_the_end(asked).await.as_deref(), Some(LATE));
    });
}

/// Who asks and goes on without giving way keeps the task that writes from running: it was woken where he runs, and nobody takes it from there.
#[test]
fn time_is_kept_while_the_task_that_writes_cannot_run() {
    const WITHIN: Duration = Duration::from_millis(100);
    const BUSY: Duration = Duration::from_secs(4);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(3).enable_all().build().unwrap();
    let test = async {
        let (wire, _task, mut server) = wire(1 << 16);
        let first = ask_within(&wire, "a", WITHIN);
        commands(&mut server, "a").await;
        server.write_all(b"$1\r\na\r\n").await.unwrap();
        assert_eq!(told(first).await.unwrap().as_deref(), Some(&b"a"[..]));
        let began = Instant::now();
        let before = ask_within(&wire, "b", WITHIN);
        commands(&mut server, "b").await;
        let (busy, begun) = (wire.clone(), Arc::new(AtomicBool::new(false)));
        let begins = Arc::clone(&begun);
        let busy = tokio::spawn(async move {
            let mut asked = Box::pin(busy.last_of(get("c"), 1));
            let _ = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            begins.store(true, Ordering::SeqCst);
            std::thread::sleep(BUSY);
        });
        // To be woken by him would be to wait for him.
        while !begun.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let after = ask_within(&wire, "d", WITHIN);
        for asked in [before, after] {
            assert_eq!(in_the_end(asked).await.as_deref(), Some(LATE));
        }
        assert!(began.elapsed() < BUSY / 2, "{:?}", began.elapsed());
        busy.await.unwrap();
    };
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

//! The inside of a worker process: named scenarios, asked for over stdin, answered over stdout.
//!
//! A claim about a fleet is a claim about processes that share nothing but Redis, so the code under test runs in
//! processes of its own. One line of JSON is one message: a request `{"id", "do", "with"}`, its answer `{"id", "ok"}`
//! or `{"id", "error"}`, and events `{"event", "data"}` at any time. Requests run concurrently. The process ends when
//! its stdin does, so it does not outlive the test that started it.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What a scenario comes to; an error is an answer too, and the test decides what it means.
pub type Answer = Result<Value, Box<dyn Error + Send + Sync>>;

type Handler =
    Arc<dyn Fn(Events, Value) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// A request, as the test sends it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) id: u64,
    pub(crate) r#do: String,
    pub(crate) with: Value,
}

/// What a worker writes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Message {
    Done { id: u64, ok: Value },
    Failed { id: u64, error: String },
    Event { event: String, data: Value },
}

/// The event every worker sends once it listens.
pub(crate) const READY: &str = "ready";

/// The scenarios a worker can be asked for.
#[derive(Clone, Default)]
pub struct Scenarios {
    handlers: HashMap<&'static str, Handler>,
}

impl fmt::Debug for Scenarios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

impl Scenarios {
    /// Only `ping`, which answers with the process id and whatever it was sent.
    pub fn new() -> Scenarios {
        let ping = |_, with| async move {
            Ok(serde_json::json!({ "pid": std::process::id(), "with": with }))
        };
        Scenarios::default().on("ping", ping)
    }

    /// Adds a scenario under the name a test asks for it by. It gets a way to send events, and the request's value.
    pub fn on<F, Fut>(mut self, name: &'static str, scenario: F) -> Scenarios
    where
        F: Fn(Events, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |events, with| Box::pin(scenario(events, with)));
        assert!(
            self.handlers.insert(name, handler).is_none(),
            "two scenarios are called `{name}`"
        );
        self
    }

    /// Answers requests on stdin until it ends.
    ///
    /// # Errors
    /// If stdin cannot be read or stdout not be written.
    pub async fn serve(self) -> std::io::Result<()> {
        let events = Events {
            out: Arc::new(Mutex::new(Box::new(std::io::stdout()))),
        };
        self.serve_on(tokio::io::BufReader::new(tokio::io::stdin()), events)
            .await
    }

    async fn serve_on(
        self,
        input: impl AsyncBufRead + Unpin,
        events: Events,
    ) -> std::io::Result<()> {
        events.emit(READY, Value::Null);
        let mut lines = input.lines();
        while let Some(line) = lines.next_line().await? {
            let request: Request = serde_json::from_str(&line)?;
            let handler = self.handlers.get(request.r#do.as_str()).cloned();
            tokio::spawn(answer(handler, request, events.clone()));
        }
        Ok(())
    }
}

/// Where scenarios report what happens before they are done.
#[derive(Clone)]
pub struct Events {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// Sends an event; [`crate::fleet::Worker::event`] waits for it.
    pub fn emit(&self, event: &str, data: Value) {
        self.send(&Message::Event {
            event: event.to_owned(),
            data,
        });
    }

    fn send(&self, message: &Message) {
        let mut line = serde_json::to_string(message).expect("values and strings are JSON");
        line.push('\n');
        let mut out = self.out.lock().expect("no holder panics");
        // A test that has ended reads no more, and the end of stdin is what ends this process.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

async fn answer(handler: Option<Handler>, request: Request, events: Events) {
    let Request {
        id,
        r#do: name,
        with,
    } = request;
    let outcome = match handler {
        // In a task of its own, so that a panic is an answer and not silence.
        Some(handler) => tokio::spawn(handler(events.clone(), with)).await,
        None => Ok(Err(format!("this worker has no scenario `{name}`").into())),
    };
    events.send(&match outcome {
        Ok(Ok(ok)) => Message::Done { id, ok },
        Ok(Err(error)) => Message::Failed {
            id,
            error: error.to_string(),
        },
        Err(panic) => Message::Failed {
            id,
            error: panic.to_string(),
        },
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a worker with these scenarios writes when it is sent these lines.
    async fn written(scenarios: Scenarios, input: &str) -> Vec<Message> {
        let (sink, output) = std::sync::mpsc::channel();
        let events = Events {
            out: Arc::new(Mutex::new(Box::new(Lines(sink)))),
        };
        scenarios
            .serve_on(input.as_bytes(), events)
            .await
            .expect("the input is well-formed");
        // Requests still running hold a sender; the channel ends with the last of them.
        let collected =
            tokio::task::spawn_blocking(move || output.iter().collect::<Vec<_>>()).await;
        let lines = collected.expect("the collector does not panic");
        lines
            .iter()
            .map(|line| serde_json::from_slice(line).expect("one message a line"))
            .collect()
    }

    struct Lines(std::sync::mpsc::Sender<Vec<u8>>);

    impl Write for Lines {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0
                .send(line.to_vec())
                .map(|()| line.len())
                .map_err(std::io::Error::other)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn requests_are_answered_by_name_with_events_between() {
        let scenarios = Scenarios::new().on("double", |events, with| async move {
            events.emit("started", json!("double"));
            let number = with.as_i64().ok_or("not a number")?;
            Ok(json!(number * 2))
        });
        let input = "{\"id\":7,\"do\":\"double\",\"with\":21}\n";
        let expected = [
            Message::Event {
                event: READY.into(),
                data: Value::Null,
            },
            Message::Event {
                event: "started".into(),
                data: json!("double"),
            },
            Message::Done {
                id: 7,
                ok: json!(42),
            },
        ];
        assert_eq!(written(scenarios, input).await, expected);
    }

    #[tokio::test]
    async fn failures_panics_and_unknown_names_are_answers() {
        let scenarios = Scenarios::new()
            .on("fail", |_, _| async { Err("no luck".into()) })
            .on("panic", |_, _| async { panic!("on purpose") });
        for (name, reason) in [
            ("fail", "no luck"),
            ("panic", "on purpose"),
            ("what", "no scenario `what`"),
        ] {
            let input = format!("{{\"id\":1,\"do\":\"{name}\",\"with\":null}}\n");
            let messages = written(scenarios.clone(), &input).await;
            let Some(Message::Failed { id: 1, error }) = messages.last() else {
                panic!("{messages:?}")
            };
            assert!(error.contains(reason), "{error}");
        }
    }
}

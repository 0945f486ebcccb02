//! A real browser without a window: Chromium, driven through WebDriver (a W3C recommendation), which is JSON over HTTP.

use std::{
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use http::{Method, Request};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::eventually;

use crate::client;

/// What an answer names an element by.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A driver and the one browser it has started; both end with the value.
pub(crate) struct Browser {
    /// Where commands go, below `/session`.
    session: String,
    /// Before the profile: the fields are dropped in this order.
    driver: Driver,
    _profile: TempDir,
}

/// As wide as a small telephone.
pub(crate) const PHONE: (u32, u32) = (360, 780);
pub(crate) const DESKTOP: (u32, u32) = (1360, 900);

impl Browser {
    pub(crate) async fn start() -> Self {
        let driver = Driver::start();
        let profile = TempDir::new().expect("there is room for a folder");
        let arguments = [
            "--headless=new".to_owned(),
            // In a container everybody is root, and there the sandbox cannot be.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--hide-scrollbars".to_owned(),
            // The browser ends when its driver does.
            "--remote-debugging-pipe".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let wishes = json!({
            "goog:chromeOptions": { "args": arguments, "binary": program(&["chromium", "chromium-browser", "google-chrome"]) },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let mut browser = Self {
            session: String::new(),
            driver,
            _profile: profile,
        };
        let wishes = json!({ "capabilities": { "alwaysMatch": wishes } });
        let started = browser.command(Method::POST, "", wishes).await;
        let id = started["sessionId"].as_str().expect("a session has an id");
        browser.session = format!("/{id}");
        // What the browser shows of its own accord is not the page's.
        browser.goto("about:blank").await;
        browser.requests().await;
        browser.resize(DESKTOP).await;
        browser
    }

    pub(crate) async fn goto(&self, address: &str) {
        self.post("/url", json!({ "url": address })).await;
    }

    /// Shows the page as a device of this size does.
    pub(crate) async fn resize(&self, (width, height): (u32, u32)) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
    }

    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await;
        self.post(&format!("{element}/click"), json!({})).await;
    }

    /// In the place of what is there.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        self.post(&format!("{element}/clear"), json!({})).await;
        self.post(&format!("{element}/value"), json!({ "text": text }))
            .await;
    }

    /// Keys for who has the focus; see the recommendation for those that write nothing.
    pub(crate) async fn press(&self, css: &str, keys: &str) {
        let element = self.find(css).await;
        self.post(&format!("{element}/value"), json!({ "text": keys }))
            .await;
    }

    /// Of a list.
    pub(crate) async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value={value}]")).await;
    }

    async fn find(&self, css: &str) -> String {
        let found = self
            .post("/element", json!({ "using": "css selector", "value": css }))
            .await;
        format!(
            "/element/{}",
            found[ELEMENT].as_str().expect("an element has an id")
        )
    }

    /// The text that is seen; empty if there is none.
    pub(crate) async fn text(&self, css: &str) -> String {
        let text = self
            .eval(&format!(
                "return document.querySelector({css:?})?.innerText ?? ''"
            ))
            .await;
        text.as_str().expect("it is text").to_owned()
    }

    pub(crate) async fn shows(&self, css: &str, text: &str) {
        let what = format!("{css} shows {text:?}");
        eventually::holds(&what, async || self.text(css).await.contains(text)).await;
    }

    pub(crate) async fn eval(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// What the page and the browser complained of since the last time.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.log("browser").await;
        log.iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// Every address that was asked for since the last time, by the page or for it.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let log = self.log("performance").await;
        let sent = |entry: &Value| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            let url = event["params"]["request"]["url"].as_str()?;
            // Without the password that the first address was given with.
            let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
            let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
            (event["method"] == "Network.requestWillBeSent").then(|| format!("{scheme}://{rest}"))
        };
        log.iter().filter_map(sent).collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.post("/se/log", json!({ "type": kind })).await;
        log.as_array().cloned().expect("a log is a list")
    }

    /// A command of the browser's own protocol.
    pub(crate) async fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            json!({ "cmd": name, "params": parameters }),
        )
        .await
    }

    /// Ends the browser before its driver, so that it leaves nothing behind.
    pub(crate) async fn close(self) {
        self.command(Method::DELETE, "", Value::Null).await;
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.command(Method::POST, path, body).await
    }

    async fn command(&self, method: Method, path: &str, body: Value) -> Value {
        let path = format!("/session{}{path}", self.session);
        let shown = format!("{method} {path} {body}");
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header("content-type", "application/json");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request.body(body).expect("it is a request");
        let answer = client::send(([127, 0, 0, 1], self.driver.port).into(), request).await;
        assert!(answer.status.is_success(), "{shown}: {}", answer.text);
        answer.json()["value"].take()
    }
}

/// Killed and reaped when dropped.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// On a port of its own choice, which it tells.
    fn start() -> Self {
        let mut child = Command::new(program(&["chromedriver"]))
            .args(["--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be run");
        let output = child.stdout.take().expect("it is piped");
        let mut driver = Self {
            process: child,
            port: 0,
        };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        driver.port = port.expect("the driver tells its port");
        // Who writes into a pipe that nobody reads waits for ever.
        std::thread::spawn(move || lines.for_each(drop));
        driver
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The first of these on `PATH`.
fn program(names: &[&str]) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = names.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    });
    found.unwrap_or_else(|| {
        panic!("none of {names:?} on PATH; `cargo xtask test` installs a browser and its driver")
    })
}

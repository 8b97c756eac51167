//! A browser without a window, driven by WebDriver (<https://www.w3.org/TR/webdriver2/>).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Chromium, and the process that drives it.
pub struct Browser {
    driver: Child,
    /// Kept open, because a driver that cannot write ends.
    _said: std::io::Lines<BufReader<ChildStdout>>,
    session: String,
}

impl Browser {
    /// Starts one, where there is one.
    pub fn start() -> Option<Browser> {
        let spawned = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut driver) = spawned else {
            super::skipped("there is no chromedriver");
            return None;
        };
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let line = said
            .find_map(|line| line.ok().filter(|line| line.contains("successfully on port")))
            .expect("chromedriver's port");
        let port = line.trim_end_matches('.').rsplit(' ').next().unwrap();
        let mut browser = Browser { driver, _said: said, session: format!("http://127.0.0.1:{port}/session") };
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1400"];
        let wanted = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let answer = browser.post("", json!({ "capabilities": { "alwaysMatch": wanted } }));
        let id = answer["sessionId"].as_str().expect("a session").to_owned();
        browser.session += &format!("/{id}");
        browser.post("/timeouts", json!({ "script": 300_000 }));
        Some(browser)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let address = format!("{}{path}", self.session);
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let mut response =
            agent.post(&address).header("Content-Type", "application/json").send(body.to_string()).unwrap();
        let text = response.body_mut().with_config().limit(1 << 28).read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(response.status().is_success(), "{path} of {body:.300}: {text:.2000}");
        answer["value"].clone()
    }

    /// Opens a file.
    pub fn visit(&self, page: &Path) {
        self.post("/url", json!({ "url": format!("file://{}", page.display()) }));
    }

    /// Opens a file, and waits until it says that it is ready.
    pub fn open(&self, page: &Path) {
        self.visit(page);
        self.run("await explorer.ready; if (!document.body.dataset.ready) throw new Error('not ready');", json!([]));
    }

    /// Runs the body of an asynchronous function with `arguments`; what it returns.
    pub fn run(&self, script: &str, arguments: Value) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1], given = arguments[0]; \
             (async () => {{ {script} }})().then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        let answer = self.post("/execute/async", json!({ "script": script, "args": [arguments] }));
        assert!(answer.get("error").is_none(), "{answer} of {script:.500}");
        answer["value"].clone()
    }

    /// f32 numbers that a script gives as letters, see [`NUMBERS`].
    pub fn numbers(&self, script: &str, given: &[f32]) -> Vec<f32> {
        let bytes: Vec<u8> = given.iter().flat_map(|value| value.to_le_bytes()).collect();
        let answer = self.run(&format!("{NUMBERS} {script}"), json!(STANDARD.encode(bytes)));
        let bytes = STANDARD.decode(answer.as_str().unwrap()).unwrap();
        bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    /// Presses the pointer at the first of these places of an element, given as shares of its width and height, moves through the
    /// others and lets go.
    pub fn drag(&self, selector: &str, places: &[[f64; 2]]) {
        let find = "const element = document.querySelector(given[0]); element.scrollIntoView({ block: 'center' }); \
                    const box = element.getBoundingClientRect(); \
                    return given[1].map(([x, y]) => [Math.round(box.left + x * box.width), Math.round(box.top + y * box.height)]);";
        let at = self.run(find, json!([selector, places]));
        let mut actions = Vec::new();
        for place in at.as_array().unwrap() {
            actions.push(json!({ "type": "pointerMove", "duration": 20, "x": place[0], "y": place[1] }));
            if actions.len() == 1 {
                actions.push(json!({ "type": "pointerDown", "button": 0 }));
            }
        }
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        self.post("/actions", json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": actions }] }));
    }

    /// Gives an element the focus and presses keys, which have the letters that WebDriver gives them.
    pub fn press(&self, selector: &str, keys: &str) {
        self.run("document.querySelector(given).focus();", json!(selector));
        let keys = keys.chars().flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })));
        self.post(
            "/actions",
            json!({ "actions": [{ "type": "key", "id": "keys", "actions": keys.collect::<Vec<_>>() }] }),
        );
    }

    /// What stands in the console, as lines.
    pub fn console(&self) -> Vec<String> {
        let lines = self.post("/se/log", json!({ "type": "browser" }));
        lines.as_array().unwrap().iter().map(|line| line["message"].to_string()).collect()
    }

    /// Emulates a screen of this width in light or dark, and takes a picture of the whole page.
    pub fn picture(&self, width: usize, scheme: &str) -> Vec<u8> {
        let call = |command: &str, parameters: Value| {
            self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        call("Emulation.setEmulatedMedia", json!({ "features": features }));
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        call("Emulation.setDeviceMetricsOverride", size);
        self.run("await new Promise((done) => setTimeout(done, 700));", json!([]));
        let picture = call("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }
}

/// Numbers of the page from and to letters: `numbers(text)` and `letters(array)`; `given` holds the letters of the argument.
const NUMBERS: &str = "
    const numbers = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
    const letters = (array) => { const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength), parts = [];
        for (let i = 0; i < bytes.length; i += 30000) parts.push(btoa(String.fromCharCode(...bytes.subarray(i, i + 30000))));
        return parts.join(''); };";

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

//! The program at work, to be sent signals.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT};
use signal_hook::flag;

use super::{Place, VARIABLES, program};

/// What a program has from a signal to its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process and what it says on standard error.
pub struct Running {
    child: Child,
    said: BufReader<ChildStderr>,
    heard: String,
}

impl Running {
    /// `narrows` with these arguments on one thread, in the folder of the place.
    pub fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(arguments).args(["--threads", "1"]).current_dir(place.root());
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        Running::spawn(command)
    }

    /// Under `nohup`, or in the background of a shell, tests are started with signals ignored, and what they start would inherit
    /// that and go on ignoring them. A signal that is handled here has its default effect there.
    pub fn spawn(mut command: Command) -> Self {
        flag::register_conditional_default(SIGINT, Arc::new(AtomicBool::new(true))).unwrap();
        flag::register(SIGHUP, Arc::default()).unwrap();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Running { child, said, heard: String::new() }
    }

    /// Waits for a line that begins so.
    #[track_caller]
    pub fn wait_for(&mut self, beginning: &str) {
        loop {
            let mut line = String::new();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "no line {beginning:?}: {}", self.heard);
            self.heard.push_str(&line);
            if line.starts_with(beginning) {
                return;
            }
        }
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Its exit code and all that it said.
    #[track_caller]
    pub fn end(self) -> (Option<i32>, String) {
        let Running { mut child, mut said, mut heard } = self;
        // Read on meanwhile, so that the program never waits for room in the pipe.
        let reader = std::thread::spawn(move || {
            said.read_to_string(&mut heard).unwrap();
            heard
        });
        let asked = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if asked.elapsed() > PATIENCE {
                child.kill().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let heard = reader.join().unwrap();
        let status = status.unwrap_or_else(|| panic!("it does not end: {heard}"));
        (status.code(), heard)
    }
}

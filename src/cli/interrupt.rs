//! Signals that ask the program to end: it finishes the step and saves what there is; a second SIGINT ends it at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The number of the last signal; 0 before any.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Default::default);
static SAID: AtomicBool = AtomicBool::new(false);

/// What a shell adds to the number of a signal that ended a program.
const EXIT_BASE: i32 = 128;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// From now on the first signal is remembered, and a second SIGINT ends the process at once. Signals that whoever started the
/// process had it ignore stay ignored: `nohup narrows train` outlives its terminal.
pub fn listen() {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS.into_iter().filter(|&signal| !is_ignored(signal)) {
        // A process that cannot listen keeps the system's behaviour: the signal ends it. The order matters: the first flag is
        // looked at before the second one is set.
        if signal == SIGINT {
            let _ = flag::register_conditional_shutdown(signal, EXIT_BASE + signal, Arc::clone(&asked));
        }
        let _ = flag::register(signal, Arc::clone(&asked));
        let _ = flag::register_usize(signal, Arc::clone(&SIGNAL), signal as usize);
    }
}

/// Whether the process was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

/// Whether a signal came. The first answer that is yes also says so to the person.
pub fn is_asked() -> bool {
    let is_asked = SIGNAL.load(Ordering::Relaxed) != 0;
    if is_asked && !SAID.swap(true, Ordering::Relaxed) {
        super::output::note("interrupted: finishing the step and writing what there is; Ctrl-C once more ends at once");
    }
    is_asked
}

/// The exit code of a process that a signal ended: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
pub fn exit_code() -> u8 {
    let signal = match SIGNAL.load(Ordering::Relaxed) {
        0 => SIGINT,
        signal => signal as i32,
    };
    (EXIT_BASE + signal) as u8
}

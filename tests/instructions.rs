//! Instructions of two small products, of a training step of a dense, a convolutional and a variational model, and of t-SNE, counted by callgrind with AVX2 (which valgrind knows) on one
//! thread, against what they were when last looked at. The counts are those of this package's development profile.

mod support;

use std::path::PathBuf;
use std::process::Command;

use support::{skipped, skipped_in_ci_too};

/// Instructions of one repetition, measured with rustc 1.95 and valgrind 3.19. Another compiler may need new ones.
const COUNTS: [(&str, u64); 6] = [
    ("product-64-64-64", 112_838),
    ("product-256-32-50-tn", 177_424),
    ("step-32", 16_158_009),
    ("convolutional-step-2", 75_852_727),
    ("variational-step-2", 28_648_753),
    ("map-600-10", 51_967_178),
];

/// A count may exceed the recorded one by so much.
const MARGIN: f64 = 0.05;

#[test]
fn no_count_exceeds_the_recorded_one_by_more_than_the_margin() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return skipped("valgrind is not installed");
    }
    if narrows_kernels::Isa::named("avx2").is_err() {
        return skipped_in_ci_too("this CPU has no AVX2");
    }
    // Each process counts its own, so they may run at the same time.
    let counts = std::thread::scope(|scope| {
        let runs =
            COUNTS.map(|(workload, _)| [1, 3].map(|repeats| scope.spawn(move || instructions(workload, repeats))));
        runs.map(|runs| runs.map(|run| run.join().expect("valgrind counts")))
    });
    let mut slower = Vec::new();
    for ((workload, recorded), [once, thrice]) in COUNTS.into_iter().zip(counts) {
        let counted = (thrice - once) / 2;
        println!("{workload}: {counted} instructions, recorded {recorded}");
        if !(counted as f64 <= recorded as f64 * (1.0 + MARGIN)) {
            slower.push(format!("{workload} takes {counted} instructions, recorded are {recorded}"));
        }
    }
    assert!(slower.is_empty(), "{}", slower.join("; "));
}

/// Instructions of a whole process that repeats the workload.
fn instructions(workload: &str, repeats: usize) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary())
        .args([workload, &repeats.to_string()])
        .env("NARROWS_ISA", "avx2")
        .output()
        .expect("valgrind starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let collected = text.lines().find_map(|line| line.split_once("Collected :"));
    collected.and_then(|(_, count)| count.trim().parse().ok()).unwrap_or_else(|| panic!("no count in {text}"))
}

/// The example `instructions`, which `cargo test` builds beside the tests.
fn binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    path.pop();
    let path = path.join("examples").join("instructions");
    assert!(path.exists(), "{} is missing: `cargo build --example instructions` makes it", path.display());
    path
}

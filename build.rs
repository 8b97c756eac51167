//! Tells the program the git revision it is built from, for `environment.json`, and the linker where it may lie in memory.
//!
//! The revision is the 40 digits of the commit, with `+changes` behind them where one of [`SOURCES`] that git tracks differs from that
//! commit; `unknown` without git.

use std::path::Path;
use std::process::Command;

/// What the program is built from.
const SOURCES: [&str; 5] = ["src", "kernels", "Cargo.toml", "Cargo.lock", "build.rs"];

fn main() {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let head = git(&["rev-parse", "HEAD"]);
    // It ends with success where nothing differs.
    let is_changed = || git(&[&["diff", "--quiet", "HEAD", "--"], &SOURCES[..]].concat()).is_none();
    let revision = match head {
        Some(head) if is_changed() => head + "+changes",
        head => head.unwrap_or_else(|| "unknown".to_owned()),
    };
    println!("cargo::rustc-env=NARROWS_GIT_REVISION={revision}");
    // At a fixed address it need not be told 33,000 addresses at each start, a fifth of the time of `narrows --help`.
    let target =
        ["OS", "ARCH", "ENV"].map(|part| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default());
    if target == ["linux", "x86_64", "gnu"] {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    // HEAD changes on a checkout, the reflog on every commit.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

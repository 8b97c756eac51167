//! The program takes no transcendental function from the C library: their last bits differ between platforms and versions.
//!
//! What is read is the binary that `cargo test` builds anyway. Features of the test's own dependencies are switched on in it too,
//! among them the `std` of crates that would otherwise do without the C library: it imports all that a release does, and perhaps
//! more. A release is read with `NARROWS_BINARY=target/release/narrows cargo test --test command_line symbols`.
#![cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

/// Functions of C's `math.h` whose results are rounded as each library likes, without the endings for `float`, `long double` and
/// threads. Exact ones (`sqrt`, `fma`, `floor`, `fmod`, …) have one result.
const INEXACT: [&str; 39] = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "cospi", "erf", "erfc", "exp",
    "exp10", "exp2", "expm1", "gamma", "hypot", "j0", "j1", "jn", "lgamma", "log", "log10", "log1p", "log2", "pow",
    "pow10", "sin", "sincos", "sinh", "sinpi", "tan", "tanh", "tgamma", "y0", "y1", "yn",
];

/// Whether a symbol is one of [`INEXACT`], as the C library calls it.
fn is_inexact(symbol: &str) -> bool {
    let name = symbol.split('@').next().unwrap_or_default().trim_start_matches('_');
    let name = name.trim_end_matches("_finite").trim_end_matches("_r");
    let is = |name: &str| INEXACT.contains(&name);
    is(name) || name.strip_suffix(['f', 'l']).is_some_and(|name| is(name) || is(name.trim_end_matches("_r")))
}

/// The symbols that an ELF file of 64 bits, little-endian, takes from shared libraries.
fn imports(path: &Path) -> Vec<String> {
    /// `SHT_DYNSYM`: the table of symbols for dynamic linking.
    const DYNAMIC_SYMBOLS: u64 = 11;
    let bytes = fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x7fELF\x02\x01"), "{} is no ELF file of 64 bits", path.display());
    let number = |at: usize, len: usize| bytes[at..at + len].iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte));
    let section = |index: u64| number(0x28, 8) as usize + (index * number(0x3a, 2)) as usize;
    // Where the section at a header lies: `sh_offset` and `sh_size`.
    let extent = |header: usize| {
        let (offset, size) = (number(header + 0x18, 8) as usize, number(header + 0x20, 8) as usize);
        offset..offset + size
    };
    let table = (0..number(0x3c, 2)).map(section).find(|header| number(header + 4, 4) == DYNAMIC_SYMBOLS);
    let table = table.unwrap_or_else(|| panic!("{} is linked statically: it says nothing of imports", path.display()));
    let names = &bytes[extent(section(number(table + 0x28, 4)))];
    let undefined = extent(table).step_by(24).filter(|&symbol| number(symbol + 6, 2) == 0);
    let name = |symbol: usize| {
        let rest = &names[number(symbol, 4) as usize..];
        String::from_utf8_lossy(&rest[..rest.iter().position(|&byte| byte == 0).unwrap()]).into_owned()
    };
    undefined.map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn the_program_imports_no_inexact_function() {
    let given = std::env::var_os("NARROWS_BINARY").map(PathBuf::from);
    let program = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_narrows").into());
    let imports = imports(&program);
    assert!(imports.iter().any(|name| name == "memcpy"), "{} imports no memcpy: {imports:?}", program.display());
    let inexact: Vec<&String> = imports.iter().filter(|name| is_inexact(name)).collect();
    assert!(inexact.is_empty(), "{} imports {inexact:?}; use the crate libm", program.display());
}

/// This test is a program that calls the C library's functions, and the reader must find them in it.
#[test]
fn a_program_that_imports_them_is_found_out() {
    assert!(black_box(2.0f64).exp() > 7.0 && black_box(2.0f32).powf(black_box(0.5)) > 1.0);
    let imports = imports(&std::env::current_exe().unwrap());
    for name in ["exp", "powf"] {
        assert!(imports.iter().any(|found| found == name && is_inexact(found)), "{name} of {imports:?}");
    }
    for name in ["logf", "log@GLIBC_2.29", "__exp_finite", "lgamma_r", "lgammaf_r", "coshl", "sincosf", "_atan2"] {
        assert!(is_inexact(name), "{name}");
    }
    for name in ["sqrt", "fmaf", "floor", "ceilf", "trunc", "round", "fabs", "copysign", "fmod", "open", "expf_name"] {
        assert!(!is_inexact(name), "{name}");
    }
}

//! The program takes no transcendental function from the C library: their last bits differ between platforms and versions.
//!
//! What is read is the binary that `cargo test` builds anyway. Features of the test's own dependencies are switched on in it too,
//! among them the `std` of crates that would otherwise do without the C library: it imports all that a release does, and perhaps
//! more. A release is read with `NARROWS_BINARY=target/release/narrows cargo test --test command_line symbols`.
//!
//! One function is there for crates that only write words: `pow`, for the operator `**` of minijinja's templates, which no template
//! has, and for the time left that indicatif's progress bars can show, which ours do not. The crates of this project, read by
//! themselves, import nothing inexact at all.
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

/// The symbols that an ELF file of 64 bits, little-endian, takes from others: a program from shared libraries, an object from
/// whatever it is linked with.
fn imports(bytes: &[u8]) -> Vec<String> {
    /// The tables of symbols: `SHT_SYMTAB` of an object, `SHT_DYNSYM` of a program, at a fixed address or at any.
    const SYMBOLS: [(usize, usize); 3] = [(1, 2), (2, 11), (3, 11)];
    assert!(bytes.starts_with(b"\x7fELF\x02\x01"), "no ELF file of 64 bits");
    let number =
        |at: usize, len: usize| bytes[at..at + len].iter().rev().fold(0, |n, &byte| n << 8 | usize::from(byte));
    let section = |index: usize| number(0x28, 8) + index * number(0x3a, 2);
    // Where the section at a header lies: `sh_offset` and `sh_size`.
    let extent = |header: usize| number(header + 0x18, 8)..number(header + 0x18, 8) + number(header + 0x20, 8);
    let is_table = |header: &usize| SYMBOLS.contains(&(number(0x10, 2), number(header + 4, 4)));
    let Some(table) = (0..number(0x3c, 2)).map(section).find(is_table) else { return Vec::new() };
    let names = &bytes[extent(section(number(table + 0x28, 4)))];
    let undefined = extent(table).step_by(24).filter(|&symbol| number(symbol + 6, 2) == 0);
    let name = |symbol: usize| {
        let rest = &names[number(symbol, 4)..];
        String::from_utf8_lossy(&rest[..rest.iter().position(|&byte| byte == 0).unwrap()]).into_owned()
    };
    undefined.map(name).filter(|name| !name.is_empty()).collect()
}

/// What the objects of a library of Rust import, an archive as `ar` writes it.
fn imports_of_library(bytes: &[u8]) -> Vec<String> {
    assert!(bytes.starts_with(b"!<arch>\n"), "no archive");
    let (mut at, mut found) = (8, Vec::new());
    while let Some(header) = bytes.get(at..at + 60) {
        let size: usize = String::from_utf8_lossy(&header[48..58]).trim().parse().unwrap();
        let member = &bytes[at + 60..at + 60 + size];
        if member.starts_with(b"\x7fELF") {
            found.extend(imports(member));
        }
        at += 60 + size.next_multiple_of(2);
    }
    found
}

fn inexact(imports: &[String]) -> Vec<&str> {
    imports.iter().map(String::as_str).filter(|name| is_inexact(name)).collect()
}

#[test]
fn the_program_imports_no_inexact_function_but_one_for_words() {
    let given = std::env::var_os("NARROWS_BINARY").map(PathBuf::from);
    let program = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_narrows").into());
    let imports = imports(&fs::read(&program).unwrap());
    assert!(imports.iter().any(|name| name == "memcpy"), "{} imports no memcpy: {imports:?}", program.display());
    let inexact: Vec<&str> = inexact(&imports).into_iter().filter(|name| *name != "pow").collect();
    assert!(inexact.is_empty(), "{} imports {inexact:?}; use the crate libm", program.display());
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/study/templates");
    for file in fs::read_dir(templates).unwrap() {
        let file = file.unwrap().path();
        assert!(!fs::read_to_string(&file).unwrap().contains("**"), "{} takes a power", file.display());
    }
}

#[test]
fn the_crates_of_this_project_import_no_inexact_function() {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    for library in ["libnarrows-", "libnarrows_kernels-"] {
        let is = |file: &&PathBuf| {
            let name = file.file_name().unwrap().to_string_lossy();
            name.starts_with(library) && name.ends_with(".rlib")
        };
        // Older builds may lie beside the one that was just made.
        let newest = files.iter().filter(is).max_by_key(|file| file.metadata().unwrap().modified().unwrap()).unwrap();
        let imports = imports_of_library(&fs::read(newest).unwrap());
        assert!(imports.iter().any(|name| name == "memcpy"), "{} imports no memcpy", newest.display());
        assert!(inexact(&imports).is_empty(), "{} imports {:?}", newest.display(), inexact(&imports));
    }
}

#[test]
fn a_program_that_imports_them_is_found_out() {
    assert!(black_box(2.0f64).exp() > 7.0 && black_box(2.0f32).powf(black_box(0.5)) > 1.0);
    let imports = imports(&fs::read(std::env::current_exe().unwrap()).unwrap());
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

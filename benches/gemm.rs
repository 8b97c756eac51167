//! Speed of matrix products: this crate, `matrixmultiply`, `gemm`, `gemmkit` and `private-gemm-x86`, in GFLOP/s and percent of the FMA peak
//! measured in the same run.
//!
//! ```text
//! cargo bench -p narrows-kernels --bench gemm -- [--small] [--quick] [--only m,k,n,op]... [--dtype f32|f64]
//!                                                [--threads N] [--isa scalar|avx2|avx512] [--rounds N]
//! ```
//!
//! Engines take turns within a round, so that a change of clock or a neighbour's load meets all of them; medians over rounds
//! are reported. Before it is timed, three rows of every result are checked: ours by their bits, the others' within rounding.

#[path = "harness.rs"]
mod harness;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use harness::{median, peak, random, read_arguments, warm_up};
use narrows_kernels::{
    Accumulate, AlignedVec, Context, Epilogue, GemmEngine, Isa, MatMut, MatRef, Real, gemm, reference,
};

/// m, k, n and how the operands lie: `nn` A·B, `tn` Aᵀ·B (a weight's gradient), `nt` A·Bᵀ (an input's gradient). Layers of
/// autoencoders at batch 32 and 256, wide layers, cubes, and convolutions as products.
const SHAPES: [(usize, usize, usize, &str); 22] = [
    (32, 784, 256, "nn"),
    (256, 784, 256, "nn"),
    (32, 256, 50, "nn"),
    (256, 256, 50, "nn"),
    (32, 50, 256, "nn"),
    (256, 50, 256, "nn"),
    (32, 256, 784, "nn"),
    (256, 256, 784, "nn"),
    (784, 32, 256, "tn"),
    (784, 256, 256, "tn"),
    (256, 256, 784, "tn"),
    (256, 32, 50, "tn"),
    (32, 784, 256, "nt"),
    (256, 784, 256, "nt"),
    (256, 256, 50, "nt"),
    (1000, 784, 392, "nn"),
    (392, 1000, 196, "tn"),
    (512, 512, 512, "nn"),
    (1024, 1024, 1024, "nn"),
    (2048, 2048, 2048, "nn"),
    (6272, 576, 128, "nn"),
    (12544, 1152, 256, "nn"),
];

/// With `--small`: batches of 1 to 64 in the same layers, a classifier's ten outputs, codes beside codes as in maps and contrastive
/// losses, one image of a convolution as a product.
const SMALL: [(usize, usize, usize, &str); 18] = [
    (1, 784, 256, "nn"),
    (1, 256, 784, "nn"),
    (4, 784, 256, "nn"),
    (8, 256, 50, "nn"),
    (16, 784, 256, "nn"),
    (16, 256, 784, "nn"),
    (64, 784, 256, "nn"),
    (784, 8, 256, "tn"),
    (784, 64, 256, "tn"),
    (16, 784, 256, "nt"),
    (64, 128, 10, "nn"),
    (128, 64, 10, "tn"),
    (64, 10, 128, "nt"),
    (64, 64, 64, "nt"),
    (64, 64, 1000, "nt"),
    (64, 1000, 64, "nn"),
    (49, 1152, 256, "nn"),
    (64, 576, 128, "nn"),
];

#[derive(Clone, Copy, PartialEq)]
enum Engine {
    Narrows,
    Matrixmultiply,
    /// Its AVX2 code: that for AVX-512 is behind a feature.
    Gemm,
    Gemmkit,
    PrivateGemm,
}

impl Engine {
    #[cfg(target_arch = "x86_64")]
    const ALL: &[Engine] =
        &[Engine::Narrows, Engine::Matrixmultiply, Engine::Gemm, Engine::Gemmkit, Engine::PrivateGemm];
    #[cfg(not(target_arch = "x86_64"))]
    const ALL: &[Engine] = &[Engine::Narrows, Engine::Matrixmultiply, Engine::Gemm, Engine::Gemmkit];

    fn name(self) -> &'static str {
        match self {
            Engine::Narrows => "narrows",
            Engine::Matrixmultiply => "matrixmultiply",
            Engine::Gemm => "gemm",
            Engine::Gemmkit => "gemmkit",
            Engine::PrivateGemm => "private-gemm-x86",
        }
    }

    /// Of its column of the table.
    fn width(self) -> usize {
        self.name().len().max(9)
    }
}

struct Options {
    rounds: usize,
    shapes: Vec<(usize, usize, usize, &'static str)>,
    dtype: Option<String>,
    threads: Option<usize>,
    isa: Isa,
    /// Where a measuring process leaves its rows; the one that the user starts has none.
    csv: Option<String>,
}

impl Options {
    fn parse() -> Options {
        let isa = Isa::from_env().unwrap_or_else(|error| panic!("{error}"));
        let shapes = SHAPES.to_vec();
        let mut options = Options { rounds: 31, shapes, dtype: None, threads: None, isa, csv: None };
        let mut only: Vec<String> = Vec::new();
        read_arguments(|argument, value| {
            match argument {
                "--small" => options.shapes = SMALL.to_vec(),
                "--quick" => options.rounds = 5,
                "--rounds" => options.rounds = value().parse().expect("a number of rounds"),
                "--only" => only.push(value()),
                "--dtype" => options.dtype = Some(value()),
                "--threads" => options.threads = Some(value().parse().expect("a number of threads")),
                "--csv" => options.csv = Some(value()),
                "--isa" => options.isa = Isa::named(&value()).unwrap_or_else(|error| panic!("{error}")),
                _ => return false,
            }
            true
        });
        let dtype = options.dtype.as_deref();
        assert!(dtype.is_none_or(|dtype| ["f32", "f64"].contains(&dtype)), "--dtype takes f32 or f64");
        let name = |(m, k, n, op): &(usize, usize, usize, &str)| format!("{m},{k},{n},{op}");
        let names: Vec<String> = options.shapes.iter().map(name).collect();
        if let Some(unknown) = only.iter().find(|one| !names.contains(one)) {
            panic!("--only {unknown} matches no shape; the shapes are {}", names.join(" "));
        }
        options.shapes.retain(|shape| only.is_empty() || only.contains(&name(shape)));
        options
    }
}

/// What the other engines need to know about an element type.
trait Peer: Real {
    /// out = lhs · rhs by `matrixmultiply`, on as many threads as MATMUL_NUM_THREADS says.
    fn matrixmultiply(out: Strided<Self>, lhs: Strided<Self>, rhs: Strided<Self>);

    /// out = lhs · rhs by `gemmkit`.
    fn gemmkit(threads: usize, out: Strided<Self>, lhs: Strided<Self>, rhs: Strided<Self>);
}

/// A matrix as the peers take it.
#[derive(Clone, Copy)]
struct Strided<T> {
    ptr: *mut T,
    rows: usize,
    cols: usize,
    row_stride: isize,
    col_stride: isize,
}

impl<T> Strided<T> {
    fn new(ptr: *const T, rows: usize, cols: usize, transposed: bool) -> Self {
        let (row_stride, col_stride) = if transposed { (1, rows as isize) } else { (cols as isize, 1) };
        Strided { ptr: ptr.cast_mut(), rows, cols, row_stride, col_stride }
    }
}

macro_rules! peer {
    ($t:ident, $function:ident) => {
        impl Peer for $t {
            fn matrixmultiply(out: Strided<$t>, lhs: Strided<$t>, rhs: Strided<$t>) {
                // SAFETY: `measure` gives matrices whose shapes agree and that live long enough.
                unsafe {
                    matrixmultiply::$function(
                        out.rows,
                        lhs.cols,
                        out.cols,
                        1.0,
                        lhs.ptr,
                        lhs.row_stride,
                        lhs.col_stride,
                        rhs.ptr,
                        rhs.row_stride,
                        rhs.col_stride,
                        0.0,
                        out.ptr,
                        out.row_stride,
                        out.col_stride,
                    );
                }
            }

            fn gemmkit(threads: usize, out: Strided<$t>, lhs: Strided<$t>, rhs: Strided<$t>) {
                let parallelism =
                    if threads > 1 { gemmkit::Parallelism::Rayon(threads) } else { gemmkit::Parallelism::Serial };
                // SAFETY: as above.
                unsafe {
                    gemmkit::gemm_unchecked(
                        out.rows,
                        lhs.cols,
                        out.cols,
                        1.0,
                        lhs.ptr,
                        lhs.row_stride,
                        lhs.col_stride,
                        rhs.ptr,
                        rhs.row_stride,
                        rhs.col_stride,
                        0.0,
                        out.ptr,
                        out.row_stride,
                        out.col_stride,
                        parallelism,
                    );
                }
            }
        }
    };
}
peer!(f32, sgemm);
peer!(f64, dgemm);

fn gemm_crate<T: Peer>(threads: usize, out: Strided<T>, lhs: Strided<T>, rhs: Strided<T>) {
    let parallelism = if threads > 1 { gemm_peer::Parallelism::Rayon(threads) } else { gemm_peer::Parallelism::None };
    // SAFETY: `measure` gives matrices whose shapes agree and that live long enough.
    unsafe {
        gemm_peer::gemm(
            out.rows,
            out.cols,
            lhs.cols,
            out.ptr,
            out.col_stride,
            out.row_stride,
            false,
            lhs.ptr,
            lhs.col_stride,
            lhs.row_stride,
            rhs.ptr,
            rhs.col_stride,
            rhs.row_stride,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// out = lhs · rhs by `private-gemm-x86`, which wants columns of `out` without gaps: outᵀ = rhsᵀ · lhsᵀ.
#[cfg(target_arch = "x86_64")]
fn private_gemm<T: Peer>(threads: usize, out: Strided<T>, lhs: Strided<T>, rhs: Strided<T>) {
    use private_gemm_x86::{Accum, DType, DstKind, IType, InstrSet, gemm};
    use std::ptr::null;

    let alpha = T::ONE;
    let dtype = if size_of::<T>() == 4 { DType::F32 } else { DType::F64 };
    let isa = if is_x86_feature_detected!("avx512f") { InstrSet::Avx512 } else { InstrSet::Avx256 };
    assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"), "private-gemm-x86 takes AVX2 and FMA");
    // SAFETY: `measure` gives matrices whose shapes agree and that live long enough; the instructions are there.
    unsafe {
        gemm(
            dtype,
            IType::U64,
            isa,
            out.cols,
            out.rows,
            lhs.cols,
            out.ptr.cast(),
            out.col_stride,
            out.row_stride,
            null(),
            null(),
            DstKind::Full,
            Accum::Replace,
            rhs.ptr.cast_const().cast(),
            rhs.col_stride,
            rhs.row_stride,
            false,
            null(),
            0,
            lhs.ptr.cast_const().cast(),
            lhs.col_stride,
            lhs.row_stride,
            false,
            (&raw const alpha).cast(),
            threads,
        );
    }
}

/// Not among the engines of other machines.
#[cfg(not(target_arch = "x86_64"))]
fn private_gemm<T: Peer>(_: usize, _: Strided<T>, _: Strided<T>, _: Strided<T>) {
    unreachable!("private-gemm-x86 is for x86-64")
}

/// GFLOP/s.
struct Row {
    /// In the order of [`Engine::ALL`].
    engines: Vec<f64>,
    peak: f64,
}

/// The speed of each engine on one product, and the peak meanwhile, in the pool that the caller runs in.
fn measure<T: Peer>(options: &Options, threads: usize, (m, k, n, op): (usize, usize, usize, &str)) -> Row {
    let (lhs_data, rhs_data) = (random::<T>(m * k, 1), random::<T>(k * n, 2));
    let mut out_data = AlignedVec::<T>::zeros(m * n);
    let (lhs_transposed, rhs_transposed) = (op == "tn", op == "nt");
    let lhs_view =
        if lhs_transposed { MatRef::new(&lhs_data, k, m).transposed() } else { MatRef::new(&lhs_data, m, k) };
    let rhs_view =
        if rhs_transposed { MatRef::new(&rhs_data, n, k).transposed() } else { MatRef::new(&rhs_data, k, n) };
    let lhs = Strided::new(lhs_data.as_ptr(), m, k, lhs_transposed);
    let rhs = Strided::new(rhs_data.as_ptr(), k, n, rhs_transposed);
    let context = Context { isa: options.isa, gemm: GemmEngine::Narrows };

    let compute = |engine: Engine, out_data: &mut AlignedVec<T>| match engine {
        Engine::Narrows => {
            let out = MatMut::new(out_data, m, n);
            gemm(context, out, Accumulate::Overwrite, lhs_view, rhs_view, Epilogue::NONE);
        }
        Engine::Matrixmultiply => {
            T::matrixmultiply(Strided::new(out_data.as_ptr(), m, n, false), lhs, rhs);
        }
        Engine::Gemm => gemm_crate(threads, Strided::new(out_data.as_ptr(), m, n, false), lhs, rhs),
        Engine::Gemmkit => T::gemmkit(threads, Strided::new(out_data.as_ptr(), m, n, false), lhs, rhs),
        Engine::PrivateGemm => private_gemm(threads, Strided::new(out_data.as_ptr(), m, n, false), lhs, rhs),
    };

    for &engine in Engine::ALL {
        out_data.fill(T::from_f64(f64::NAN));
        compute(engine, &mut out_data);
        for row in [0, m / 3, m - 1] {
            let mut expected = vec![T::ZERO; n];
            let out = MatMut::new(&mut expected, 1, n);
            reference::gemm(out, Accumulate::Overwrite, lhs_view.row_range(row..row + 1), rhs_view, Epilogue::NONE);
            // Terms are below 1, so that either sum errs by less than k² ε / 2; in practice by far less.
            let tolerance = 0.05 * (k * k) as f64 * T::EPSILON.to_f64();
            for (a, e) in out_data[row * n..][..n].iter().zip(&expected) {
                let good = match engine {
                    Engine::Narrows => a.bits() == e.bits(),
                    _ => (a.to_f64() - e.to_f64()).abs() <= tolerance,
                };
                assert!(good, "{} of [{m}, {k}] · [{k}, {n}] {op}: {a:?} instead of {e:?}", engine.name());
            }
        }
    }

    let flops = 2.0 * m as f64 * n as f64 * k as f64;
    // Some 4 ms a sample, beside which a thread that has to be woken at its start does not count.
    let repetitions = (1e9 * threads as f64 / flops).ceil() as usize;
    let rounds = options.rounds.min((options.rounds as f64 * 2e9 / flops).ceil() as usize).max(5);
    let (mut samples, mut peaks) = (vec![Vec::new(); Engine::ALL.len()], Vec::new());
    for _ in 0..rounds {
        peaks.push(peak::<T>(options.isa));
        for (&engine, samples) in Engine::ALL.iter().zip(&mut samples) {
            let start = Instant::now();
            for _ in 0..repetitions {
                compute(engine, black_box(&mut out_data));
            }
            samples.push(flops * repetitions as f64 / start.elapsed().as_secs_f64() / 1e9);
        }
    }
    Row { engines: samples.into_iter().map(median).collect(), peak: median(peaks) }
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

/// Measures all shapes on `threads` cores, prints a table and appends rows to `csv`.
fn profile<T: Peer>(options: &Options, threads: usize, csv: &mut String) {
    if options.dtype.as_deref().is_some_and(|name| name != T::NAME) {
        return;
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
    pool.install(warm_up);
    let peak_now = pool.install(|| (0..50).map(|_| peak::<T>(options.isa)).fold(0.0, f64::max));
    let cores = if threads == 1 { "core" } else { "cores" };
    println!("\n{} on {threads} {cores}, {}: FMA peak {peak_now:.0} GFLOP/s", T::NAME, options.isa.name());
    print!("{:>17} {:>3} {:>9} {:>6}", "m, k, n", "", Engine::ALL[0].name(), "peak");
    for engine in &Engine::ALL[1..] {
        print!(" {:>1$}", engine.name(), engine.width());
    }
    println!(" {:>6}", "ratio");
    let mut ratios = Vec::new();
    for &(m, k, n, op) in &options.shapes {
        let Row { engines, peak } = pool.install(|| measure::<T>(options, threads, (m, k, n, op)));
        let (ours, peers) = (engines[0], &engines[1..]);
        let ratio = ours / peers.iter().copied().fold(0.0, f64::max);
        print!("{:>17} {op:>3} {ours:>9.1} {:>5.1}%", format!("{m}, {k}, {n}"), 100.0 * ours / peak);
        for (engine, gflops) in Engine::ALL[1..].iter().zip(peers) {
            print!(" {gflops:>0$.1}", engine.width());
        }
        println!(" {ratio:>5.2}x");
        ratios.push(ratio);
        for (&engine, gflops) in Engine::ALL.iter().zip(engines) {
            // Only ours obeys the choice of instruction set.
            let isa = if engine == Engine::Narrows { options.isa.name() } else { "own choice" };
            let (dtype, engine, percent) = (T::NAME, engine.name(), 100.0 * gflops / peak);
            writeln!(csv, "{m},{k},{n},{op},{dtype},{threads},{isa},{engine},{gflops:.2},{percent:.2}")
                .expect("a string takes all text");
        }
    }
    let worst = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    println!("ratio to the best peer: geometric mean {:.3}, worst {worst:.3}", geometric_mean(&ratios));
}

/// Measures each number of threads in a process of its own, since `matrixmultiply` decides once how many it uses.
fn profile_in_processes(options: &Options) {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let counts = options.threads.map_or_else(|| if all > 1 { vec![1, all] } else { vec![1] }, |count| vec![count]);
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target");
    let mut csv = String::from("m,k,n,op,dtype,threads,isa,engine,gflops,percent_of_peak\n");
    for threads in counts.iter().map(usize::to_string) {
        let rows = format!("{target}/gemm-profile-{threads}.csv");
        let status = std::process::Command::new(std::env::current_exe().expect("the path of this program"))
            .args(std::env::args().skip(1))
            .args(["--threads", &threads, "--csv", &rows])
            .env("MATMUL_NUM_THREADS", &threads)
            .status()
            .expect("this program starts again");
        assert!(status.success(), "measuring on {threads} threads failed: {status}");
        csv += &std::fs::read_to_string(&rows).unwrap_or_else(|error| panic!("reading {rows}: {error}"));
        std::fs::remove_file(&rows).unwrap_or_else(|error| panic!("removing {rows}: {error}"));
    }
    let path = format!("{target}/gemm-profile.csv");
    std::fs::write(&path, csv).unwrap_or_else(|error| panic!("writing {path}: {error}"));
    println!("\nwritten: {path}");
}

fn main() {
    let options = Options::parse();
    match (&options.csv, options.threads) {
        (Some(path), Some(threads)) => {
            let mut rows = String::new();
            profile::<f32>(&options, threads, &mut rows);
            profile::<f64>(&options, threads, &mut rows);
            std::fs::write(path, rows).unwrap_or_else(|error| panic!("writing {path}: {error}"));
        }
        _ => profile_in_processes(&options),
    }
}

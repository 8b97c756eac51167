//! What the benches share: arguments, random numbers, and what every figure is held against, the peak of the machine, measured in the
//! same run.

use std::hint::black_box;
use std::time::Instant;

use narrows_kernels::{AlignedVec, Isa, Kernel, Real, Simd};

/// Gives each argument of the command line to `take`, with a function that reads the value after it. `take` says whether it knows the
/// argument; one that it does not know ends the program.
pub fn read_arguments(mut take: impl FnMut(&str, &mut dyn FnMut() -> String) -> bool) {
    // cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} takes a value"));
        assert!(take(&argument, &mut value), "unknown argument {argument}");
    }
}

/// Numbers from −1 to 1, always the same for one seed: a linear congruential generator with Knuth's multiplier for MMIX.
pub fn random<T: Real>(len: usize, seed: u64) -> AlignedVec<T> {
    let mut state = seed;
    let mut elements = AlignedVec::zeros(len);
    for x in elements.iter_mut() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *x = T::from_f64((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0);
    }
    elements
}

/// The FMA peak of the pool that the caller runs in: chains of independent fused multiply-adds in the registers of each
/// core. GFLOP/s.
pub fn peak<T: Real>(isa: Isa) -> f64 {
    /// Enough chains to cover the latency of two units, few enough for the registers of every instruction set.
    const CHAINS: usize = 12;
    const STEPS: usize = 10_000;
    struct Fmas<T>(T);
    impl<T: Real> Kernel<T> for Fmas<T> {
        type Output = f64;
        #[inline(always)]
        fn run<S: Simd<T>>(self, simd: S) -> f64 {
            let (a, b) = (simd.splat(self.0), simd.splat(T::EPSILON));
            let mut chains = [simd.splat(T::ONE); CHAINS];
            for _ in 0..STEPS {
                for x in &mut chains {
                    *x = simd.fma(*x, a, b);
                }
            }
            black_box(chains.iter().fold(simd.splat(T::ZERO), |sum, x| simd.add(sum, *x)));
            (2 * CHAINS * STEPS * S::LANES) as f64
        }
    }
    let each_core = rayon::broadcast(|_| {
        let start = Instant::now();
        let flops = T::dispatch(isa, Fmas(black_box(T::from_f64(0.5))));
        flops / start.elapsed().as_secs_f64() / 1e9
    });
    each_core.into_iter().sum()
}

/// Keeps all threads of the pool busy until the operating system has given each its own core.
pub fn warm_up() {
    rayon::broadcast(|_| {
        let start = Instant::now();
        while start.elapsed().as_millis() < 300 {
            std::hint::spin_loop();
        }
    });
}

/// The middle one.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

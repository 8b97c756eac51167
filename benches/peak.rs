//! What every figure is held against: the peak of the machine, measured in the same run.

use std::hint::black_box;
use std::time::Instant;

use narrows_kernels::{Isa, Kernel, Real, Simd};

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

//! The loops under every elementwise kernel: vectors, the partial vector at the end, and fixed chunks over threads.
//!
//! Element i of the outputs depends on element i of the inputs alone, so neither vector width nor chunks can change a bit.

use crate::{Accumulate, Isa, Kernel, Real, Simd};

/// Slices of at least this many elements are split over the threads of the current rayon pool.
const PARALLEL_FROM: usize = 1 << 16;
/// What one thread takes at a time: 64 KiB of `f32`, so that a chunk of a few slices stays in its core's L2.
pub(crate) const CHUNK: usize = 1 << 14;

/// A function of N inputs and the M old outputs, element by element.
pub(crate) trait Elementwise<T: Real, const N: usize, const M: usize>: Copy + Send + Sync {
    /// Whether the old outputs are read; where they are not, `old` is zero.
    const READS_OUTPUTS: bool;
    /// The new outputs. Mark it `#[inline(always)]`.
    fn apply<S: Simd<T>>(self, simd: S, inputs: [S::V; N], old: [S::V; M]) -> [S::V; M];
}

/// A function of N inputs, element by element.
pub(crate) trait Map<T: Real, const N: usize>: Copy + Send + Sync {
    /// The value. Mark it `#[inline(always)]`.
    fn value<S: Simd<T>>(self, simd: S, inputs: [S::V; N]) -> S::V;
}

/// Overwrites the output with a map's value.
#[derive(Clone, Copy)]
pub(crate) struct Writing<F>(pub F);
/// Adds a map's value to the output.
#[derive(Clone, Copy)]
pub(crate) struct Adding<F>(pub F);
/// Replaces the output by the map's value of itself.
#[derive(Clone, Copy)]
pub(crate) struct InPlace<F>(pub F);

impl<T: Real, F: Map<T, N>, const N: usize> Elementwise<T, N, 1> for Writing<F> {
    const READS_OUTPUTS: bool = false;
    #[inline(always)]
    fn apply<S: Simd<T>>(self, simd: S, inputs: [S::V; N], _: [S::V; 1]) -> [S::V; 1] {
        [self.0.value(simd, inputs)]
    }
}

impl<T: Real, F: Map<T, N>, const N: usize> Elementwise<T, N, 1> for Adding<F> {
    const READS_OUTPUTS: bool = true;
    #[inline(always)]
    fn apply<S: Simd<T>>(self, simd: S, inputs: [S::V; N], [old]: [S::V; 1]) -> [S::V; 1] {
        [simd.add(old, self.0.value(simd, inputs))]
    }
}

impl<T: Real, F: Map<T, 1>> Elementwise<T, 0, 1> for InPlace<F> {
    const READS_OUTPUTS: bool = true;
    #[inline(always)]
    fn apply<S: Simd<T>>(self, simd: S, _: [S::V; 0], old: [S::V; 1]) -> [S::V; 1] {
        [self.0.value(simd, old)]
    }
}

/// out\[i\] (+)= f(inputs\[i\]).
pub(crate) fn map<T: Real, F: Map<T, N>, const N: usize>(
    isa: Isa,
    f: F,
    inputs: [&[T]; N],
    out: &mut [T],
    accumulate: Accumulate,
) {
    match accumulate {
        Accumulate::Overwrite => elementwise(isa, Writing(f), inputs, [out]),
        Accumulate::Add => elementwise(isa, Adding(f), inputs, [out]),
    }
}

/// x\[i\] = f(x\[i\]).
pub(crate) fn map_in_place<T: Real, F: Map<T, 1>>(isa: Isa, f: F, x: &mut [T]) {
    elementwise(isa, InPlace(f), [], [x]);
}

/// Applies `f` to every element, in parallel when there are many. All slices have the length of the first output.
pub(crate) fn elementwise<T: Real, E: Elementwise<T, N, M>, const N: usize, const M: usize>(
    isa: Isa,
    f: E,
    inputs: [&[T]; N],
    outputs: [&mut [T]; M],
) {
    let len = outputs[0].len();
    for input in inputs {
        assert_eq!(input.len(), len, "an elementwise kernel takes inputs as long as its output");
    }
    for output in &outputs {
        assert_eq!(output.len(), len, "an elementwise kernel takes outputs of one length");
    }
    if is_parallel(len) {
        split(isa, f, inputs, outputs);
    } else {
        T::dispatch(isa, Whole { f, inputs, outputs });
    }
}

/// Halves the slices at chunk borders until a chunk is left.
fn split<T: Real, E: Elementwise<T, N, M>, const N: usize, const M: usize>(
    isa: Isa,
    f: E,
    inputs: [&[T]; N],
    outputs: [&mut [T]; M],
) {
    let chunks = outputs[0].len().div_ceil(CHUNK);
    if chunks <= 1 {
        return T::dispatch(isa, Whole { f, inputs, outputs });
    }
    let (now, later) = split_inputs(inputs, chunks / 2 * CHUNK);
    let (out_now, out_later) = split_outputs(outputs, chunks / 2 * CHUNK);
    crate::team::join(|| split(isa, f, now, out_now), || split(isa, f, later, out_later));
}

/// Whether work on `len` elements is split over threads at all.
pub(crate) fn is_parallel(len: usize) -> bool {
    len >= PARALLEL_FROM && rayon::current_num_threads() > 1
}

/// Every slice before and after `at`.
pub(crate) fn split_inputs<T, const N: usize>(inputs: [&[T]; N], at: usize) -> ([&[T]; N], [&[T]; N]) {
    (inputs.map(|input| &input[..at]), inputs.map(|input| &input[at..]))
}

/// Every slice before and after `at`.
pub(crate) fn split_outputs<T, const M: usize>(outputs: [&mut [T]; M], at: usize) -> ([&mut [T]; M], [&mut [T]; M]) {
    let mut after: [&mut [T]; M] = std::array::from_fn(|_| Default::default());
    let mut rest = after.iter_mut();
    let before = outputs.map(|output| {
        let (head, tail) = output.split_at_mut(at);
        if let Some(slot) = rest.next() {
            *slot = tail;
        }
        head
    });
    (before, after)
}

struct Whole<'a, T, E, const N: usize, const M: usize> {
    f: E,
    inputs: [&'a [T]; N],
    outputs: [&'a mut [T]; M],
}

impl<T: Real, E: Elementwise<T, N, M>, const N: usize, const M: usize> Kernel<T> for Whole<'_, T, E, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Whole { f, inputs, outputs } = self;
        let len = outputs[0].len();
        let full = len - len % S::LANES;
        let zero = simd.splat(T::ZERO);
        let mut start = 0;
        while start < len {
            let count = if start < full { S::LANES } else { len - start };
            let mut xs = [zero; N];
            for i in 0..N {
                // `elementwise` made every slice `len` long.
                xs[i] = load(simd, inputs[i], start, count);
            }
            let mut old = [zero; M];
            if E::READS_OUTPUTS {
                for i in 0..M {
                    old[i] = load(simd, outputs[i], start, count);
                }
            }
            let new = f.apply(simd, xs, old);
            for i in 0..M {
                store(simd, outputs[i], start, count, new[i]);
            }
            start += S::LANES;
        }
    }
}

/// `count` ≤ LANES elements from `start` on, the other lanes zero.
#[inline(always)]
pub(crate) fn load<T: Real, S: Simd<T>>(simd: S, source: &[T], start: usize, count: usize) -> S::V {
    let source = &source[start..start + count];
    if count == S::LANES { simd.load(source) } else { simd.load_partial(source) }
}

/// Writes the first `count` ≤ LANES lanes from `start` on.
#[inline(always)]
pub(crate) fn store<T: Real, S: Simd<T>>(simd: S, target: &mut [T], start: usize, count: usize, vector: S::V) {
    let target = &mut target[start..start + count];
    if count == S::LANES { simd.store(target, vector) } else { simd.store_partial(target, vector) }
}

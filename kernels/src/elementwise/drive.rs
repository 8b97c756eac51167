//! The loops under every elementwise kernel: vectors, the partial vector at the end, and chunks over threads, see [`grain`].
//!
//! Element i of the outputs depends on element i of the inputs alone, so neither vector width nor chunks can change a bit.

use crate::{Accumulate, Isa, Kernel, Real, Simd, spin};

/// Elements below which a slice stays on one thread, and the fewest that a thread takes: where the others are awake, and where
/// they have to be woken. At 0.1 to 0.3 ns an element, 16 Ki of them take 2 to 5 µs, against 0.1 µs to
/// hand half of them to a thread that is awake.
const AWAKE: (usize, usize) = (1 << 14, 1 << 13);
const ASLEEP: (usize, usize) = (1 << 16, 1 << 14);

/// How many of `len` elements a thread takes at a time; more than all of them where splitting does not pay: below 16,384 of them
/// where the other threads are awake, and below 65,536 where they sleep. It depends on the number of threads; no bit does.
pub(crate) fn grain(len: usize) -> usize {
    let threads = spin::threads();
    let (from, least) = if spin::is_awake() { AWAKE } else { ASLEEP };
    if threads < 2 || len < from { usize::MAX / 2 } else { (len / (2 * threads)).max(least) }
}

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

/// Declares maps: name, its numbers in brackets, the instruction set and the inputs, the value. Each is a type of its own, so
/// that no loop decides anew for every vector.
macro_rules! maps {
    ($($(#[$doc:meta])* $name:ident $([$($number:ident),+])? ($simd:ident, $($x:ident),+) = $value:expr;)*) => {
        $($crate::elementwise::drive::maps! {
            @one [$(#[$doc])*] $name [$($($number),+)?] ($simd, $($x),+) = $value
        })*
    };
    (@one [$($doc:tt)*] $name:ident [] ($simd:ident, $($x:ident),+) = $value:expr) => {
        $($doc)*
        #[derive(Clone, Copy)]
        pub(crate) struct $name;
        impl<T: Real> Map<T, { [$(stringify!($x)),+].len() }> for $name {
            #[inline(always)]
            fn value<S: Simd<T>>(self, $simd: S, [$($x),+]: [S::V; { [$(stringify!($x)),+].len() }]) -> S::V {
                $value
            }
        }
    };
    (@one [$($doc:tt)*] $name:ident [$($number:ident),+] ($simd:ident, $($x:ident),+) = $value:expr) => {
        $($doc)*
        #[derive(Clone, Copy)]
        pub(crate) struct $name<T> {
            $(pub $number: T),+
        }
        impl<T: Real> Map<T, { [$(stringify!($x)),+].len() }> for $name<T> {
            #[inline(always)]
            fn value<S: Simd<T>>(self, $simd: S, [$($x),+]: [S::V; { [$(stringify!($x)),+].len() }]) -> S::V {
                $(let $number = $simd.splat(self.$number);)+
                $value
            }
        }
    };
}
pub(crate) use maps;

/// Runs `$then` with `$f` bound to the map beside the first pattern that fits.
macro_rules! with_map {
    ($value:expr, $f:ident => $then:expr, { $($pattern:pat $(if $guard:expr)? => $map:expr,)* }) => {
        match $value {
            $($pattern $(if $guard)? => {
                let $f = $map;
                $then
            })*
        }
    };
}
pub(crate) use with_map;

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
    split(isa, f, inputs, outputs, grain(len));
}

/// Halves the slices until less than two grains are left.
fn split<T: Real, E: Elementwise<T, N, M>, const N: usize, const M: usize>(
    isa: Isa,
    f: E,
    inputs: [&[T]; N],
    outputs: [&mut [T]; M],
    grain: usize,
) {
    let len = outputs[0].len();
    if len < 2 * grain {
        return T::dispatch(isa, Whole { f, inputs, outputs });
    }
    // Whole cache lines, so that no two threads write to one.
    let middle = (len / 2).next_multiple_of(64);
    let (now, later) = split_inputs(inputs, middle);
    let (out_now, out_later) = split_outputs(outputs, middle);
    spin::join(|| split(isa, f, now, out_now, grain), || split(isa, f, later, out_later, grain));
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

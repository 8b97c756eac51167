//! Every product has the bits of three nested loops over `mul_add`, whatever the instruction set, plan and threads.

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;
use std::marker::PhantomData;

use narrows_kernels::{
    Accumulate, Activation, Context, Epilogue, GemmEngine, Isa, MatMut, MatRef, Plan, Real, gemm, gemm_with_plan,
    reference,
};
use proptest::prelude::*;

/// The system's allocator, counting what each thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(memory) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, memory: Memory) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, memory) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// SplitMix64: enough disorder for matrix elements.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [−1, 1).
    pub fn element<T: Real>(&mut self) -> T {
        T::from_f64((self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
    }

    /// One in five elements is NaN, infinite, a zero of either sign, or so small that products are denormal.
    pub fn special<T: Real>(&mut self) -> T {
        let x = self.element::<T>();
        match self.next() % 64 {
            0 => T::from_f64(f64::NAN),
            1 => T::from_f64(f64::INFINITY),
            2 => T::from_f64(f64::NEG_INFINITY),
            3..6 => -T::ZERO,
            6..9 => T::ZERO,
            9..14 => x * T::from_f64(if T::NAME == "f32" { 1e-39 } else { 1e-309 }),
            _ => x,
        }
    }
}

/// The first element whose bits differ; NaN equals NaN whatever its payload.
pub fn first_difference<T: Real>(actual: &[T], expected: &[T]) -> Option<String> {
    if actual.len() != expected.len() {
        return Some(format!("{} elements instead of {}", actual.len(), expected.len()));
    }
    let is_nan = |x: T| x.partial_cmp(&x).is_none();
    let same = |a: T, b: T| a.bits() == b.bits() || (is_nan(a) && is_nan(b));
    let at = (0..actual.len()).find(|&i| !same(actual[i], expected[i]))?;
    Some(format!("element {at} is {:?} instead of {:?}", actual[at], expected[at]))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    RowMajor,
    ColMajor,
    /// Neither rows nor columns contiguous.
    Sparse,
    /// Rows contiguous with a gap between them.
    Padded,
}

const LAYOUTS: [Layout; 4] = [Layout::RowMajor, Layout::ColMajor, Layout::Sparse, Layout::Padded];

impl Layout {
    fn strides(self, rows: usize, cols: usize) -> (usize, usize) {
        match self {
            Layout::RowMajor => (cols, 1),
            Layout::ColMajor => (1, rows),
            Layout::Sparse => (2 * cols + 1, 2),
            Layout::Padded => (cols + 3, 1),
        }
    }

    fn len(self, rows: usize, cols: usize) -> usize {
        let (row_stride, col_stride) = self.strides(rows, cols);
        if rows * cols == 0 { 0 } else { (rows - 1) * row_stride + (cols - 1) * col_stride + 1 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Case<T> {
    shape: (usize, usize, usize),
    lhs: Layout,
    rhs: Layout,
    out: Layout,
    accumulate: Accumulate,
    bias: bool,
    activation: Activation,
    special: bool,
    elements: PhantomData<T>,
}

impl<T: Real> Case<T> {
    fn plain(m: usize, k: usize, n: usize) -> Self {
        Case {
            shape: (m, k, n),
            lhs: Layout::RowMajor,
            rhs: Layout::RowMajor,
            out: Layout::RowMajor,
            accumulate: Accumulate::Overwrite,
            bias: false,
            activation: Activation::Linear,
            special: false,
            elements: PhantomData,
        }
    }

    /// Computes the case by `product` and by definition on equal memory and compares all of it: out starts as NaN wherever
    /// it may not be read, and the gaps between its elements have to stay NaN.
    fn check(
        &self,
        product: impl FnOnce(MatMut<'_, T>, Accumulate, MatRef<'_, T>, MatRef<'_, T>, Epilogue<'_, T>),
    ) -> Result<(), String> {
        let (m, k, n) = self.shape;
        let mut numbers = Numbers((m * 1_000_000 + k * 1_000 + n) as u64);
        let mut fill = |len: usize| -> Vec<T> {
            (0..len).map(|_| if self.special { numbers.special() } else { numbers.element() }).collect()
        };
        let (lhs, rhs, bias) = (fill(self.lhs.len(m, k)), fill(self.rhs.len(k, n)), fill(n));
        let (row_stride, col_stride) = self.out.strides(m, n);
        let mut old = vec![T::from_f64(f64::NAN); self.out.len(m, n) + 40];
        if self.accumulate == Accumulate::Add {
            let elements = fill(m * n);
            for i in 0..m {
                for j in 0..n {
                    old[i * row_stride + j * col_stride] = elements[i * n + j];
                }
            }
        }
        let (lhs_rows, lhs_cols) = self.lhs.strides(m, k);
        let (rhs_rows, rhs_cols) = self.rhs.strides(k, n);
        let lhs = MatRef::with_strides(&lhs, m, k, lhs_rows, lhs_cols);
        let rhs = MatRef::with_strides(&rhs, k, n, rhs_rows, rhs_cols);
        let epilogue = Epilogue { bias: self.bias.then_some(&bias[..]), activation: self.activation };
        let mut expected = old.clone();
        let out = MatMut::with_strides(&mut expected, m, n, row_stride, col_stride);
        reference::gemm(out, self.accumulate, lhs, rhs, epilogue);
        let mut actual = old;
        let out = MatMut::with_strides(&mut actual, m, n, row_stride, col_stride);
        product(out, self.accumulate, lhs, rhs, epilogue);
        first_difference(&actual, &expected).map_or(Ok(()), |difference| Err(format!("{self:?}: {difference}")))
    }

    fn check_with(&self, isa: Isa, plan: impl FnOnce(Plan) -> Plan) {
        let context = Context { isa, gemm: GemmEngine::Narrows };
        let outcome = self.check(|out, accumulate, lhs, rhs, epilogue| {
            gemm_with_plan(context, plan, out, accumulate, lhs, rhs, epilogue);
        });
        if let Err(difference) = outcome {
            panic!("{} {}: {difference}", T::NAME, isa.name());
        }
    }
}

/// Runs a test for both element types on every instruction set of this CPU.
pub fn on_every_isa(f32s: impl Fn(Isa), f64s: impl Fn(Isa)) {
    for isa in Isa::available() {
        println!("{}: f32, f64", isa.name());
        f32s(isa);
        f64s(isa);
    }
}

/// Blocks so small that every loop over blocks runs several times.
const TINY: Plan =
    Plan { transpose: false, pack_lhs: false, pack_rhs: false, mc: 5, kc: 3, nc: 1, row_parts: 1, col_parts: 1 };

/// `plan` with every combination of the decisions about copies.
fn copies(plan: Plan) -> impl Iterator<Item = Plan> {
    (0..8).map(move |bits| Plan { transpose: bits & 1 != 0, pack_lhs: bits & 2 != 0, pack_rhs: bits & 4 != 0, ..plan })
}

#[test]
fn the_comparer_sees_every_kind_of_difference() {
    let good = [1.0f32, 0.0, f32::NAN, f32::INFINITY];
    assert_eq!(first_difference(&good, &good), None);
    assert_eq!(first_difference(&[-f32::NAN], &[f32::NAN]), None);
    for (at, bad) in [(0, 1.0000001), (0, f32::NAN), (1, -0.0), (2, 1.0), (3, f32::NEG_INFINITY), (3, f32::MAX)] {
        let mut actual = good;
        actual[at] = bad;
        assert!(first_difference(&actual, &good).is_some(), "{bad} at {at} was not noticed");
    }
    assert!(first_difference(&[0.0; 4], &good).is_some());
    assert!(first_difference(&good[..3], &good).is_some());
    assert!(first_difference(&[], &good).is_some());
}

#[test]
fn a_product_in_another_order_fails_the_comparison() {
    let outcome = Case::<f32>::plain(9, 40, 17).check(|mut out, _, lhs, rhs, _| {
        for i in 0..9 {
            for j in 0..17 {
                out.set(i, j, (0..40).rev().fold(0.0, |chain, p| lhs.get(i, p).mul_add(rhs.get(p, j), chain)));
            }
        }
    });
    assert!(outcome.is_err());
}

fn edges<T: Real>(isa: Isa) {
    // Tiles are 14 × 32 (f32) and 14 × 16 (f64) with AVX-512, 6 × 16 and 6 × 8 with AVX2, 6 × 2 in scalar code.
    for m in [0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 29] {
        for n in [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 49, 65, 127, 145] {
            for k in [0, 1, 2, 17] {
                Case::<T>::plain(m, k, n).check_with(isa, |plan| plan);
                Case::<T>::plain(m, k, n).check_with(isa, |plan| Plan { pack_lhs: true, pack_rhs: true, ..plan });
            }
        }
    }
}

#[test]
fn sizes_around_the_tiles_have_the_bits_of_the_definition() {
    on_every_isa(edges::<f32>, edges::<f64>);
}

fn blocks<T: Real>(isa: Isa) {
    for (m, k, n) in [(4, 2, 31), (5, 3, 32), (6, 4, 33), (11, 10, 70), (30, 7, 64), (1, 9, 1)] {
        for plan in copies(TINY) {
            for accumulate in [Accumulate::Overwrite, Accumulate::Add] {
                Case::<T> { accumulate, ..Case::plain(m, k, n) }.check_with(isa, |_| plan);
            }
        }
    }
}

#[test]
fn blocks_of_any_size_have_the_bits_of_the_definition() {
    on_every_isa(blocks::<f32>, blocks::<f64>);
}

fn layouts<T: Real>(isa: Isa) {
    for lhs in LAYOUTS {
        for rhs in LAYOUTS {
            for out in LAYOUTS {
                for accumulate in [Accumulate::Overwrite, Accumulate::Add] {
                    for (m, k, n) in [(17, 33, 35), (16, 16, 16), (3, 5, 50)] {
                        let case = Case::<T> { lhs, rhs, out, accumulate, bias: true, ..Case::plain(m, k, n) };
                        case.check_with(isa, |plan| plan);
                    }
                    let case = Case::<T> { lhs, rhs, out, accumulate, bias: true, ..Case::plain(18, 9, 37) };
                    for plan in copies(TINY) {
                        case.check_with(isa, |_| plan);
                    }
                }
            }
        }
    }
}

#[test]
fn transposed_and_strided_matrices_have_the_bits_of_the_definition() {
    on_every_isa(layouts::<f32>, layouts::<f64>);
}

fn epilogues<T: Real>(isa: Isa) {
    for special in [false, true] {
        for bias in [false, true] {
            for out in LAYOUTS {
                for activation in [
                    Activation::Linear,
                    Activation::Relu,
                    Activation::LeakyRelu { slope: 0.2 },
                    Activation::Elu { alpha: 0.7 },
                    Activation::Tanh,
                    Activation::Sigmoid,
                    Activation::Softplus,
                ] {
                    let case = Case::<T> { bias, activation, out, special, ..Case::plain(16, 7, 41) };
                    case.check_with(isa, |plan| plan);
                    case.check_with(isa, |plan| Plan { transpose: !plan.transpose, kc: 2, mc: 9, ..plan });
                }
            }
        }
    }
}

#[test]
fn bias_and_activation_have_the_bits_of_the_definition() {
    on_every_isa(epilogues::<f32>, epilogues::<f64>);
}

fn specials<T: Real>(isa: Isa) {
    for (lhs, rhs) in [
        (Layout::RowMajor, Layout::RowMajor),
        (Layout::ColMajor, Layout::RowMajor),
        (Layout::RowMajor, Layout::ColMajor),
    ] {
        for accumulate in [Accumulate::Overwrite, Accumulate::Add] {
            for (m, k, n) in [(15, 2, 33), (30, 6, 70), (15, 20, 17)] {
                let case = Case::<T> { lhs, rhs, accumulate, special: true, ..Case::plain(m, k, n) };
                case.check_with(isa, |plan| plan);
                case.check_with(isa, |_| Plan { pack_lhs: true, pack_rhs: true, ..TINY });
            }
        }
    }
}

#[test]
fn special_values_have_the_bits_of_the_definition() {
    on_every_isa(specials::<f32>, specials::<f64>);
}

#[test]
fn threads_do_not_change_a_bit() {
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for isa in Isa::available().into_iter().rev().take(2) {
                for (m, k, n) in [(150, 200, 130), (33, 100, 1100)] {
                    for rhs in [Layout::RowMajor, Layout::ColMajor] {
                        Case::<f32> { rhs, bias: true, ..Case::plain(m, k, n) }.check_with(isa, |plan| plan);
                    }
                }
            }
            for (row_parts, col_parts) in [(1, 5), (7, 1), (3, 2), (40, 9)] {
                for plan in copies(TINY) {
                    Case::<f64> { bias: true, activation: Activation::Tanh, ..Case::plain(31, 5, 67) }
                        .check_with(Isa::detect(), |_| Plan { row_parts, col_parts, ..plan });
                }
            }
        });
    }
}

#[test]
fn large_products_have_the_bits_of_the_definition() {
    let isa = Isa::detect();
    for (m, k, n) in [(300, 1600, 40), (33, 520, 1030), (1500, 40, 33)] {
        for (lhs, rhs) in [
            (Layout::RowMajor, Layout::RowMajor),
            (Layout::ColMajor, Layout::RowMajor),
            (Layout::RowMajor, Layout::ColMajor),
            (Layout::ColMajor, Layout::ColMajor),
        ] {
            Case::<f32> { lhs, rhs, ..Case::plain(m, k, n) }.check_with(isa, |plan| plan);
            Case::<f64> { lhs, rhs, accumulate: Accumulate::Add, ..Case::plain(m, k, n) }.check_with(isa, |plan| plan);
        }
    }
}

#[test]
fn products_allocate_nothing_once_their_thread_has_computed_one() {
    let context = Context { isa: Isa::detect(), gemm: GemmEngine::Narrows };
    let (m, k, n) = (300, 400, 500);
    let (lhs, rhs, mut out) = (vec![1.0f32; m * k], vec![1.0f32; k * n], vec![0.0f32; m * n]);
    let mut compute = || {
        // All copies: rhs into panels, lhs into tiles, tiles of out through a buffer.
        let plan = |plan: Plan| Plan { pack_lhs: true, pack_rhs: true, transpose: true, ..plan };
        let (lhs, rhs) = (MatRef::new(&lhs, m, k), MatRef::new(&rhs, k, n));
        gemm_with_plan(context, plan, MatMut::new(&mut out, m, n), Accumulate::Add, lhs, rhs, Epilogue::NONE);
    };
    let allocations = |compute: &mut dyn FnMut()| {
        let before = ALLOCATIONS.get();
        compute();
        ALLOCATIONS.get() - before
    };
    assert!(allocations(&mut compute) > 0, "the first product has to allocate, or nothing is counted");
    assert_eq!(allocations(&mut compute), 0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        (0..20).for_each(|_| compute());
        assert_eq!(allocations(&mut compute), 0);
    });
}

#[test]
fn the_other_engine_agrees_to_rounding() {
    let (m, k, n) = (23, 57, 41);
    let mut numbers = Numbers(7);
    let mut fill = |len: usize| -> Vec<f64> { (0..len).map(|_| numbers.element()).collect() };
    let (lhs, rhs, bias, old) = (fill(m * k), fill(k * n), fill(n), fill(m * n));
    let epilogue = Epilogue { bias: Some(&bias), activation: Activation::Relu };
    let (lhs, rhs) = (MatRef::new(&lhs, m, k), MatRef::new(&rhs, k, n));
    let (mut expected, mut actual) = (old.clone(), old);
    reference::gemm(MatMut::new(&mut expected, m, n), Accumulate::Add, lhs, rhs, epilogue);
    let context = Context { isa: Isa::detect(), gemm: GemmEngine::Matrixmultiply };
    gemm(context, MatMut::new(&mut actual, m, n), Accumulate::Add, lhs, rhs, epilogue);
    // Either order rounds k + 2 partial sums, none above k + 2 in size, by half an ε of that size.
    let tolerance = ((k + 2) * (k + 2)) as f64 * f64::EPSILON;
    assert!(actual.iter().zip(&expected).all(|(a, e)| (a - e).abs() <= tolerance));
    assert!(actual.iter().any(|a| *a > 1.0));
}

#[test]
#[should_panic(expected = "a product [2, 3] · [4, 5] does not give [2, 5]")]
fn operands_of_different_depth_are_refused() {
    let context = Context { isa: Isa::SCALAR, gemm: GemmEngine::Narrows };
    let (mut out, lhs, rhs) = ([0.0f32; 10], [0.0; 6], [0.0; 20]);
    let (lhs, rhs) = (MatRef::new(&lhs, 2, 3), MatRef::new(&rhs, 4, 5));
    gemm(context, MatMut::new(&mut out, 2, 5), Accumulate::Overwrite, lhs, rhs, Epilogue::NONE);
}

#[test]
#[should_panic(expected = "a bias of 4 elements cannot be added to the 5 columns of [2, 5]")]
fn a_bias_of_the_wrong_length_is_refused() {
    let context = Context { isa: Isa::SCALAR, gemm: GemmEngine::Narrows };
    let (mut out, lhs, rhs) = ([0.0f32; 10], [0.0; 6], [0.0; 15]);
    let epilogue = Epilogue { bias: Some(&[0.0; 4]), activation: Activation::Linear };
    let (lhs, rhs) = (MatRef::new(&lhs, 2, 3), MatRef::new(&rhs, 3, 5));
    gemm(context, MatMut::new(&mut out, 2, 5), Accumulate::Overwrite, lhs, rhs, epilogue);
}

fn any_layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(LAYOUTS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_shape_layout_and_plan_has_the_bits_of_the_definition(
        shape in (0usize..40, 0usize..40, 0usize..80),
        layouts in (any_layout(), any_layout(), any_layout()),
        flags in prop::array::uniform6(any::<bool>()),
        blocks in (1usize..30, 1usize..30, 1usize..70),
        parts in (1usize..4, 1usize..4),
    ) {
        let [add, bias, relu, transpose, pack_lhs, pack_rhs] = flags;
        let (mc, kc, nc) = blocks;
        let (row_parts, col_parts) = parts;
        let case = Case {
            lhs: layouts.0,
            rhs: layouts.1,
            out: layouts.2,
            accumulate: if add { Accumulate::Add } else { Accumulate::Overwrite },
            bias,
            activation: if relu { Activation::Relu } else { Activation::Linear },
            ..Case::<f32>::plain(shape.0, shape.1, shape.2)
        };
        for isa in Isa::available() {
            case.check_with(isa, |_| Plan { transpose, pack_lhs, pack_rhs, mc, kc, nc, row_parts, col_parts });
        }
    }
}

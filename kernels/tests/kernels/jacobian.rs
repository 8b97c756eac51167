//! The norm of a two-layer Jacobian and its gradients against loops in f64, and its bits on every instruction set.

use narrows_kernels::jacobian::{NormGradients, TwoLayers, jacobian_norm_gradients, scratch_len};
use narrows_kernels::{Context, Isa, Real, with_spinning_threads};

use super::gemm::Numbers;

fn numbers<T: Real>(count: usize, seed: u64) -> Vec<T> {
    let mut numbers = Numbers(seed);
    (0..count).map(|_| numbers.element()).collect()
}

struct Case<T> {
    sizes: [usize; 3],
    derivatives: Vec<T>,
    squares: Vec<T>,
    gram: Vec<T>,
    weight: Vec<T>,
}

fn case<T: Real>(sizes: [usize; 3]) -> Case<T> {
    let [batch, hidden, code] = sizes;
    let mut gram = numbers::<T>(hidden * hidden, 3);
    for i in 0..hidden {
        for j in 0..i {
            gram[i * hidden + j] = gram[j * hidden + i];
        }
    }
    let (derivatives, squares) = (numbers(batch * hidden, 1), numbers(batch * code, 2));
    Case { sizes, derivatives, squares, gram, weight: numbers(hidden * code, 4) }
}

/// Gradients with respect to derivatives, squares, gram, weight.
fn found<T: Real>(isa: Isa, case: &Case<T>) -> [Vec<T>; 4] {
    let [batch, hidden, code] = case.sizes;
    // NaN where nothing may be read before it is written.
    let nan = |len: usize| vec![T::from_f64(f64::NAN); len];
    let mut out = [nan(batch * hidden), nan(batch * code), nan(hidden * hidden), nan(hidden * code)];
    let [derivatives, squares, gram, weight] = &mut out;
    let of = TwoLayers {
        derivatives: &case.derivatives,
        squares: &case.squares,
        gram: &case.gram,
        weight: &case.weight,
        hidden,
        code,
    };
    let to = NormGradients { derivatives, squares, gram, weight };
    let mut scratch = nan(scratch_len(batch, hidden, code));
    jacobian_norm_gradients(Context { isa, ..Context::detect() }, of, to, &mut scratch);
    out
}

/// The same by the definition.
fn expected(case: &Case<f64>) -> [Vec<f64>; 4] {
    let [batch, hidden, code] = case.sizes;
    let mut out = [batch * hidden, batch * code, hidden * hidden, hidden * code].map(|len| vec![0.0; len]);
    for b in 0..batch {
        for j in 0..code {
            for m in 0..hidden {
                for l in 0..hidden {
                    let [d, s] = [&case.derivatives[b * hidden..], &case.squares[b * code..]];
                    let (wm, wl, g) = (case.weight[m * code + j], case.weight[l * code + j], case.gram[m * hidden + l]);
                    out[0][b * hidden + m] += 2.0 * s[j] * wm * g * d[l] * wl;
                    out[1][b * code + j] += d[m] * wm * g * d[l] * wl;
                    out[2][m * hidden + l] += s[j] * d[m] * wm * d[l] * wl;
                    out[3][m * code + j] += 2.0 * s[j] * d[m] * g * d[l] * wl;
                }
            }
        }
    }
    out
}

/// Sizes that leave partial vectors, blocks of units and of samples, and no sample.
const SIZES: [[usize; 3]; 6] = [[1, 1, 1], [5, 7, 3], [3, 37, 70], [2, 9, 1030], [515, 6, 5], [0, 7, 3]];

#[test]
fn gradients_are_those_of_the_definition() {
    for sizes in SIZES {
        let case = case::<f64>(sizes);
        for isa in Isa::available() {
            for (which, (found, expected)) in found(isa, &case).iter().zip(expected(&case)).enumerate() {
                let largest = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
                for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let error = (found - expected).abs();
                    assert!(error <= 1e-12 * (1.0 + largest), "{sizes:?}, {which}, {at}: {found} for {expected}");
                }
            }
        }
    }
}

#[test]
fn bits_are_the_same_on_all_instruction_sets_and_threads() {
    for sizes in SIZES.into_iter().chain([[140, 130, 50]]) {
        let case = case::<f32>(sizes);
        let bits = |out: [Vec<f32>; 4]| out.map(|part| part.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        let alone = bits(found(Isa::detect(), &case));
        for isa in Isa::available() {
            assert!(bits(found(isa, &case)) == alone, "{sizes:?} on {}", isa.name());
        }
        for threads in [2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let together = pool.install(|| with_spinning_threads(|| bits(found(Isa::detect(), &case))));
            assert!(together == alone, "{sizes:?} with {threads} threads");
        }
    }
}

#[test]
#[should_panic(expected = "layers of 4 and 0 units")]
fn a_layer_without_units_is_refused() {
    found(Isa::detect(), &case::<f32>([2, 4, 0]));
}

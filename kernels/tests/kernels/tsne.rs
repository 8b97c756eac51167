//! The forces of t-SNE against their definitions, on every instruction set and several numbers of threads.

use narrows_kernels::reference;
use narrows_kernels::tsne::{Affinities, Repulsion, attraction};
use narrows_kernels::{Isa, with_spinning_threads};

use super::gemm::Numbers;

/// Uniform in [−`size`, `size`).
fn numbers(count: usize, size: f32, seed: u64) -> Vec<f32> {
    let mut numbers = Numbers(seed);
    (0..count).map(|_| size * numbers.element::<f32>()).collect()
}

fn bits(forces: &[Vec<f32>; 2]) -> Vec<u32> {
    forces.iter().flatten().map(|f| f.to_bits()).collect()
}

fn repulsion(isa: Isa, [x, y]: [&[f32]; 2], block: usize) -> ([Vec<f32>; 2], f64) {
    // NaN where nothing may be read before it is written.
    let mut forces = [0, 1].map(|_| vec![f32::NAN; x.len()]);
    let [fx, fy] = &mut forces;
    let mut repulsion = Repulsion::in_blocks(x.len(), block);
    let first = repulsion.compute(isa, [x, y], [&mut *fx, &mut *fy]);
    // Nothing of an earlier computation may be left.
    let again = repulsion.compute(isa, [x, y], [fx, fy]);
    assert!(first.to_bits() == again.to_bits());
    (forces, first)
}

fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| with_spinning_threads(work))
}

/// Around vectors, panels, sub-blocks of columns and blocks.
const SIZES: [usize; 22] = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 191, 193, 300, 511, 700];

#[test]
fn repulsion_is_that_of_the_definition_on_all_instruction_sets_and_threads() {
    for (size, blocks) in SIZES.iter().flat_map(|&size| [64, 192, 512].map(|block| (size, block))) {
        for spread in [1e-4, 1.0, 60.0] {
            let [x, y] = [1, 2].map(|seed| numbers(size, spread, seed));
            let (forces, total) = reference::repulsion([&x, &y], blocks);
            for isa in Isa::available() {
                for threads in [1, 2, 3] {
                    let found = on_threads(threads, || repulsion(isa, [&x, &y], blocks));
                    let case = format!("{size} points in blocks of {blocks}, {} with {threads} threads", isa.name());
                    assert!(bits(&found.0) == bits(&forces), "{case}");
                    assert!(found.1.to_bits() == total.to_bits(), "{case}: {} for {total}", found.1);
                }
            }
        }
    }
}

#[test]
fn repulsion_is_exact_to_rounding() {
    let [x, y] = [3, 4].map(|seed| numbers(1500, 40.0, seed));
    let (forces, total) = repulsion(Isa::detect(), [&x, &y], 512);
    let mut expected_total = 0.0;
    for i in 0..x.len() {
        // The sum and the sum of magnitudes: each term is off by a few roundings, each chain by one for each of its terms.
        let (mut sum, mut size) = ([0.0f64; 2], [0.0f64; 2]);
        for j in (0..x.len()).filter(|&j| j != i) {
            let d = [&x, &y].map(|at| f64::from(at[i]) - f64::from(at[j]));
            let q = 1.0 / (1.0 + d[0] * d[0] + d[1] * d[1]);
            expected_total += q;
            for axis in 0..2 {
                sum[axis] += q * q * d[axis];
                size[axis] += (q * q * d[axis]).abs();
            }
        }
        for axis in 0..2 {
            let error = (f64::from(forces[axis][i]) - sum[axis]).abs();
            assert!(error <= (512.0 + 10.0) * 6e-8 * size[axis], "{i}: {} for {}", forces[axis][i], sum[axis]);
        }
    }
    assert!((total / expected_total - 1.0).abs() <= 1e-6, "{total} for {expected_total}");
}

#[test]
fn points_that_coincide_do_not_move_each_other_and_far_ones_hardly() {
    let same = vec![2.5; 70];
    let (forces, total) = repulsion(Isa::detect(), [&same, &same], 64);
    assert!(forces.iter().flatten().all(|&f| f == 0.0));
    assert!((total - 70.0 * 69.0).abs() <= 70.0 * 69.0 * 1.5e-7, "{total}");
    let (forces, total) = repulsion(Isa::detect(), [&[0.0, 1e18], &[0.0, 0.0]], 64);
    assert!(forces.iter().flatten().all(|&f| f.abs() <= 1e-36) && total <= 3e-36, "{forces:?} {total}");
}

#[test]
fn attraction_is_that_of_the_definition_on_all_instruction_sets_and_threads() {
    for size in SIZES {
        let [x, y] = [5, 6].map(|seed| numbers(size, 30.0, seed));
        let (mut starts, mut columns) = (vec![0], Vec::new());
        for i in 0..size {
            columns.extend((0..i % 11).map(|k| ((i * 7 + k * k * 3) % size) as u32));
            starts.push(columns.len());
        }
        let values = numbers(columns.len(), 1.0, 7);
        let of = Affinities { starts: &starts, columns: &columns, values: &values };
        let expected = reference::attraction(of, [&x, &y]);
        for isa in Isa::available() {
            for threads in [1, 2, 3] {
                let mut forces = [0, 1].map(|_| vec![f32::NAN; size]);
                let [fx, fy] = &mut forces;
                on_threads(threads, || attraction(isa, of, [&x, &y], [fx, fy]));
                assert!(bits(&forces) == bits(&expected), "{size} points, {} with {threads} threads", isa.name());
            }
        }
    }
}

#[test]
#[should_panic(expected = "takes slices as long")]
fn slices_of_other_lengths_are_refused() {
    let mut out = [vec![0.0; 3], vec![0.0; 3]];
    let [fx, fy] = &mut out;
    Repulsion::new(3).compute(Isa::SCALAR, [&[0.0; 3], &[0.0; 2]], [fx, fy]);
}

/// `cargo test --release -p narrows-kernels --test kernels -- tsne::speed --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let points = 10_000;
    let [x, y] = [8, 9].map(|seed| numbers(points, 60.0, seed));
    let mut forces = [vec![0.0; points], vec![0.0; points]];
    let mut repulsion = Repulsion::new(points);
    for threads in [1, 2] {
        for isa in Isa::available() {
            let [fx, fy] = &mut forces;
            let repeats = if isa == Isa::SCALAR { 3 } else { 40 };
            let seconds = on_threads(threads, || {
                let mut all: Vec<f64> = (0..repeats)
                    .map(|_| {
                        let begin = std::time::Instant::now();
                        repulsion.compute(isa, [&x, &y], [&mut *fx, &mut *fy]);
                        begin.elapsed().as_secs_f64()
                    })
                    .collect();
                all.sort_by(f64::total_cmp);
                (all[0], all[repeats / 2])
            });
            println!(
                "{points} points, {}, {threads} threads: best {:.2} ms, median {:.2} ms",
                isa.name(),
                seconds.0 * 1e3,
                seconds.1 * 1e3
            );
        }
    }
}

//! Least squares by the identities that define them, against `nalgebra`, and bit by bit over threads and instruction sets.
//!
//! Tolerances: a Householder QR of an [m, n] matrix is exact for a matrix within c·m·n·ε of it, column by column (Higham,
//! "Accuracy and Stability of Numerical Algorithms", 19.4). Rounding errors are random rather than aligned, and the tests
//! allow 4·√max(m, n)·ε instead.

use nalgebra::{DMatrix, DVector};
use narrows::linalg::{FactorError, Matrix, PivotedQr};
use narrows::rng::{Purpose, stream};
use narrows_kernels::{Context, GemmEngine, Isa, MatRef, Real};
use rand_distr::{Distribution, StandardNormal};

/// Row-major [rows, cols].
struct Problem<T> {
    a: Vec<T>,
    rows: usize,
    cols: usize,
}

fn normal<T: Real>(count: usize, index: u64) -> Vec<T> {
    let mut stream = stream(5, Purpose::Init, index);
    (0..count).map(|_| T::from_f64(StandardNormal.sample(&mut stream))).collect()
}

impl<T: Real> Problem<T> {
    fn random(rows: usize, cols: usize) -> Self {
        Problem { a: normal(rows * cols, (1000 * rows + cols) as u64), rows, cols }
    }

    /// A product [rows, rank] · [rank, cols].
    fn of_rank(rows: usize, cols: usize, rank: usize) -> Self {
        let (left, right) = (normal::<f64>(rows * rank, 1), normal::<f64>(rank * cols, 2));
        let element = |i: usize, j: usize| (0..rank).map(|p| left[i * rank + p] * right[p * cols + j]).sum::<f64>();
        let a = (0..rows * cols).map(|at| T::from_f64(element(at / cols, at % cols))).collect();
        Problem { a, rows, cols }
    }

    /// Columns that shrink from 1 to 1/κ after mixing: Q₁·diag·Q₂ by `nalgebra`'s orthogonal factors.
    fn ill_conditioned(rows: usize, cols: usize, condition: f64) -> Self {
        let orthogonal = |size: usize, index: u64| {
            let random = normal::<f64>(size * size, index);
            DMatrix::from_row_slice(size, size, &random).qr().q()
        };
        let (left, right) = (orthogonal(rows, 3), orthogonal(cols, 4));
        let sigma = |p: usize| condition.powf(-(p as f64) / (cols - 1) as f64);
        let element = |i: usize, j: usize| (0..cols).map(|p| left[(i, p)] * sigma(p) * right[(p, j)]).sum::<f64>();
        let a = (0..rows * cols).map(|at| T::from_f64(element(at / cols, at % cols))).collect();
        Problem { a, rows, cols }
    }

    fn factor(&self) -> PivotedQr<T> {
        PivotedQr::factor(Context::detect(), self.view()).unwrap()
    }

    fn view(&self) -> MatRef<'_, T> {
        MatRef::new(&self.a, self.rows, self.cols)
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        self.a[i * self.cols + j].to_f64()
    }

    fn norm(&self) -> f64 {
        self.a.iter().map(|a| a.to_f64() * a.to_f64()).sum::<f64>().sqrt()
    }

    fn epsilon(&self) -> f64 {
        4.0 * (self.rows.max(self.cols) as f64).sqrt() * T::EPSILON.to_f64()
    }

    fn solve(&self, b: &[T]) -> Vec<f64> {
        let mut x = vec![T::from_f64(f64::NAN); self.cols];
        self.factor().solve_rows(Context::detect(), b, &mut x);
        x.iter().map(|x| x.to_f64()).collect()
    }

    /// b − A·x, in f64.
    fn residual(&self, b: &[T], x: &[f64]) -> Vec<f64> {
        let row = |i: usize| b[i].to_f64() - (0..self.cols).map(|j| self.at(i, j) * x[j]).sum::<f64>();
        (0..self.rows).map(row).collect()
    }

    fn nalgebra(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.rows, self.cols, |i, j| self.at(i, j))
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn within(name: &str, found: f64, tolerance: f64) {
    println!("{name}: {found:.1e} of {tolerance:.1e}");
    assert!(found <= tolerance, "{name} is {found:e}, more than {tolerance:e}");
}

/// QR = AP, QᵀQ = I, R upper trapezoidal with a falling diagonal, P a permutation.
fn factors_are_what_they_say<T: Real>(problem: &Problem<T>) {
    let name = format!("{} [{}, {}]", T::NAME, problem.rows, problem.cols);
    let qr = problem.factor();
    let (q, r): (&Matrix<T>, Matrix<T>) = (qr.q(), qr.r());
    let mut difference = 0.0;
    for i in 0..problem.rows {
        for (j, &of) in qr.permutation().iter().enumerate() {
            let product: f64 = (0..r.rows()).map(|p| q.get(i, p).to_f64() * r.get(p, j).to_f64()).sum();
            difference += (product - problem.at(i, of)).powi(2);
        }
    }
    within(&format!("{name}: ‖QRPᵀ − A‖/‖A‖"), difference.sqrt(), problem.epsilon() * problem.norm());
    let mut departure = 0.0f64;
    for i in 0..q.cols() {
        for j in 0..q.cols() {
            let product: f64 = q.col(i).iter().zip(q.col(j)).map(|(a, b)| a.to_f64() * b.to_f64()).sum();
            departure = departure.max((product - f64::from(u8::from(i == j))).abs());
        }
    }
    within(&format!("{name}: |QᵀQ − I|"), departure, problem.epsilon());
    for j in 0..r.cols() {
        assert!((j + 1..r.rows()).all(|i| r.get(i, j) == T::ZERO), "{name}: column {j} of R goes below its diagonal");
    }
    for i in 1..r.rows() {
        // Pivots fall but for the rounding of the norms they were chosen by.
        let (above, below) = (r.get(i - 1, i - 1).to_f64().abs(), r.get(i, i).to_f64().abs());
        assert!(below <= above * (1.0 + problem.epsilon()), "{name}: the diagonal of R grows at {i}");
    }
    let mut places = qr.permutation().to_vec();
    places.sort_unstable();
    assert!(places.into_iter().eq(0..problem.cols), "{name}: {:?} is no permutation", qr.permutation());
}

#[test]
fn columns_whose_squares_underflow_leave_the_factors_orthonormal() {
    for tiny in [1e-22, 3e-20, 1e-18, 1e-16, 1e-14] {
        let a = [tiny, 1.0, tiny, 0.0, tiny, 0.0];
        factors_are_what_they_say(&Problem::<f32> { a: a.map(|x| x as f32).to_vec(), rows: 3, cols: 2 });
        factors_are_what_they_say(&Problem::<f64> { a: a.to_vec(), rows: 3, cols: 2 });
    }
}

const SHAPES: [(usize, usize); 12] =
    [(1, 1), (2, 1), (7, 1), (5, 5), (31, 31), (33, 32), (65, 33), (100, 64), (200, 97), (8, 196), (33, 65), (1, 6)];

#[test]
fn factors_multiply_to_the_matrix_and_are_orthonormal_and_triangular() {
    for (rows, cols) in SHAPES {
        factors_are_what_they_say(&Problem::<f64>::random(rows, cols));
        factors_are_what_they_say(&Problem::<f32>::random(rows, cols));
    }
    factors_are_what_they_say(&Problem::<f64>::of_rank(60, 40, 11));
    factors_are_what_they_say(&Problem::<f64>::ill_conditioned(60, 40, 1e12));
}

fn solutions_are_least_squares<T: Real>(problem: &Problem<T>) {
    let name = format!("{} [{}, {}]", T::NAME, problem.rows, problem.cols);
    let b: Vec<T> = normal(problem.rows, 9);
    let x = problem.solve(&b);
    let residual = problem.residual(&b, &x);
    let size = norm(&b.iter().map(|b| b.to_f64()).collect::<Vec<_>>()) + problem.norm() * norm(&x);
    // Backward stability: x solves exactly for a matrix that near to A, so Aᵀr moves by ‖A‖ times that, relative to the sizes.
    let gradient: Vec<f64> =
        (0..problem.cols).map(|j| (0..problem.rows).map(|i| problem.at(i, j) * residual[i]).sum()).collect();
    within(&format!("{name}: ‖Aᵀ(b − Ax)‖"), norm(&gradient), problem.epsilon() * problem.norm() * size);
    if problem.factor().rank() == problem.rows {
        within(&format!("{name}: ‖b − Ax‖"), norm(&residual), problem.epsilon() * size);
    }
}

#[test]
fn residuals_are_orthogonal_to_the_range() {
    for (rows, cols) in SHAPES {
        solutions_are_least_squares(&Problem::<f64>::random(rows, cols));
        solutions_are_least_squares(&Problem::<f32>::random(rows, cols));
    }
    solutions_are_least_squares(&Problem::<f64>::ill_conditioned(80, 50, 1e10));
    solutions_are_least_squares(&Problem::<f64>::of_rank(80, 50, 20));
    solutions_are_least_squares(&Problem::<f64>::of_rank(20, 50, 7));
}

#[test]
fn solutions_agree_with_nalgebra_as_far_as_the_condition_allows() {
    let problems = [
        (Problem::<f64>::random(120, 70), 10.0),
        (Problem::random(64, 64), 1e3),
        (Problem::ill_conditioned(150, 60, 1e6), 1e6),
        (Problem::ill_conditioned(90, 90, 1e9), 1e9),
    ];
    for (problem, condition) in problems {
        let b: Vec<f64> = normal(problem.rows, 10);
        let x = problem.solve(&b);
        let expected = problem.nalgebra().svd(true, true).solve(&DVector::from_column_slice(&b), 0.0).unwrap();
        let off: Vec<f64> = x.iter().zip(&expected).map(|(x, expected)| x - expected).collect();
        // Wedin: ‖δx‖/‖x‖ ≤ ε·(κ + κ²·‖r‖/(‖A‖‖x‖)), for each of the two programs.
        let residual = norm(&problem.residual(&b, &x));
        let sigma = problem.factor().singular_values(Context::detect())[0];
        let bound = condition + condition * condition * residual / (sigma * norm(&x));
        within(&format!("against nalgebra, κ = {condition:e}"), norm(&off) / norm(&x), problem.epsilon() * bound);
    }
}

#[test]
fn singular_values_condition_and_rank_agree_with_nalgebra() {
    for problem in [
        Problem::<f64>::random(50, 30),
        Problem::random(30, 50),
        Problem::ill_conditioned(60, 40, 1e8),
        Problem::of_rank(40, 30, 12),
    ] {
        let qr = problem.factor();
        let found = qr.singular_values(Context::detect());
        let expected = problem.nalgebra().svd(false, false).singular_values;
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= problem.epsilon() * expected.max(found_scale(&qr)),
                "{found} {expected}"
            );
        }
        let rank = expected.iter().filter(|&&s| s > 50.0 * f64::EPSILON * expected[0]).count();
        assert_eq!(qr.rank(), rank);
        if rank == found.len() {
            let (ours, theirs) = (qr.condition_number(Context::detect()), expected[0] / expected[found.len() - 1]);
            assert!((ours / theirs - 1.0).abs() <= problem.epsilon() * theirs, "{ours} for {theirs}");
        }
    }
}

fn found_scale(qr: &PivotedQr<f64>) -> f64 {
    qr.singular_values(Context::detect())[0]
}

#[test]
fn a_short_rank_gives_the_solution_of_least_norm() {
    for (rows, cols, rank) in [(40, 30, 12), (30, 30, 1), (12, 30, 12), (12, 30, 5), (50, 20, 19)] {
        let problem = Problem::<f64>::of_rank(rows, cols, rank);
        assert_eq!(problem.factor().rank(), rank);
        let b: Vec<f64> = normal(rows, 11);
        let x = problem.solve(&b);
        // Of least norm when x lies in the row space: x = Aᵀ·(Aᵀ)⁺·x, the second from the factors of Aᵀ.
        let transposed: Vec<f64> = (0..cols * rows).map(|at| problem.at(at % rows, at / rows)).collect();
        let transpose = Problem { a: transposed, rows: cols, cols: rows };
        let y = transpose.solve(&x);
        let outside = norm(&transpose.residual(&x, &y));
        // The smallest non-zero singular value of these products is about a thirtieth of the largest at worst, 1/κ = 1e-3.
        within(
            &format!("rank {rank} of [{rows}, {cols}]: part outside the row space"),
            outside,
            1e3 * problem.epsilon() * norm(&x),
        );
        let svd = problem.nalgebra().svd(true, true);
        // Singular values fall; those behind the rank are rounding errors.
        let least = 0.5 * svd.singular_values[rank - 1];
        let expected = svd.solve(&DVector::from_column_slice(&b), least).unwrap();
        let off: Vec<f64> = x.iter().zip(&expected).map(|(x, e)| x - e).collect();
        within("against nalgebra's pseudo-inverse", norm(&off) / norm(&x), 1e3 * problem.epsilon());
    }
}

#[test]
fn a_zero_matrix_has_rank_zero_and_the_zero_solution() {
    let problem = Problem { a: vec![0.0f64; 12], rows: 4, cols: 3 };
    assert_eq!(problem.factor().rank(), 0);
    assert_eq!(problem.solve(&[1.0, 2.0, 3.0, 4.0]), [0.0; 3]);
    assert_eq!(problem.factor().condition_number(Context::detect()), f64::INFINITY);
}

#[test]
fn a_zero_column_and_a_repeated_one_do_not_hurt() {
    let mut problem = Problem::<f64>::random(20, 5);
    for i in 0..20 {
        problem.a[i * 5 + 1] = 0.0;
        problem.a[i * 5 + 3] = problem.a[i * 5];
    }
    assert_eq!(problem.factor().rank(), 3);
    let x = problem.solve(&normal(20, 12));
    assert!(x[1].abs() < 1e-14 && (x[0] - x[3]).abs() < 1e-13, "{x:?}");
}

#[test]
fn the_size_of_the_elements_does_not_matter() {
    let problem = Problem::<f32>::random(30, 12);
    let b: Vec<f32> = normal(30, 13);
    let x = problem.solve(&b);
    // Powers of two: the same digits.
    for power in [-100, -40, 40, 100] {
        let factor = 2f32.powi(power);
        let scaled = Problem { a: problem.a.iter().map(|a| a * factor).collect(), ..problem };
        let found = scaled.solve(&b);
        for (found, x) in found.iter().zip(&x) {
            assert_eq!(*found, x / f64::from(factor));
        }
        assert_eq!(scaled.factor().rank(), 12);
    }
}

#[test]
fn matrices_that_are_empty_or_not_finite_are_refused() {
    let factor = |a: &[f64], rows, cols| PivotedQr::factor(Context::detect(), MatRef::new(a, rows, cols)).unwrap_err();
    assert_eq!(factor(&[], 0, 3), FactorError::Empty { rows: 0, cols: 3 });
    assert_eq!(factor(&[], 3, 0), FactorError::Empty { rows: 3, cols: 0 });
    let error = factor(&[1.0, 2.0, 3.0, f64::NAN], 2, 2);
    assert_eq!(error.to_string(), "cannot factor a [2, 2] matrix: element (1, 1) is NaN, and all must be finite");
    let error = factor(&[1.0, f64::NEG_INFINITY, 3.0, 4.0], 2, 2);
    assert!(matches!(error, FactorError::NotFinite { row: 0, col: 1, .. }));
}

#[test]
fn a_right_hand_side_that_is_not_finite_spoils_its_own_solution_alone() {
    let problem = Problem::<f64>::random(20, 6);
    let mut b: Vec<f64> = normal(60, 14);
    let mut clean = vec![0.0; 18];
    problem.factor().solve_rows(Context::detect(), &b, &mut clean);
    b[25] = f64::NAN;
    let mut spoilt = vec![0.0; 18];
    problem.factor().solve_rows(Context::detect(), &b, &mut spoilt);
    assert_eq!((&spoilt[..6], &spoilt[12..]), (&clean[..6], &clean[12..]));
    assert!(spoilt[6..12].iter().all(|x| x.is_nan()));
}

fn bits<T: Real>(problem: &Problem<T>, b: &[T], context: Context, threads: usize) -> Vec<u64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let qr = PivotedQr::factor(context, problem.view()).unwrap();
        let mut x = vec![T::ZERO; b.len() / problem.rows * problem.cols];
        qr.solve_rows(context, b, &mut x);
        let singular = qr.singular_values(context);
        x.iter().map(|x| x.bits()).chain(singular.iter().map(|s| s.to_bits())).collect()
    })
}

fn the_same_bits_everywhere<T: Real>() {
    for problem in [Problem::<T>::random(150, 70), Problem::of_rank(90, 60, 31)] {
        // More right-hand sides than are solved together.
        let b: Vec<T> = normal(700 * problem.rows, 15);
        let scalar = Context { isa: Isa::SCALAR, gemm: GemmEngine::Narrows };
        let expected = bits(&problem, &b, scalar, 1);
        for isa in Isa::available() {
            for threads in [1, 2, 3] {
                println!("{} on {} with {threads} threads", T::NAME, isa.name());
                assert!(bits(&problem, &b, Context { isa, ..scalar }, threads) == expected);
            }
        }
        // One right-hand side alone gives what it gives among 700.
        let mut alone = vec![T::ZERO; problem.cols];
        let last = 699;
        problem.factor().solve_rows(scalar, &b[last * problem.rows..], &mut alone);
        let among = &expected[last * problem.cols..(last + 1) * problem.cols];
        assert!(alone.iter().map(|x| x.bits()).eq(among.iter().copied()));
    }
}

#[test]
fn bits_depend_on_neither_threads_nor_instruction_set_nor_company() {
    the_same_bits_everywhere::<f32>();
    the_same_bits_everywhere::<f64>();
}

/// `cargo test --release --test library least_squares -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn time_of_a_784_by_392_layer_with_70000_right_hand_sides() {
    fn measure<T: Real>() {
        let problem = Problem::<T>::random(784, 392);
        let b: Vec<T> = normal(70_000 * 784, 16);
        let mut x = vec![T::ZERO; 70_000 * 392];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.install(|| {
            for _ in 0..3 {
                let start = std::time::Instant::now();
                let qr = problem.factor();
                let factored = start.elapsed();
                qr.solve_rows(Context::detect(), &b, &mut x);
                let solved = start.elapsed() - factored;
                let start = std::time::Instant::now();
                let condition = qr.condition_number(Context::detect());
                let taken = start.elapsed();
                println!(
                    "{}: factor {factored:.3?}, solve {solved:.3?}, condition {condition:.3} {taken:.3?}",
                    T::NAME
                );
            }
        });
    }
    measure::<f32>();
    measure::<f64>();
}

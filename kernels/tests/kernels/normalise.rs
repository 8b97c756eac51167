//! Batch normalisation has the bits of what it is made of.

use Accumulate::{Add, Overwrite};
use narrows_kernels::activation::{activate_in_place, activation_derivative};
use narrows_kernels::elementwise::{self, Binary};
use narrows_kernels::{Accumulate, Isa, Real, normalise, reduce};

use crate::vector_bits::{activations, bits, numbers};

#[test]
fn normalisation_has_the_bits_of_elementwise_operations_on_whole_matrices() {
    fn check<T: Real>(rows: usize, cols: usize) {
        let isa = Isa::detect();
        let [x, g] = [numbers::<T>(rows * cols, 3, true), numbers(rows * cols, 4, true)];
        let [m, f, b, k, q] = [5, 6, 7, 8, 9].map(|seed| numbers::<T>(cols, seed, false));
        let spread = |row: &[T]| {
            let mut out = vec![T::ZERO; rows * cols];
            elementwise::broadcast_row(isa, row, &mut out, Overwrite);
            out
        };
        let binary = |op, a: &[T], b: &[T]| {
            let mut out = vec![T::ZERO; rows * cols];
            elementwise::binary(isa, op, a, b, &mut out, Overwrite);
            out
        };
        let sums = |x: &[T]| {
            let mut out = vec![T::ZERO; cols];
            reduce::column_sums(isa, x, cols, &mut out, Overwrite);
            bits(&out)
        };
        let row = |call: &dyn Fn(&mut [T])| {
            let mut out = vec![T::ONE; cols];
            call(&mut out);
            bits(&out)
        };
        let matrix = |call: &dyn Fn(&mut [T])| {
            let mut out = vec![T::ONE; rows * cols];
            call(&mut out);
            bits(&out)
        };
        let centred = binary(Binary::Add, &x, &spread(&m));
        let square = binary(Binary::Mul, &centred, &centred);
        assert_eq!(row(&|out| normalise::centred_square_sums(isa, &x, &m, out)), sums(&square));
        let twice = binary(Binary::Mul, &spread(&k), &binary(Binary::Add, &centred, &centred));
        for activation in activations() {
            let mut y = binary(Binary::Add, &binary(Binary::Mul, &centred, &spread(&f)), &spread(&b));
            activate_in_place(isa, activation, &mut y);
            let found = matrix(&|out| normalise::normalise(isa, activation, &x, &m, &f, &b, out));
            assert_eq!(found, bits(&y), "{activation}, {rows} × {cols}");

            let mut dz = vec![T::ZERO; rows * cols];
            activation_derivative(isa, activation, 0, &y, &g, &mut dz, Overwrite);
            let unused = &mut vec![T::ZERO; cols];
            let found = row(&|out| {
                normalise::bias_and_factor_sums(
                    isa,
                    activation,
                    [&g, &x],
                    [&m, &f, &b],
                    out,
                    Overwrite,
                    &mut unused.clone(),
                );
            });
            assert_eq!(found, sums(&dz), "{activation}, {rows} × {cols}");
            let found = row(&|out| {
                normalise::bias_and_factor_sums(isa, activation, [&g, &x], [&m, &f, &b], &mut unused.clone(), Add, out);
            });
            assert_eq!(found, sums(&binary(Binary::Mul, &dz, &centred)), "{activation}, {rows} × {cols}");
            let gradient = binary(Binary::Add, &binary(Binary::Mul, &dz, &spread(&f)), &twice);
            let found = row(&|out| normalise::centred_gradient_sums(isa, activation, [&g, &x], [&m, &f, &b, &k], out));
            assert_eq!(found, sums(&gradient), "{activation}, {rows} × {cols}");
            let found = matrix(&|out| normalise::input_gradient(isa, activation, [&g, &x], [&m, &f, &b, &k, &q], out));
            assert_eq!(found, bits(&binary(Binary::Add, &gradient, &spread(&q))), "{activation}, {rows} × {cols}");
        }
    }
    for (rows, cols) in [(1, 1), (3, 5), (33, 16), (70, 33), (64, 64), (700, 128)] {
        check::<f32>(rows, cols);
        check::<f64>(rows, cols);
    }
}

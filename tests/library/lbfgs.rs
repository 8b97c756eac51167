//! L-BFGS: minima of smooth functions of many numbers from values and gradients.

use narrows::analysis::*;
use narrows_kernels::Isa;

#[test]
fn rosenbrocks_valley_is_followed_to_its_end() {
    let rosenbrock = |x: &[f64], g: &mut [f64]| {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        g.copy_from_slice(&[-2.0 * a - 400.0 * x[0] * b, 200.0 * b]);
        a * a + 100.0 * b * b
    };
    let found = lbfgs(Isa::detect(), vec![-1.2, 1.0], 1e-10, 200, |_| {}, rosenbrock);
    assert!(found.converged && found.iterations < 60, "{found:?}");
    assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-9), "{found:?}");
    let cut = lbfgs(Isa::detect(), vec![-1.2, 1.0], 1e-10, 5, |_| {}, rosenbrock);
    assert!(!cut.converged && cut.iterations == 5 && cut.gradient > 1e-3, "{cut:?}");
}

#[test]
fn a_quadratic_bowl_of_many_scales_is_solved() {
    let bowl = |x: &[f64], g: &mut [f64]| {
        let mut value = 0.0;
        for (k, (x, g)) in x.iter().zip(g).enumerate() {
            let scale = (1 + k * k) as f64;
            *g = scale * (x - k as f64);
            value += 0.5 * scale * (x - k as f64) * (x - k as f64);
        }
        value
    };
    let found = lbfgs(Isa::detect(), vec![0.0; 30], 1e-8, 500, |_| {}, bowl);
    let hessian = |g: &mut [f64]| g.iter_mut().enumerate().for_each(|(k, g)| *g /= (1 + k * k) as f64);
    let known = lbfgs(Isa::detect(), vec![0.0; 30], 1e-8, 500, hessian, bowl);
    assert!(known.converged && known.iterations < 10 && found.iterations > 10, "{known:?} {found:?}");
    assert!(found.converged, "{found:?}");
    assert!(found.at.iter().enumerate().all(|(k, x)| (x - k as f64).abs() < 1e-8), "{found:?}");
}

#[test]
fn a_function_that_is_no_number_ends_the_search_where_it_began() {
    let nan = |_: &[f64], g: &mut [f64]| {
        g.fill(1.0);
        f64::NAN
    };
    let found = lbfgs(Isa::detect(), vec![3.0], 1e-8, 10, |_| {}, nan);
    assert!(!found.converged && found.at == [3.0] && found.iterations == 0);
    // Beyond 1 it is infinite: shorter steps are tried.
    let wall = |x: &[f64], g: &mut [f64]| {
        g[0] = if x[0] < 1.0 { 2.0 * (x[0] - 0.9) } else { f64::NAN };
        if x[0] < 1.0 { (x[0] - 0.9) * (x[0] - 0.9) } else { f64::INFINITY }
    };
    let found = lbfgs(Isa::detect(), vec![-9.0], 1e-8, 50, |_| {}, wall);
    assert!(found.converged && (found.at[0] - 0.9).abs() < 1e-8, "{found:?}");
}

#[test]
fn a_gradient_with_nan_is_not_converged() {
    for gradient in [[f64::NAN, 0.0], [0.0, f64::NAN]] {
        let spoilt = |_: &[f64], g: &mut [f64]| {
            g.copy_from_slice(&gradient);
            0.0
        };
        let found = lbfgs(Isa::detect(), vec![1.0, 1.0], 1e-5, 10, |_| {}, spoilt);
        assert!(!found.converged && found.gradient.is_nan(), "{found:?}");
    }
}
